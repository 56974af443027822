package engine_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestLoginFails shows that a login which can't be had is told of where it is
// needed, for a base image, a pull and a push, in its own words.
func TestLoginFails(t *testing.T) {
	eng := enginetest.Connect(t)
	host := enginetest.Registry(t)
	dir := enginetest.Context(t)
	enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM "+host+"/guk0/nothing:1\nENTRYPOINT [\"/program\"]\n")
	const why = "log in to the registry: there are no credentials here"
	logins := func(context.Context, string) (string, string, error) { return "", "", errors.New(why) }
	name := host + "/guk0/none:1"
	_, buildErr := eng.Build(t.Context(), []engine.Image{{Build: build(dir, "one"), Output: io.Discard}}, logins)
	pullErr := eng.Pull(t.Context(), name, "", host, logins, io.Discard)
	builder, err := eng.Builder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = builder.Close(t.Context()) }()
	_, pushErr := builder.Push(t.Context(), engine.Image{Names: []string{name}, Output: io.Discard}, logins, host)
	for what, err := range map[string]error{"build": buildErr, "pull": pullErr, "push": pushErr} {
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
