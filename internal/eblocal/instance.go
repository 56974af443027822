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
)

// instance is a run of a version; its containers stand for an EC2 instance's.
type instance struct {
	Name         string    `json:"name"` // the Compose project
	ID           string    `json:"id"`   // i-…
	Label        string    `json:"label"`
	DeploymentID int64     `json:"deploymentId"`
	Launched     time.Time `json:"launched"`
	Deployed     time.Time `json:"deployed"`
	Status       string    `json:"status"`
	Expect       expect    `json:"expect"`
	Settings     []setting `json:"settings"` // that it was launched with
}

// newInstance names the next instance of the environment.
func (s *Server) newInstance(label string) *instance {
	s.state.Env.Launches++
	n := s.state.Env.Launches
	serial := make([]byte, 8)
	_, _ = rand.Read(serial) // never fails
	// The id keeps apart two environments of one name on one engine.
	name := "eb-" + strings.ToLower(s.opts.Env) + "-" + s.id[2:8] + "-" + strconv.Itoa(n)
	return &instance{
		Name: name, ID: "i-0" + hex.EncodeToString(serial), Label: label,
		DeploymentID: int64(n), Launched: s.clock.now(), Status: deploymentRunning,
		Settings: slices.Clone(s.state.Env.Settings),
	}
}

// home is the directory of everything that an instance has on disk.
func (s *Server) home(i *instance) string {
	return filepath.Join(s.opts.StateDir, "instances", i.Name)
}
