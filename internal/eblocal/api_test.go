package eblocal

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

func TestCallerIdentity(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	out, err := b.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(out.Account); got != account {
		t.Errorf("account %q, expected %q", got, account)
	}
}

// jwt is an ID token that nobody signed.
func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}

func TestRoles(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	assume := func(role, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return b.sts.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String(role), RoleSessionName: aws.String("run-7"), WebIdentityToken: aws.String(token)})
	}
	const role, subject = "arn:aws:iam::000000000000:role/ci/deployer", "repo:o/r:ref:refs/heads/main"
	claims := func(audience string, age time.Duration) string {
		return jwt(fmt.Sprintf(`{"sub":%q,"aud":%s,"exp":%d}`, subject, audience, time.Now().Add(-age).Unix()))
	}
	for _, audience := range []string{`"sts.amazonaws.com"`, `["other","sts.amazonaws.com"]`} {
		out, err := assume(role, claims(audience, -time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		const want = "arn:aws:sts::000000000000:assumed-role/deployer/run-7"
		if got := aws.ToString(out.AssumedRoleUser.Arn); got != want || aws.ToString(out.SubjectFromWebIdentityToken) != subject {
			t.Errorf("assumed %s for %s", got, aws.ToString(out.SubjectFromWebIdentityToken))
		}
		if left := time.Until(*out.Credentials.Expiration); left < 50*time.Minute || left > time.Hour {
			t.Errorf("the credentials are good for %s", left)
		}
		who, err := b.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}, func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("a", "b", aws.ToString(out.Credentials.SessionToken))
		})
		if err != nil || aws.ToString(who.Arn) != want {
			t.Errorf("the caller is %v, %v; expected %s", who, err, want)
		}
	}
	for _, c := range []struct{ role, token, code, text string }{
		{role, "a token", "InvalidIdentityToken", "not a valid JWT"},
		{role, "a.b.c", "InvalidIdentityToken", "not a valid JWT"},
		{role, claims(`"api://other"`, -time.Minute), "InvalidIdentityToken", "Incorrect token audience"},
		{role, claims(`"sts.amazonaws.com"`, time.Minute), "ExpiredTokenException", "Token expired"},
		{"arn:aws:iam::000000000000:user/deployer", claims(`"sts.amazonaws.com"`, -time.Minute), "ValidationError", "is invalid"},
	} {
		_, err := assume(c.role, c.token)
		mustRefuse(t, err, c.code, c.text)
	}
	session := func(name string) error {
		out, err := b.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String(name), DurationSeconds: aws.Int32(900)})
		if left := 15 * time.Minute; err == nil && time.Until(*out.Credentials.Expiration) > left {
			t.Errorf("the credentials are good until %s, expected %s", out.Credentials.Expiration, left)
		}
		return err
	}
	if err := session("run-7"); err != nil {
		t.Error(err)
	}
	mustRefuse(t, session("owner/repository"), "ValidationError", "at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*")
	mustRefuse(t, session(strings.Repeat("x", 65)), "ValidationError", "length less than or equal to 64")
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	location, err := b.eb.CreateStorageLocation(t.Context(), &elasticbeanstalk.CreateStorageLocationInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := "elasticbeanstalk-ap-northeast-2-" + account
	if got := aws.ToString(location.S3Bucket); got != want {
		t.Errorf("bucket %q, expected %q", got, want)
	}
	own := aws.String("my-own-bucket")
	_, err = b.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: own, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
		LocationConstraint: "ap-northeast-2",
	}})
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.s3.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: own})
	if err != nil {
		t.Fatal(err)
	}
	if at.LocationConstraint != "ap-northeast-2" {
		t.Errorf("location %q, expected ap-northeast-2", at.LocationConstraint)
	}
	head, err := b.s3.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: own})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(head.BucketRegion); got != "ap-northeast-2" {
		t.Errorf("bucket region %q, expected ap-northeast-2", got)
	}
	if _, err := b.s3.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("absent-bucket")}); err == nil {
		t.Error("the location of a bucket that does not exist was told")
	}
}

