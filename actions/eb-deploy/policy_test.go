package ebdeploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// dimension is a choice between inputs.
type dimension []map[string]string

// dimensions are the inputs that the policy depends on, and some that it must
// not depend on.
var dimensions = []dimension{
	{{"create": "false"}, {"create": "true"}},
	{{"env": eblocaltest.Env}, {"env": ""}, {"env": "new-env"}, {"env": eblocaltest.Env + ", new-env"}, {"app": "new-app", "env": "new-env"}, {"app": "new-app", "env": ""}},
	{{"bundle": "minimal"}, {"bundle": "source"}, {"existing": "true"}},
	{{"bucket-name": ""}, {"bucket-name": "bundles-of-ours"}, {"bucket-name": "bundles-to-make"}},
	{{"bucket-path": ""}, {"bucket-path": "some/where"}},
	{{"platform": ""}, {"platform": "Docker"}, {"platform": "arn:aws:elasticbeanstalk:" + eblocaltest.Region + "::platform/Docker running on 64bit Amazon Linux 2023/4.0.1"}},
	{{"keep-versions": "0"}, {"keep-versions": "1"}, {"keep-versions": "1", "delete-bundles": "true"}},
	{{"env-vars": ""}, {"env-vars": "GREETING=hello"}},
	{{"on-failure": "none"}, {"on-failure": "abort"}, {"on-failure": "rollback"}},
	{{"registry-auth": "false"}, {"registry-auth": "true", "username": "guk0", "password": value}},
	{{"max-parallel": "0", "fail-fast": "true"}, {"max-parallel": "1", "fail-fast": "false"}},
}

// combinations are inputs in which every two choices of different dimensions,
// that can stand together, do so at least once.
func combinations() []map[string]string {
	var all []map[string]string
	covered := map[[4]int]bool{}
	for d1 := range dimensions {
		for d2 := d1 + 1; d2 < len(dimensions); d2++ {
			for c1 := range dimensions[d1] {
				for c2 := range dimensions[d2] {
					if !covered[[4]int{d1, c1, d2, c2}] {
						if inputs := combine(covered, d1, c1, d2, c2); inputs != nil {
							all = append(all, inputs)
						}
					}
				}
			}
		}
	}
	return all
}

// combine fixes two choices, and takes of the others those that bring most pairs
// which are not covered yet.
func combine(covered map[[4]int]bool, d1, c1, d2, c2 int) map[string]string {
	chosen := map[int]int{d1: c1, d2: c2}
	if !together(chosen) {
		return nil
	}
	pair := func(d, c, other int) [4]int {
		if d < other {
			return [4]int{d, c, other, chosen[other]}
		}
		return [4]int{other, chosen[other], d, c}
	}
	for d := range dimensions {
		if _, is := chosen[d]; is {
			continue
		}
		best, most := -1, -1
		for c := range dimensions[d] {
			chosen[d] = c
			fits := together(chosen)
			delete(chosen, d)
			fresh := 0
			for other := range chosen {
				if !covered[pair(d, c, other)] {
					fresh++
				}
			}
			if fits && fresh > most {
				best, most = c, fresh
			}
		}
		if best < 0 {
			return nil
		}
		chosen[d] = best
	}
	inputs := map[string]string{}
	for d, c := range chosen {
		maps.Copy(inputs, dimensions[d][c])
		for other := range chosen {
			if other != d {
				covered[pair(d, c, other)] = true
			}
		}
	}
	return inputs
}

// together tells that the inputs refuse no such choices.
func together(chosen map[int]int) bool {
	in := map[string]string{}
	for d, c := range chosen {
		maps.Copy(in, dimensions[d][c])
	}
	env, hasEnv := in["env"]
	existing := in["existing"] != ""
	switch {
	case existing && (hasEnv && env == "" || in["app"] != "" || in["registry-auth"] == "true" || in["bucket-name"] != "" || in["bucket-path"] != ""):
		return false
	case hasEnv && env == "" && (in["env-vars"] != "" || in["on-failure"] == "rollback" || in["on-failure"] == "abort"):
		return false
	case in["create"] == "false" && (strings.Contains(env, "new") || in["app"] != "" || in["platform"] != "" || in["bucket-name"] == "bundles-to-make"):
		return false
	case in["platform"] != "" && hasEnv && !strings.Contains(env, "new-env"):
		return false
	case existing && strings.Contains(env, "new-env") && in["platform"] == "" && len(chosen) == len(dimensions):
		return false
	}
	return true
}

// permission is an action on a resource.
type permission struct{ action, resource string }

