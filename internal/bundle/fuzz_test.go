package bundle

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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
		got, err := RenderCompose("f.yml", src, images)
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%v\n%q", err, src)
			}
			return
		}
		checkRendered(t, got.Content, images)
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

// FuzzRenderDockerrun renders whatever is a Dockerrun file of version 2, with
// an image for a container a.
func FuzzRenderDockerrun(f *testing.F) {
	f.Add([]byte(`{"AWSEBDockerrunVersion":2,"containerDefinitions":[{"name":"a","image":"x","memory":1}]}`))
	f.Add([]byte("\ufeff{\r\n\"containerDefinitions\": [{\"image\":\"\\u0061\", \"name\":\"a\",\"memory\":1}] , \"AWSEBDockerrunVersion\" : 2}"))
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
	})
}
