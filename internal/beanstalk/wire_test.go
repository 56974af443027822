package beanstalk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

const (
	app     = "docker-fullstack"
	envName = "Dockerfullstack-env"
	bucket  = "elasticbeanstalk-ap-northeast-2-957930470982"
	hash    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func bundle(label, hash string) beanstalk.Bundle {
	return beanstalk.Bundle{
		App: app, Label: label, Description: "Fix it", Bucket: bucket, Folder: app, Hash: hash,
		Write: func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "zip of "+label); return err },
	}
}

// wired runs a test in a bubble of its own time.
func wired(t *testing.T, f func(t *testing.T, aws *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		wire, env := wiretest.New()
		f(t, wire, env, beanstalk.New(wire.Config()))
	})
}

func TestPreflight(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Options = append(env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "MYSQL_ROOT_PASSWORD", "pass-word-1"},
			[3]string{"aws:elasticbeanstalk:application:environment", "MYSQL_HOST", "db.internal.test"})
		got, err := c.Preflight(t.Context(), beanstalk.Request{App: app, Envs: []string{envName}, Bucket: bucket, File: "docker-compose.yml", Kind: beanstalk.Docker})
		if err != nil {
			t.Fatal(err)
		}
		if got.Identity.Account != "957930470982" || got.Destinations[0].Environment.ID != "e-abc" || got.Destinations[0].Environment.URL() != "http://fullstack.test/" || got.Destinations[0].Settings.Batches != 2 {
			t.Errorf("got %+v", got)
		}
		if text := got.Destinations[0].Secrets.Hide("pass-word-1 at db.internal.test, " + wiretest.Secret); text != "*** at db.internal.test, ***" {
			t.Errorf("hidden: %s", text)
		}
		if wrote := wire.Wrote(); len(wrote) > 0 {
			t.Errorf("the preflight wrote: %v", wrote)
		}
	})
}

func TestPreflightReportsAllAtOnce(t *testing.T) {
	docker := beanstalk.Request{App: app, Envs: []string{envName}, File: "docker-compose.yml", Kind: beanstalk.Docker}
	with := func(change func(*beanstalk.Request)) beanstalk.Request { r := docker; change(&r); return r }
	for _, c := range []struct {
		name    string
		request beanstalk.Request
		prepare func(*wiretest.AWS, *wiretest.Environment)
		want    []string
	}{
		{"application", with(func(r *beanstalk.Request) { r.App = "docker-fulstack" }), nil,
			[]string{`app: no application "docker-fulstack" in ap-northeast-2; there are: "docker-fullstack"; did you mean "docker-fullstack"?`}},
		{"environment, bucket and version", with(func(r *beanstalk.Request) {
			r.Envs, r.Bucket, r.Existing = []string{"Dockerfulstack-env"}, bucket+"Info", "v9"
		}), nil,
			[]string{`env: no environment "Dockerfulstack-env" in application "docker-fullstack"; there are: "Dockerfullstack-env"; did you mean "Dockerfullstack-env"?`,
				`application "docker-fullstack" has no version "v9"`, `upper-case letters are not allowed`}},
		{"nothing there", with(func(r *beanstalk.Request) { r.Envs = []string{"other"} }),
			func(a *wiretest.AWS, _ *wiretest.Environment) { a.Apps[app] = nil }, []string{"there is no environment at all"}},
		{"kind", docker, func(_ *wiretest.AWS, e *wiretest.Environment) { e.Stack = "64bit Amazon Linux 2023 v4.0.8 running ECS" },
			[]string{`runs "64bit Amazon Linux 2023 v4.0.8 running ECS", which does not take docker-compose.yml`, `deploy a Dockerrun.aws.json with "AWSEBDockerrunVersion": 2`}},
		{"tier and state", docker, func(_ *wiretest.AWS, e *wiretest.Environment) { e.Tier = "Cluster" }, []string{"tier Cluster"}},
		{"terminating", docker, func(_ *wiretest.AWS, e *wiretest.Environment) { e.Status = "Terminating" }, []string{"being terminated"}},
		{"terminated", docker, func(_ *wiretest.AWS, e *wiretest.Environment) { e.Status = "Terminated" }, []string{"no environment"}},
		{"bucket missing", with(func(r *beanstalk.Request) { r.Bucket = "not-there" }), nil, []string{`there is no bucket "not-there"`}},
		{"bucket denied", with(func(r *beanstalk.Request) { r.Bucket = bucket }),
			func(a *wiretest.AWS, _ *wiretest.Environment) { a.Fail(fault("HeadBucket", 403, "")) }, []string{"is denied"}},
		{"bucket elsewhere", with(func(r *beanstalk.Request) { r.Bucket = bucket }),
			func(a *wiretest.AWS, _ *wiretest.Environment) {
				a.BucketRegion = map[string]string{bucket: "us-east-1"}
			}, []string{"is in us-east-1"}},
		{"refused credentials", with(func(r *beanstalk.Request) { r.Bucket = "Upper" }),
			func(a *wiretest.AWS, _ *wiretest.Environment) {
				a.Fail(fault("GetCallerIdentity", 403, "InvalidClientTokenId"))
			}, []string{"AWS refuses the credentials (InvalidClientTokenId", "upper-case"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, client *beanstalk.Client) {
				if c.prepare != nil {
					c.prepare(wire, env)
				}
				_, err := client.Preflight(t.Context(), c.request)
				wantError(t, err, c.want...)
				if wrote := wire.Wrote(); len(wrote) > 0 {
					t.Errorf("the preflight wrote: %v", wrote)
				}
			})
		})
	}
}

