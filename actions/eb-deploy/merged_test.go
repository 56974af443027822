package ebdeploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// prodFile is what production has other than developers.
const prodFile = `services:
  frontend:
    mem_limit: 128m
    environment: [API=http://backend:5000]
  backend:
    ports: !override ["80:5000"]
    env_file: prod.env
  cache:
    image: redis:7
`

// merges gives the stage two files to merge.
func (s *stage) merges(t *testing.T) {
	t.Helper()
	s.inputs["compose-file"] = "docker-compose.yml\ndocker-compose.prod.yml\n"
	s.file(t, "docker-compose.prod.yml", prodFile)
	s.file(t, "prod.env", "A=1\n")
}

// TestMergedFiles has two Compose files go into the bundle as one; the dry run
// shows it, and the deployment ships it in each kind of bundle.
func TestMergedFiles(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		s.merges(t)
		got := s.previews(t)
		_, shown, _ := strings.Cut(got.log, "\n  backend: image ")
		shown, _, _ = strings.Cut(shown, "::group::The least IAM policy")
		actiontest.Golden(t, filepath.Join("testdata", "merged.golden"), shown)
	})
	for bundle, want := range map[string][]string{
		"minimal": {"docker-compose.yml", "prod.env"},
		"source":  {"docker-compose.yml", "prod.env", "server.js"},
		"app.zip": {"docker-compose.yml", "prod.env"},
	} {
		t.Run(bundle, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.merges(t)
				s.inputs["bundle"] = bundle
				s.file(t, "server.js", "serve()")
				s.file(t, ".ebignore", ".ebignore\napp.zip\n")
				s.zip(t, "app.zip", map[string]string{"docker-compose.yml": composeFile, "docker-compose.prod.yml": prodFile, "prod.env": "A=1\n"})
				if got := s.run(t); got.result() != "deployed" {
					t.Fatalf("%s", got)
				}
				files := s.uploaded(t)
				for _, name := range want {
					if files[name] == "" {
						t.Errorf("the bundle lacks %s", name)
					}
				}
				if len(files) != len(want) {
					t.Errorf("the bundle holds %q", files)
				}
				if text := files["docker-compose.yml"]; !strings.Contains(text, rendered) || !strings.Contains(text, `ports: ["80:5000"]`) || !strings.Contains(text, "redis:7") {
					t.Errorf("merged and rendered:\n%s", text)
				}
			})
		})
	}
}

// TestMergedRefused names the file and the line of all that is wrong with files
// that are merged.
func TestMergedRefused(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.merges(t)
		s.inputs["tags"], s.inputs["digests"] = `{"backend":"t","cash":"t"}`, ""
		s.file(t, "docker-compose.prod.yml", prodFile+"  sidecar:\n    image: guk0/sidecar\n  worker:\n    restrat: always\n    extends: {file: base.yml, service: worker}\nsecrets:\n  key: {file: ./key.pem}\n")
		s.file(t, "base.yml", "services:\n  worker:\n    build: ./worker\n    env_file: [worker.env]\n")
		if err := os.Remove(filepath.Join(s.dir, "prod.env")); err != nil {
			t.Fatal(err)
		}
		s.rejects(t,
			`docker-compose.yml:5: service "frontend" has build, and no image is given for it`,
			`docker-compose.yml, docker-compose.prod.yml: an image is given for "cash", which is no service of the file; it has backend, cache, frontend, sidecar, worker; did you mean "cache"?`,
			`docker-compose.prod.yml:7: env_file prod.env does not exist`,
			`docker-compose.prod.yml:11: no image is given for service "sidecar", and its image "guk0/sidecar" has neither tag nor digest`,
			`docker-compose.prod.yml:13: services.worker has a key "restrat", which Compose does not know; did you mean "restart"?`,
			`base.yml:3: service "worker" has build, and no image is given for it`,
			`base.yml:4: env_file worker.env does not exist`,
			`docker-compose.prod.yml:16: secrets: file ./key.pem does not exist`,
		)
	})
}

// TestMergedChecks names the lines of what an environment lacks for merged files.
func TestMergedChecks(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.merges(t)
		s.file(t, "docker-compose.prod.yml", "version: '3.8'\nservices:\n  backend: {mem_limit: 1g}\n  cache:\n    image: redis:7\n    command: [\"--port\", \"${PORT}\"]\n  open:\n    image: nginx:latest\n")
		s.file(t, "docker-compose.yml", strings.Replace(composeFile, "80:5000", "8080:5000", 1))
		got := s.rejects(t,
			"docker-compose.prod.yml:6: ${PORT} has no value: environment \"Dockerfullstack-env\" has no such property",
			"docker-compose.yml, docker-compose.prod.yml: no service publishes port 80",
		)
		for _, want := range []string{
			"docker-compose.prod.yml:3: mem_limit is unknown to Compose 1",
			`docker-compose.prod.yml:8: image "nginx:latest" is whatever is latest`,
		} {
			if !strings.Contains(got.log, want) {
				t.Errorf("the log lacks %q:\n%s", want, got.log)
			}
		}
	})
}

// TestLocalMerged deploys merged files in a subfolder to a local Elastic
// Beanstalk.
func TestLocalMerged(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.inputs["compose-file"] = "deploy/base.yml\ndeploy/prod.yml"
		_, text := deployFileFor(eblocal.Docker)
		l.file(t, "deploy/base.yml", strings.Replace(text, "./backend\n", "./backend\n    env_file: app.env\n", 1))
		l.file(t, "deploy/prod.yml", "services:\n  nginx: {restart: always}\n  backend: {environment: {PASSWORD: '${MYSQL_ROOT_PASSWORD}'}}\n")
		l.file(t, "deploy/app.env", "A=1\n")
		l.deployed(t, "v1")
		if got := l.version(t, "v1"); got.result() != "unchanged" || got.code != 0 {
			t.Errorf("again: %s", got)
		}
		l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v2", Service: "backend", Exit: 3})
		if got := l.version(t, "v2"); got.result() != "rolled-back" || got.code != 1 {
			t.Errorf("a broken version: %s", got)
		}
	})
}
