package eblocal

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// webPort is the port that the load balancer asks on an instance.
const webPort = 80

// Deployment statuses of an instance.
const (
	deploymentRunning = "In Progress"
	deploymentDone    = "Deployed"
	deploymentFailed  = "Failed"
)

// instance stands for an EC2 instance: what it is told to run, and what it runs.
type instance struct {
	ID           string    `json:"id"` // i-…
	Launched     time.Time `json:"launched"`
	Label        string    `json:"label"` // of the last deployment, also of a failed one
	DeploymentID int64     `json:"deploymentId"`
	Status       string    `json:"status"`
	Deployed     time.Time `json:"deployed"`
	Run          run       `json:"run"`

	Out    bool     `json:"out,omitempty"` // the load balancer leaves it out
	Health string   `json:"health"`        // as it was seen last
	Causes []string `json:"causes,omitempty"`
	web    string   // where its port 80 is found on this machine
}

// run is a Compose project, the containers of an instance.
type run struct {
	Name     string    `json:"name"`
	Label    string    `json:"label"`
	Expect   expect    `json:"expect"`
	Settings []setting `json:"settings"` // that it was started with
}

// newInstance adds nothing to the environment; the caller holds the lock.
func (s *Server) newInstance() *instance {
	return &instance{ID: "i-0" + randomHex(8), Launched: s.clock.now(), Health: "Pending"}
}

// newRun names the next run; the caller holds the lock.
func (s *Server) newRun(u update) run {
	s.state.Launches++
	// The id keeps apart two environments of one name on one engine.
	name := "eb-" + strings.ToLower(u.env.Name) + "-" + s.id[2:8] + "-" + strconv.Itoa(s.state.Launches)
	return run{Name: name, Label: u.version.Label, Settings: slices.Clone(u.settings)}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// home is the directory of everything that a run has on disk.
func (s *Server) home(r run) string {
	return filepath.Join(s.opts.StateDir, "instances", r.Name)
}

func ids(instances []*instance) string {
	var names []string
	for _, i := range instances {
		names = append(names, i.ID)
	}
	return strings.Join(names, ", ")
}
