package eblocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	stateFile = "state.json"
	// stateFormat is raised when a state of an older form can't be read any more.
	stateFormat = 1
	maxEvents   = 10000
)

// state is everything that outlives the process, the bundles aside.
type state struct {
	Format   int            `json:"format"`
	Sequence int64          `json:"sequence"` // of versions and events, for paging
	Listen   string         `json:"listen"`   // the environment's address
	Apps     []*application `json:"applications"`
	Versions []*version     `json:"versions"`
	Env      environment    `json:"environment"`
	Events   []event        `json:"events"` // oldest first
	Infos    []info         `json:"infos"`
	Failed   *failure       `json:"failed,omitempty"`
}

// application is an Elastic Beanstalk application.
type application struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Created     time.Time         `json:"created"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// failure is what is left of the last instance that did not make it.
type failure struct {
	InstanceID string            `json:"instanceId"`
	Label      string            `json:"label"`
	Time       time.Time         `json:"time"`
	Logs       map[string]string `json:"logs"`
}

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
		return nil, fmt.Errorf("read state %s: format %d, this program knows %d; remove the directory to start anew", path, st.Format, stateFormat)
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

func (st *state) version(app, label string) *version {
	for _, v := range st.Versions {
		if v.App == app && v.Label == label {
			return v
		}
	}
	return nil
}