func fault(operation string, status int, code string) wiretest.Fault {
	return wiretest.Fault{Operation: operation, Status: status, Code: code, Message: "no", Times: 1000}
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error:\n%v\nlacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), wiretest.Secret) {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestNoCredentials(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, _ *beanstalk.Client) {
		cfg := wire.Config()
		cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no EC2 IMDS role found")
		})
		_, err := beanstalk.New(cfg).Preflight(t.Context(), beanstalk.Request{App: app})
		wantError(t, err, "no AWS credentials: no EC2 IMDS role found", "id-token: write")
		if calls := wire.Calls(); len(calls) > 0 {
			t.Errorf("asked without credentials: %v", calls)
		}
	})
}

func TestEnsureVersion(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		first, err := c.EnsureVersion(t.Context(), bundle("v1", hash))
		if err != nil || !first.Created || !first.Uploaded || first.URI() != "s3://"+bucket+"/docker-fullstack/v1-01234567.zip" {
			t.Fatalf("first: %+v, %v", first, err)
		}
		object := wire.Buckets[bucket]["docker-fullstack/v1-01234567.zip"]
		if string(object.Body) != "zip of v1" || object.Meta["travois-content-sha256"] != hash {
			t.Errorf("object: %q, %v", object.Body, object.Meta)
		}
		if v := wire.Versions[app][0]; v.Description != "Fix it" {
			t.Errorf("description %q", v.Description)
		}
		again, err := c.EnsureVersion(t.Context(), bundle("v1", hash))
		if err != nil || again.Created || again.Uploaded {
			t.Errorf("again: %+v, %v", again, err)
		}
		_, err = c.EnsureVersion(t.Context(), bundle("v1", strings.Repeat("f", 64)))
		wantError(t, err, `application version "v1" exists with other content`, hash, strings.Repeat("f", 64))
		if diff := cmp.Diff([]string{"PutObject", "CreateApplicationVersion"}, wire.Wrote()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
}

func TestEnsureVersionAfterHalfARun(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		wire.Fail(wiretest.Fault{Operation: "CreateApplicationVersion", Status: 400, Code: "TooManyApplicationVersionsException", Message: "quota", Times: 1})
		_, err := c.EnsureVersion(t.Context(), bundle("v1", hash))
		wantError(t, err, `create application version "v1": TooManyApplicationVersionsException: quota`)
		got, err := c.EnsureVersion(t.Context(), bundle("v1", hash))
		if err != nil || !got.Created || got.Uploaded {
			t.Errorf("got %+v, %v; want the version made of the object that is there", got, err)
		}
	})
}

func TestEnsureVersionOfUnknownContent(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		label := "abcdefabcdef-" + hash[:8]
		wire.Versions[app] = []*wiretest.Version{
			{Label: label, Bucket: bucket, Key: "lost.zip", Status: "PROCESSED"},
			{Label: "given", Bucket: bucket, Key: "x/given-" + hash[:8] + ".zip"},
			{Label: "custom", Bucket: bucket, Key: "gone.zip"},
			{Label: "bad", Bucket: bucket, Key: "gone.zip", Status: "FAILED"},
		}
		// The label, or the key, names the content: the bundle comes back to where
		// it was, once.
		for name, key := range map[string]string{label: "lost.zip", "given": "x/given-" + hash[:8] + ".zip"} {
			for _, uploaded := range []bool{true, false} {
				got, err := c.EnsureVersion(t.Context(), bundle(name, hash))
				if err != nil || got != (beanstalk.Stored{Bucket: bucket, Key: key, Uploaded: uploaded}) || wire.Buckets[bucket][key] == nil {
					t.Errorf("%s, lost %t: %+v, %v", name, uploaded, got, err)
				}
			}
		}
		_, err := c.EnsureVersion(t.Context(), bundle("custom", hash))
		wantError(t, err, `"custom" exists and its content can't be compared`, hash, "its bundle s3://"+bucket+"/gone.zip is gone")
		wire.Buckets[bucket]["gone.zip"] = &wiretest.Object{}
		_, err = c.EnsureVersion(t.Context(), bundle("custom", hash))
		wantError(t, err, "can't be compared", "carries no hash")
		_, err = c.EnsureVersion(t.Context(), bundle("bad", hash))
		wantError(t, err, "could not process it")
		wire.Fail(fault("HeadObject", 403, ""))
		_, err = c.EnsureVersion(t.Context(), bundle("custom", hash))
		wantError(t, err, "can't be compared", "allow s3:GetObject on s3://"+bucket+"/gone.zip")
	})
}

