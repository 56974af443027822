package migrate

import (
	"regexp"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// The actions of others that workflows use; the first four by commit, as this
// project's own workflows have them.
const (
	checkoutAction = "actions/checkout@8e8c483db84b4bee98b60c0593521ed34d9990e8 # v6.0.1"
	setupGo        = "actions/setup-go@4b73464bb391d4059bd26b0524d20df3927bd417 # v6.3.0"
	setupNode      = "actions/setup-node@6044e13b5dc448c55e2357c09f80417699197238 # v6.2.0"
	setupPython    = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0"
	cacheAction    = "actions/cache@cdf6c1fa76f9f475f3d7449005a359c84ca0f306 # v5.0.3"
	setupJava      = "actions/setup-java@v5"
	setupRuby      = "ruby/setup-ruby@v1"
	setupPHP       = "shivammathur/setup-php@v2"
	setupBeam      = "erlef/setup-beam@v1"
	setupDotnet    = "actions/setup-dotnet@v5"
	setupDart      = "dart-lang/setup-dart@v1"
)

// language is what Travis did for a language by itself.
// Source: Travis's documentation, a page for each language.
type language struct {
	// key holds the versions, such as node_js.
	key string
	// variable is Travis's for the version.
	variable string
	// setup are the steps that install a version.
	setup func(version string, c *converter) []*workflow.Map
	// install and script are what runs when the file has none.
	install, script func(c *converter) []string
	// translate is a version as the setup step knows it.
	translate func(string) string
}

func use(action, key, value string) *workflow.Map {
	step := new(workflow.Map).Set("uses", workflow.Raw(action))
	if value != "" {
		step.Set("with", new(workflow.Map).Set(key, value))
	}
	return step
}

func fixed(lines ...string) func(*converter) []string {
	return func(*converter) []string { return lines }
}

var languages = map[string]language{
	"node_js": {key: "node_js", variable: "TRAVIS_NODE_VERSION", setup: nodeSetup, install: nodeInstall, script: nodeScript, translate: nodeVersion},
	"python":  {key: "python", variable: "TRAVIS_PYTHON_VERSION", setup: pythonSetup, install: pythonInstall, script: fixed(), translate: pythonVersion},
	"ruby":    {key: "rvm", variable: "TRAVIS_RUBY_VERSION", setup: rubySetup, install: fixed(), script: fixed("bundle exec rake")},
	"go":      {key: "go", variable: "TRAVIS_GO_VERSION", setup: simple(setupGo, "go-version", "stable"), install: fixed("go mod download"), script: goScript, translate: goVersion},
	"java":    {key: "jdk", variable: "TRAVIS_JDK_VERSION", setup: javaSetup, install: javaInstall, script: javaScript, translate: javaVersion},
	"scala":   {key: "scala", variable: "TRAVIS_SCALA_VERSION", setup: scalaSetup, install: fixed(), script: fixed("sbt test")},
	"php":     {key: "php", variable: "TRAVIS_PHP_VERSION", setup: simple(setupPHP, "php-version", ""), install: fixed(), script: fixed("phpunit")},
	"rust":    {key: "rust", variable: "TRAVIS_RUST_VERSION", setup: rustSetup, install: fixed(), script: fixed("cargo build --verbose", "cargo test --verbose")},
	"elixir":  {key: "elixir", variable: "TRAVIS_ELIXIR_VERSION", setup: elixirSetup, install: fixed("mix local.hex --force", "mix deps.get"), script: fixed("mix test")},
	"csharp":  {key: "dotnet", variable: "TRAVIS_DOTNET_VERSION", setup: simple(setupDotnet, "dotnet-version", ""), install: fixed(), script: fixed()},
	"dart":    {key: "dart", variable: "TRAVIS_DART_VERSION", setup: simple(setupDart, "sdk", "stable"), install: fixed("dart pub get"), script: fixed("dart test")},
	"c":       {key: "compiler", variable: "CC", setup: compilerSetup("CC"), install: fixed(), script: fixed("./configure && make && make test")},
	"cpp":     {key: "compiler", variable: "CXX", setup: compilerSetup("CXX"), install: fixed(), script: fixed("./configure && make && make test"), translate: cppCompiler},
}

// aliases are other names of languages, and those that need nothing.
var aliases = map[string]string{
	"javascript": "node_js", "node": "node_js", "nodejs": "node_js", "golang": "go", "jvm": "java", "groovy": "java", "kotlin": "java", "c++": "cpp",
	"generic": "", "minimal": "", "bash": "", "sh": "", "shell": "", "docker": "", "": "",
}

func simple(action, key, otherwise string) func(string, *converter) []*workflow.Map {
	return func(version string, _ *converter) []*workflow.Map {
		if version == "" {
			version = otherwise
		}
		return []*workflow.Map{use(action, key, version)}
	}
}

func nodeSetup(version string, c *converter) []*workflow.Map {
	with := new(workflow.Map)
	switch {
	case version != "":
		with.Set("node-version", version)
	case c.exists(".nvmrc"):
		with.Set("node-version-file", ".nvmrc")
	default:
		with.Set("node-version", "lts/*")
	}
	switch {
	case c.exists("yarn.lock"):
		with.Set("cache", "yarn")
	case c.exists("package-lock.json"):
		with.Set("cache", "npm")
	}
	return []*workflow.Map{new(workflow.Map).Set("uses", workflow.Raw(setupNode)).Set("with", with)}
}

func nodeInstall(c *converter) []string {
	switch {
	case c.exists("yarn.lock"):
		return []string{"yarn --frozen-lockfile"}
	case c.exists("package-lock.json"), c.exists("npm-shrinkwrap.json"):
		return []string{"npm ci"}
	}
	return []string{"npm install"}
}

func nodeScript(c *converter) []string {
	if c.exists("yarn.lock") {
		return []string{"yarn test"}
	}
	return []string{"npm test"}
}

func nodeVersion(version string) string {
	switch version {
	case "node", "stable":
		return "node"
	case "lts":
		return "lts/*"
	}
	return strings.TrimPrefix(version, "v")
}

func pythonSetup(version string, c *converter) []*workflow.Map {
	with := new(workflow.Map)
	if version == "" {
		version = "3.x"
	}
	with.Set("python-version", version)
	if c.exists("requirements.txt") {
		with.Set("cache", "pip")
	}
	return []*workflow.Map{new(workflow.Map).Set("uses", workflow.Raw(setupPython)).Set("with", with)}
}

func pythonInstall(*converter) []string { return []string{"pip install -r requirements.txt"} }

func pythonVersion(version string) string {
	switch {
	case version == "nightly":
		return "3.x"
	case strings.HasPrefix(version, "pypy3"):
		return "pypy3.11"
	case strings.HasPrefix(version, "pypy"):
		return "pypy2.7"
	}
	return strings.TrimPrefix(version, "python")
}

func rubySetup(version string, c *converter) []*workflow.Map {
	with := new(workflow.Map)
	if version != "" {
		with.Set("ruby-version", version)
	} else if !c.exists(".ruby-version") {
		with.Set("ruby-version", "ruby")
	}
	with.Set("bundler-cache", workflow.Raw("true"))
	return []*workflow.Map{new(workflow.Map).Comment("Installs the gems too.").Set("uses", workflow.Raw(setupRuby)).Set("with", with)}
}

func goScript(c *converter) []string {
	if c.exists("Makefile") {
		return []string{"make"}
	}
	return []string{"go test -v ./..."}
}

func goVersion(version string) string {
	switch version {
	case "master", "tip", "stable":
		return "stable"
	}
	return version
}

func javaSetup(version string, c *converter) []*workflow.Map {
	if version == "" {
		version = "21"
	}
	with := new(workflow.Map).Set("distribution", "temurin").Set("java-version", version)
	switch {
	case gradle(c):
		with.Set("cache", "gradle")
	case c.exists("pom.xml"):
		with.Set("cache", "maven")
	}
	return []*workflow.Map{new(workflow.Map).Set("uses", workflow.Raw(setupJava)).Set("with", with)}
}

func gradle(c *converter) bool { return c.exists("build.gradle") || c.exists("build.gradle.kts") }

func javaInstall(c *converter) []string {
	switch {
	case c.exists("gradlew"):
		return []string{"./gradlew assemble"}
	case gradle(c):
		return []string{"gradle assemble"}
	case c.exists("mvnw"):
		return []string{"./mvnw install -DskipTests=true -Dmaven.javadoc.skip=true -B -V"}
	}
	return []string{"mvn install -DskipTests=true -Dmaven.javadoc.skip=true -B -V"}
}

func javaScript(c *converter) []string {
	switch {
	case c.exists("gradlew"):
		return []string{"./gradlew check"}
	case gradle(c):
		return []string{"gradle check"}
	case c.exists("mvnw"):
		return []string{"./mvnw test -B"}
	}
	return []string{"mvn test -B"}
}

var digits = regexp.MustCompile(`\d+`)

// javaVersion takes openjdk11 and oraclejdk8 for 11 and 8.
func javaVersion(version string) string {
	if strings.HasSuffix(version, "-ea") {
		return version
	}
	if found := digits.FindString(version); found != "" {
		return found
	}
	return version
}

func scalaSetup(_ string, _ *converter) []*workflow.Map {
	java := new(workflow.Map).Set("distribution", "temurin").Set("java-version", "21").Set("cache", "sbt")
	return []*workflow.Map{
		new(workflow.Map).Set("uses", workflow.Raw(setupJava)).Set("with", java),
		use("sbt/setup-sbt@v1", "", ""),
	}
}

func rustSetup(version string, _ *converter) []*workflow.Map {
	if version == "" {
		version = "stable"
	}
	step := new(workflow.Map)
	if strings.Contains(version, "${{") {
		step.Set("run", `rustup toolchain install "$RUST" && rustup default "$RUST"`)
		return []*workflow.Map{step.Set("env", new(workflow.Map).Set("RUST", version))}
	}
	return []*workflow.Map{step.Set("run", "rustup toolchain install "+version+" && rustup default "+version)}
}

func elixirSetup(version string, _ *converter) []*workflow.Map {
	with := new(workflow.Map)
	if version == "" {
		version = "1"
	}
	with.Set("elixir-version", version).Set("otp-version", "27")
	return []*workflow.Map{new(workflow.Map).Set("uses", workflow.Raw(setupBeam)).Set("with", with)}
}

// compilerSetup sets the variable that make looks at; compilers are there.
func compilerSetup(variable string) func(string, *converter) []*workflow.Map {
	return func(version string, _ *converter) []*workflow.Map {
		if version == "" {
			return nil
		}
		return []*workflow.Map{new(workflow.Map).
			Set("run", `echo "`+variable+`=$COMPILER" >> "$GITHUB_ENV"`).
			Set("env", new(workflow.Map).Set("COMPILER", version))}
	}
}

func cppCompiler(name string) string {
	switch name {
	case "gcc":
		return "g++"
	case "clang":
		return "clang++"
	}
	return strings.NewReplacer("gcc-", "g++-", "clang-", "clang++-").Replace(name)
}
