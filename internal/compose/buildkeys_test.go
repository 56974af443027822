package compose_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// loadBuild reads the service app out of a Compose file that stands in a
// workspace with a folder app, a folder lib, a key and a secret's file.
func loadBuild(t *testing.T, text string) (compose.Build, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"app/Dockerfile": "FROM scratch\n", "lib/x": "", "key": "a key", "secret.txt": "from a file", "docker-compose.yml": text} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Vars: map[string]string{"TOKEN": "from vars"}})
	if err != nil {
		return compose.Build{}, dir, err
	}
	build, err := project.Build(project.Services["app"], func(text string) (image.Reference, error) {
		reference, err := image.Parse(text)
		return reference.In("registry.example"), err
	})
	return build, dir, err
}

func TestBuildKeys(t *testing.T) {
	got, dir, err := loadBuild(t, `services:
  base: {image: base, build: ./app}
  pulled: {image: "guk0/pulled:1"}
  app:
    build:
      context: ./app
      additional_contexts: {lib: ./lib, up: service:base, pulled: service:pulled, img: "docker-image://busybox"}
      secrets: [file, {source: env, target: token}]
      ssh: [deploy=./key]
      platforms: [linux/amd64, linux/arm64]
      cache_from: [guk0/app:cache, "${NONE:-}", "type=registry,ref=guk0/app:other"]
      cache_to: ["type=gha,scope=app,mode=max"]
      ulimits: {nproc: 9, nofile: {soft: 1, hard: 2}}
      provenance: mode=max
      sbom: true
      network: host
      no_cache_filter: [deps]
secrets:
  file: {file: ./secret.txt}
  env: {environment: TOKEN}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := compose.Build{
		Service: "app", Context: filepath.Join(dir, "app"), Dockerfile: filepath.Join(dir, "app/Dockerfile"), Args: map[string]string{},
		Contexts:  map[string]string{"lib": filepath.Join(dir, "lib"), "up": "service:base", "pulled": "docker-image://registry.example/guk0/pulled:1", "img": "docker-image://busybox"},
		Secrets:   map[string][]byte{"file": []byte("from a file"), "token": []byte("from vars")},
		SSH:       map[string]string{"deploy": filepath.Join(dir, "key")},
		Platforms: []string{"linux/amd64", "linux/arm64"},
		CacheFrom: []compose.Cache{{Type: "registry", Attrs: map[string]string{"ref": "guk0/app:cache"}}, {Type: "registry", Attrs: map[string]string{"ref": "guk0/app:other"}}},
		CacheTo:   []compose.Cache{{Type: "gha", Attrs: map[string]string{"scope": "app", "mode": "max"}}},
		Ulimits:   map[string]string{"nproc": "9:9", "nofile": "1:2"}, Provenance: "mode=max", SBOM: "true",
		Network: "host", NoCacheStages: []string{"deps"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestExtraHosts shows the ways to write them, in one order every time.
func TestExtraHosts(t *testing.T) {
	want := []string{"a=192.0.2.9", "a=192.0.2.1", "b=::1", "c=192.0.2.2", "d=::2", "e=host-gateway", "f=192.0.2.3"}
	for _, written := range []string{
		`["f:192.0.2.3", "a=192.0.2.9,192.0.2.1", "b:[::1]", "c:192.0.2.2", "d=::2", "e:host-gateway"]`,
		`{f: 192.0.2.3, e: host-gateway, a: [192.0.2.9, 192.0.2.1], b: "[::1]", c: 192.0.2.2, d: "::2"}`,
	} {
		for range 10 {
			got, _, err := loadBuild(t, "services:\n  app: {build: {context: ./app, extra_hosts: "+written+"}}\n")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.ExtraHosts); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", written, diff)
			}
		}
	}
}

func TestAttestations(t *testing.T) {
	for _, c := range []struct{ keys, provenance, sbom string }{
		{"provenance: true, sbom: false", "true", "false"},
		{"provenance: '1', sbom: generator=guk0/scanner", "true", "generator=guk0/scanner"},
		{"provenance: 'mode=max,builder-id=x', sbom: 'generator=a,depth=2'", "mode=max,builder-id=x", "generator=a,depth=2"},
		{"provenance: 'mode=max,disabled=true'", "false", ""},
	} {
		got, _, err := loadBuild(t, "services:\n  app: {build: {context: ./app, "+c.keys+"}}\n")
		if err != nil || got.Provenance != c.provenance || got.SBOM != c.sbom {
			t.Errorf("%s: %q, %q, %v", c.keys, got.Provenance, got.SBOM, err)
		}
	}
}

// TestBuildPlatform shows that a service's platform is its image's, where the
// build does not say.
func TestBuildPlatform(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"platform: linux/arm64, build: ./app", "linux/arm64"},
		{"platform: linux/arm64, build: {context: ./app, platforms: [linux/amd64, linux/arm64]}", "linux/amd64 linux/arm64"},
		{"build: ./app", ""},
	} {
		got, _, err := loadBuild(t, "services:\n  app: {"+c.keys+"}\n")
		if platforms := strings.Join(got.Platforms, " "); err != nil || platforms != c.want {
			t.Errorf("%s: platforms %q, %v; want %q", c.keys, platforms, err, c.want)
		}
	}
}

func TestBuildSources(t *testing.T) {
	for _, c := range []struct{ build, context, dockerfile, inline string }{
		{"{context: ./app, dockerfile_inline: FROM scratch}", "app", "", "FROM scratch"},
		{"https://github.com/guk0/app.git#main:sub", "https://github.com/guk0/app.git#main:sub", "Dockerfile", ""},
		{"{context: 'git@github.com:guk0/app.git', dockerfile: other, ssh: [default=key]}", "git@github.com:guk0/app.git", "other", ""},
	} {
		got, dir, err := loadBuild(t, "services:\n  app: {build: "+strings.Replace(c.build, "https://github.com/guk0/app.git#main:sub", "'https://github.com/guk0/app.git#main:sub'", 1)+"}\n")
		if err != nil {
			t.Errorf("%s: %v", c.build, err)
			continue
		}
		context := strings.TrimPrefix(got.Context, dir+"/")
		if context != c.context || got.Dockerfile != c.dockerfile || got.Inline != c.inline {
			t.Errorf("%s: context %q, Dockerfile %q, inline %q", c.build, context, got.Dockerfile, got.Inline)
		}
	}
}

func TestBuildKeyErrors(t *testing.T) {
	for _, c := range []struct{ keys, want string }{
		{"additional_contexts: {lib: ./none}", `docker-compose.yml:2: service "app": build.additional_contexts: lib: none is no folder in the workspace`},
		{"additional_contexts: {l: 'ssh://git@github.com/guk0/lib.git'}, ssh: [other=./key]", `docker-compose.yml:2: service "app": build.ssh: ssh://git@github.com/guk0/lib.git is fetched by SSH: give default=path/to/a/key`},
		{"additional_contexts: {l: 'oci-layout://x'}", `docker-compose.yml:2: service "app": build.additional_contexts: l: an OCI layout is not supported; push it and name it as docker-image://`},
		{"additional_contexts: {other: 'service:app'}", `docker-compose.yml:2: service "app": build.additional_contexts: the images start from each other in a circle: app → app; remove one of the contexts`},
		{"additional_contexts: {other: 'service:none'}", `docker-compose.yml:2: service "app": build.additional_contexts: other: there is no service "none"; there are: app`},
		{"secrets: [ext]", `docker-compose.yml:2: service "app": build.secrets: ext: is external; give the value in the input secrets`},
		{"secrets: [env]", `docker-compose.yml:2: service "app": build.secrets: env: has no value: give a line NONE=… in the input vars, or give the value in the input secrets`},
		{"secrets: [gone]", `docker-compose.yml:2: service "app": build.secrets: gone: there is no file gone.txt in the workspace`},
		{"secrets: [{source: gone, uid: '1'}]", `docker-compose.yml:2: service "app": build.secrets: gone: uid, gid and mode have no effect in a build; give them to RUN --mount=type=secret`},
		{"ssh: [default]", `docker-compose.yml:2: service "app": build.ssh: default needs an agent, which the action's container lacks; write default=path/to/a/key, or to a socket in the workspace`},
		{"ssh: [a=./none, b=./lib]", "docker-compose.yml:2: service \"app\": build.ssh: a: there is no file none\ndocker-compose.yml:2: service \"app\": build.ssh: b: there is no file lib"},
		{"cache_from: ['type=local,src=/x']", `docker-compose.yml:2: service "app": build.cache_from: type local would be a folder in the action's own container, which is gone after the step; give type=registry or type=gha`},
		{"cache_to: ['type=fast']", `docker-compose.yml:2: service "app": build.cache_to: type "fast" is none of registry, gha, inline, s3, azblob`},
		{"cache_to: ['type=registry,mode=max']", `docker-compose.yml:2: service "app": build.cache_to: type registry needs a reference, as type=registry,ref=guk0/web:cache`},
		{"cache_from: ['type=inline']", `docker-compose.yml:2: service "app": build.cache_from: type inline is for cache_to; give the image that it was written into, as guk0/web:latest`},
		{"provenance: max", `docker-compose.yml:2: service "app": build.provenance: "max" is none of true, false, KEY=VALUE`},
		{"provenance: 'mode=max,kind=x'", `docker-compose.yml:2: service "app": build.provenance: "kind=x": there is no kind; there are mode, builder-id, reproducible, version, inline-only`},
		{"extra_hosts: ['a:192.0.2.1', 'b:a', 'c:host-gateway']", `docker-compose.yml:2: service "app": build.extra_hosts: b: "a" is no address; write one as 192.0.2.1, or host-gateway`},
		{"ulimits: {nofile: {soft: 3, hard: 2}}", `docker-compose.yml:2: service "app": build.ulimits: nofile: ulimit soft limit must be less than or equal to hard limit: 3 > 2`},
		{"ulimits: {files: 3}", `docker-compose.yml:2: service "app": build.ulimits: files: invalid ulimit type: files`},
		{"platforms: [pdp]", `docker-compose.yml:2: service "app": build.platforms: "pdp" is no platform; write it as linux/amd64 or linux/arm64`},
		{"platforms: [linux/amd64, linux/x86_64]", `docker-compose.yml:2: service "app": build.platforms: linux/x86_64 is given twice`},
		{"network: backend", `docker-compose.yml:2: service "app": build.network: "backend" is none of default, host, none: a build can't join another network`},
		{"privileged: true", `docker-compose.yml:2: service "app": build.privileged is not supported; remove it`},
	} {
		_, dir, err := loadBuild(t, "services:\n  app: {image: app, build: {context: ./app, "+c.keys+"}}\nsecrets: {ext: {external: true}, env: {environment: NONE}, gone: {file: ./gone.txt}}\n")
		if err == nil {
			t.Errorf("%s: no error", c.keys)
			continue
		}
		if diff := cmp.Diff(c.want, strings.ReplaceAll(err.Error(), dir+"/", "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.keys, diff)
		}
	}
}

// TestImagesInCircle shows that a circle is told once, at its first service.
func TestImagesInCircle(t *testing.T) {
	dir := t.TempDir()
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Inline: `
out: {build: {dockerfile_inline: FROM b, additional_contexts: {b: service:b}}}
c: {build: {dockerfile_inline: FROM a, additional_contexts: {a: service:a}}}
b: {build: {dockerfile_inline: FROM c, additional_contexts: {c: service:c, out: service:leaf}}}
a: {build: {dockerfile_inline: FROM b, additional_contexts: {leaf: service:leaf, b: service:b}}}
leaf: {image: x}
`})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range project.Names[:4] {
		_, err := project.Build(project.Services[name], image.Parse)
		want := ""
		if name == "c" {
			want = `input services:3: service "c": build.additional_contexts: the images start from each other in a circle: c → a → b → c; remove one of the contexts`
		}
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}