func TestEnsureVersionRace(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		b := bundle("v1", hash)
		write := b.Write
		b.Write = func(ctx context.Context, w io.Writer) error {
			// Another run makes the version while this one uploads.
			wire.Versions[app] = []*wiretest.Version{{Label: "v1", Bucket: bucket, Key: app + "/v1-01234567.zip"}}
			return write(ctx, w)
		}
		got, err := c.EnsureVersion(t.Context(), b)
		if err != nil || got.Created {
			t.Errorf("got %+v, %v; want the other's version", got, err)
		}
	})
}

// TestEnsureVersionRaceOfContents has another run make the version of other
// content while this one uploads.
func TestEnsureVersionRaceOfContents(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		theirs, ours := strings.Repeat("f", 64), bundle("v1", hash)
		winner, err := c.EnsureVersion(t.Context(), bundle("v1", theirs))
		if err != nil {
			t.Fatal(err)
		}
		made := wire.Versions[app]
		wire.Versions[app] = nil // as it was when this run looked
		ours.Write = func(ctx context.Context, w io.Writer) error {
			wire.Versions[app] = made
			_, err := io.WriteString(w, "ours")
			return err
		}
		_, err = c.EnsureVersion(t.Context(), ours)
		wantError(t, err, `application version "v1" exists with other content`, theirs, hash)
		if got := string(wire.Buckets[bucket][winner.Key].Body); got != "zip of v1" {
			t.Errorf("the other's bundle became %q", got)
		}
	})
}

// TestEnsureVersionOfTwoApplications has one folder and one label for both.
func TestEnsureVersionOfTwoApplications(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		one, other := bundle("v1", hash), bundle("v1", strings.Repeat("f", 64))
		other.App = "other"
		other.Write = func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "other"); return err }
		first, err := c.EnsureVersion(t.Context(), one)
		if err != nil {
			t.Fatal(err)
		}
		second, err := c.EnsureVersion(t.Context(), other)
		if err != nil || !second.Created {
			t.Fatalf("%+v, %v", second, err)
		}
		if got := string(wire.Buckets[bucket][first.Key].Body); got != "zip of v1" {
			t.Errorf("the bundle of the first became %q", got)
		}
	})
}

func TestEnsureVersionLeavesOtherContent(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		theirs := &wiretest.Object{Body: []byte("theirs"), Meta: map[string]string{"travois-content-sha256": strings.Repeat("f", 64)}}
		wire.Buckets[bucket]["docker-fullstack/v1-01234567.zip"] = theirs
		_, err := c.EnsureVersion(t.Context(), bundle("v1", hash))
		wantError(t, err, "v1-01234567.zip holds other content", "bucket-path")
		if wrote := wire.Wrote(); len(wrote) > 0 {
			t.Errorf("it wrote: %v", wrote)
		}
	})
}

func TestUploadFails(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		b := bundle("v1", hash)
		b.Write = func(context.Context, io.Writer) error { return errors.New("file vanished") }
		_, err := c.EnsureVersion(t.Context(), b)
		wantError(t, err, "upload the bundle to s3://"+bucket, "file vanished")
		if len(wire.Versions[app]) > 0 {
			t.Error("a version was made of a bundle that was not uploaded")
		}
	})
}

// TestRetriesEnd gives up on a service that fails sooner than on one that only
// throttles.
func TestRetriesEnd(t *testing.T) {
	for _, c := range []struct {
		fault wiretest.Fault
		calls int
	}{
		{wiretest.Fault{Status: 400, Code: "Throttling"}, 24},
		{wiretest.Fault{Status: 503, Code: "ServiceUnavailable"}, 10},
		{wiretest.Fault{Status: 0}, 10},
		{wiretest.Fault{Status: 403, Code: "AccessDenied"}, 1},
	} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, client *beanstalk.Client) {
			c.fault.Operation, c.fault.Times = "DescribeApplications", 1000
			wire.Fail(c.fault)
			_, err := client.Applications(t.Context())
			wantError(t, err, "look up the applications")
			if n := len(wire.Calls()); n != c.calls {
				t.Errorf("%d %s: %d calls; want %d", c.fault.Status, c.fault.Code, n, c.calls)
			}
		})
	}
}

