package cache_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

func registry(ref string) compose.Cache {
	return compose.Cache{Type: "registry", Attrs: map[string]string{"ref": ref}}
}

func TestFor(t *testing.T) {
	classic, containerd := cache.Host{}, cache.Host{Exports: true}
	hosted := cache.Host{Exports: true, URL: "https://results.example", Token: "a-word"}
	pushed := cache.Image{Service: "web", Role: cache.Build, Name: image.Reference{Registry: "ghcr.io", Repository: "guk0/web"}, Tags: []string{"main", "latest"}, Pushed: true}
	tested := cache.Image{Service: "web", Role: cache.Test, Name: pushed.Name, Tags: []string{"latest"}}
	unnamed := cache.Image{Service: "web", Role: cache.Test, Tags: []string{"latest"}}
	gha := func(scope string, more ...string) compose.Cache {
		attrs := map[string]string{"scope": "travois-web-" + scope, "url_v2": hosted.URL, "token": hosted.Token, "version": "2"}
		for i := 0; i < len(more); i += 2 {
			attrs[more[i]] = more[i+1]
		}
		return compose.Cache{Type: "gha", Attrs: attrs}
	}
	inline := []compose.Cache{{Type: "inline"}}
	tags := []compose.Cache{registry("ghcr.io/guk0/web:main"), registry("ghcr.io/guk0/web:latest")}
	for _, c := range []struct {
		name, kind string
		host       cache.Host
		image      cache.Image
		from, to   []compose.Cache
		err        string
	}{
		{name: "classic", kind: "auto", host: classic, image: pushed, from: tags, to: inline},
		{name: "containerd without the service", kind: "auto", host: containerd, image: pushed, from: tags, to: inline},
		{name: "classic on GitHub", kind: "auto", host: cache.Host{URL: hosted.URL, Token: hosted.Token}, image: pushed, from: tags, to: inline},
		{name: "GitHub", kind: "auto", host: hosted, image: pushed, from: []compose.Cache{gha("43e02884-build"), gha("43e02884-test")}, to: []compose.Cache{gha("43e02884-build", "mode", "min", "ignore-error", "true")}},
		{name: "a test reads what the build kept, and writes its own", kind: "gha", host: hosted, image: tested, from: []compose.Cache{gha("43e02884-build"), gha("43e02884-test")}, to: []compose.Cache{gha("43e02884-test", "mode", "min", "ignore-error", "true")}},
		{name: "a test without a name on GitHub", kind: "gha", host: hosted, image: unnamed, from: []compose.Cache{gha("test")}, to: []compose.Cache{gha("test", "mode", "min", "ignore-error", "true")}},
		{name: "another image under the service's name", kind: "gha", host: hosted, image: cache.Image{Service: "web", Role: cache.Build, Name: image.Reference{Registry: "ghcr.io", Repository: "guk0/admin"}},
			from: []compose.Cache{gha("0c08b3eb-build"), gha("0c08b3eb-test")}, to: []compose.Cache{gha("0c08b3eb-build", "mode", "min", "ignore-error", "true")}},
		{name: "a test is not pushed", kind: "inline", host: classic, image: tested, from: tags[1:]},
		{name: "a test without a name", kind: "auto", host: classic, image: unnamed},
		{name: "registry", kind: "registry", host: containerd, image: pushed, from: []compose.Cache{registry("ghcr.io/guk0/web:cache-build"), registry("ghcr.io/guk0/web:cache-test")},
			to: []compose.Cache{{Type: "registry", Attrs: map[string]string{"ref": "ghcr.io/guk0/web:cache-build", "mode": "min", "image-manifest": "true", "ignore-error": "true"}}}},
		{name: "none", kind: "none", host: hosted, image: pushed},
		{name: "gha, classic", kind: "gha", host: classic, image: pushed, err: "input cache: gha needs an engine with the containerd image store, or builder: container; this one can keep steps in the image alone: give inline or auto"},
		{name: "gha, no service", kind: "gha", host: containerd, image: pushed, err: "input cache: gha needs GitHub's cache service, which this runner does not offer: give auto"},
		{name: "gha, act", kind: "gha", host: cache.Host{Exports: true, Act: true}, image: pushed, from: tags, to: inline},
		{name: "gha, act, classic", kind: "gha", host: cache.Host{Act: true}, image: pushed, from: tags, to: inline},
		{name: "a test has no other builder", kind: "registry", host: classic, image: tested, err: "input cache: registry needs an engine with the containerd image store; this one can keep steps in the image alone: give inline or auto"},
		{name: "registry, classic", kind: "registry", host: classic, image: pushed, err: "input cache: registry needs an engine with the containerd image store, or builder: container; this one can keep steps in the image alone: give inline or auto"},
	} {
		from, to, err := cache.Inputs{Cache: c.kind}.For(c.host, c.image)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(c.err, text); diff != "" {
			t.Errorf("%s: error (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff([][]compose.Cache{c.from, c.to}, [][]compose.Cache{from, to}); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestEarlier(t *testing.T) {
	for _, c := range []struct {
		name    string
		trigger action.Trigger
		want    []string
	}{
		{"a branch", action.Trigger{Branch: "feature/x", DefaultBranch: "main"}, []string{image.BranchTag("feature/x"), "main", "latest"}},
		{"the default branch", action.Trigger{Branch: "main", DefaultBranch: "main"}, []string{"main", "latest"}},
		{"nothing known", action.Trigger{}, []string{"latest"}},
	} {
		if diff := cmp.Diff(c.want, cache.Earlier(c.trigger)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestReach shows what becomes of the caches that a Compose file names.
func TestReach(t *testing.T) {
	hosted := cache.Host{Exports: true, URL: "https://results.example", Token: "a-word"}
	gha := func(more ...string) compose.Cache {
		attrs := map[string]string{"scope": "web"}
		for i := 0; i < len(more); i += 2 {
			attrs[more[i]] = more[i+1]
		}
		return compose.Cache{Type: "gha", Attrs: attrs}
	}
	s3 := func(more ...string) []compose.Cache {
		one := gha(more...)
		one.Type = "s3"
		return []compose.Cache{one}
	}
	logged := cache.Host{Exports: true, AWS: map[string]string{"access_key_id": "a-name", "secret_access_key": "a-word", "session_token": "for-an-hour"}}
	for _, c := range []struct {
		name    string
		host    cache.Host
		given   []compose.Cache
		want    []compose.Cache
		missing bool
	}{
		{"on GitHub", hosted, []compose.Cache{gha(), registry("a")}, []compose.Cache{gha("url_v2", hosted.URL, "token", hosted.Token, "version", "2"), registry("a")}, false},
		{"another service", hosted, []compose.Cache{gha("url", "https://other.example", "token", "other")}, []compose.Cache{gha("url", "https://other.example", "token", "other")}, false},
		{"no service", cache.Host{Exports: true}, []compose.Cache{gha(), registry("a")}, []compose.Cache{registry("a")}, true},
		{"S3", logged, s3(), s3("access_key_id", "a-name", "secret_access_key", "a-word", "session_token", "for-an-hour"), false},
		{"S3 by another's credentials", logged, s3("access_key_id", "other", "secret_access_key", "other"), s3("access_key_id", "other", "secret_access_key", "other"), false},
		{"S3 by the builder's own credentials", hosted, s3(), s3(), false},
		{"an engine that has none", cache.Host{}, []compose.Cache{gha()}, []compose.Cache{gha()}, false},
	} {
		reached, missing := c.host.Reach(c.given)
		if diff := cmp.Diff(c.want, reached); diff != "" || missing != c.missing {
			t.Errorf("%s: missing: %t (-want +got):\n%s", c.name, missing, diff)
		}
	}
}

// TestOnEngine shows what a test takes of the caches that a Compose file names.
func TestOnEngine(t *testing.T) {
	hosted := cache.Host{Exports: true, URL: "https://results.example", Token: "a-word"}
	all := []compose.Cache{registry("a"), {Type: "inline"}, {Type: "gha"}, {Type: "s3"}, {Type: "azblob"}}
	for _, c := range []struct {
		name          string
		host          cache.Host
		read, written string
	}{
		{"classic", cache.Host{}, "registry", "inline"},
		{"containerd", cache.Host{Exports: true}, "registry", "registry inline"},
		{"containerd on GitHub", hosted, "registry gha", "registry inline gha"},
	} {
		read, written := c.host.OnEngine(all, all)
		for _, one := range []struct {
			got  []compose.Cache
			want string
		}{{read, c.read}, {written, c.written}} {
			var types []string
			for _, cache := range one.got {
				types = append(types, cache.Type)
			}
			if got := strings.Join(types, " "); got != one.want {
				t.Errorf("%s: got %q, want %q", c.name, got, one.want)
			}
		}
	}
}

func TestHostOf(t *testing.T) {
	env := map[string]string{"ACTIONS_RESULTS_URL": "https://results.example", "ACTIONS_RUNTIME_TOKEN": "a-word"}
	if got, want := cache.HostOf(true, func(key string) string { return env[key] }), (cache.Host{Exports: true, URL: "https://results.example", Token: "a-word"}); !cmp.Equal(got, want) {
		t.Errorf("on GitHub: %+v, want %+v", got, want)
	}
	env["ACT"] = "true"
	if got, want := cache.HostOf(false, func(key string) string { return env[key] }), (cache.Host{Act: true}); !cmp.Equal(got, want) {
		t.Errorf("under act: %+v, want %+v", got, want)
	}
	env["AWS_ACCESS_KEY_ID"], env["AWS_SESSION_TOKEN"] = "a-name", "for-an-hour"
	if got := cache.HostOf(false, func(key string) string { return env[key] }); got.AWS != nil {
		t.Errorf("half of the credentials: %v", got.AWS)
	}
	env["AWS_SECRET_ACCESS_KEY"] = "a-word"
	want := map[string]string{"access_key_id": "a-name", "secret_access_key": "a-word", "session_token": "for-an-hour"}
	if diff := cmp.Diff(want, cache.HostOf(false, func(key string) string { return env[key] }).AWS); diff != "" {
		t.Errorf("with credentials (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	if err := (cache.Inputs{Cache: "auto"}).Check(); err != nil {
		t.Error(err)
	}
	want := `input cache: "s3" is none of auto, none, inline, registry, gha`
	if err := (cache.Inputs{Cache: "s3"}).Check(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
