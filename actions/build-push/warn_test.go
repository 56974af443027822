package buildpush

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

func TestLooksSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"NPM_TOKEN": true, "password": true, "DB_PASSWORD": true, "API_KEY": true, "AWS_SECRET_ACCESS_KEY": true, "github-token": true, "SSH_PRIVATE_KEY": true,
		"DB_PASS": true, "MYSQL_PWD": true, "GH_PAT": true, "RAILS_MASTER_KEY": true, "PWD": false, "PASS_RATE": false, "PATH": false, "PRIMARY_KEY": false,
		"PUBLIC_KEY": false, "NEXT_PUBLIC_API_TOKEN": false, "TOKENIZER": false, "TOKEN_URL": false, "SECRET_NAME": false, "PASSWORD_FILE": false,
		"KEY": false, "KEYBOARD": false, "MONKEY": false, "NODE_ENV": false, "AWS_ACCESS_KEY_ID": false, "": false,
	} {
		if got := looksSecret(name); got != want {
			t.Errorf("%s looks like a secret: %t, want %t", name, got, want)
		}
	}
}

func TestExposed(t *testing.T) {
	args := map[string]string{"NPM_TOKEN": "a-word", "API_KEY": "", "NODE_ENV": "production", "WITH_TOKEN": "true", "SITE": "https://ann:a-masked-word@example.org"}
	p := plan{images: []planned{{build: compose.Build{Service: "web", Args: args}}}}
	var got []string
	for _, warning := range p.exposed(func(text string) bool { return strings.Contains(text, "a-masked-word") }) {
		got = append(got, warning.Error())
	}
	want := []string{
		`service "web": the build argument NPM_TOKEN looks like a secret, and the image's history shows it to whoever has the image: give it in the input secrets and read it with RUN --mount=type=secret,id=NPM_TOKEN`,
		`service "web": the build argument SITE holds the value of a secret, and the image's history shows it to whoever has the image: give it in the input secrets and read it with RUN --mount=type=secret,id=SITE`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDropped(t *testing.T) {
	outputs := action.Outputs{"images": `{"web":"guk0/web:1@sha256:0"}`, "tags": `{"web":"1"}`, "digests": `{"web":"sha256:0"}`, "tag": "1"}
	for mask, want := range map[string]string{
		"other":  "",
		"guk0":   "WHAT stands in the output images: GitHub drops it as an output of a job (within the job it is whole); hand on tags and digests instead, or keep what is no secret, as a user name, in vars and not in secrets",
		`"web":`: "WHAT stands in the output images, tags, digests: GitHub drops it as an output of a job (within the job it is whole); none of the three survives; keep what is no secret, as a user name, in vars and not in secrets",
	} {
		got := ""
		hidden := func(text string) string {
			if strings.Contains(text, mask) {
				return "WHAT"
			}
			return ""
		}
		if err := dropped(outputs, hidden); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", mask, diff)
		}
	}
}

// FuzzTags holds every tag that is made against the rule for tags, and makes it
// twice.
func FuzzTags(f *testing.F) {
	f.Add("feature/Ä", "v1.2.3", "sha-{sha}", 0)
	f.Add(strings.Repeat("x", 200), "v1.2.3-rc.1+5", "{branch}-{date}", 7)
	f.Add("-.", "", "{version}", 0)
	f.Fuzz(func(t *testing.T, branch, tag, line string, pullRequest int) {
		trigger := action.Trigger{Branch: branch, Tag: tag, PullRequest: pullRequest, SHA: sha, DefaultBranch: "main"}
		for _, lines := range [][]string{defaultTags(trigger), {line}} {
			tags, err := expand(lines, trigger)
			again, _ := expand(lines, trigger)
			if diff := cmp.Diff(tags, again); diff != "" {
				t.Errorf("the same trigger gives other tags:\n%s", diff)
			}
			for _, one := range tags {
				if invalid := image.CheckTag(one); err == nil && invalid != nil {
					t.Errorf("%q: %v", lines, invalid)
				}
			}
		}
		if tags, err := expand(defaultTags(trigger), trigger); err != nil {
			t.Errorf("default tags %q of branch %q, tag %q: %v", tags, branch, tag, err)
		}
	})
}

// FuzzOutputs writes outputs and reads them back as the runner does: each is
// what it was, and none sets another.
func FuzzOutputs(f *testing.F) {
	f.Add("web", "docker.io/guk0/web", "sha256:0", "1")
	f.Add("a\nb", "::set-output\r\n", "\u2028", "_GitHubActionsFileCommandDelimeter_")
	f.Add("x=y", "a<<b", "=", "ghadelimiter_0")
	f.Fuzz(func(t *testing.T, service, name, digest, tag string) {
		if image.CheckTag(tag) != nil {
			tag = ""
		}
		done := result{verdict: pushed, tag: tag, images: []imageResult{{service: service, name: image.Reference{Repository: name}, digest: digest}}}
		outputs := done.outputs()
		file := filepath.Join(t.TempDir(), "outputs")
		if err := action.NewRunner([]string{"GITHUB_OUTPUT=" + file}, io.Discard).SetOutputs(outputs); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := actiontest.Outputs(string(text))
		if diff := cmp.Diff(map[string]string(outputs), got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		mustHold(t, got["digests"], service, digest)
		mustHold(t, got["tags"], service, tag)
	})
}

// mustHold reads an output's JSON, which is UTF-8.
func mustHold(t *testing.T, text, service, value string) {
	t.Helper()
	var all map[string]string
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	if value != "" && utf8.ValidString(service) && utf8.ValidString(value) && all[service] != value {
		t.Errorf("%q of %q reads back as %q", value, service, all[service])
	}
}
