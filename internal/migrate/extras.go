package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// addons takes the addons that have a counterpart; the others stay as
// comments.
func (u *unit) addons() {
	node, ok := u.section.Take("addons")
	if !ok {
		return
	}
	for _, key := range node.Keys() {
		if !u.addon(key) {
			u.c.leave(key, "addons, ", "this addon has no counterpart")
		}
	}
}

func (u *unit) addon(key *travis.Key) bool {
	switch key.Name {
	case "apt", "apt_packages":
		u.apt(key)
	case "postgresql", "mariadb", "mysql", "rethinkdb":
		u.want(travis.Text{Value: key.Name, Place: key.Place}, inert(key.Node.Text().Value))
	case "chrome", "firefox":
		u.c.todo.tell(key.Place, "addons: %s: GitHub's runner has it, in its own version", key.Name)
	case "hosts":
		names := join(key.Node.Texts())
		u.setup = append(u.setup, new(workflow.Map).Set("run", `echo "127.0.0.1 `+names+`" | sudo tee -a /etc/hosts`))
	case "ssh_known_hosts":
		u.setup = append(u.setup, new(workflow.Map).Set("run", "mkdir -p ~/.ssh && ssh-keyscan "+join(key.Node.Texts())+" >> ~/.ssh/known_hosts"))
	case "snaps":
		return u.snaps(key)
	case "homebrew":
		return u.homebrew(key)
	case "hostname":
		u.setup = append(u.setup, new(workflow.Map).Set("run", "sudo hostname "+inert(key.Node.Text().Value)))
	default:
		return false
	}
	return true
}

func join(texts []travis.Text) string {
	var words []string
	for _, t := range texts {
		words = append(words, inert(t.Value))
	}
	return strings.Join(words, " ")
}

// linuxOnly adds a step of the setup that other systems leave out, as Travis
// did.
func (u *unit) linuxOnly(step *workflow.Map) {
	u.setup = append(u.setup, step)
	u.onLinux = append(u.onLinux, step)
}

// setupSteps are the steps of the setup, once all systems are known.
func (u *unit) setupSteps() []*workflow.Map {
	var steps []*workflow.Map
	for _, step := range u.setup {
		if u.matrix.elsewhere() && slices.Contains(u.onLinux, step) {
			step = new(workflow.Map).Set("if", "runner.os == 'Linux'").Join(step)
		}
		steps = append(steps, step)
	}
	return steps
}

// apt installs packages. Sources that are names of Travis's list can't be
// looked up any more.
func (u *unit) apt(key *travis.Key) {
	packages, update := key.Node, false
	if key.Node.IsMap() {
		section := key.Node.Section()
		packages, _ = section.Take("packages")
		if n, ok := section.Take("update"); ok {
			update = n.True()
		}
		for _, rest := range section.Rest() {
			u.c.leave(rest, "addons, apt, ", "add the source with add-apt-repository before the packages are installed")
		}
	}
	names := join(packages.Texts())
	switch {
	case names != "":
		u.linuxOnly(new(workflow.Map).Set("run", "sudo apt-get update && sudo apt-get install -y --no-install-recommends "+names))
	case update:
		u.linuxOnly(new(workflow.Map).Set("run", "sudo apt-get update"))
	}
}

func (u *unit) snaps(key *travis.Key) bool {
	var lines []string
	for _, item := range key.Node.Items() {
		if !item.IsMap() {
			lines = append(lines, "sudo snap install "+inert(item.Text().Value))
			continue
		}
		section := item.Section()
		line := "sudo snap install " + section.TakeText("name").Value
		if section.TakeText("confinement").Value == "classic" {
			line += " --classic"
		}
		if channel := section.TakeText("channel").Value; channel != "" {
			line += " --channel=" + channel
		}
		if len(section.Rest()) > 0 {
			return false
		}
		lines = append(lines, inert(line))
	}
	u.linuxOnly(new(workflow.Map).Set("run", strings.Join(lines, "\n")))
	return true
}

func (u *unit) homebrew(key *travis.Key) bool {
	section := key.Node.Section()
	packages, _ := section.Take("packages")
	section.Take("update")
	if len(section.Rest()) > 0 || len(packages.Texts()) == 0 {
		return false
	}
	u.setup = append(u.setup, new(workflow.Map).
		Set("if", "runner.os == 'macOS'").
		Set("run", "brew install "+join(packages.Texts())))
	return true
}

