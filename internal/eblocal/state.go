package eblocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	stateFile = "state.json"
	// stateFormat is raised when a state of an older form can't be read any more.
	stateFormat = 2
	maxEvents   = 10000
)

// state is everything that outlives the process, the bundles aside.
type state struct {
	Format   int            `json:"format"`
	Owner    owner          `json:"owner"`
	Sequence int64          `json:"sequence"` // of versions, environments and events, for paging
	Launches int            `json:"launches"` // runs started so far, for their names
	Apps     []*application `json:"applications"`
	Versions []*version     `json:"versions"`
	Envs     []*environment `json:"environments"` // oldest first
	Events   []event        `json:"events"`       // oldest first
}

// owner is the environment that a server was started for; there may be others.
type owner struct {
	App string `json:"application"`
	Env string `json:"environment"`
	ID  string `json:"id"`
}

// application is an Elastic Beanstalk application.
type application struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Created     time.Time         `json:"created"`
	Updated     time.Time         `json:"updated"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// failure is what is left of the last instance that did not make it.
type failure struct {
	InstanceID string            `json:"instanceId"`
	Label      string            `json:"label"`
	Time       time.Time         `json:"time"`
	Logs       map[string]string `json:"logs"`
}

// errFormat is a state that another version of this program wrote.
var errFormat = errors.New("format")

// loadState reads the state in dir, nil if there is none yet.
func loadState(dir string) (*state, error) {
	path := filepath.Join(dir, stateFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	st := &state{}
	if err := json.Unmarshal(data, st); err != nil {
		return nil, fmt.Errorf("read state %s: %w; remove the directory to start anew", path, err)
	}
	if st.Format != stateFormat {
		return nil, fmt.Errorf("read state %s: %w %d, this program knows %d; take it down and remove the directory to start anew", path, errFormat, st.Format, stateFormat)
	}
	return st, nil
}

// save writes the state whole or not at all.
func (st *state) save(dir string) error {
	data, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return writeFileAtomic(filepath.Join(dir, stateFile), data)
}

// writeFileAtomic writes a file that only its owner may read.
func writeFileAtomic(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

func (st *state) next() int64 {
	st.Sequence++
	return st.Sequence
}

func (st *state) app(name string) *application {
	for _, a := range st.Apps {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// env finds an environment that is not terminated.
func (st *state) env(name string) *environment {
	for _, e := range st.Envs {
		if e.Name == name && e.Status != statusTerminated {
			return e
		}
	}
	return nil
}

// envs are the environments that are not terminated.
func (st *state) envs() []*environment {
	return slices.DeleteFunc(slices.Clone(st.Envs), func(e *environment) bool { return e.Status == statusTerminated })
}

func (st *state) version(app, label string) *version {
	for _, v := range st.Versions {
		if v.App == app && v.Label == label {
			return v
		}
	}
	return nil
}
