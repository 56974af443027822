package image_test

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/image"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParse(t *testing.T) {
	for text, want := range map[string]image.Reference{
		"guk0/docker-frontend":                   {Repository: "guk0/docker-frontend"},
		"guk0/docker-frontend:v1":                {Repository: "guk0/docker-frontend", Tag: "v1"},
		"guk0/docker-frontend:v1@" + digest:      {Repository: "guk0/docker-frontend", Tag: "v1", Digest: digest},
		"localhost:5000/guk0/docker-frontend":    {Registry: "localhost:5000", Repository: "guk0/docker-frontend"},
		"localhost/app@" + digest:                {Registry: "localhost", Repository: "app", Digest: digest},
		"ghcr.io/guk0/app/web:1":                 {Registry: "ghcr.io", Repository: "guk0/app/web", Tag: "1"},
		"docker.io/guk0/app":                     {Registry: "docker.io", Repository: "guk0/app"},
		"nginx":                                  {Repository: "nginx"},
		"nginx:1.27":                             {Repository: "nginx", Tag: "1.27"},
		"library/nginx:1.27":                     {Repository: "library/nginx", Tag: "1.27"},
		"111122223333.dkr.ecr.eu-west-1.aws/a:b": {Registry: "111122223333.dkr.ecr.eu-west-1.aws", Repository: "a", Tag: "b"},
	} {
		got, err := image.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("Parse(%q).String() = %q", text, got)
		}
	}
}

// TestParseHost shows that a registry's host is one however it is spelt.
func TestParseHost(t *testing.T) {
	want := image.Reference{Registry: "registry.example:5000", Repository: "app", Tag: "V1"}
	if got, err := image.Parse("Registry.Example:5000/app:V1"); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"Guk0/app":     `must be lower case: write "guk0/app"`,
		"guk0/App:v1":  `must be lower case: write "guk0/app:v1"`,
		"":             "is no image reference",
		"guk0/app:":    "is no image reference",
		"guk0//app":    "is no image reference",
		"a b":          "is no image reference",
		"app@sha256:1": "is no image reference",
	} {
		_, err := image.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v; want an error with %q", text, err, want)
		}
	}
}

func TestIn(t *testing.T) {
	for _, c := range []struct{ text, registry, want string }{
		{"guk0/app:1", "", "docker.io/guk0/app:1"},
		{"guk0/app:1", "localhost:5000", "localhost:5000/guk0/app:1"},
		{"nginx", "docker.io", "docker.io/library/nginx"},
		{"nginx", "ghcr.io", "ghcr.io/nginx"},
		{"quay.io/a/b", "ghcr.io", "quay.io/a/b"},
	} {
		ref, err := image.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ref.In(c.registry).String(); got != c.want {
			t.Errorf("%q in %q is %q; want %q", c.text, c.registry, got, c.want)
		}
	}
}

func TestWith(t *testing.T) {
	ref := image.Reference{Repository: "a", Tag: "1", Digest: digest}
	if got := ref.WithTag("2").WithDigest(digest).String(); got != "a:2@"+digest {
		t.Errorf("got %q", got)
	}
}

func TestBranchTag(t *testing.T) {
	long := strings.Repeat("x", 200)
	for branch, want := range map[string]string{
		"main":      "main",
		"v1.2":      "v1.2",
		"Feature_A": "Feature_A",
		"feature/a": "feature-a-951d42dc",
		"feature-a": "feature-a",
		"기능/로그인":    "",
		".hidden":   "",
		"-x":        "",
		long:        "",
	} {
		got := image.BranchTag(branch)
		if err := image.CheckTag(got); err != nil {
			t.Errorf("BranchTag(%q): %v", branch, err)
		}
		if want != "" && got != want {
			t.Errorf("BranchTag(%q) = %q; want %q", branch, got, want)
		}
	}
	if image.BranchTag(long) == image.BranchTag(long+"y") {
		t.Error("two long branches have one tag")
	}
}

func TestChecks(t *testing.T) {
	for _, bad := range []string{"", "-a", ".a", "a/b", "a b", strings.Repeat("a", 129)} {
		if image.CheckTag(bad) == nil {
			t.Errorf("CheckTag(%q) passes", bad)
		}
	}
	for _, bad := range []string{"", "sha256:1", digest + "0", "sha512:" + digest[7:]} {
		if image.CheckDigest(bad) == nil {
			t.Errorf("CheckDigest(%q) passes", bad)
		}
	}
	if err := image.CheckDigest(digest); err != nil {
		t.Error(err)
	}
}