func TestThrottlingIsRetried(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		wire.Fail(wiretest.Fault{Operation: "DescribeApplications", Status: 400, Code: "Throttling", Message: "Rate exceeded", Times: 7})
		if _, err := c.Applications(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(wire.Calls()); n != 8 {
			t.Errorf("%d calls; want 8", n)
		}
	})
}

func TestSettingsUnreadable(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		wire.Fail(fault("DescribeConfigurationSettings", 403, "AccessDenied"))
		got, err := c.Preflight(t.Context(), beanstalk.Request{App: app, Envs: []string{envName}})
		if err != nil || len(got.Warnings) != 1 || got.Destinations[0].Settings.Deadline() != 43*time.Minute {
			t.Errorf("%+v, %v, deadline %s", got.Warnings, err, got.Destinations[0].Settings.Deadline())
		}
	})
}

func TestSecretsUnknown(t *testing.T) {
	for name, prepare := range map[string]func(*wiretest.AWS, *wiretest.Environment){
		"denied": func(a *wiretest.AWS, _ *wiretest.Environment) {
			a.Fail(fault("DescribeConfigurationSettings", 403, "AccessDenied"))
		},
		"pending": func(_ *wiretest.AWS, e *wiretest.Environment) { e.Status, e.OptionsPending = "Updating", true },
	} {
		t.Run(name, func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
				env.Options = append(env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "MYSQL_ROOT_PASSWORD", "pass-word-1"})
				env.Causes, env.Tail = []string{"pass-word-1"}, map[string]string{"i-1": "pass-word-1\n"}
				prepare(wire, env)
				target, err := c.Preflight(t.Context(), beanstalk.Request{App: app, Envs: []string{envName}})
				if err != nil || len(target.Warnings) != 1 || !strings.Contains(target.Warnings[0], "texts that may hold secrets are not shown") {
					t.Fatalf("%q, %v", target.Warnings, err)
				}
				if got := target.Destinations[0].Secrets.Hide("the hook printed pass-word-1"); got != beanstalk.Withheld {
					t.Errorf("hidden: %s", got)
				}
				got := c.Diagnose(t.Context(), envName, time.Time{}, target.Destinations[0].Secrets)
				if len(got.Causes)+len(got.Tails) > 0 || len(got.Missing) != 1 || !strings.Contains(got.Missing[0], "read the settings") {
					t.Errorf("%+v", got)
				}
				if name == "denied" {
					return
				}
				env.Status = "Ready"
				if err := c.Reload(t.Context(), app, &target.Destinations[0]); err != nil || target.Destinations[0].Settings.Policy != "Immutable" {
					t.Errorf("%+v, %v", target.Destinations[0].Settings, err)
				}
				if got := target.Destinations[0].Secrets.Hide("the hook printed pass-word-1"); got != "the hook printed ***" {
					t.Errorf("hidden: %s", got)
				}
			})
		})
	}
}

// TestReloadKeeps has a property that an update changes.
func TestReloadKeeps(t *testing.T) {
	wired(t, func(t *testing.T, _ *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Options = [][3]string{{"aws:elasticbeanstalk:application:environment", "MYSQL_ROOT_PASSWORD", "old-word"}}
		target, err := c.Preflight(t.Context(), beanstalk.Request{App: app, Envs: []string{envName}})
		if err != nil {
			t.Fatal(err)
		}
		env.Options[0][2] = "new-word"
		if err := c.Reload(t.Context(), app, &target.Destinations[0]); err != nil {
			t.Fatal(err)
		}
		if got := target.Destinations[0].Secrets.Hide("old-word new-word"); got != "*** ***" {
			t.Errorf("hidden: %s", got)
		}
	})
}

