package ebdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
)

// TestLocalLife takes settings, logins, a new environment and the clean-up
// through one account, one after the other.
func TestLocalLife(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		name, text := deployFileFor(eblocal.Docker)
		l.file(t, name, text+"    environment: {API_KEY: \"${API_KEY}\"}\n")
		l.inputs["env-vars"], l.inputs["option-settings"] = "API_KEY="+value+"\nNEVER=", `{"aws:elasticbeanstalk:command":{"Timeout":"300"}}`
		l.inputs["registry-auth"], l.inputs["username"], l.inputs["password"] = "true", "guk0", value
		l.deployed(t, "v1")
		if got := l.version(t, "v1"); got.result() != "unchanged" || got.code != 0 {
			t.Fatalf("again: %s", got)
		}
		l.inputs["env-vars"] = "OTHER=1"
		l.deployed(t, "v1")
		l.inputs["dry-run"] = "true"
		got := l.version(t, "v2")
		for _, want := range []string{"settings: no change", "+    image: guk0/docker-nginx:v2", `"elasticbeanstalk:UpdateEnvironment"`} {
			if !strings.Contains(got.log, want) || got.result() != "planned" || got.code != 0 {
				t.Errorf("the plan lacks %q:\n%s", want, got)
			}
		}
		l.inputs["dry-run"], l.inputs["create"], l.inputs["env"], l.inputs["env-vars"] = "false", "true", "second-env", "API_KEY="+value
		l.inputs["option-settings"] = profile
		l.deployed(t, "v1")
		l.inputs["create"], l.inputs["keep-versions"], l.inputs["delete-bundles"], l.inputs["env-vars"], l.inputs["option-settings"] = "false", "1", "true", "", ""
		for _, label := range []string{"v2", "v3"} {
			got = l.deployed(t, label)
		}
		if strings.Contains(got.log, "deleted version") || strings.Contains(got.log, "::warning::") {
			t.Errorf("versions of the last two hours stay:\n%s", got)
		}
		time.Sleep(3 * time.Hour)
		got = l.deployed(t, "v4")
		if n := strings.Count(got.log, "deleted version"); n != 1 {
			t.Errorf("%d versions were deleted:\n%s", n, got.log)
		}
	})
}
