package eblocaltest

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Account is all that there is in truth, whatever the faults show to clients.
type Account struct {
	Versions     []Version     `json:"versions"`     // oldest first
	Environments []Environment `json:"environments"` // oldest first
	Events       []Event       `json:"events"`       // oldest first
	// Objects are those in S3 as bucket/key, sorted.
	Objects []string `json:"-"`
}

// Version is an application version.
type Version struct{ Label, Description, Bucket, Key string }

// Environment is what an environment runs.
type Environment struct {
	Name, Label, Status, Health string
	Settings                    []Setting
	Instances                   []Instance
}

// Setting is an option that has been set.
type Setting struct{ Namespace, Name, Value string }

// Instance is the last deployment of an instance.
type Instance struct{ Label, Status string }

// Event is an event of an environment or an application.
type Event struct {
	Time              time.Time
	Env               string `json:"environment"`
	Severity, Message string
	RequestID         string
}

// Labels are those of all versions, oldest first.
func (a Account) Labels() []string {
	var all []string
	for _, v := range a.Versions {
		all = append(all, v.Label)
	}
	return all
}

// Env is the environment of a name that was made last; zero if there is none.
func (a Account) Env(name string) Environment {
	for _, e := range slices.Backward(a.Environments) {
		if e.Name == name {
			return e
		}
	}
	return Environment{}
}

// Runs are the deployments of the instances, as "LABEL STATUS".
func (e Environment) Runs() []string {
	var all []string
	for _, i := range e.Instances {
		all = append(all, i.Label+" "+i.Status)
	}
	return all
}

// Set is the value that an option has been set to.
func (e Environment) Set(namespace, name string) string {
	for _, s := range e.Settings {
		if s.Namespace == namespace && s.Name == name {
			return s.Value
		}
	}
	return ""
}

// Account reads what the server keeps.
func (l *Local) Account(t testing.TB) Account {
	t.Helper()
	var a Account
	data, err := os.ReadFile(filepath.Join(l.dir, "state.json"))
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		t.Fatal(err)
	}
	buckets := filepath.Join(l.dir, "s3", "buckets")
	err = filepath.WalkDir(buckets, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			a.Objects = append(a.Objects, strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(buckets)+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Object is the content of one of the account's objects.
func (l *Local) Object(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.dir, "s3", "buckets", filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Ask has somebody else call an operation of Elastic Beanstalk, which is not
// among the Calls. The parameters are pairs of a name and a value.
func (l *Local) Ask(t testing.TB, operation string, params ...string) string {
	t.Helper()
	form := url.Values{"Action": {operation}, "Version": {"2010-12-01"}}
	for pair := range slices.Chunk(params, 2) {
		form.Set(pair[0], pair[1])
	}
	r := httptest.NewRequest(http.MethodPost, "http://aws.test/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("%s: status %d: %s", operation, w.Code, w.Body)
	}
	return w.Body.String()
}

// Lose deletes one of the account's objects, as somebody else would.
func (l *Local) Lose(t testing.TB, path string) {
	t.Helper()
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, "http://aws.test/"+path, nil))
	if w.Code != http.StatusNoContent {
		t.Errorf("delete %s: status %d: %s", path, w.Code, w.Body)
	}
}
