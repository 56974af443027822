package action

import (
	"io"
	"testing"
)

func TestStepKey(t *testing.T) {
	seen := map[string]string{}
	for _, one := range []string{"GITHUB_RUN_ID=1", "GITHUB_RUN_ID=2", "GITHUB_JOB=1", "RUNNER_NAME=1", "GITHUB_ACTION=1", "GITHUB_RUN_ATTEMPT=1", "GITHUB_REPOSITORY=1"} {
		key := NewRunner([]string{one}, io.Discard).StepKey()
		if other, taken := seen[key]; taken {
			t.Errorf("%s and %s have one key", one, other)
		}
		seen[key] = one
		if NewRunner([]string{one}, io.Discard).StepKey() != key {
			t.Errorf("%s has two keys", one)
		}
	}
}

func TestActVolume(t *testing.T) {
	const mountinfo = "22 1 254:0 / / rw - ext4 /dev/vda rw\n" +
		"30 22 254:0 /var/lib/docker/volumes/act-ci-test-2-5e1f-env/_data /var/run/act rw,relatime - ext4 /dev/vda rw\n"
	if got := actVolume(mountinfo); got != "/var/lib/docker/volumes/act-ci-test-2-5e1f-env/_data" {
		t.Errorf("got %q", got)
	}
	if got := actVolume("22 1 254:0 / / rw - ext4 /dev/vda rw\n"); got != "" {
		t.Errorf("got %q", got)
	}
}