func TestObjectsByURL(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.upload("dir/hello.txt", []byte("hello"))
	presigned, err := s3.NewPresignClient(b.s3).PresignGetObject(t.Context(), &s3.GetObjectInput{
		Bucket: aws.String(b.Bucket()), Key: aws.String("dir/hello.txt"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{presigned.URL, b.url + "/" + b.Bucket() + "/dir/hello.txt"} {
		if status, text := fetch(t, url); status != http.StatusOK || text != "hello" {
			t.Errorf("%s: status %d, %q", url, status, text)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/dir/hello.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = b.Bucket() + ".localhost:4566"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); string(text) != "hello" {
		t.Errorf("by the bucket's host name: %q", text)
	}
}

func TestUnknownAction(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	_, err := b.eb.RestartAppServer(t.Context(), &elasticbeanstalk.RestartAppServerInput{EnvironmentName: aws.String(testEnv)})
	mustRefuse(t, err, "InvalidAction", "RestartAppServer")
	status, text := fetch(t, b.url+"/?Version=2010-12-01&Action=DescribeEnvironments")
	if status != http.StatusOK || !strings.Contains(text, "<DescribeEnvironmentsResponse") {
		t.Errorf("an unsigned query: status %d: %s", status, text)
	}
	status, text = fetch(t, b.url+"/?Version=2010-12-01")
	if status != http.StatusBadRequest || !strings.Contains(text, "<Code>MissingAction</Code>") {
		t.Errorf("a query without an action: status %d: %s", status, text)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	for i := range 5 {
		b.version("v"+strconv.Itoa(i), webBundle())
	}
	all := b.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{ApplicationName: aws.String(testApp)})
	if diff := cmp.Diff([]string{"v4", "v3", "v2", "v1", "v0"}, all); diff != "" {
		t.Errorf("versions, newest first (-want +got):\n%s", diff)
	}
	paged := b.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{MaxRecords: aws.Int32(2)})
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Errorf("versions by pages of two (-want +got):\n%s", diff)
	}
	some := b.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{VersionLabels: []string{"v1", "v3", "absent"}})
	if diff := cmp.Diff([]string{"v3", "v1"}, some); diff != "" {
		t.Errorf("versions by label (-want +got):\n%s", diff)
	}
	if none := b.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{ApplicationName: aws.String("other")}); len(none) != 0 {
		t.Errorf("versions of another application: %v", none)
	}
	_, err := b.eb.DescribeApplicationVersions(t.Context(), &elasticbeanstalk.DescribeApplicationVersionsInput{NextToken: aws.String("x")})
	mustRefuse(t, err, "InvalidParameterValue", "NextToken")
	_, err = b.eb.DescribeApplicationVersions(t.Context(), &elasticbeanstalk.DescribeApplicationVersionsInput{MaxRecords: aws.Int32(1001)})
	mustRefuse(t, err, "ValidationError", "maxRecords")
}

// versions follows the pages to their end.
func (b *bench) versions(in *elasticbeanstalk.DescribeApplicationVersionsInput) []string {
	b.t.Helper()
	var labels []string
	for {
		out, err := b.eb.DescribeApplicationVersions(b.t.Context(), in)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, v := range out.ApplicationVersions {
			labels = append(labels, aws.ToString(v.VersionLabel))
		}
		if out.NextToken == nil {
			return labels
		}
		in.NextToken = out.NextToken
	}
}

