package beanstalk_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// TestReadFile reads one small file out of a large bundle.
func TestReadFile(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		var archive bytes.Buffer
		w := zip.NewWriter(&archive)
		noise := make([]byte, 3<<20)
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		for name, content := range map[string][]byte{"large.bin": noise, "Dockerrun.aws.json": []byte("{}\n")} {
			f, err := w.Create(name)
			if err == nil {
				_, err = f.Write(content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wire.Buckets[bucket]["a.zip"] = &wiretest.Object{Body: archive.Bytes()}
		wire.Buckets[bucket]["no.zip"] = &wiretest.Object{Body: []byte("no zip")}
		at := beanstalk.Stored{Bucket: bucket, Key: "a.zip"}
		name, text, err := c.ReadFile(t.Context(), at, "docker-compose.yml", "Dockerrun.aws.json")
		if err != nil || name != "Dockerrun.aws.json" || string(text) != "{}\n" {
			t.Errorf("%s %q, %v", name, text, err)
		}
		if n := len(slices.DeleteFunc(wire.Calls(), func(call string) bool { return call != "GetObject" })); n > 3 {
			t.Errorf("%d ranges were read; the bundle has 13", n)
		}
		if _, _, err := c.ReadFile(t.Context(), at, "docker-compose.yml"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
		_, _, err = c.ReadFile(t.Context(), beanstalk.Stored{Bucket: bucket, Key: "no.zip"}, "x")
		wantError(t, err, "read the bundle s3://"+bucket+"/no.zip", "not a valid zip")
		_, _, err = c.ReadFile(t.Context(), beanstalk.Stored{Bucket: bucket, Key: "gone.zip"}, "x")
		wantError(t, err, "look up the bundle s3://"+bucket+"/gone.zip")
	})
}
