package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const shopEnv = "shop-env"

// cli is the AWS command line, a client that is not ours.
type cli struct {
	t       *testing.T
	command string
	dir     string
	env     []string
}

// packaged is where Debian's package has the command; one in the PATH may be another.
const packaged = "/usr/bin/aws"

func findCLI(t *testing.T) string {
	t.Helper()
	for _, name := range []string{packaged, "aws"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no command aws: run scripts/tools aws")
	return ""
}

// newCLI serves on an engine in memory.
func newCLI(t *testing.T, engine *eblocaltest.Engine) *cli {
	t.Helper()
	command, dir := findCLI(t), t.TempDir()
	c := config{listen: "127.0.0.1:0", envFile: filepath.Join(dir, "env")}
	c.Options = eblocaltest.Quick()
	c.App, c.Env, c.Region, c.StateDir, c.Log = "first", "first-env", "eu-central-1", t.TempDir(), t.Output()
	c.Runner, c.Transport = engine, engine
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serve(ctx, c, io.Discard) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	url, _, _ := strings.Cut(strings.TrimPrefix(awaitFile(t, c.envFile), "AWS_ENDPOINT_URL="), "\n")
	return &cli{t: t, command: command, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json", "AWS_ENDPOINT_URL=" + url, "ENDPOINT=" + url,
	}}
}

// run runs a command; its output and whether it went well.
func (c *cli) run(args ...string) (string, error) {
	c.t.Helper()
	endpoint := strings.TrimPrefix(c.env[len(c.env)-1], "ENDPOINT=")
	command := exec.CommandContext(c.t.Context(), c.command, append([]string{"--endpoint-url", endpoint}, args...)...)
	command.Dir, command.Env = c.dir, c.env
	out, err := command.CombinedOutput()
	return string(out), err
}

// eb runs a command of Elastic Beanstalk that must go well and decodes what it prints.
func (c *cli) eb(args ...string) map[string]any {
	c.t.Helper()
	out, err := c.run(append([]string{"elasticbeanstalk"}, args...)...)
	if err != nil {
		c.t.Fatalf("aws elasticbeanstalk %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	answer := map[string]any{}
	if strings.TrimSpace(out) != "" {
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			c.t.Fatalf("aws elasticbeanstalk %s: %v\n%s", args[0], err, out)
		}
	}
	return answer
}

// refused runs a command of Elastic Beanstalk that must fail with an error code.
func (c *cli) refused(code string, args ...string) {
	c.t.Helper()
	if out, err := c.run(append([]string{"elasticbeanstalk"}, args...)...); err == nil || !strings.Contains(out, "("+code+")") {
		c.t.Errorf("aws elasticbeanstalk %s: %v, expected %s:\n%s", strings.Join(args, " "), err, code, out)
	}
}

// value follows keys and indices into an answer.
func value(answer any, path ...any) any {
	for _, step := range path {
		switch at := answer.(type) {
		case map[string]any:
			name, _ := step.(string)
			answer = at[name]
		case []any:
			n, _ := step.(int)
			if n >= len(at) {
				return nil
			}
			answer = at[n]
		default:
			return nil
		}
	}
	return answer
}

func (c *cli) expect(what string, got, want any) {
	c.t.Helper()
	if got != want {
		c.t.Errorf("%s: %v, expected %v", what, got, want)
	}
}

// until asks for the status of the environment until it is reached.
func (c *cli) until(status string) map[string]any {
	c.t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; {
		answer := c.eb("describe-environments", "--environment-names", shopEnv)
		if e, _ := value(answer, "Environments", 0).(map[string]any); e != nil && e["Status"] == status {
			return e
		}
	}
	c.t.Fatalf("%s does not get %s", shopEnv, status)
	return nil
}

// version uploads a bundle and makes a version of it.
func (c *cli) version(bucket, label string) {
	c.t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("docker-compose.yml")
	if err == nil {
		_, err = io.WriteString(f, "services: {web: {image: 'example/web:"+label+"', ports: ['80:80']}}")
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, label+".zip"), b.Bytes(), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if out, err := c.run("s3", "cp", "--no-progress", label+".zip", "s3://"+bucket+"/shop/"+label+".zip"); err != nil {
		c.t.Fatalf("upload: %v\n%s", err, out)
	}
	answer := c.eb("create-application-version", "--application-name", "shop", "--version-label", label, "--process",
		"--source-bundle", "S3Bucket="+bucket+",S3Key=shop/"+label+".zip")
	c.expect("label", value(answer, "ApplicationVersion", "VersionLabel"), label)
}

func page(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v", url, resp.Status, err)
	}
	return string(text)
}

