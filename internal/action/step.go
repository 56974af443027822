package action

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
)

// mounts is where the kernel tells what is mounted in this container.
const mounts = "/proc/self/mountinfo"

// StepKey names this step of this run among all that share an engine, in 16
// hex digits. The step's post entry point has the same one. Legs of a matrix
// have one run and one job; on GitHub each has its runner, under act each has
// its volume at /var/run/act.
func (r *Runner) StepKey() string {
	hash := sha256.New()
	for _, variable := range []string{
		"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "GITHUB_ACTION", "RUNNER_NAME", "GITHUB_WORKSPACE",
	} {
		hash.Write([]byte(r.Getenv(variable) + "\x00"))
	}
	if text, err := os.ReadFile(mounts); err == nil {
		hash.Write([]byte(actVolume(string(text))))
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// actVolume is the folder of the host that is mounted at /var/run/act: the
// fourth field of the line whose fifth is the mount point (proc(5)).
func actVolume(mountinfo string) string {
	for line := range strings.Lines(mountinfo) {
		if field := strings.Fields(line); len(field) > 4 && field[4] == "/var/run/act" {
			return field[3]
		}
	}
	return ""
}
