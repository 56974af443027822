package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/bundle"
)

const v1File = `{"AWSEBDockerrunVersion": "1", "Image": {"Name": "guk0/app:old"}, "Ports": [{"ContainerPort": 80}]}`

// fileOf is a deploy file of a kind.
func fileOf(kind bundle.Kind, source string) deployFile {
	return deployFile{path: "the file", kind: kind, source: []byte(source)}
}

func TestReferences(t *testing.T) {
	compose, v2, v1 := fileOf(bundle.Compose, composeFile), fileOf(bundle.DockerrunV2, dockerrunFile), fileOf(bundle.DockerrunV1, v1File)
	hosted := fileOf(bundle.Compose, "services: {web: {image: 'ghcr.io/guk0/web:1'}, official: {image: nginx}}")
	for _, c := range []struct {
		name  string
		file  deployFile
		given config
		want  map[string]string
	}{
		{"tag and digest", compose, config{Tags: `{"frontend":"t"}`, Digests: `{"frontend":"` + digest + `"}`}, map[string]string{"frontend": "guk0/docker-frontend:t@" + digest}},
		{"digest alone drops the file's tag", compose, config{Digests: `{"backend":"` + digest + `"}`}, map[string]string{"backend": "guk0/docker-backend@" + digest}},
		{"a variable as the tag", compose, config{Tags: `{"backend":"t"}`}, map[string]string{"backend": "guk0/docker-backend:t"}},
		{"a registry for those without one", hosted, config{Tags: `{"web":"t","official":"t"}`, Registry: "localhost:5000"}, map[string]string{"web": "ghcr.io/guk0/web:t", "official": "localhost:5000/nginx:t"}},
		{"Docker Hub stays short", hosted, config{Tags: `{"official":"t"}`}, map[string]string{"official": "nginx:t"}},
		{"whole references", compose, config{Images: `{"frontend":"quay.io/a/b:t@` + digest + `"}`}, map[string]string{"frontend": "quay.io/a/b:t@" + digest}},
		{"Dockerrun takes the digest", v2, config{Images: `{"frontend":"docker.io/a/b:t@` + digest + `","backend":"a/c:t"}`}, map[string]string{"frontend": "docker.io/a/b@" + digest, "backend": "a/c:t"}},
		{"Dockerrun v1, whatever the name", v1, config{Tags: `{"web":"t"}`}, map[string]string{"web": "guk0/app:t"}},
		{"unknown services are the renderer's", compose, config{Tags: `{"bakend":"t"}`}, map[string]string{"bakend": "unknown"}},
		{"nothing given", compose, config{Tags: "{}"}, map[string]string{}},
		{"a broken input hides no service", compose, config{Images: "[]"}, map[string]string{"frontend": "unknown", "backend": "unknown"}},
		{"a broken file", fileOf(bundle.Compose, "services: ["), config{Tags: `{"a":"t"}`}, map[string]string{"a": "unknown"}},
	} {
		if c.given.Registry == "" {
			c.given.Registry = "docker.io"
		}
		g, _ := c.given.images()
		refs, err := g.references(c.file, c.given.Registry)
		got := map[string]string{}
		for service, ref := range refs {
			got[service] = written(c.file.kind, ref)
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func TestReferencesErrors(t *testing.T) {
	for source, want := range map[string]string{
		"services: {web: {build: .}}":              `the file: service "web": has no image whose repository the tag could go onto; give the whole reference in the input images`,
		"services: {web: {image: '${NAME}:1'}}":    `its image "${NAME}:1" has a variable in the repository`,
		"services: {web: {image: 'a/${N}/b:1'}}":   "has a variable in the repository",
		"services: {web: {image: 'h:5000/${N}'}}":  "has a variable in the repository",
		"services: {web: {image: 'Upper/case:1'}}": `write "upper/case:1"`,
	} {
		_, err := given{tags: map[string]string{"web": "t"}}.references(fileOf(bundle.Compose, source), "docker.io")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", source, err, want)
		}
	}
}

func TestImagesErrors(t *testing.T) {
	for name, c := range map[string]struct {
		config config
		want   []string
	}{
		"every bad entry": {config{Images: `{"a":"x","b":"Up/x:1","c":""}`}, []string{
			`input images: service "a": "x" has neither tag nor digest`, `input images: service "b": image "Up/x:1"`, `input images: service "c": image ""`,
		}},
		"tags and digests": {config{Tags: `{"a":"-x"}`, Digests: `{"a":"md5:1"}`}, []string{`input tags: service "a": `, `input digests: service "a": `}},
		"both ways":        {config{Images: `{"a":"x:1"}`, Tags: `{"a":"1"}`}, []string{"input images: is given beside tags or digests"}},
		"not text":         {config{Tags: `{"a":1}`}, []string{`input tags: "{\"a\":1}" is no JSON object of texts`}},
		"very long":        {config{Tags: strings.Repeat("x", 5000)}, []string{strings.Repeat("x", 80) + "…\" is no JSON"}},
	} {
		_, err := c.config.images()
		if err == nil {
			t.Errorf("%s: passes", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s:\n%v\nlacks %q", name, err, want)
			}
		}
	}
}