func TestIncomplete(t *testing.T) {
	event := func(severity, message, request string) wiretest.Event {
		return wiretest.Event{At: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Severity: severity, Message: message, RequestID: request}
	}
	begin, done := event("INFO", "Environment update is starting.", "r"), event("INFO", "Environment update completed successfully.", "r")
	failed := event("ERROR", "Failed to deploy application.", "r")
	silent := func(e wiretest.Event) wiretest.Event { e.RequestID = ""; return e }
	for _, c := range []struct {
		name      string
		instances []wiretest.Instance
		events    []wiretest.Event
		want      string
	}{
		{"all instances", []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "old-1"}}, list(begin, failed), ""},
		{"one failed", []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "old-1"}, {ID: "i-2", Deployment: "Failed", Label: "old-1"}}, nil, "not deployed on i-2"},
		{"one elsewhere", []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "older-0"}}, nil, "not deployed on i-1"},
		{"one silent", []wiretest.Instance{{ID: "i-1"}}, nil, "not deployed on i-1"},
		{"no instance now", []wiretest.Instance{}, list(begin, failed), "the last update failed"},
		{"basic, good", nil, list(begin, done), ""},
		{"basic, failed", nil, list(begin, failed, event("INFO", "a", "r"), event("INFO", "b", "r"), event("INFO", "c", "r")), "the last update failed at 2000-01-01 00:00:00 UTC"},
		{"basic, failed without a request", nil, list(begin, silent(failed)), "failed"},
		{"basic, failed without any request", nil, list(silent(begin), silent(failed)), "failed"},
		{"basic, failed before", nil, list(begin, failed, begin, done), ""},
		{"basic, something else failed", nil, list(begin, event("ERROR", "Failed to deploy application.", "other"), silent(event("ERROR", "a", ""))), ""},
		{"basic, the beginning is forgotten", nil, list(failed), "failed"},
		{"basic, all is forgotten", nil, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wired(t, func(t *testing.T, _ *wiretest.AWS, env *wiretest.Environment, client *beanstalk.Client) {
				env.Instances, env.Events = c.instances, c.events
				seen, err := client.Environment(t.Context(), app, envName)
				if err != nil {
					t.Fatal(err)
				}
				got, err := client.Incomplete(t.Context(), seen, io.Discard)
				if err != nil || (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
					t.Errorf("%q, %v; want %q", got, err, c.want)
				}
			})
		})
	}
}

// TestInstancesDenied has no permission to ask the instances.
func TestInstancesDenied(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		wire.Fail(fault("DescribeInstancesHealth", 403, "AccessDenied"))
		env.Script = []wiretest.Step{
			{After: 5 * time.Second, Do: func(e *wiretest.Environment) { e.Finish("new-2"); e.Health = "Red" }},
			{After: 30 * time.Second, Do: func(e *wiretest.Environment) { e.Health = "Green" }},
		}
		var log bytes.Buffer
		got, err := roll(t.Context(), c, &log)
		const warning = "warning: read the health of the instances of \"Dockerfullstack-env\": AccessDenied: no"
		if err != nil || got.Result != beanstalk.Deployed || strings.Count(log.String(), warning) != 1 {
			t.Errorf("%+v, %v\n%s", got, err, &log)
		}
		log.Reset()
		if why, err := c.Incomplete(t.Context(), got.Environment, &log); why != "" || err != nil || !strings.Contains(log.String(), warning) {
			t.Errorf("%q, %v\n%s", why, err, &log)
		}
	})
}

// TestInstancesRefuseOnce has one odd answer in place of what the instances say:
// they are asked again, and a verdict waits for them.
func TestInstancesRefuseOnce(t *testing.T) {
	for status, want := range map[string]beanstalk.Result{"Deployed": beanstalk.Deployed, "Failed": beanstalk.Failed} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
			prepared(wire)
			wire.Fail(wiretest.Fault{Operation: "DescribeInstancesHealth", Status: 400, Code: "InvalidParameterValue", Message: "odd", Times: 2})
			env.Instances = []wiretest.Instance{{ID: "i-1", Deployment: status, Label: "new-2"}}
			var log bytes.Buffer
			got, err := roll(t.Context(), c, &log)
			if err != nil || got.Result != want || !strings.Contains(log.String(), "warning: read the health of the instances of \"Dockerfullstack-env\": InvalidParameterValue: odd") {
				t.Errorf("%+v, %v\n%s", got.Verdict, err, &log)
			}
		})
	}
}

// TestInstancesRefuseForGood gives no verdict that the instances have no part in.
func TestInstancesRefuseForGood(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		wire.Fail(fault("DescribeInstancesHealth", 400, "InvalidParameterValue"))
		_, err := roll(t.Context(), c, io.Discard)
		wantError(t, err, `the update to "new-2" was sent, but can't be followed: read the health of the instances`)
		_, err = c.Incomplete(t.Context(), beanstalk.Environment{Name: envName}, io.Discard)
		wantError(t, err, "read the health of the instances", "InvalidParameterValue")
	})
}

// TestBasicHealthIsNoWarning has an environment whose instances never tell.
func TestBasicHealthIsNoWarning(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		var log bytes.Buffer
		if got, err := roll(t.Context(), c, &log); err != nil || got.Result != beanstalk.Deployed || strings.Contains(log.String(), "warning") {
			t.Errorf("%+v, %v\n%s", got, err, &log)
		}
	})
}

// TestFailureIsToldByWordsThatAreHidden has a secret that a failure's text holds.
func TestFailureIsToldByWordsThatAreHidden(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		env.Script = []wiretest.Step{{After: 5 * time.Second, Do: func(e *wiretest.Environment) {
			e.Events = append(e.Events, wiretest.Event{At: time.Now(), Severity: "ERROR", Message: "Failed to deploy application."})
			e.Finish("new-2")
		}}}
		got, err := c.Monitor(app, []string{envName}).Roll(t.Context(), beanstalk.Rollout{
			Turn: beanstalk.Turn{Env: envName, Label: "new-2"}, AcceptHealth: []string{"Green"}, Secrets: beanstalk.NewSecrets("Failed"), Log: io.Discard,
		})
		if err != nil || got.Result != beanstalk.Failed || got.Reason != "*** to deploy application." {
			t.Errorf("%q, %q, %v", got.Result, got.Reason, err)
		}
	})
}

