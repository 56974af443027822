package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// FuzzRenderCompose renders whatever parses, with an image for each service.
// The renderer proves its results itself and reports an internal error where
// it fails, so such an error is a finding too; besides, what comes out must be
// YAML without build and with the images, and must stay as it is when it is
// rendered again.
func FuzzRenderCompose(f *testing.F) {
	for _, c := range composeCases {
		f.Add([]byte(c.src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		images, ok := imagesFor(src)
		if !ok {
			return // A decoder refuses the source too.
		}
		if err := Invalid(t.Context(), "f.yml", src, nil); err != nil && strings.Contains(err.Error(), "internal error") {
			t.Fatalf("%v\n%q", err, src)
		}
		got, err := RenderCompose("f.yml", src, images)
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%v\n%q", err, src)
			}
			return
		}
		checkRendered(t, got.Content, images)
		checkRest(t, src, got.Content)
		again, err := RenderCompose("f.yml", got.Content, images)
		if err != nil {
			t.Fatalf("render again: %v\n%q\n%q", err, src, got.Content)
		}
		if string(again.Content) != string(got.Content) {
			t.Fatalf("rendered again it changes:\n%q\n%q", got.Content, again.Content)
		}
	})
}

type composeFile struct {
	Services map[string]map[string]yaml.Node `yaml:"services"`
}

func imagesFor(src []byte) (map[string]string, bool) {
	var file composeFile
	images := map[string]string{}
	if err := yaml.Unmarshal(src, &file); err != nil {
		return nil, false
	}
	for name := range file.Services {
		images[name] = "r/a:1@sha256:" + strings.Repeat("0", 64)
	}
	return images, true
}

func checkRendered(t *testing.T, content []byte, images map[string]string) {
	t.Helper()
	var file composeFile
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("the result does not parse: %v\n%q", err, content)
	}
	for name, service := range file.Services {
		image := service["image"]
		if want := images[name]; want != "" && image.Value != want {
			t.Fatalf("service %q has image %q, want %q\n%q", name, image.Value, want, content)
		}
		if _, builds := service["build"]; builds {
			t.Fatalf("service %q has build\n%q", name, content)
		}
	}
}

// checkRest shows, by a decoder of its own, that nothing differs but what a
// rendering is to change: images, build and pull_policy, and mounts that go.
func checkRest(t *testing.T, src, content []byte) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal(src, &node); err != nil || hasOtherKeys(&node) {
		return
	}
	before, after := decoded(t, src), decoded(t, content)
	for name, was := range servicesOf(before) {
		now := servicesOf(after)[name]
		left, _ := was["volumes"].([]any)
		for _, item := range listOf(now["volumes"]) {
			at := slices.IndexFunc(left, func(one any) bool { return reflect.DeepEqual(one, item) })
			if at < 0 {
				t.Fatalf("service %q: volume %v is new or out of order\n%q\n%q", name, item, src, content)
			}
			left = left[at+1:]
		}
		if _, isList := was["volumes"].([]any); isList {
			delete(was, "volumes")
			delete(now, "volumes")
		}
		for _, key := range []string{"image", "build"} {
			delete(was, key)
			delete(now, key)
		}
		if was["pull_policy"] == "build" {
			delete(was, "pull_policy")
		}
	}
	if diff := cmp.Diff(before, after, cmpopts.EquateNaNs()); diff != "" {
		t.Fatalf("more differs than is to (-source +result):\n%s\n%q\n%q", diff, src, content)
	}
}

func decoded(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatalf("it does not decode: %v\n%q", err, content)
	}
	return file
}

// hasOtherKeys tells of keys that are no texts. This decoder makes some of them
// texts, by where they come from; only the renderer's own proof covers them.
func hasOtherKeys(n *yaml.Node) bool {
	for i, child := range n.Content {
		isKey := n.Kind == yaml.MappingNode && i%2 == 0
		if isKey && child.ShortTag() != "!!str" && child.ShortTag() != "!!merge" || hasOtherKeys(child) {
			return true
		}
	}
	return false
}

