package ebdeploy

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/beanstalk"
)

func TestOutputsAreOneLine(t *testing.T) {
	d := result{envs: []envResult{{previous: "a\nb"}}, stored: beanstalk.Stored{Bucket: "b", Key: "k\r\n.zip"}, plan: plan{label: "x\ny"}}
	for name, value := range d.outputs() {
		if strings.ContainsAny(value, "\r\n") {
			t.Errorf("output %s is %q", name, value)
		}
	}
}

func TestForeignTextStaysText(t *testing.T) {
	if got := code("a`b|c\nd"); got != "`a'b\\|c d`" {
		t.Errorf("code gives %q", got)
	}
	var text strings.Builder
	fence(&text, "```\n`````\nend\n\n")
	if got := text.String(); got != "``````\n```\n`````\nend\n``````\n\n" {
		t.Errorf("fence gives %q", got)
	}
}

func TestDefaultLabel(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for sha, want := range map[string]string{strings.Repeat("1", 40): "111111111111-abababab", "": "abababab", "short": "short-abababab"} {
		if got := defaultLabel(sha, hash); got != want {
			t.Errorf("%q: %q; want %q", sha, got, want)
		}
	}
}