func TestStorageLocation(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		if got, err := c.StorageLocation(t.Context()); got != bucket || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		wire.Fail(fault("CreateStorageLocation", 403, "AccessDenied"))
		_, err := c.StorageLocation(t.Context())
		wantError(t, err, "look up the account's Elastic Beanstalk bucket: AccessDenied: no")
		if !beanstalk.Refused(err) {
			t.Error("an answer 403 does not count as refused")
		}
	})
}

// prepared puts the version new-2 into the account.
func prepared(wire *wiretest.AWS) {
	wire.Versions[app] = []*wiretest.Version{{Label: "new-2"}}
}

func roll(ctx context.Context, c *beanstalk.Client, log io.Writer) (beanstalk.Outcome, error) {
	return c.Monitor(app, []string{envName}).Roll(ctx, beanstalk.Rollout{
		Turn: beanstalk.Turn{Env: envName, Label: "new-2"}, AcceptHealth: []string{"Green", "Yellow"},
		Policy: "Immutable", Secrets: beanstalk.NewSecrets("pass-word-1"), Log: log,
	})
}

func TestRoll(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		env.Events = []wiretest.Event{{At: time.Now().Add(-time.Minute), Severity: "ERROR", Message: "Failed to deploy application.", RequestID: "earlier"}}
		env.Instances = []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "new-2"}}
		env.Script = []wiretest.Step{
			{After: 3 * time.Second, Do: func(e *wiretest.Environment) {
				for range 4 {
					e.Report("INFO", "Pulled\nan image with pass-word-1.")
				}
			}},
			{After: 3 * time.Second, Do: func(e *wiretest.Environment) { e.Report("INFO", "Pulled\nan image with pass-word-1.") }},
			{After: 25 * time.Second, Do: func(e *wiretest.Environment) {
				// An event may show itself late.
				e.Events = append(e.Events, wiretest.Event{At: time.Now().Add(-20 * time.Second), Severity: "WARN", Message: "late"})
			}},
			{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("new-2") }},
		}
		var log bytes.Buffer
		got, err := roll(t.Context(), c, &log)
		if err != nil || got.Result != beanstalk.Deployed || got.Took < time.Minute || got.Took > 75*time.Second {
			t.Fatalf("%+v, %v", got, err)
		}
		lines := `00:00:00 INFO  Environment update is starting.
00:00:03 INFO  Pulled an image with ***.
00:00:03 INFO  Pulled an image with ***.
00:00:03 INFO  Pulled an image with ***.
00:00:03 INFO  Pulled an image with ***.
00:00:03 INFO  Pulled an image with ***.
00:00:0X WARN  late
00:01:00 INFO  New application version was deployed to running EC2 instances.
00:01:00 INFO  Environment update completed successfully.
`
		text := log.String()
		if i := strings.Index(text, " WARN  late"); i > 0 {
			text = text[:i-1] + "X" + text[i:]
		}
		if diff := cmp.Diff(lines, text); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestRollServerClock has a server whose clock is far from the runner's.
func TestRollServerClock(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
			prepared(wire)
			wire.Skew = skew
			env.Events = []wiretest.Event{{At: time.Now().Add(skew - time.Hour), Severity: "INFO", Message: "old"}}
			var log bytes.Buffer
			got, err := roll(t.Context(), c, &log)
			if err != nil || got.Result != beanstalk.Deployed || len(got.Events) != 3 {
				t.Errorf("skew %s: %+v, %v", skew, got, err)
			}
		})
	}
}

