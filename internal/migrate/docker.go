package migrate

import (
	"fmt"
	"path"
	"strings"
)

// docker is one docker command, with its flags told from its arguments.
type docker struct {
	*command
	verb  string
	flags []flagValue
	args  []arg
	// dir is the folder that the shell was in, relative to the workspace.
	dir string
}

type flagValue struct {
	name  string
	value arg
}

// short names of flags, and flags without a value. Source: Docker's CLI
// reference.
var (
	longNames = map[string]map[string]string{
		"build":   {"t": "tag", "f": "file", "q": "quiet", "m": "memory", "o": "output"},
		"run":     {"e": "env", "v": "volume", "p": "publish", "d": "detach", "i": "interactive", "t": "tty", "w": "workdir", "u": "user", "h": "hostname", "m": "memory", "l": "label", "net": "network", "P": "publish-all"},
		"login":   {"u": "username", "p": "password", "e": "email"},
		"push":    {"q": "quiet", "a": "all-tags"},
		"pull":    {"q": "quiet"},
		"compose": {"f": "file", "p": "project-name"},
	}
	switches = map[string]string{
		"build":   "quiet no-cache pull rm force-rm squash load push compress",
		"run":     "detach interactive tty rm init privileged publish-all read-only",
		"login":   "password-stdin",
		"push":    "quiet all-tags disable-content-trust",
		"pull":    "quiet",
		"compose": "verbose",
	}
)

// dockerVerb is what a docker command does and the words after it; empty when
// it is no docker command, or one that is not looked into.
func dockerVerb(words []string) (verb string, skip int) {
	if len(words) < 2 {
		return "", 0
	}
	if words[0] == "docker-compose" {
		return "compose", 1
	}
	if words[0] != "docker" {
		return "", 0
	}
	switch words[1] {
	case "build", "run", "push", "pull", "tag", "login", "logout", "compose":
		return words[1], 2
	case "image", "container", "buildx":
		if len(words) > 2 && (words[2] == "build" || words[2] == "push" || words[2] == "tag" || words[2] == "pull" || words[2] == "run") {
			return words[2], 3
		}
	}
	return "other", 2
}

// parseDocker reads a docker command. It is nil for any other; the error says
// what in it can't be read without running it.
func parseDocker(s *scope, c *command, dir string) (*docker, error) {
	var words []string
	for _, w := range c.call.Args {
		words = append(words, w.Lit())
	}
	verb, skip := dockerVerb(words)
	if verb == "" {
		return nil, nil
	}
	d := &docker{command: c, verb: verb, dir: dir}
	if len(c.call.Assigns) > 0 && !onlyBuildKit(c) {
		return d, fmt.Errorf("a variable is set for it alone")
	}
	if verb == "other" {
		return d, nil
	}
	return d, d.read(s, skip)
}

// onlyBuildKit tells whether the only variable before a command is the switch
// for BuildKit, which is always on here.
func onlyBuildKit(c *command) bool {
	for _, a := range c.call.Assigns {
		if a.Name.Value != "DOCKER_BUILDKIT" && a.Name.Value != "COMPOSE_DOCKER_CLI_BUILD" {
			return false
		}
	}
	return true
}

func (d *docker) read(s *scope, skip int) error {
	words := d.call.Args[skip:]
	for i := 0; i < len(words); i++ {
		a, err := s.word(words[i], d.place)
		if err != nil {
			return err
		}
		text := a.prefix()
		flagLike := strings.HasPrefix(text, "-") && text != "-"
		if !flagLike || len(d.args) > 0 && (d.verb == "run" || d.verb == "compose") {
			d.args = append(d.args, a)
			continue
		}
		name, value, needs := d.flag(a)
		if needs {
			if i+1 >= len(words) {
				return fmt.Errorf("--%s has no value", name)
			}
			i++
			if name == "email" {
				// Registries have long ignored it.
				continue
			}
			if value, err = s.word(words[i], d.place); err != nil {
				return err
			}
		}
		d.flags = append(d.flags, flagValue{name, value})
	}
	return nil
}

// flag reads a flag; needs tells that its value is the next word.
func (d *docker) flag(a arg) (name string, value arg, needs bool) {
	head, value, given := a.cut("=")
	text := head.prefix()
	long := strings.TrimLeft(text, "-")
	if _, known := head.lit(); long == "" || !known && strings.HasPrefix(text, "--") {
		// A variable is the flag, or a part of its name.
		return a.String(), nil, false
	}
	if strings.HasPrefix(text, "--") || longNames[d.verb][long] != "" && len(long) > 1 {
		if full := longNames[d.verb][long]; full != "" {
			long = full
		}
		return long, value, !given && !d.isSwitch(long)
	}
	full := longNames[d.verb][long[:1]]
	if full == "" {
		return long, value, false
	}
	if !d.isSwitch(full) {
		if len(long) == 1 && given {
			return full, value, false
		}
		if rest := a.after(2); len(long) > 1 || len(rest) > 0 && rest.String() != "" {
			return full, rest, false
		}
		return full, nil, true
	}
	return d.switches(long)
}

// switches reads -it and -itd; the last letter may take the next word.
func (d *docker) switches(letters string) (name string, value arg, needs bool) {
	for i := range letters {
		full := longNames[d.verb][letters[i:i+1]]
		if full == "" {
			return letters, nil, false
		}
		if i == len(letters)-1 {
			return full, nil, !d.isSwitch(full)
		}
		d.flags = append(d.flags, flagValue{name: full})
	}
	return letters, nil, false
}

func (d *docker) isSwitch(name string) bool {
	for _, s := range strings.Fields(switches[d.verb]) {
		if s == name {
			return true
		}
	}
	return false
}

func (d *docker) has(name string) bool { return len(d.all(name)) > 0 }

// all are the values of a flag, in order.
func (d *docker) all(name string) []arg {
	var values []arg
	for _, f := range d.flags {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

func (d *docker) last(name string) arg {
	all := d.all(name)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// unknown is the first flag that is not among those given.
func (d *docker) unknown(known string) string {
	for _, f := range d.flags {
		if !strings.Contains(" "+known+" ", " "+f.name+" ") {
			return f.name
		}
	}
	return ""
}

// inWorkspace is a path of the command as one from the workspace's root, in
// Compose's manner: ./frontend.
func (d *docker) inWorkspace(p string) string {
	if strings.HasPrefix(p, "/") || strings.Contains(p, "://") {
		return p
	}
	joined := path.Join(d.dir, p)
	if joined == "." || strings.HasPrefix(joined, "..") {
		return joined
	}
	return "./" + joined
}
