package ebdeploy

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

const loginBucket = "elasticbeanstalk-ap-northeast-2-957930470982"

// unpacked is a file in the bundle of the last version.
func (s *stage) unpacked(t *testing.T, name string) string {
	t.Helper()
	versions := s.wire.Versions["docker-fullstack"]
	last := versions[len(versions)-1]
	body := s.wire.Buckets[last.Bucket][last.Key].Body
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := archive.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRegistryAuth has each kind of deploy file refer to the logins in its way.
func TestRegistryAuth(t *testing.T) {
	for name, c := range map[string]struct {
		file, source, stack string
		tags                string
		in, want            string
	}{
		"compose": {"docker-compose.yml", composeFile, "Docker", "", "Dockerrun.aws.json",
			"{\n  \"Authentication\": {\"bucket\": \"" + loginBucket + "\", \"key\": \"docker-fullstack/.dockercfg\"},\n  \"AWSEBDockerrunVersion\": \"3\"\n}\n"},
		"v1": {"Dockerrun.aws.json", `{"AWSEBDockerrunVersion": "1", "Image": {"Name": "guk0/app"}, "Ports": [{"ContainerPort": 80}]}`, "Docker", `{"app":"1"}`, "Dockerrun.aws.json",
			`{"Authentication": {"Bucket": "` + loginBucket + `", "Key": "docker-fullstack/.dockercfg"}, "AWSEBDockerrunVersion": "1", "Image": {"Name": "guk0/app:1"}`},
		"v2": {"Dockerrun.aws.json", dockerrunFile, "ECS", "", "Dockerrun.aws.json",
			"{\n  \"authentication\": {\"bucket\": \"" + loginBucket + "\", \"key\": \"docker-fullstack/.dockercfg\"},\n  \"AWSEBDockerrunVersion\": 2,\n"},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				if err := os.Remove(filepath.Join(s.dir, "docker-compose.yml")); err != nil {
					t.Fatal(err)
				}
				s.file(t, c.file, c.source)
				s.env.Stack = "64bit Amazon Linux 2023 v4.1.0 running " + c.stack
				s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
				if c.tags != "" {
					s.inputs["tags"], s.inputs["digests"] = c.tags, ""
				}
				got := s.run(t)
				if got.result() != "deployed" || !strings.Contains(got.log, "stored the registries' logins in s3://"+loginBucket+"/docker-fullstack/.dockercfg") {
					t.Fatalf("%s", got)
				}
				if text := s.unpacked(t, c.in); !strings.HasPrefix(text, c.want) {
					t.Errorf("got  %s\nwant %s", text, c.want)
				}
				o := s.wire.Buckets[loginBucket]["docker-fullstack/.dockercfg"]
				if string(o.Body) != `{"auths":{"https://index.docker.io/v1/":{"auth":"Z3VrMDp3b3JkLW9mLXRoZS1hcGk="}}}` || o.Encryption != "AES256" {
					t.Errorf("the logins, encrypted by %q: %s", o.Encryption, o.Body)
				}
			})
		})
	}
}

// TestRegistryAuthAgain writes the logins only when they differ, also where the
// version runs already: instances that start later need them.
func TestRegistryAuthAgain(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
		s.run(t)
		written := func() (n int) {
			for _, call := range s.wire.Calls() {
				if call == "PutObject" {
					n++
				}
			}
			return n
		}
		before := written()
		if got := s.run(t); got.result() != "unchanged" || written() != before {
			t.Errorf("%d objects were written: %s", written()-before, got)
		}
		s.inputs["password"] = "another-word"
		if got := s.run(t); got.result() != "unchanged" || written() != before+1 || strings.Contains(masks.ReplaceAllString(got.String(), ""), "another-word") {
			t.Errorf("%d objects were written: %s", written()-before, got)
		}
	})
}

// TestRegistryAuthSuperseded has an older run come after a newer one, with
// another login: it leaves the newer one's.
func TestRegistryAuthSuperseded(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
		s.runID = "200"
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		newer := string(s.wire.Buckets[loginBucket]["docker-fullstack/.dockercfg"].Body)
		s.runID, s.inputs["tags"], s.inputs["password"] = "100", `{"frontend":"sha-older","backend":"sha-older"}`, "another-word"
		if got := s.run(t); got.result() != "superseded" {
			t.Errorf("%s", got)
		}
		if now := string(s.wire.Buckets[loginBucket]["docker-fullstack/.dockercfg"].Body); now != newer {
			t.Errorf("the logins are %s; the newer run's are %s", now, newer)
		}
	})
}

// TestRegistryAuthTakesLong has the logins held up beyond the deadline, with an
// environment and without one.
func TestRegistryAuthTakesLong(t *testing.T) {
	for _, env := range []string{"Dockerfullstack-env", ""} {
		on(t, func(t *testing.T, s *stage) {
			s.inputs["env"], s.inputs["timeout"] = env, "1m"
			s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
			s.wire.Before = func(operation string) {
				if operation == "PutObject" {
					time.Sleep(2 * time.Minute)
				}
			}
			if got := s.run(t); got.code != 1 || got.result() != "timed-out" || len(s.wire.Versions["docker-fullstack"]) != 0 {
				t.Errorf("env %q: versions %v\n%s", env, s.wire.Versions["docker-fullstack"], got)
			}
		})
	}
}

func TestRegistryAuthRejected(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["registry-auth"] = "true"
		s.rejects(t, "input registry-auth: is true, but there is no login that the instances could have")
		s.inputs["username"], s.inputs["password"] = "guk0", value
		s.file(t, "Dockerrun.aws.json", "{\"AWSEBDockerrunVersion\": \"3\",\n\"Authentication\": {}}")
		s.rejects(t, "registry-auth: Dockerrun.aws.json:2: Authentication names no bucket and key")
	})
	on(t, func(t *testing.T, s *stage) {
		s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"], s.inputs["bucket-name"] = "true", "guk0", value, "my-bundles"
		s.wire.Buckets["my-bundles"] = map[string]*wiretest.Object{}
		s.env.Options = append(s.env.Options, [3]string{"aws:autoscaling:launchconfiguration", "IamInstanceProfile", "web"})
		if got := s.run(t); got.result() != "deployed" || !strings.Contains(got.log, "::warning::registry-auth: the instance profile web must be allowed s3:GetObject on arn:aws:s3:::my-bundles/docker-fullstack/.dockercfg") {
			t.Errorf("%s", got)
		}
	})
}