func TestCreateVersionRefusals(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.version("v1", webBundle())
	cases := []struct {
		name, code, text string
		change           func(*elasticbeanstalk.CreateApplicationVersionInput)
	}{
		{"twice", "InvalidParameterValue", "Application Version v1 already exists.", nil},
		{"application", "InvalidParameterValue", "No Application named 'other' found.", func(in *elasticbeanstalk.CreateApplicationVersionInput) { in.ApplicationName = aws.String("other") }},
		{"bundle", "InvalidParameterCombination", "Unable to download from S3 location (Bucket: b  Key: k). Reason: Not Found", func(in *elasticbeanstalk.CreateApplicationVersionInput) {
			in.VersionLabel, in.SourceBundle = aws.String("v2"), &ebtypes.S3Location{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
		}},
		{"sample", "InvalidParameterCombination", "S3 bucket and key", func(in *elasticbeanstalk.CreateApplicationVersionInput) {
			in.VersionLabel, in.SourceBundle = aws.String("v2"), nil
		}},
		{"slash", "ValidationError", "[^/]+", func(in *elasticbeanstalk.CreateApplicationVersionInput) { in.VersionLabel = aws.String("a/b") }},
		{"label", "ValidationError", "versionLabel", func(in *elasticbeanstalk.CreateApplicationVersionInput) { in.VersionLabel = aws.String("") }},
		{"description", "ValidationError", "200", func(in *elasticbeanstalk.CreateApplicationVersionInput) {
			in.VersionLabel, in.Description = aws.String("v2"), aws.String(strings.Repeat("x", 201))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := b.versionInput("v1")
			if c.change != nil {
				c.change(in)
			}
			_, err := b.eb.CreateApplicationVersion(t.Context(), in)
			mustRefuse(t, err, c.code, c.text)
		})
	}
}

func TestVersionProcessingAndTags(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.upload("good.zip", zipped(t, map[string]string{composeFile: "", ".ebextensions/a.config": "option_settings: {}"}))
	b.upload("bad.zip", zipped(t, map[string]string{composeFile: "", ".ebextensions/a.config": "a: ["}))
	for label, want := range map[string]ebtypes.ApplicationVersionStatus{"good": "Processed", "bad": "Failed"} {
		in := b.versionInput(label)
		in.Process = aws.Bool(true)
		in.Tags = []ebtypes.Tag{{Key: aws.String("sha256"), Value: aws.String("abc")}, {Key: aws.String("by"), Value: aws.String("us")}}
		out, err := b.eb.CreateApplicationVersion(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.ApplicationVersion.Status; got != "Processing" {
			t.Errorf("%s: status in the answer %q, expected Processing", label, got)
		}
		described, err := b.eb.DescribeApplicationVersions(t.Context(), &elasticbeanstalk.DescribeApplicationVersionsInput{VersionLabels: []string{label}})
		if err != nil {
			t.Fatal(err)
		}
		if got := described.ApplicationVersions[0].Status; got != want {
			t.Errorf("%s: status %q, expected %q", label, got, want)
		}
		tags, err := b.eb.ListTagsForResource(t.Context(), &elasticbeanstalk.ListTagsForResourceInput{ResourceArn: out.ApplicationVersion.ApplicationVersionArn})
		if err != nil {
			t.Fatal(err)
		}
		if len(tags.ResourceTags) != 2 || aws.ToString(tags.ResourceTags[1].Value) != "abc" {
			t.Errorf("%s: tags %v", label, tags.ResourceTags)
		}
	}
	_, err := b.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(testEnv), VersionLabel: aws.String("bad")})
	mustRefuse(t, err, "InvalidParameterValue", "unusable")
	_, err = b.eb.ListTagsForResource(t.Context(), &elasticbeanstalk.ListTagsForResourceInput{ResourceArn: aws.String("arn:aws:elasticbeanstalk:x")})
	mustRefuse(t, err, "ResourceNotFoundException", "arn:aws:elasticbeanstalk:x")
}

func TestDeleteVersion(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.deployed("v1")
	remove := func(label string) error {
		_, err := b.eb.DeleteApplicationVersion(t.Context(), &elasticbeanstalk.DeleteApplicationVersionInput{
			ApplicationName: aws.String(testApp), VersionLabel: aws.String(label), DeleteSourceBundle: aws.Bool(true),
		})
		return err
	}
	mustRefuse(t, remove("v1"), "InvalidParameterValue", "in use")
	mustRefuse(t, remove("v9"), "InvalidParameterValue", "No Application Version named 'v9' found.")
	if err := remove("v2"); err != nil {
		t.Fatal(err)
	}
	if got := b.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{}); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("versions %v, expected v1 only", got)
	}
	if _, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(b.Bucket()), Key: aws.String("v2.zip")}); err == nil {
		t.Error("the bundle of the deleted version is still there")
	}
}

