package ebdeploy

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/eblocal"
)

// TestLocalLife takes settings, logins, a new environment and the clean-up
// through a local Elastic Beanstalk, which refuses what AWS's model refuses.
func TestLocalLife(t *testing.T) {
	local(t, eblocal.Docker)
	s := &stage{dir: t.TempDir(), load: loadAWS, inputs: map[string]string{
		"region": "ap-northeast-2", "app": "docker-fullstack", "env": "Dockerfullstack-env", "check-images": "false",
	}}
	name, text := deployFileFor(eblocal.Docker)
	s.file(t, name, text+"    environment: {API_KEY: \"${API_KEY}\"}\n")
	s.inputs["env-vars"], s.inputs["option-settings"] = "API_KEY="+value+"\nNEVER=", `{"aws:elasticbeanstalk:command":{"Timeout":"300"}}`
	s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
	s.deploy(t, "sha-1", "deployed")
	s.deploy(t, "sha-1", "unchanged")
	s.inputs["env-vars"] = "OTHER=1"
	s.deploy(t, "sha-1", "deployed")
	s.inputs["dry-run"] = "true"
	got := s.deploy(t, "sha-2", "planned")
	for _, want := range []string{"settings: no change", "+    image: guk0/docker-nginx:sha-2", `"elasticbeanstalk:UpdateEnvironment"`} {
		if !strings.Contains(got.log, want) {
			t.Errorf("the plan lacks %q:\n%s", want, got)
		}
	}
	s.inputs["dry-run"], s.inputs["create"], s.inputs["env"], s.inputs["env-vars"] = "false", "true", "second-env", "API_KEY="+value
	s.inputs["option-settings"] = profile
	s.deploy(t, "sha-1", "deployed")
	s.inputs["create"], s.inputs["keep-versions"], s.inputs["delete-bundles"], s.inputs["env-vars"], s.inputs["option-settings"] = "false", "1", "true", "", ""
	for _, tag := range []string{"sha-2", "sha-3", "sha-4"} {
		got = s.deploy(t, tag, "deployed")
	}
	if n := strings.Count(got.log, "deleted version"); n != 1 {
		t.Errorf("%d versions were deleted:\n%s", n, got.log)
	}
}
