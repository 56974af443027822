package ebdeploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/registry"
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
		{"a registry for those without one", hosted, config{Tags: `{"web":"t","official":"t"}`, LoginInputs: registry.LoginInputs{Registry: "localhost:5000"}}, map[string]string{"web": "ghcr.io/guk0/web:t", "official": "localhost:5000/nginx:t"}},
		{"Docker Hub stays short", hosted, config{Tags: `{"official":"t"}`}, map[string]string{"official": "nginx:t"}},
		{"whole references", compose, config{Images: `{"frontend":"quay.io/a/b:t@` + digest + `"}`}, map[string]string{"frontend": "quay.io/a/b:t@" + digest}},
		{"Dockerrun takes the digest", v2, config{Images: `{"frontend":"docker.io/a/b:t@` + digest + `","backend":"a/c:t"}`}, map[string]string{"frontend": "docker.io/a/b@" + digest, "backend": "a/c:t"}},
		{"Dockerrun v1, whatever the name", v1, config{Tags: `{"web":"t"}`}, map[string]string{"web": "guk0/app:t"}},
		{"unknown services are the renderer's", compose, config{Tags: `{"bakend":"t"}`}, map[string]string{"bakend": "unknown"}},
		{"nothing given", compose, config{Tags: "{}"}, map[string]string{}},
		{"a broken input hides no service", compose, config{Images: "[]"}, map[string]string{"frontend": "unknown", "backend": "unknown"}},
		{"a broken input for version 1", v1, config{Tags: "?"}, map[string]string{"image": "unknown"}},
		{"a broken digest for version 1", v1, config{Digests: `{"app":"sha256:1"}`}, map[string]string{"app": "unknown"}},
		{"no image at all is the renderer's", fileOf(bundle.Compose, "services: {web: {ports: ['80']}}"), config{Tags: `{"web":"t"}`}, map[string]string{"web": "unknown"}},
		{"version 1 without a name is the renderer's", fileOf(bundle.DockerrunV1, `{"Image": {}}`), config{Tags: `{"web":"t"}`}, map[string]string{"web": "unknown"}},
		{"what JSON alone can write", fileOf(bundle.DockerrunV2, `{"own": "\ud83d\ude00", "containerDefinitions": [{"name": "a", "image": "guk0/a"}]}`), config{Tags: `{"a":"t"}`}, map[string]string{"a": "guk0/a:t"}},
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
		"services: {web: {build: .}}":              `the file:1: service "web": has no image whose repository the tag could go onto; give the whole reference in the input images`,
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

// TestFloating is about images that nothing pins.
func TestFloating(t *testing.T) {
	const v2 = `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [
		{"name": "a", "image": "guk0/a", "memory": 1},
		{"name": "b", "image": "h:5000/b", "memory": 1},
		{"name": "c", "image": "c:1", "memory": 1}]}`
	const compose = "services:\n  web: {image: nginx}\n  built: {image: guk0/app, build: .}\n  base: {extends: web}\n" +
		"  tag: {image: 'redis:7'}\n  digest: {image: 'redis@" + digest + "'}\n  variable: {image: '${REPO}:${TAG:-a/b}'}\n  name: {image: 'a/${NAME}'}\n  folder: {image: '${FOLDER}/app'}\n"
	v1 := strings.Replace(v1File, ":old", "", 1)
	at := func(line int, name, image string) string {
		return fmt.Sprintf("the file:%d: no image is given for %s, and its image %q has neither tag nor digest, so it could be any image: "+
			"pass images, or tags and digests (an output that holds a secret's value arrives empty), or write a tag in the file", line, name, image)
	}
	for _, c := range []struct {
		name  string
		file  deployFile
		given config
		want  []string
	}{
		{"nothing given", fileOf(bundle.DockerrunV2, v2), config{Tags: "{}"}, []string{at(2, `container "a"`, "guk0/a"), at(3, `container "b"`, "h:5000/b")}},
		{"one of two", fileOf(bundle.DockerrunV2, v2), config{Tags: `{"a":"t"}`}, []string{at(3, `container "b"`, "h:5000/b")}},
		{"both", fileOf(bundle.DockerrunV2, v2), config{Images: `{"a":"x:t","b":"x:t"}`}, nil},
		{"version 1", fileOf(bundle.DockerrunV1, v1), config{}, []string{at(1, "the container", "guk0/app")}},
		{"version 1, given", fileOf(bundle.DockerrunV1, v1), config{Tags: `{"any":"t"}`}, nil},
		{"compose", fileOf(bundle.Compose, compose), config{}, []string{at(9, `service "folder"`, "${FOLDER}/app"), at(2, `service "web"`, "nginx")}},
		{"an input that can't be read says nothing", fileOf(bundle.Compose, compose), config{Tags: "?"}, nil},
	} {
		g, _ := c.given.images()
		_, err := g.references(c.file, "docker.io")
		var got []string
		for _, problem := range action.Problems(err) {
			got = append(got, problem.Error())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
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
		"twice":            {config{Tags: `{"a":"1","a":"2"}`}, []string{`input tags: line 1 gives a a second time`}},
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
