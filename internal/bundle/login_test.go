package bundle_test

import (
	"testing"

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