// recorder notes what permissions requests need.
type recorder struct {
	next http.RoundTripper
	arn  func(resource string) string

	mu   sync.Mutex
	used map[permission]bool
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	again := request.Clone(request.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	if request.Header.Get("Authorization") != "" { // an address that is signed needs no permission of ours
		r.note(again, body)
	}
	return r.next.RoundTrip(request)
}

// note takes the resources from the AWS Service Authorization Reference.
func (r *recorder) note(request *http.Request, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	operation := eblocal.Operation(request)
	bucket, key, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	if bucket != "" {
		action, ofBucket := storeActions[operation], key == "" || operation == "ListMultipartUploads"
		resource := "arn:aws:s3:::" + bucket
		if !ofBucket {
			resource += "/" + key
		}
		r.used[permission{"s3:" + action, resource}] = true
		return
	}
	if operation == "GetCallerIdentity" { // which nobody can be refused
		return
	}
	form, _ := url.ParseQuery(string(body))
	for _, resource := range r.resources(operation, form) {
		r.used[permission{"elasticbeanstalk:" + operation, resource}] = true
	}
}

// storeActions are the actions of S3 for its operations.
var storeActions = map[string]string{
	"HeadBucket": "ListBucket", "CreateBucket": "CreateBucket", "HeadObject": "GetObject", "GetObject": "GetObject", "PutObject": "PutObject",
	"CreateMultipartUpload": "PutObject", "UploadPart": "PutObject", "CompleteMultipartUpload": "PutObject",
	"AbortMultipartUpload": "AbortMultipartUpload", "ListMultipartUploads": "ListBucketMultipartUploads",
}

func (r *recorder) resources(operation string, in url.Values) []string {
	app, env := in.Get("ApplicationName"), in.Get("EnvironmentName")
	if app == "" {
		app = eblocaltest.App
	}
	version := r.arn("applicationversion/" + app + "/" + in.Get("VersionLabel"))
	switch operation {
	case "CreateApplication":
		return []string{r.arn("application/" + app)}
	case "CreateApplicationVersion", "UpdateApplicationVersion", "DeleteApplicationVersion":
		return []string{version, r.arn("application/" + app)}
	case "AbortEnvironmentUpdate", "UpdateEnvironment", "CreateEnvironment":
		all := []string{r.arn("environment/" + app + "/" + env), r.arn("application/" + app)}
		if in.Has("VersionLabel") {
			all = append(all, version)
		}
		if in.Has("PlatformArn") {
			all = append(all, in.Get("PlatformArn"))
		}
		if in.Has("SolutionStackName") {
			all = append(all, "arn:aws:elasticbeanstalk:"+eblocaltest.Region+"::solutionstack/"+in.Get("SolutionStackName"))
		}
		return all
	}
	return []string{"*"}
}

// allowances are a policy.
type allowances []struct {
	Sid      string
	Action   []string
	Resource any
}

// shown is the policy that a dry run shows.
func shown(t *testing.T, got ended) allowances {
	t.Helper()
	at := strings.Index(got.summary, "{\n  \"Version\": \"2012-10-17\"")
	if at < 0 {
		t.Fatalf("no policy in %s", got)
	}
	var policy struct{ Statement allowances }
	if err := json.NewDecoder(strings.NewReader(got.summary[at:])).Decode(&policy); err != nil {
		t.Fatal(err)
	}
	return policy.Statement
}

func (a allowances) allow(p permission) bool {
	for _, s := range a {
		resources, several := s.Resource.([]any)
		if !several {
			resources = []any{s.Resource}
		}
		if slices.Contains(s.Action, p.action) && slices.ContainsFunc(resources, func(one any) bool {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(one.(string)), `\*`, ".*")
			return regexp.MustCompile(`^` + pattern + `$`).MatchString(p.resource)
		}) {
			return true
		}
	}
	return false
}

// excused tells of actions that the runs here do not come to, or that others take
// on behalf of who deploys, and for what inputs.
var excused = map[string]func(in map[string]string) bool{
	// Elastic Beanstalk does these itself, with the caller's permissions.
	"s3:GetBucketLocation":        always,
	"s3:DeleteObject":             func(in map[string]string) bool { return in["delete-bundles"] == "true" },
	"iam:PassRole":                creates,
	"iam:CreateServiceLinkedRole": creates,
	// Its CreateStorageLocation does, or the bucket is there.
	"s3:CreateBucket": func(in map[string]string) bool { return in["bucket-name"] == "" || in["create"] == "true" },
	// Without it an object that is gone is denied.
	"s3:ListBucket": always,
	// Of an upload in parts that was cut off.
	"s3:ListBucketMultipartUploads": makes,
	"s3:AbortMultipartUpload":       makes,
	// Of an update that takes too long.
	"elasticbeanstalk:AbortEnvironmentUpdate": func(in map[string]string) bool { return in["on-failure"] != "none" },
	// It is there already.
	"elasticbeanstalk:CreateApplication":           func(in map[string]string) bool { return in["create"] == "true" },
	"elasticbeanstalk:CreateEnvironment":           creates,
	"elasticbeanstalk:ListAvailableSolutionStacks": creates,
	"elasticbeanstalk:DescribeAccountAttributes":   creates,
	// No old version is there yet.
	"elasticbeanstalk:DeleteApplicationVersion": isNew,
	"elasticbeanstalk:DescribeEvents":           isNew,
	// It is not there yet.
	"elasticbeanstalk:ValidateConfigurationSettings": creates,
}

