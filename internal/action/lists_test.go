package action_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
)

// TestSecrets reads values of one line and of several.
func TestSecrets(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]string
		err        string
	}{
		{"lines", "a=1\n\nweb:b=x=y\r\n", map[string]string{"a": "1", "b": "x=y"}, ""},
		{"several lines", "a=1\n\"key=-----BEGIN-----\nline=2\n-----END-----\n\"\nb=2\n", map[string]string{"a": "1", "key": "-----BEGIN-----\nline=2\n-----END-----\n", "b": "2"}, ""},
		{"of one service", "\"web:npmrc=one\ntwo\"", map[string]string{"npmrc": "one\ntwo"}, ""},
		{"quotes within", "\"a=say \"\"hi\"\"\nagain\"", map[string]string{"a": "say \"hi\"\nagain"}, ""},
		{"JSON as it is", "\"a={\n  \"k\": \"v\"\n}\"\nb=2", map[string]string{"a": "{\n  \"k\": \"v\"\n}", "b": "2"}, ""},
		{"quotes in a value of one line", "a=\"1\"\nb=\"\n", map[string]string{"a": "\"1\"", "b": "\""}, ""},
		{"not closed", "a=1\n\"key=hidden-word\nmore\n", nil, `line 2 opens a quote that nothing closes: an entry of several lines ends in a quote at its line's end, and a quote within it is doubled`},
		{"no name", "a=1\n\"hidden-word\nmore\"", nil, "line 2 is neither KEY=VALUE nor service:KEY=VALUE"},
		{"a second line without quotes", "a=1\nhidden-word", nil, `line 2 is neither KEY=VALUE nor service:KEY=VALUE; a value of several lines needs quotes around the entry: "KEY=VALUE"`},
	} {
		var secrets action.Secrets
		err := secrets.UnmarshalText([]byte(c.text))
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: got %v\nwant %s", c.name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, secrets.For("web")); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}
