package eblocal

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// model is AWS's own description of a service.
type model struct {
	Metadata struct {
		Namespace string `json:"xmlNamespace"`
	}
	Operations map[string]struct {
		Input  *struct{ Shape string }
		Output *struct {
			Shape         string
			ResultWrapper string `json:"resultWrapper"`
		}
		Errors []struct{ Shape string }
	}
	Shapes map[string]*shape
}

type shape struct {
	Type     string
	Required []string
	Enum     []string
	Min, Max int
	Pattern  string
	Members  map[string]*shapeRef
	Member   *shapeRef
	Error    struct {
		Code   string
		Status int `json:"httpStatusCode"`
	}
}

type shapeRef struct {
	Shape        string
	LocationName string `json:"locationName"`
}

const modelModule = "github.com/aws/aws-sdk-go"

// modelDir is where the models are, in the module that the tools require.
var modelDir = sync.OnceValues(func() (string, error) {
	find := func() (string, error) {
		out, err := exec.Command("go", "-C", "../../tools", "list", "-m", "-f", "{{.Dir}}", modelModule).Output()
		return strings.TrimSpace(string(out)), err
	}
	dir, err := find()
	if err == nil && dir == "" {
		if out, err := exec.Command("go", "-C", "../../tools", "mod", "download", modelModule).CombinedOutput(); err != nil {
			return "", fmt.Errorf("download %s: %w: %s", modelModule, err, out)
		}
		dir, err = find()
	}
	if err != nil {
		return "", fmt.Errorf("find %s: %w", modelModule, err)
	}
	return filepath.Join(dir, "models/apis"), nil
})

const beanstalkModel = "elasticbeanstalk/2010-12-01"