// TestLifeOfAnApplication runs it from its creation to its end with the AWS
// command line.
func TestLifeOfAnApplication(t *testing.T) {
	engine := &eblocaltest.Engine{}
	engine.Break(eblocaltest.Breakage{Match: "web:v3", Hang: true})
	c := newCLI(t, engine)

	c.expect("application", value(c.eb("create-application", "--application-name", "shop"), "Application", "ApplicationName"), "shop")
	bucket, _ := c.eb("create-storage-location")["S3Bucket"].(string)
	for _, label := range []string{"v1", "v2", "v3"} {
		c.version(bucket, label)
	}
	c.expect("status of a version", value(c.eb("describe-application-versions", "--application-name", "shop", "--version-labels", "v1"), "ApplicationVersions", 0, "Status"), "Processed")
	c.refused("InvalidParameterValue", "create-application-version", "--application-name", "shop", "--version-label", "v1", "--source-bundle", "S3Bucket="+bucket+",S3Key=shop/v1.zip")
	c.expect("quota of versions", value(c.eb("describe-account-attributes"), "ResourceQuotas", "ApplicationVersionQuota", "Maximum"), 1000.)
	stack, _ := value(c.eb("list-available-solution-stacks"), "SolutionStacks", 0).(string)
	c.expect("DNS", c.eb("check-dns-availability", "--cname-prefix", "shop")["Available"], true)

	c.expect("status", c.eb("create-environment", "--application-name", "shop", "--environment-name", shopEnv, "--cname-prefix", "shop",
		"--solution-stack-name", stack, "--version-label", "v1", "--tags", "Key=by,Value=us",
		"--option-settings", "Namespace=aws:elasticbeanstalk:command,OptionName=DeploymentPolicy,Value=Rolling")["Status"], "Launching")
	e := c.until("Ready")
	c.expect("health", e["Health"], "Green")
	arn, _ := e["EnvironmentArn"].(string)
	c.expect("tag", value(c.eb("list-tags-for-resource", "--resource-arn", arn), "ResourceTags", 0, "Value"), "us")
	c.expect("DNS", c.eb("check-dns-availability", "--cname-prefix", "shop")["Available"], false)

	c.eb("update-environment", "--environment-name", shopEnv, "--version-label", "v2")
	c.expect("label", c.until("Ready")["VersionLabel"], "v2")
	newest, _ := value(c.eb("describe-events", "--environment-name", shopEnv, "--max-items", "1"), "Events", 0, "Message").(string)
	c.expect("the newest event", newest, "Environment update completed successfully.")
	c.expect("health", c.eb("describe-environment-health", "--environment-name", shopEnv, "--attribute-names", "All")["HealthStatus"], "Ok")
	instance := value(c.eb("describe-instances-health", "--environment-name", shopEnv, "--attribute-names", "All"), "InstanceHealthList", 0)
	c.expect("deployment", value(instance, "Deployment", "Status"), "Deployed")
	settings, _ := value(c.eb("describe-configuration-settings", "--application-name", "shop", "--environment-name", shopEnv), "ConfigurationSettings", 0, "OptionSettings").([]any)
	if !slices.ContainsFunc(settings, func(o any) bool { return value(o, "Value") == "Rolling" }) {
		t.Errorf("settings: %v", settings)
	}

	c.eb("update-environment", "--environment-name", shopEnv, "--version-label", "v3")
	c.eb("abort-environment-update", "--environment-name", shopEnv)
	c.expect("label after an abort", c.until("Ready")["VersionLabel"], "v2")
	c.eb("request-environment-info", "--environment-name", shopEnv, "--info-type", "tail")
	tail, _ := value(c.eb("retrieve-environment-info", "--environment-name", shopEnv, "--info-type", "tail"), "EnvironmentInfo", 0, "Message").(string)
	if text := page(t, tail); !strings.Contains(text, "log of web") {
		t.Errorf("the tail of the log at %s: %q", tail, text)
	}
	aborted, _ := value(c.eb("describe-events", "--environment-name", shopEnv, "--severity", "ERROR", "--max-items", "1"), "Events", 0, "Message").(string)
	if !strings.Contains(aborted, "was aborted") {
		t.Errorf("the newest error: %q", aborted)
	}
	address, _ := e["CNAME"].(string)
	if text := page(t, "http://"+address+"/"); !strings.Contains(text, "example/web:v2") {
		t.Errorf("the environment's page: %q", text)
	}

	c.refused("OperationInProgressFailure", "delete-application", "--application-name", "shop")
	c.refused("InvalidParameterValue", "delete-application-version", "--application-name", "shop", "--version-label", "v2")
	c.eb("delete-application-version", "--application-name", "shop", "--version-label", "v1", "--delete-source-bundle")
	c.eb("terminate-environment", "--environment-name", shopEnv)
	c.until("Terminated")
	c.eb("delete-application", "--application-name", "shop")
	if left, _ := c.eb("describe-applications")["Applications"].([]any); len(left) != 1 {
		t.Errorf("applications in the end: %v, expected the first only", left)
	}
	if left := engine.Running(); len(left) != 0 {
		t.Errorf("instances in the end: %v", left)
	}
	if out, _ := c.run("s3", "ls", "s3://"+bucket+"/shop/"); strings.Contains(out, "v1.zip") || !strings.Contains(out, "v2.zip") {
		t.Errorf("bundles in the end:\n%s", out)
	}
}