func TestRollVerdicts(t *testing.T) {
	fail := func(label string, more ...func(*wiretest.Environment)) []wiretest.Step {
		return []wiretest.Step{{After: 30 * time.Second, Do: func(e *wiretest.Environment) {
			e.Report("ERROR", "Failed to deploy application.")
			e.Status, e.Label = "Ready", label
			for _, f := range more {
				f(e)
			}
		}}}
	}
	for _, c := range []struct {
		name   string
		script []wiretest.Step
		want   beanstalk.Result
		reason string
	}{
		{"rolled back", fail("old-1"), beanstalk.RolledBack, `Version "old-1" runs`},
		{"failed", fail("new-2"), beanstalk.Failed, "Failed to deploy"},
		{"mixed", fail("old-1", func(e *wiretest.Environment) {
			e.Instances = []wiretest.Instance{{ID: "i-1", Deployment: "Failed", Label: "new-2"}}
		}), beanstalk.Failed, "instances do not run it"},
		{"unhealthy", []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("new-2"); e.Health = "Red" }}},
			beanstalk.Unhealthy, "health is Red"},
		{"red at first", []wiretest.Step{
			{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("new-2"); e.Health = "Red" }},
			{After: 2 * time.Minute, Do: func(e *wiretest.Environment) { e.Health = "Green" }},
		}, beanstalk.Deployed, "Green"},
		{"never ends", []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Report("WARN", "Still at it.") }}},
			beanstalk.TimedOut, "is Updating; the last event was: Still at it."},
		{"terminated", []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Status = "Terminating" }}},
			beanstalk.Failed, "being terminated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, client *beanstalk.Client) {
				prepared(wire)
				env.Script = c.script
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
				defer cancel()
				got, err := roll(ctx, client, io.Discard)
				if err != nil || got.Result != c.want || !strings.Contains(got.Reason, c.reason) {
					t.Errorf("%q, %q, %v; want %q, %q", got.Result, got.Reason, err, c.want, c.reason)
				}
			})
		})
	}
}

// TestRollAfterAnother has another update slip in before ours.
func TestRollAfterAnother(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		env.Begin("other", "not-ours", time.Now())
		env.Script = []wiretest.Step{{After: 10 * time.Second, Do: func(e *wiretest.Environment) { e.Finish("new-2") }}}
		var log bytes.Buffer
		got, err := roll(t.Context(), c, &log)
		if err != nil || got.Result != beanstalk.Deployed || !strings.Contains(log.String(), "is Updating; waiting until it is Ready") {
			t.Errorf("%+v, %v\n%s", got, err, &log)
		}
		if diff := cmp.Diff([]string{"other", "new-2"}, env.Updates); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRollWhoseAnswerIsLost has the update begin, but its answer does not come:
// it is followed, and not sent a second time.
func TestRollWhoseAnswerIsLost(t *testing.T) {
	for want, script := range map[beanstalk.Result][]wiretest.Step{
		beanstalk.Deployed: nil,
		beanstalk.Failed: {{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Report("ERROR", "Failed to deploy application.")
			e.Status, e.Label = "Ready", "new-2"
		}}},
	} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
			prepared(wire)
			env.Script = script
			wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Late: true, Times: 1})
			var log bytes.Buffer
			got, err := roll(t.Context(), c, &log)
			if err != nil || got.Result != want || len(env.Updates) != 1 || !strings.Contains(log.String(), "following the update that brought it") {
				t.Errorf("%+v, %v, updates %v; want %s\n%s", got.Verdict, err, env.Updates, want, &log)
			}
			if !strings.Contains(log.String(), "Environment update is starting.") {
				t.Errorf("events are missing:\n%s", &log)
			}
		})
	}
}

func TestRollBlind(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		env.Script = []wiretest.Step{
			{After: 5 * time.Second, Do: func(*wiretest.Environment) {
				wire.Fail(wiretest.Fault{Operation: "DescribeEvents", Times: 12})
			}},
			{After: 10 * time.Second, Do: func(e *wiretest.Environment) { e.Finish("new-2") }},
		}
		var log bytes.Buffer
		got, err := roll(t.Context(), c, &log)
		if err != nil || got.Result != beanstalk.Deployed || !strings.Contains(log.String(), "warning: read the events") {
			t.Errorf("%+v, %v\n%s", got, err, &log)
		}
	})
}

func TestRollCantFollow(t *testing.T) {
	for _, f := range []wiretest.Fault{fault("DescribeEnvironments", 403, "ExpiredToken"), fault("DescribeEnvironments", 503, "ServiceUnavailable")} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
			prepared(wire)
			env.Script = []wiretest.Step{{After: 5 * time.Second, Do: func(*wiretest.Environment) { wire.Fail(f) }}}
			_, err := roll(t.Context(), c, io.Discard)
			wantError(t, err, `the update to "new-2" was sent, but can't be followed`, f.Code)
		})
	}
}

func TestRollRejectedAndCancelled(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		_, err := roll(t.Context(), c, io.Discard)
		wantError(t, err, `update environment "Dockerfullstack-env" to version "new-2": InvalidParameterValue: No Application Version`)
		if !beanstalk.Refused(err) {
			t.Error("an answer 400 does not count as refused")
		}
		prepared(wire)
		ctx, cancel := context.WithCancel(t.Context())
		env.Script = []wiretest.Step{{After: 5 * time.Second, Do: func(*wiretest.Environment) { cancel() }}}
		_, err = roll(ctx, c, io.Discard)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v; want that it was cancelled", err)
		}
	})
}