// models are those of the services that speak the query protocol.
var models = sync.OnceValues(func() (map[string]*model, error) {
	dir, err := modelDir()
	if err != nil {
		return nil, err
	}
	all := map[string]*model{}
	for service, path := range map[string]string{serviceBeanstalk: beanstalkModel, serviceSTS: "sts/2011-06-15"} {
		data, err := os.ReadFile(filepath.Join(dir, path, "api-2.json"))
		if err != nil {
			return nil, err
		}
		all[service] = &model{}
		if err := json.Unmarshal(data, all[service]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return all, nil
})

func loadModel(t *testing.T, service string) *model {
	t.Helper()
	all, err := models()
	if err != nil {
		t.Fatal(err)
	}
	return all[service]
}

// element is XML without a schema.
type element struct {
	XMLName  xml.Name
	Children []element `xml:",any"`
	Text     string    `xml:",chardata"`
}

func (e element) child(name string) (element, bool) {
	i := slices.IndexFunc(e.Children, func(c element) bool { return c.XMLName.Local == name })
	if i < 0 {
		return element{}, false
	}
	return e.Children[i], true
}

// query sends an action as a form, as every client does.
func (b *bench) query(form url.Values) (int, element) {
	b.t.Helper()
	form.Set("Version", "2010-12-01")
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, parseXML(b.t, string(data))
}

func parseXML(t *testing.T, text string) element {
	t.Helper()
	var root element
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return root
}

// TestAnswersFitTheModel runs a deployment through every action. Each answer is
// held against the shape that AWS declares for it, as those of all other tests are.
func TestAnswersFitTheModel(t *testing.T) {
	t.Parallel()
	b, _ := faked(t, func(o *Options) { o.EnvVars = map[string]string{"A": "b"} })
	b.upload("b.zip", zipped(t, webBundle()))
	env := []string{"EnvironmentName", testEnv}
	asked := map[string]bool{}
	ask := func(action string, pairs ...string) {
		t.Helper()
		asked[action] = true
		form := url.Values{"Action": {action}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		status, root := b.query(form)
		if status != http.StatusOK {
			t.Errorf("%s: status %d: %+v", action, status, root)
		}
	}
	ask("CheckDNSAvailability", "CNAMEPrefix", "free")
	ask("CreateStorageLocation")
	ask("CreateApplication", "ApplicationName", "second")
	for _, label := range []string{"v1", "v2"} {
		ask("CreateApplicationVersion", "ApplicationName", testApp, "VersionLabel", label, "Description", "a subject",
			"SourceBundle.S3Bucket", b.Bucket(), "SourceBundle.S3Key", "b.zip", "Process", "true",
			"Tags.member.1.Key", "sha", "Tags.member.1.Value", "abc")
	}
	ask("UpdateEnvironment", append(env, "VersionLabel", "v1", "Description", "d")...)
	b.awaitReady()
	ask("DeleteApplicationVersion", "ApplicationName", testApp, "VersionLabel", "v2")
	ask("DescribeApplications")
	ask("DescribeApplicationVersions", "MaxRecords", "1")
	ask("DescribeEnvironments")
	ask("DescribeEvents", "MaxRecords", "3")
	ask("DescribeEnvironmentHealth", append(env, "AttributeNames.member.1", "All")...)
	ask("DescribeInstancesHealth", append(env, "AttributeNames.member.1", "All")...)
	ask("DescribeEnvironmentResources", env...)
	ask("DescribeConfigurationSettings", append(env, "ApplicationName", testApp)...)
	ask("DescribeAccountAttributes")
	ask("DescribePlatformVersion", "PlatformArn", b.platformArn(newest(Docker)))
	ask("ListPlatformVersions")
	ask("ListTagsForResource", "ResourceArn", b.arn("applicationversion/"+testApp+"/v1"))
	ask("RequestEnvironmentInfo", append(env, "InfoType", "tail")...)
	ask("RetrieveEnvironmentInfo", append(env, "InfoType", "tail")...)
	b.mu.Lock()
	b.own().Status, b.own().Before = statusUpdating, &snapshot{Label: "v1"}
	b.mu.Unlock()
	ask("DescribeConfigurationSettings", append(env, "ApplicationName", testApp)...)
	ask("AbortEnvironmentUpdate", env...)
	b.mu.Lock()
	b.own().Status = statusReady
	b.mu.Unlock()
	ask("ListAvailableSolutionStacks")
	ask("UpdateApplication", "ApplicationName", "second", "Description", "another")
	ask("UpdateApplicationVersion", "ApplicationName", testApp, "VersionLabel", "v1", "Description", "a better subject")
	ask("UpdateTagsForResource", "ResourceArn", b.environmentArn(b.own()), "TagsToAdd.member.1.Key", "by", "TagsToAdd.member.1.Value", "us")
	ask("ValidateConfigurationSettings", append(env, "ApplicationName", testApp, "OptionSettings.member.1.Namespace", commandNamespace,
		"OptionSettings.member.1.OptionName", "Timeout", "OptionSettings.member.1.Value", "never")...)
	ask("CreateEnvironment", "ApplicationName", testApp, "EnvironmentName", "second-env", "SolutionStackName", newest(ECS).stack(), "VersionLabel", "v1")
	await(t, "second environment Ready", func() (bool, string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		status := b.state.env("second-env").Status
		return status == statusReady, status
	})
	ask("DescribeInstancesHealth", "EnvironmentName", "second-env", "AttributeNames.member.1", "All")
	ask("TerminateEnvironment", "EnvironmentName", "second-env")
	ask("DescribeEnvironments", "ApplicationName", testApp, "MaxRecords", "1")
	ask("DeleteApplication", "ApplicationName", "second")
	for action := range b.beanstalkActions() {
		if !asked[action] {
			t.Errorf("%s is served, but was not held against the model", action)
		}
	}
}

// checkAnswer returns how an answer differs from what AWS declares.
func (m *model) checkAnswer(action string, root element) []string {
	operation, ok := m.Operations[action]
	if !ok {
		return []string{action + " is no operation of the service"}
	}
	var problems []string
	if root.XMLName.Local != action+"Response" || root.XMLName.Space != m.Metadata.Namespace {
		problems = append(problems, fmt.Sprintf("%s: the answer is a %v", action, root.XMLName))
	}
	if meta, ok := root.child("ResponseMetadata"); !ok || len(meta.Children) != 1 || meta.Children[0].Text == "" {
		problems = append(problems, action+": no RequestId in the answer")
	}
	if operation.Output == nil {
		if len(root.Children) != 1 {
			problems = append(problems, fmt.Sprintf("%s has no output, but the answer holds %v", action, root.Children[0].XMLName.Local))
		}
		return problems
	}
	result, ok := root.child(operation.Output.ResultWrapper)
	if !ok {
		return append(problems, fmt.Sprintf("%s: no %s in the answer", action, operation.Output.ResultWrapper))
	}
	return append(problems, m.check(action, operation.Output.Shape, result)...)
}

// misdeclared are members for which the model names a wrong type: this one is
// "Ready" on AWS, as its description says, and not one of the health's colors.
var misdeclared = []string{"DescribeEnvironmentHealth.Status"}

// check returns how an element differs from a shape.
func (m *model) check(path, name string, e element) []string {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		return m.checkStructure(path, s, e)
	case "list":
		return m.checkList(path, s, e)
	}
	if len(e.Children) > 0 {
		return []string{fmt.Sprintf("%s: expected a %s, got elements", path, s.Type)}
	}
	text := e.Text
	if name == "ApplicationVersionStatus" { // AWS's examples have "UNPROCESSED", its enum "Unprocessed"
		text = text[:min(1, len(text))] + strings.ToLower(text[min(1, len(text)):])
	}
	if err := checkScalar(s, text); err != nil && !slices.Contains(misdeclared, path) {
		return []string{fmt.Sprintf("%s: %q: %v", path, e.Text, err)}
	}
	return nil
}

func (m *model) checkStructure(path string, s *shape, e element) []string {
	var problems []string
	seen := map[string]bool{}
	for _, c := range e.Children {
		name := c.XMLName.Local
		member, ok := s.Members[name]
		if !ok || seen[name] {
			problems = append(problems, fmt.Sprintf("%s: %s is no member, or is there twice", path, name))
			continue
		}
		seen[name] = true
		problems = append(problems, m.check(path+"."+name, member.Shape, c)...)
	}
	for _, name := range s.Required {
		if !seen[name] {
			problems = append(problems, fmt.Sprintf("%s: the required %s is missing", path, name))
		}
	}
	return problems
}

func (m *model) checkList(path string, s *shape, e element) []string {
	wrapper := s.Member.LocationName
	if wrapper == "" {
		wrapper = "member"
	}
	var problems []string
	for i, c := range e.Children {
		if c.XMLName.Local != wrapper {
			problems = append(problems, fmt.Sprintf("%s[%d]: wrapped in %s, expected %s", path, i, c.XMLName.Local, wrapper))
			continue
		}
		problems = append(problems, m.check(fmt.Sprintf("%s[%d]", path, i), s.Member.Shape, c)...)
	}
	return problems
}

func checkScalar(s *shape, text string) error {
	var err error
	switch s.Type {
	case "integer", "long":
		_, err = strconv.ParseInt(text, 10, 64)
	case "double":
		_, err = strconv.ParseFloat(text, 64)
	case "boolean":
		_, err = strconv.ParseBool(text)
	case "timestamp":
		_, err = time.Parse(time.RFC3339, text)
	case "string":
		if n := utf8.RuneCountInString(text); n < s.Min || s.Max > 0 && n > s.Max {
			return fmt.Errorf("%d characters, expected %d to %d", n, s.Min, s.Max)
		}
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return fmt.Errorf("expected one of %v", s.Enum)
		}
		if !matches(s.Pattern, text) {
			return fmt.Errorf("expected the pattern %s", s.Pattern)
		}
	default:
		err = fmt.Errorf("unexpected type %s in the model", s.Type)
	}
	return err
}

// TestModelCheckSeesFaults makes sure that the check can fail.
func TestModelCheckSeesFaults(t *testing.T) {
	m := loadModel(t, serviceBeanstalk)
	cases := map[string]string{
		"<r><Surprise/></r>":                                                         "Surprise is no member",
		"<r><NextToken/><NextToken/></r>":                                            "there twice",
		"<r><Environments><item/></Environments></r>":                                "wrapped in item",
		"<r><NextToken><a/></NextToken></r>":                                         "expected a string, got elements",
		envXML("<Status>Sleeping</Status>"):                                          "expected one of",
		envXML("<Status>READY</Status>"):                                             "expected one of",
		envXML("<EnvironmentName>abc</EnvironmentName>"):                             "3 characters, expected 4 to 40",
		envXML("<DateCreated>today</DateCreated>"):                                   "today",
		envXML("<AbortableOperationInProgress>maybe</AbortableOperationInProgress>"): "maybe",
	}
	for text, want := range cases {
		var e element
		if err := xml.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		mustContain(t, text, strings.Join(m.check("r", "EnvironmentDescriptionsMessage", e), "\n"), want)
	}
}

func envXML(inner string) string {
	return "<r><Environments><member>" + inner + "</member></Environments></r>"
}