func TestApplications(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	create := &elasticbeanstalk.CreateApplicationInput{ApplicationName: aws.String("second"), Description: aws.String("another")}
	if _, err := b.eb.CreateApplication(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	_, err := b.eb.CreateApplication(t.Context(), create)
	mustRefuse(t, err, "InvalidParameterValue", "already exists")
	b.version("v1", webBundle())
	out, err := b.eb.DescribeApplications(t.Context(), &elasticbeanstalk.DescribeApplicationsInput{ApplicationNames: []string{testApp}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Applications) != 1 || !slices.Equal(out.Applications[0].Versions, []string{"v1"}) {
		t.Errorf("applications: %+v; expected %s with v1", out.Applications, testApp)
	}
	dns, err := b.eb.CheckDNSAvailability(t.Context(), &elasticbeanstalk.CheckDNSAvailabilityInput{CNAMEPrefix: aws.String("free")})
	if err != nil {
		t.Fatal(err)
	}
	if !aws.ToBool(dns.Available) || aws.ToString(dns.FullyQualifiedCNAME) != "free.ap-northeast-2.elasticbeanstalk.com" {
		t.Errorf("DNS: %v %s", aws.ToBool(dns.Available), aws.ToString(dns.FullyQualifiedCNAME))
	}
}

func TestEnvironmentFilters(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	e := b.environment()
	if e.Status != "Ready" || e.Health != "Grey" || "http://"+aws.ToString(e.CNAME)+"/" != b.EnvironmentURL() {
		t.Errorf("new environment: status %s, health %s, CNAME %s", e.Status, e.Health, aws.ToString(e.CNAME))
	}
	if want := "64bit Amazon Linux 2023 v4.0.1 running Docker"; aws.ToString(e.SolutionStackName) != want {
		t.Errorf("solution stack %q, expected %q", aws.ToString(e.SolutionStackName), want)
	}
	cases := []struct {
		name string
		in   elasticbeanstalk.DescribeEnvironmentsInput
		want int
	}{
		{"all", elasticbeanstalk.DescribeEnvironmentsInput{}, 1},
		{"application", elasticbeanstalk.DescribeEnvironmentsInput{ApplicationName: aws.String(testApp), IncludeDeleted: aws.Bool(false)}, 1},
		{"other application", elasticbeanstalk.DescribeEnvironmentsInput{ApplicationName: aws.String("other")}, 0},
		{"name", elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{"other-env", testEnv}}, 1},
		{"other name", elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{"other-env"}}, 0},
		{"id", elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentIds: []string{aws.ToString(e.EnvironmentId)}}, 1},
		{"other id", elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentIds: []string{"e-x"}}, 0},
		{"version", elasticbeanstalk.DescribeEnvironmentsInput{VersionLabel: aws.String("v1")}, 0},
	}
	for _, c := range cases {
		out, err := b.eb.DescribeEnvironments(t.Context(), &c.in)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Environments) != c.want {
			t.Errorf("%s: %d environments, expected %d", c.name, len(out.Environments), c.want)
		}
	}
}

func TestEventFilters(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	b.version("v1", webBundle())
	b.deployed("v1")
	f.set(func() {
		f.state = func(s string) Container { return Container{Service: s, State: "exited", ExitCode: 1} }
	})
	b.awaitHealth(ebtypes.EnvironmentHealthRed)
	all := b.find(&elasticbeanstalk.DescribeEventsInput{ApplicationName: aws.String(testApp)})
	if !slices.IsSortedFunc(all, func(x, y ebtypes.EventDescription) int { return y.EventDate.Compare(*x.EventDate) }) {
		t.Error("events are not sorted with the newest first")
	}
	if paged := b.find(&elasticbeanstalk.DescribeEventsInput{MaxRecords: aws.Int32(2)}); !slices.Equal(messages(all), messages(paged)) {
		t.Errorf("by pages of two:\n%s", cmp.Diff(messages(all), messages(paged)))
	}
	for _, e := range b.find(&elasticbeanstalk.DescribeEventsInput{Severity: "WARN"}) {
		if e.Severity != "WARN" || e.RequestId != nil {
			t.Errorf("event of severity %s, request %q: expected WARN of no request: %s", e.Severity, aws.ToString(e.RequestId), aws.ToString(e.Message))
		}
	}
	if none := b.find(&elasticbeanstalk.DescribeEventsInput{EnvironmentId: aws.String("e-other")}); len(none) != 0 {
		t.Errorf("events of another environment: %v", messages(none))
	}
	middle := all[len(all)/2].EventDate
	since := b.find(&elasticbeanstalk.DescribeEventsInput{StartTime: middle})
	until := b.find(&elasticbeanstalk.DescribeEventsInput{EndTime: middle})
	if len(since)+len(until) != len(all) {
		t.Errorf("%d events since %s and %d before it are not the %d there are", len(since), middle, len(until), len(all))
	}
	if at := since[len(since)-1].EventDate; !at.Equal(*middle) {
		t.Errorf("StartTime is not inclusive: oldest event of %s, asked since %s", at.Format(time.StampMilli), middle.Format(time.StampMilli))
	}
	_, err := b.eb.DescribeEvents(t.Context(), &elasticbeanstalk.DescribeEventsInput{Severity: "LOUD"})
	mustRefuse(t, err, "ValidationError", "TRACE, DEBUG, INFO")
}