func TestRollNoWait(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		got, err := c.Monitor(app, []string{envName}).Roll(t.Context(), beanstalk.Rollout{Turn: beanstalk.Turn{Env: envName, Label: "new-2"}, NoWait: true, Log: io.Discard})
		if err != nil || got.Result != beanstalk.Created || got.RequestID == "" || env.Status != "Updating" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestAwaitReady(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Status = "Terminating"
		_, err := c.Monitor(app, []string{envName}).AwaitReady(t.Context(), envName, io.Discard)
		wantError(t, err, "is Terminating")
		env.Status = "Updating"
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = c.Monitor(app, []string{envName}).AwaitReady(ctx, envName, io.Discard)
		if wantError(t, err, `wait for environment "Dockerfullstack-env", which is Updating`); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is no deadline", err)
		}
	})
}

func TestDiagnose(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Causes = []string{"Process default has been unhealthy for 2 minutes (pass-word-1)."}
		env.Instances = []wiretest.Instance{{ID: "i-1", Causes: []string{`Container "backend" exited with code 1`}}, {ID: "i-2"}}
		env.Tail = map[string]string{"i-1": strings.Repeat("noise\n", 500) + "can't connect with pass-word-1\n", "i-2": "fine\n"}
		got := c.Diagnose(t.Context(), envName, time.Time{}, beanstalk.NewSecrets("pass-word-1"))
		want := beanstalk.Diagnosis{
			Causes: []string{"Process default has been unhealthy for 2 minutes (***).", `i-1: Container "backend" exited with code 1`},
			Tails:  []beanstalk.Tail{{"i-1", strings.Repeat("noise\n", 398) + "can't connect with ***\n"}, {"i-2", "fine\n"}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDiagnoseAnInstanceThatIsGone has logs from before they were asked for.
func TestDiagnoseAnInstanceThatIsGone(t *testing.T) {
	wired(t, func(t *testing.T, _ *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		began := time.Now()
		time.Sleep(time.Minute)
		env.Tail = map[string]string{"i-earlier": "another deployment\n", "i-gone": "why\n"}
		env.TailTime = map[string]time.Time{"i-earlier": began.Add(-time.Hour), "i-gone": began.Add(30 * time.Second)}
		got := c.Diagnose(t.Context(), envName, began, beanstalk.Secrets{})
		if diff := cmp.Diff(beanstalk.Diagnosis{Tails: []beanstalk.Tail{{"i-gone", "why\n"}}}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDiagnoseLosesALog shows the other logs.
func TestDiagnoseLosesALog(t *testing.T) {
	wired(t, func(t *testing.T, _ *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Instances = []wiretest.Instance{{ID: "i-1"}, {ID: "i-2"}, {ID: "i-3"}}
		env.Tail = map[string]string{"i-1": "one\n", "i-2": "two\n", "i-3": "three\n"}
		env.TailLost = []string{"i-1", "i-2"}
		want := beanstalk.Diagnosis{
			Tails:   []beanstalk.Tail{{"i-3", "three\n"}},
			Missing: []string{"instance i-1: fetch the logs: HTTP status 403", "instance i-2: fetch the logs: HTTP status 403"},
		}
		if diff := cmp.Diff(want, c.Diagnose(t.Context(), envName, time.Time{}, beanstalk.Secrets{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestDiagnoseFewLogs has one more log come with each look, and never all: those
// that came in time are shown.
func TestDiagnoseFewLogs(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		env.Tail = map[string]string{}
		for i := range 100 {
			env.Instances = append(env.Instances, wiretest.Instance{ID: fmt.Sprintf("i-%d", i)})
		}
		wire.Before = func(operation string) {
			if operation == "RetrieveEnvironmentInfo" {
				env.Tail[fmt.Sprintf("i-%d", len(env.Tail))] = "a log\n"
			}
		}
		got := c.Diagnose(t.Context(), envName, time.Time{}, beanstalk.Secrets{})
		if n := len(got.Tails); n < 10 || n != len(env.Tail) {
			t.Errorf("%d logs of %d", n, len(env.Tail))
		}
		if diff := cmp.Diff([]string{`the logs of environment "Dockerfullstack-env" did not come within 1m0s`}, got.Missing); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
	})
}

func TestDiagnoseSaysWhatIsMissing(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		wire.Fail(fault("DescribeEnvironmentHealth", http.StatusForbidden, "AccessDenied"))
		started := time.Now()
		got := c.Diagnose(t.Context(), envName, time.Time{}, beanstalk.Secrets{})
		want := []string{
			`read the health of environment "Dockerfullstack-env": AccessDenied: no`,
			`the logs of environment "Dockerfullstack-env" did not come within 1m0s`,
		}
		if diff := cmp.Diff(want, got.Missing); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if took := time.Since(started); took != time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func ExampleEvent() {
	fmt.Println(beanstalk.Event{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Severity: "INFO", Message: "Environment update\nis starting."})
	// Output: 03:04:05 INFO  Environment update is starting.
}
