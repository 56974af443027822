package ebdeploy

import (
	"strings"
	"testing"
)

// TestExistingOfAnotherKind refuses to bring a version to a platform that does
// not take its deploy file.
func TestExistingOfAnotherKind(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		first := output(s.run(t), "version-label")
		s.env.Label = "old-1"
		updates := len(s.env.Updates)
		s.inputs["tags"], s.inputs["digests"], s.inputs["version-label"] = "", "", first
		s.env.Stack = "64bit Amazon Linux 2023 v4.0.9 running ECS"
		got := s.run(t)
		if got.result() != "rejected" || !strings.Contains(got.log, "which does not take a Compose file; use an environment of the platform \"Docker\"") || len(s.env.Updates) != updates {
			t.Errorf("%s", got)
		}
		s.env.Stack = "64bit Amazon Linux 2023 v4.1.0 running Docker"
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("%s", got)
		}
	})
}

// TestExistingBesideBucket says that a bucket is of no use to a version that is
// there.
func TestExistingBesideBucket(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		first := output(s.run(t), "version-label")
		s.inputs["tags"], s.inputs["digests"], s.inputs["version-label"] = "", "", first
		const warning = `::warning::bucket-name: has no effect: version "`
		if got := s.run(t); got.result() != "unchanged" || strings.Contains(got.log, warning) {
			t.Errorf("%s", got)
		}
		s.inputs["bucket-name"] = "my-bundles"
		if got := s.run(t); got.result() != "unchanged" || !strings.Contains(got.log, warning+first+`" is there`) {
			t.Errorf("%s", got)
		}
	})
}
