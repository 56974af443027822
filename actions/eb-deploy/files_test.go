package ebdeploy

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

func TestDeployFiles(t *testing.T) {
	const v2, v3 = dockerrunFile, `{"AWSEBDockerrunVersion": "3"}`
	for _, c := range []struct {
		name  string
		files map[string]string
		input config
		want  []string // path as name in the bundle
		err   string
	}{
		{"compose", map[string]string{"docker-compose.yml": composeFile}, config{}, []string{"docker-compose.yml as docker-compose.yml"}, ""},
		{"dockerrun v2", map[string]string{"Dockerrun.aws.json": v2}, config{}, []string{"Dockerrun.aws.json as Dockerrun.aws.json"}, ""},
		{"dockerrun v1", map[string]string{"Dockerrun.aws.json": v1File}, config{}, []string{"Dockerrun.aws.json as Dockerrun.aws.json"}, ""},
		{"both", map[string]string{"docker-compose.yml": composeFile, "Dockerrun.aws.json": v2}, config{}, []string{"docker-compose.yml as docker-compose.yml", "Dockerrun.aws.json as Dockerrun.aws.json"}, ""},
		{"compose with its v3", map[string]string{"docker-compose.yml": composeFile, "Dockerrun.aws.json": v3}, config{}, []string{"docker-compose.yml as docker-compose.yml"}, ""},
		{"compose hides v1", map[string]string{"docker-compose.yml": composeFile, "Dockerrun.aws.json": v1File}, config{}, []string{"docker-compose.yml as docker-compose.yml"}, ""},
		{"v3 alone", map[string]string{"Dockerrun.aws.json": v3}, config{}, nil, "only accompanies a docker-compose.yml, which is missing"},
		{"none", nil, config{}, nil, `there is neither docker-compose.yml nor Dockerrun.aws.json in "."; name the folder`},
		{"nearly", map[string]string{"compose.yaml": composeFile}, config{}, nil, `there is "compose.yaml": name it in compose-file`},
		{"another name", map[string]string{"deploy/prod.yml": composeFile}, config{ComposeFile: lines("deploy/prod.yml")}, []string{"deploy/prod.yml as docker-compose.yml"}, ""},
		{"below source", map[string]string{"app/docker-compose.yml": composeFile}, config{Source: "app"}, []string{"app/docker-compose.yml as docker-compose.yml"}, ""},
		{"a named dockerrun", map[string]string{"Dockerrun.aws.json": v2, "docker-compose.yml": composeFile}, config{ComposeFile: lines("Dockerrun.aws.json")}, []string{"Dockerrun.aws.json as Dockerrun.aws.json"}, ""},
		{"a named v3", map[string]string{"Dockerrun.aws.json": v3}, config{ComposeFile: lines("Dockerrun.aws.json")}, nil, "only accompanies a Compose file"},
		{"not there", nil, config{ComposeFile: lines("prod.yml")}, nil, `there is no "prod.yml" in "."`},
		{"several", map[string]string{"a.yml": composeFile, "b.yml": composeFile}, config{ComposeFile: lines("a.yml\nb.yml")}, []string{"a.yml, b.yml as docker-compose.yml"}, ""},
		{"several on a line", map[string]string{"a.yml": composeFile, "b.yml": composeFile}, config{ComposeFile: lines("a.yml b.yml")}, nil, `there is no "a.yml b.yml" in "."; to have several files merged, write one path a line`},
		{"one of several is no Compose file", map[string]string{"a.yml": composeFile, "Dockerrun.aws.json": v2}, config{ComposeFile: lines("a.yml\nDockerrun.aws.json")}, nil, `"Dockerrun.aws.json" is no Compose file, and only those can be merged`},
		{"several, of which some are missing", map[string]string{"a.yml": composeFile}, config{ComposeFile: lines("a.yml\n./a.yml\nb.yml")}, nil, "input compose-file: \"./a.yml\" stands there twice\ninput compose-file: there is no \"b.yml\" in \".\"; paths are relative to the input source"},
		{"extends", map[string]string{"docker-compose.yml": "services: {web: {extends: {file: base.yml, service: x}}}", "base.yml": "services: {x: {image: a}}"}, config{}, []string{"docker-compose.yml as docker-compose.yml"}, ""},
		{"extends what is missing", map[string]string{"docker-compose.yml": "services: {web: {extends: {file: base.yml, service: x}}}"}, config{}, nil, `docker-compose.yml:1: extends: there is no file base.yml`},
		{"outside", nil, config{ComposeFile: lines("../prod.yml")}, nil, "is not below the folder"},
		{"no such folder", nil, config{Source: "app"}, nil, "is actions/checkout a step before this one?"},
		{"a file as folder", map[string]string{"app": "x"}, config{Source: "app"}, nil, `"app" is no folder`},
		{"a folder as file", map[string]string{"docker-compose.yml/x": "x"}, config{}, nil, "is a directory"},
		{"a folder as named file", map[string]string{"x.yml/x": "x"}, config{ComposeFile: lines("x.yml")}, nil, "is a directory"},
	} {
		s := &stage{dir: t.TempDir()}
		for name, text := range c.files {
			s.file(t, name, text)
		}
		if c.input.Source == "" {
			c.input.Source = "."
		}
		if c.input.Bundle == "" {
			c.input.Bundle = minimalBundle
		}
		got, err := found(c.input, s.dir)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v; want %q", c.name, err, c.err)
		}
	}
}

// lines are an input's.
func lines(text string) action.Lines { return strings.Split(text, "\n") }

func found(c config, workspace string) ([]string, error) {
	from, err := c.tree(workspace)
	if err != nil {
		return nil, err
	}
	files, err := c.deployFiles(context.Background(), from)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, f.path+" as "+f.name())
	}
	return names, nil
}

func TestChoose(t *testing.T) {
	both := []deployFile{fileOf("Compose file", ""), fileOf("Dockerrun.aws.json version 2", "")}
	for platform, want := range map[beanstalk.Kind]string{
		beanstalk.Docker: composeName, beanstalk.ECS: dockerrunName, beanstalk.Unknown: composeName,
	} {
		if got := choose(both, platform).name(); got != want {
			t.Errorf("%q: %s; want %s", platform, got, want)
		}
	}
}