// cachePaths are the folders of Travis's named caches.
var cachePaths = map[string][]string{
	"cargo":     {"~/.cargo/registry", "~/.cargo/git", "target"},
	"cocoapods": {"Pods"},
	"ccache":    {"~/.ccache"},
	"npm":       {"~/.npm"},
	"yarn":      {"~/.cache/yarn"},
	"pip":       {"~/.cache/pip"},
}

// cache becomes a step of actions/cache, except where the setup step of the
// language keeps the same.
func (u *unit) cache() {
	node, ok := u.section.Take("cache")
	if !ok {
		return
	}
	var paths []string
	add := func(name string, at travis.Place) {
		switch {
		case name == "bundler", u.keptBySetup(name):
		case cachePaths[name] != nil:
			paths = append(paths, cachePaths[name]...)
		case name == "apt" || name == "packages":
			u.c.todo.tell(at, "cache: %s: packages are installed anew", name)
		default:
			u.c.todo.hand(at, "cache: %s has no counterpart", name)
		}
	}
	switch {
	case node.False():
		return
	case !node.IsMap():
		for _, item := range node.Items() {
			if item.IsMap() {
				paths = append(paths, u.cacheMap(item, add)...)
				continue
			}
			add(item.Text().Value, item.Place())
		}
	default:
		paths = append(paths, u.cacheMap(node, add)...)
	}
	if len(paths) == 0 {
		return
	}
	with := new(workflow.Map).Set("path", workflow.Block(strings.Join(unique(paths), "\n")+"\n"))
	u.cacheWith = with
}

// cacheStep keeps what Travis kept, for each job of a matrix by itself.
func (u *unit) cacheStep() *workflow.Map {
	key := "travis-${{ runner.os }}-${{ github.job }}-"
	if u.matrix.size() > 0 {
		key += "${{ strategy.job-index }}-"
	}
	u.cacheWith.Set("key", key+"${{ github.sha }}").Set("restore-keys", key)
	return new(workflow.Map).Set("uses", workflow.Raw(cacheAction)).Set("with", u.cacheWith)
}

func (u *unit) cacheMap(node travis.Node, add func(string, travis.Place)) []string {
	var paths []string
	for _, key := range node.Keys() {
		switch {
		case key.Name == "directories":
			for _, t := range key.Node.Texts() {
				path := strings.NewReplacer("$HOME/", "~/", "${HOME}/", "~/", "$TRAVIS_BUILD_DIR/", "", "${TRAVIS_BUILD_DIR}/", "").Replace(inert(t.Value))
				if !u.keptBySetup(path) {
					paths = append(paths, path)
				}
			}
		case key.Name == "timeout" || key.Name == "edge" || key.Name == "branch":
			u.c.todo.tell(key.Place, "cache: %s has no counterpart and is left out", key.Name)
		case key.Node.True():
			add(key.Name, key.Place)
		}
	}
	return paths
}

// keptBySetup tells whether the setup step keeps a named cache or a folder.
func (u *unit) keptBySetup(name string) bool {
	of := map[string][]string{
		"node_js": {"npm", "yarn", "~/.npm", ".npm", "node_modules", "~/.cache/yarn"},
		"python":  {"pip", "~/.cache/pip"},
		"ruby":    {"bundler", "vendor/bundle"},
		"java":    {"~/.m2", "~/.m2/repository", "~/.gradle/caches", "~/.gradle/caches/", "~/.gradle/wrapper", "~/.gradle/wrapper/"},
		"go":      {"~/.cache/go-build", "~/go/pkg/mod", "~/gopath/pkg/mod", "$GOPATH/pkg/mod"},
	}
	has := map[string]bool{
		"node_js": u.c.exists("yarn.lock") || u.c.exists("package-lock.json"),
		"python":  u.c.exists("requirements.txt"),
		"ruby":    true, "go": true,
		"java": gradle(u.c) || u.c.exists("pom.xml"),
	}
	for _, kept := range of[u.langName] {
		if kept == name && has[u.langName] {
			return true
		}
	}
	return false
}