func always(map[string]string) bool     { return true }
func creates(in map[string]string) bool { return in["create"] == "true" && in["env"] != "" }
func isNew(in map[string]string) bool   { return in["app"] != "" }
func makes(in map[string]string) bool   { return in["existing"] == "" }

// TestPolicyOfAllInputs deploys, deploys again, and has a deployment fail, with
// every two choices of inputs together. What is called is in the policy that
// dry-run has printed before, with its resource, and what is in the policy is
// called, or could be.
func TestPolicyOfAllInputs(t *testing.T) {
	all := combinations()
	t.Logf("%d combinations", len(all))
	for _, inputs := range all {
		t.Run(fmt.Sprint(inputs), func(t *testing.T) {
			locally(t, eblocal.Options{Log: io.Discard}, func(t *testing.T, l *local) {
				allowed, used := l.policyAndUse(t, inputs)
				for need := range used {
					if !allowed.allow(need) {
						t.Errorf("%s on %s is called, and not allowed", need.action, need.resource)
					}
				}
				for _, s := range allowed {
					for _, action := range s.Action {
						if why := excused[action]; (why == nil || !why(inputs)) && !slices.ContainsFunc(slices.Collect(maps.Keys(used)), func(p permission) bool { return p.action == action }) {
							t.Errorf("%s is allowed, and never called", action)
						}
					}
				}
			})
		})
	}
}

// policyAndUse runs with inputs in an account that has old versions.
func (l *local) policyAndUse(t *testing.T, inputs map[string]string) (allowances, map[permission]bool) {
	t.Helper()
	l.deployed(t, "v1")
	l.create(t, "old", "older")
	time.Sleep(3 * time.Hour) // younger versions may be another run's
	if inputs["existing"] != "" {
		l.create(t, "v2", "v3")
	}
	l.bucket(t, "bundles-of-ours")
	maps.Copy(l.inputs, inputs)
	if creates(inputs) {
		l.inputs["option-settings"] = profile
	}
	run := 100
	deploy := func(label string) ended {
		run++
		l.runID = strconv.Itoa(run)
		if inputs["existing"] != "" {
			return l.existing(t, label)
		}
		return l.version(t, label+"b")
	}
	l.inputs["dry-run"] = "true"
	planned := deploy("v2")
	if planned.result() != "planned" {
		t.Fatalf("%s", planned)
	}
	l.inputs["dry-run"] = "false"
	r := l.recorded(t)
	for _, want := range []string{"deployed", "unchanged"} {
		if got := deploy("v2"); got.result() != want && got.result() != "created" {
			t.Fatalf("%s", got)
		}
	}
	l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v3", Service: "backend", Exit: 3})
	if got := deploy("v3"); (got.code == 0) != (l.inputs["env"] == "") {
		t.Fatalf("%s", got)
	}
	return shown(t, planned), r.used
}

// create makes versions without deploying them.
func (l *local) create(t *testing.T, labels ...string) {
	t.Helper()
	l.inputs["env"] = ""
	for _, label := range labels {
		if got := l.version(t, label); got.result() != "created" {
			t.Fatalf("%s", got)
		}
	}
	l.inputs["env"] = eblocaltest.Env
}

// bucket makes a bucket by somebody else's hand.
func (l *local) bucket(t *testing.T, name string) {
	t.Helper()
	if err := beanstalk.New(l.aws.Config()).CreateBucket(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// recorded notes the permissions that the following runs need.
func (l *local) recorded(t *testing.T) *recorder {
	t.Helper()
	cfg := l.aws.Config()
	who, err := beanstalk.New(cfg).Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{
		next: l.aws.Client().Transport, used: map[permission]bool{},
		arn: func(resource string) string {
			return "arn:aws:elasticbeanstalk:" + eblocaltest.Region + ":" + who.Account + ":" + resource
		},
	}
	cfg.HTTPClient = &http.Client{Transport: r}
	l.load = func(context.Context, string) (aws.Config, error) { return cfg, nil }
	return r
}
