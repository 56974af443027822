package eblocal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	composeFile   = "docker-compose.yml"
	dockerrunFile = "Dockerrun.aws.json"
	// launchFile is what is run in composeFile's place; the bundle's own stays beside it.
	launchFile = "docker-compose.eb-local.yml"
)

// prepared is a bundle that is ready to be launched.
type prepared struct {
	launch   Launch
	expect   expect
	warnings []string
}

// prepare unpacks the bundle and turns it into a Compose project, as the
// platform would.
func (s *Server) prepare(u update, r run) (prepared, error) {
	data, err := s.store.get(u.version.Bucket, u.version.Key)
	if err != nil {
		return prepared{}, err
	}
	app := filepath.Join(s.home(r), "app")
	if err := unpack(data, u.version.Key, app); err != nil {
		return prepared{}, err
	}
	src, err := u.env.Platform.source(app, properties(r.Settings))
	if err != nil {
		return prepared{}, err
	}
	src.warnings = append(src.warnings, unhonored(app)...)
	return s.project(app, src, r)
}

// source is a bundle as a Compose file, before it is fitted to this machine.
type source struct {
	name     string // the file that it came from
	compose  []byte
	vars     map[string]string // what ${…} stands for
	optional []string          // services that are not essential
	warnings []string
}

func (p Platform) source(app string, props map[string]string) (source, error) {
	if p == ECS {
		return ecsSource(app, props)
	}
	return dockerSource(app, props)
}

// project fits the Compose file to this machine and writes it.
func (s *Server) project(app string, src source, into run) (prepared, error) {
	home := s.home(into)
	logs := filepath.Join(home, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return prepared{}, err
	}
	src.vars["EB_LOG_BASE_DIR"] = logs
	r, err := rewrite(src.compose, rewriting{
		labels: map[string]string{labelEnv: s.id, labelInstance: into.Name},
		vars:   src.vars,
	})
	if err != nil {
		return prepared{}, fmt.Errorf("%s: %w", src.name, err)
	}
	file := filepath.Join(app, launchFile)
	if err := os.WriteFile(file, r.compose, 0o600); err != nil {
		return prepared{}, err
	}
	r.expect.Optional = src.optional
	return prepared{
		launch: Launch{
			Name: into.Name, Dir: app, File: file, Images: r.images, Build: r.build,
			Env: []string{"EB_LOG_BASE_DIR=" + logs},
		},
		expect:   r.expect,
		warnings: append(src.warnings, r.warnings...),
	}, nil
}

// unhonored names what a bundle holds that only AWS does.
func unhonored(app string) []string {
	var warnings []string
	for _, dir := range []string{".ebextensions", ".platform"} {
		if exists(filepath.Join(app, dir)) {
			warnings = append(warnings, fmt.Sprintf("%s is in the bundle: eb-local does not run it.", dir))
		}
	}
	return warnings
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}