func (b *bench) find(in *elasticbeanstalk.DescribeEventsInput) []ebtypes.EventDescription {
	b.t.Helper()
	var found []ebtypes.EventDescription
	for {
		out, err := b.eb.DescribeEvents(b.t.Context(), in)
		if err != nil {
			b.t.Fatal(err)
		}
		found = append(found, out.Events...)
		if out.NextToken == nil {
			return found
		}
		in.NextToken = out.NextToken
	}
}

func messages(events []ebtypes.EventDescription) []string {
	var out []string
	for _, e := range events {
		out = append(out, aws.ToString(e.Message))
	}
	return out
}

func TestInstancesHealth(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.version("v1", webBundle())
	b.deployed("v1")
	out, err := b.eb.DescribeInstancesHealth(t.Context(), &elasticbeanstalk.DescribeInstancesHealthInput{
		EnvironmentName: aws.String(testEnv), AttributeNames: []ebtypes.InstancesHealthAttribute{"HealthStatus", "Deployment"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.InstanceHealthList) != 1 {
		t.Fatalf("%d instances, expected 1", len(out.InstanceHealthList))
	}
	i := out.InstanceHealthList[0]
	if aws.ToString(i.HealthStatus) != "Ok" || i.Color != nil || i.Causes != nil {
		t.Errorf("status %q, color %v, causes %v: expected Ok and what was not asked for left out", aws.ToString(i.HealthStatus), i.Color, i.Causes)
	}
	if d := i.Deployment; d == nil || aws.ToString(d.Status) != "Deployed" || aws.ToString(d.VersionLabel) != "v1" || aws.ToInt64(d.DeploymentId) != 1 {
		t.Errorf("deployment %+v: expected v1, Deployed, 1", d)
	}
	if counts := b.health().InstancesHealth; aws.ToInt32(counts.Ok) != 1 {
		t.Errorf("counts %+v: expected one Ok", counts)
	}
}

func TestPlatformVersions(t *testing.T) {
	t.Parallel()
	b, _ := faked(t, func(o *Options) { o.Platform = ECS })
	arn := b.environment().PlatformArn
	described, err := b.eb.DescribePlatformVersion(t.Context(), &elasticbeanstalk.DescribePlatformVersionInput{PlatformArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(described.PlatformDescription.PlatformName); got != "ECS running on 64bit Amazon Linux 2023" {
		t.Errorf("platform name %q", got)
	}
	count := func(operator string) int {
		out, err := b.eb.ListPlatformVersions(t.Context(), &elasticbeanstalk.ListPlatformVersionsInput{Filters: []ebtypes.PlatformFilter{{
			Type: aws.String("PlatformBranchName"), Operator: aws.String(operator), Values: []string{"ECS running on 64bit Amazon Linux 2023"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.PlatformSummaryList)
	}
	if is, not := count("="), count("!="); is != 2 || not != 2 {
		t.Errorf("platforms of this branch: %d, of others: %d; expected 2 and 2", is, not)
	}
}
