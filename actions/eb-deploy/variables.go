package ebdeploy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/place"
)

var (
	// platformVariables are those that Compose files get besides properties: where
	// the logs of containers go (Elastic Beanstalk guide, "Docker container
	// customized logging"), and what Docker Compose itself sets.
	platformVariables = []string{"EB_LOG_BASE_DIR", "COMPOSE_PROJECT_NAME"}
	// processVariables are those that most processes have.
	processVariables = []string{"PWD", "HOME", "PATH", "USER", "HOSTNAME"}
	// databaseProperties are those of an environment with a database of its own,
	// which are not among its settings (Elastic Beanstalk guide, "Adding a
	// database").
	databaseProperties = []string{"RDS_HOSTNAME", "RDS_PORT", "RDS_DB_NAME", "RDS_USERNAME", "RDS_PASSWORD"}
)

const databaseOptions = "aws:rds:dbinstance"

// hasDatabase tells that an environment has a database of its own.
func hasDatabase(options beanstalk.Options) bool {
	coupled := options.Get(databaseOptions, "HasCoupledDatabase")
	if coupled != "" {
		return coupled == "true"
	}
	return slices.ContainsFunc(options.Sorted(), func(o beanstalk.Option) bool { return o.Namespace == databaseOptions })
}

// checkVariables finds the variables that nothing gives a value. Compose would
// put nothing in their place. Where the bundle has an .env, Elastic Beanstalk
// does not write the properties there.
func (p plan) checkVariables(d beanstalk.Destination, options beanstalk.Options, found *findings) {
	properties := options.Properties()
	if hasDatabase(options) || p.extensions.brings(databaseOptions) {
		properties = append(properties, databaseProperties...)
	}
	isProperty := func(name string) bool { return slices.Contains(properties, name) || p.extensions.brings(name) }
	isSet := func(name string) bool {
		return slices.Contains(platformVariables, name) || p.dotenv == nil && isProperty(name) || p.dotenv[name]
	}
	for _, v := range p.asks.Variables {
		isProperty := isProperty(v.Name)
		switch {
		case !v.Used(isSet) || slices.Contains(platformVariables, v.Name):
		case p.dotenv == nil && isProperty || p.dotenv[v.Name]:
		case slices.Contains(processVariables, v.Name):
			found.warn(p.file.at(v.Line, fmt.Errorf("${%s} is what it is where Elastic Beanstalk runs Docker Compose, and may have no value there; for a path of the bundle, write ./ in its place", v.Name)))
		case p.dotenv == nil:
			found.refuse(p.file.at(v.Line, fmt.Errorf("${%s} has no value: environment %q has no such property; add it to env-vars, or write a default: ${%s:-…}", v.Name, d.Environment.Name, v.Name)))
		case isProperty:
			found.warn(p.file.at(v.Line, fmt.Errorf("${%s} may have no value: environment %q has such a property, but the .env in the bundle, which stands in the place of the properties, does not set it; set it there too, or leave .env out of the bundle", v.Name, d.Environment.Name)))
		default:
			found.refuse(p.file.at(v.Line, fmt.Errorf("${%s} has no value: neither does the .env in the bundle set it, nor has environment %q such a property; add it to .env, or write a default: ${%s:-…}", v.Name, d.Environment.Name, v.Name)))
		}
	}
}

// lineOf is the place in what the parser of an .env says, which may quote
// values besides. Of a quote that does not end it tells the file's last line.
var lineOf = regexp.MustCompile(`^line (\d+): (?:key|unexpected)`)

// readDotenv gives the names that the .env of a bundle sets; nil where the
// bundle has none, or no Compose file that it would be read for.
func readDotenv(file deployFile, from tree, gathered *bundle.Bundle) (map[string]bool, error) {
	if file.kind != bundle.Compose || !slices.ContainsFunc(gathered.Files(), func(f bundle.File) bool { return f.Path == ".env" }) {
		return nil, nil
	}
	name := path.Join(from.name, ".env")
	text, err := fs.ReadFile(from, ".env")
	if err != nil {
		return nil, place.At(name, 0, errors.New("it can't be read: put a file in its place, or leave it out of the bundle"))
	}
	values, err := parseDotenv(name, text)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range values {
		names[name] = true
	}
	return names, nil
}

// parseDotenv reads a file of variables. Its error quotes none of it. What others
// the file needs, the instance may have.
func parseDotenv(name string, text []byte) (map[string]string, error) {
	values, err := dotenv.Parse(bytes.NewReader(text))
	if err != nil {
		values, err = dotenv.ParseWithLookup(bytes.NewReader(text), func(string) (string, bool) { return "x", true })
	}
	if err == nil {
		return values, nil
	}
	line := 0
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	return nil, place.At(name, line, errors.New("it is not as Docker Compose reads it: write a line NAME=value for each, the value in quotes where it has blanks or quotes, or leave it out of the bundle"))
}

// checkEnvFiles has the files of variables that the deploy file names read as
// Docker Compose does. Those that are not there are the bundle's to report.
func checkEnvFiles(from tree, rendered bundle.Rendered) error {
	var problems []error
	for _, file := range rendered.EnvFiles() {
		text, err := fs.ReadFile(from, file)
		if err == nil && file != ".env" {
			_, err = parseDotenv(path.Join(from.name, file), text)
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// extensions are the configuration files of a bundle.
type extensions []extension

// extension is one of them; root is nil where it is no YAML.
type extension struct {
	text []byte
	root *yaml.Node
}

// readExtensions reads .ebextensions/*.config, which may set properties when
// the version is deployed. Those that can't be read are the bundle's to report.
func readExtensions(from fs.FS) extensions {
	var all extensions
	paths, _ := fs.Glob(from, ".ebextensions/*.config")
	for _, path := range paths {
		text, err := fs.ReadFile(from, path)
		if err != nil {
			continue
		}
		var root yaml.Node
		if yaml.Unmarshal(text, &root) == nil && len(root.Content) == 1 {
			all = append(all, extension{text, root.Content[0]})
			continue
		}
		all = append(all, extension{text: text})
	}
	return all
}

// brings tells that a property may be set by one of the files: by its option
// settings, or by whatever else in it, such as a command, says its name.
func (e extensions) brings(name string) bool {
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`)
	return slices.ContainsFunc(e, func(one extension) bool {
		if one.root == nil {
			return word.Match(one.text)
		}
		return says(one.root, word)
	})
}

// says looks for a word in the keys and values of a tree; what a comment says
// sets nothing.
func says(n *yaml.Node, word *regexp.Regexp) bool {
	return word.MatchString(n.Value) || slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return says(child, word) })
}
