package bundle_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/bundle"
)

func TestLogin(t *testing.T) {
	login := bundle.Login{Bucket: "b", Key: "app/.dockercfg"}
	for name, c := range map[string]struct{ src, want, err string }{
		"version 1": {"{\n  \"AWSEBDockerrunVersion\": \"1\",\n  \"Image\": {\"Name\": \"x\"}\n}\n",
			"{\n  \"Authentication\": {\"Bucket\": \"b\", \"Key\": \"app/.dockercfg\"},\n  \"AWSEBDockerrunVersion\": \"1\",\n  \"Image\": {\"Name\": \"x\"}\n}\n", ""},
		"version 2 on a line": {`{"AWSEBDockerrunVersion": 2}`, `{"authentication": {"bucket": "b", "key": "app/.dockercfg"}, "AWSEBDockerrunVersion": 2}`, ""},
		"replaced": {`{"AWSEBDockerrunVersion": 2, "authentication" : { "key":"old" , "bucket":"older" } }`,
			`{"AWSEBDockerrunVersion": 2, "authentication" : { "key":"app/.dockercfg" , "bucket":"b" } }`, ""},
		"half": {"{\"AWSEBDockerrunVersion\": \"3\",\n \"Authentication\": {\"Bucket\": \"x\"}}", "",
			`f.json:2: Authentication names no bucket and key; write {"bucket": "…", "key": "…"}, or take it out: registry-auth puts it there`},
	} {
		got, err := login.Write("f.json", []byte(c.src))
		if string(got) != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s:\ngot  %s, %v\nwant %s, %s", name, got, err, c.want, c.err)
		}
	}
	for name, c := range map[string]struct {
		src  []byte
		want string
	}{
		"none":            {nil, "{\n  \"Authentication\": {\"bucket\": \"b\", \"key\": \"app/.dockercfg\"},\n  \"AWSEBDockerrunVersion\": \"3\"\n}\n"},
		"another version": {[]byte(`{"AWSEBDockerrunVersion": 2}`), "{\n  \"Authentication\": {\"bucket\": \"b\", \"key\": \"app/.dockercfg\"},\n  \"AWSEBDockerrunVersion\": \"3\"\n}\n"},
		"its own":         {[]byte(`{"AWSEBDockerrunVersion": "3", "x": 1}`), `{"Authentication": {"bucket": "b", "key": "app/.dockercfg"}, "AWSEBDockerrunVersion": "3", "x": 1}`},
	} {
		if got, err := login.Companion("f.json", c.src); err != nil || string(got) != c.want {
			t.Errorf("%s:\ngot  %s, %v\nwant %s", name, got, err, c.want)
		}
	}
}

// FuzzLogin writes a reference into whatever is a Dockerrun.aws.json, and makes
// it the companion of a Compose file. A decoder of its own must find the
// reference, and nothing else that differs.
func FuzzLogin(f *testing.F) {
	for _, src := range []string{
		"\ufeff{\r\n  \"AWSEBDockerrunVersion\": 2,\r\n  \"containerDefinitions\": []\r\n}\r\n",
		`{"AWSEBDockerrunVersion":"1","Authentication":{"Bucket":"b","Key":"k","x":1}}`,
		`{"authentication": {"key": "k", "bucket": "b"}, "AWSEBDockerrunVersion": 2}`,
		`{"AWSEBDockerrunVersion":"3","Authentication":null}`,
		`{"Authentication":{"Bucket":"{","Key":"}"},"AWSEBDockerrunVersion":"3"}`,
		`{"AWSEBDockerrunVersion":3}`,
		`[]`,
	} {
		f.Add([]byte(src), "bucket", "app/.dockercfg")
	}
	f.Fuzz(func(t *testing.T, src []byte, bucket, key string) {
		if bucket == "" || key == "" || !utf8.ValidString(bucket+key) {
			return
		}
		login := bundle.Login{Bucket: bucket, Key: key}
		if content, err := login.Companion("Dockerrun.aws.json", src); err == nil {
			refers(t, login, content, bundle.DockerrunV3)
		} else if strings.Contains(err.Error(), "internal error") {
			t.Fatalf("%v\n%q", err, src)
		}
		kind, err := bundle.DeployFileKind("Dockerrun.aws.json", src)
		if err != nil {
			return
		}
		content, err := login.Write("Dockerrun.aws.json", src)
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%v\n%q", err, src)
			}
			return
		}
		name := refers(t, login, content, kind)
		was, now := object(t, src), object(t, content)
		delete(was, name)
		delete(now, name)
		if diff := cmp.Diff(was, now); diff != "" {
			t.Fatalf("more differs than is to:\n%s\n%q\n%q", diff, src, content)
		}
		again, err := login.Write("Dockerrun.aws.json", content)
		if err != nil || !bytes.Equal(again, content) {
			t.Fatalf("written again it changes: %v\n%q\n%q", err, content, again)
		}
	})
}

// refers holds a file to be of a kind and to have the reference under the names
// of that kind; it gives the outer one.
func refers(t *testing.T, login bundle.Login, content []byte, kind bundle.Kind) string {
	t.Helper()
	if got, err := bundle.DeployFileKind("Dockerrun.aws.json", content); err != nil || got != kind {
		t.Fatalf("it is a %s now, and was a %s: %v\n%q", got, kind, err, content)
	}
	names := map[bundle.Kind][3]string{
		bundle.DockerrunV1: {"Authentication", "Bucket", "Key"},
		bundle.DockerrunV2: {"authentication", "bucket", "key"},
		bundle.DockerrunV3: {"Authentication", "bucket", "key"},
	}[kind]
	at, _ := object(t, content)[names[0]].(map[string]any)
	if at[names[1]] != login.Bucket || at[names[2]] != login.Key {
		t.Fatalf("it refers to %v, want %+v\n%q", at, login, content)
	}
	return names[0]
}

func object(t *testing.T, content []byte) map[string]any {
	t.Helper()
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("it does not decode: %v\n%q", err, content)
	}
	return all
}