func servicesOf(file map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	services, _ := file["services"].(map[string]any)
	for name, service := range services {
		if settings, ok := service.(map[string]any); ok {
			all[name] = settings
		}
	}
	return all
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// FuzzRenderDockerrun renders whatever is a Dockerrun file, with an image for a
// container a.
func FuzzRenderDockerrun(f *testing.F) {
	f.Add([]byte(`{"AWSEBDockerrunVersion":2,"containerDefinitions":[{"name":"a","image":"x","memory":1}]}`))
	f.Add([]byte("\ufeff{\r\n\"containerDefinitions\": [{\"image\":\"\\u0061\", \"name\":\"a\",\"memory\":1}] , \"AWSEBDockerrunVersion\" : 2}"))
	f.Add([]byte(`{"AWSEBDockerrunVersion":"1","Image":{"Name":"x","Update":"true"},"Ports":[{"ContainerPort":80}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		got, err := RenderDockerrun("Dockerrun.aws.json", src, map[string]string{"a": "r/a:1"})
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%v\n%q", err, src)
			}
			return
		}
		if len(got.Changes) > 0 && !strings.Contains(string(got.Content), `"r/a:1"`) {
			t.Fatalf("the image is not in %q", got.Content)
		}
		before, after := withoutImages(t, src), withoutImages(t, got.Content)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("more differs than the images (-source +result):\n%s\n%q", diff, src)
		}
		again, err := RenderDockerrun("Dockerrun.aws.json", got.Content, map[string]string{"a": "r/a:1"})
		if err != nil || len(again.Changes) > 0 || string(again.Content) != string(got.Content) {
			t.Fatalf("rendered again: %v, %v\n%q", err, again.Changes, got.Content)
		}
	})
}

// withoutImages decodes a Dockerrun.aws.json and takes its images out.
func withoutImages(t *testing.T, content []byte) any {
	t.Helper()
	var file any
	if err := json.Unmarshal(bytes.TrimPrefix(content, bom), &file); err != nil {
		t.Fatalf("it does not parse: %v\n%q", err, content)
	}
	root, _ := file.(map[string]any)
	if image, ok := root["Image"].(map[string]any); ok {
		delete(image, "Name")
	}
	for _, definition := range listOf(root["containerDefinitions"]) {
		if container, ok := definition.(map[string]any); ok {
			delete(container, "image")
		}
	}
	return file
}

// FuzzMerge merges whatever parses. The merge proves its results itself; besides,
// what comes out must stay as it is when it is merged again, and each of its
// lines must come from one of the files.
func FuzzMerge(f *testing.F) {
	for _, c := range composeCases {
		f.Add([]byte(c.src), []byte("services: {web: {image: a, ports: !override ['80:80'], environment: [A=1]}}"))
	}
	cases, err := filepath.Glob("testdata/merge/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data, archive.Files[1].Data)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		files := []txtar.File{{Name: "a.yml", Data: a}, {Name: "b.yml", Data: b}}
		got, err := merge(t, &txtar.Archive{Comment: []byte("a.yml b.yml"), Files: files})
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%v\n%q\n%q", err, a, b)
			}
			return
		}
		checkSpots(t, got, len(bytes.Split(a, []byte("\n"))), len(bytes.Split(b, []byte("\n"))))
		again, err := merge(t, &txtar.Archive{Comment: []byte("c.yml"), Files: append(files, txtar.File{Name: "c.yml", Data: got.Content})})
		if err != nil {
			t.Fatalf("merge again: %v\n%q", err, got.Content)
		}
		if diff := cmp.Diff(decoded(t, got.Content), decoded(t, again.Content), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("merged again it says something else:\n%s\n%q", diff, got.Content)
		}
	})
}

// checkSpots shows that each node of a merged file has a place in one of two.
func checkSpots(t *testing.T, m Merged, linesOfA, linesOfB int) {
	t.Helper()
	d, err := yamlsource.Parse("merged", m.Content)
	if err != nil {
		t.Fatal(err)
	}
	yamlsource.Walk(d.Root, func(n *yaml.Node) {
		var at *place.Error
		if !errors.As(m.At(n.Line, errDiffers), &at) || at.Line < 1 || at.File != "a.yml" && at.File != "b.yml" ||
			at.File == "a.yml" && at.Line > linesOfA || at.File == "b.yml" && at.Line > linesOfB {
			t.Fatalf("line %d, %q, has the place %v\n%q", n.Line, n.Value, at, m.Content)
		}
	})
}
