package ebdeploy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/image"
)

// setup is the deployment that docs/aws-setup.md is about.
func setup(change func(*plan)) beanstalk.Use {
	p := plan{config: config{Region: "ap-northeast-2", App: "docker-fullstack", Envs: names{"Dockerfullstack-env"}}}
	change(&p)
	return p.use(beanstalk.Target{Identity: beanstalk.Identity{Account: "111122223333"}})
}

// TestAWSSetup holds the document against the policies that dry-run prints.
func TestAWSSetup(t *testing.T) {
	const document = "../../docs/aws-setup.md"
	base := setup(func(*plan) {})
	actiontest.README(t, document, "policy", "```json\n"+base.Policy()+"\n```\n")
	table := "| inputs | more | less |\n|---|---|---|\n"
	for _, c := range []struct {
		inputs string
		change func(*plan)
	}{
		{"no `env`", func(p *plan) { p.config.Envs = nil }},
		{"`version-label` of a version that exists", func(p *plan) { p.existing = true }},
		{"`bucket-name`", func(p *plan) { p.config.BucketName = "my-bundles" }},
		{"`env-vars`, `option-settings`", func(p *plan) { p.config.EnvVars = properties{"A": "1"} }},
		{"`on-failure: abort` or `rollback`", func(p *plan) { p.config.OnFailure = rollback }},
		{"`create`", func(p *plan) { p.config.Create = true }},
		{"`create`, `platform` with an ARN", func(p *plan) {
			p.config.Create, p.config.Platform = true, "arn:aws:elasticbeanstalk:ap-northeast-2::platform/Docker running on 64bit Amazon Linux 2023/4.10.0"
		}},
		{"images in ECR, and no `check-images: false`", func(p *plan) {
			p.config.CheckImages, p.images = true, map[string]image.Reference{"web": {Registry: "111122223333.dkr.ecr.ap-northeast-2.amazonaws.com", Repository: "team/web"}}
		}},
		{"`keep-versions`", func(p *plan) { p.config.KeepVersions = 20 }},
		{"`keep-versions`, `delete-bundles`", func(p *plan) { p.config.KeepVersions, p.config.DeleteBundles = 20, true }},
	} {
		more, less := difference(t, base, setup(c.change))
		table += fmt.Sprintf("| %s | %s | %s |\n", c.inputs, more, less)
	}
	actiontest.README(t, document, "inputs", table)
}

// difference lists the actions that one policy has more and less than another.
func difference(t *testing.T, base, other beanstalk.Use) (more, less string) {
	t.Helper()
	before, after := actions(t, base), actions(t, other)
	list := func(all, without []string) string {
		var kept []string
		for _, action := range all {
			if !slices.Contains(without, action) {
				kept = append(kept, "`"+action+"`")
			}
		}
		return strings.Join(kept, ", ")
	}
	return list(after, before), list(before, after)
}

func actions(t *testing.T, u beanstalk.Use) []string {
	t.Helper()
	var policy struct {
		Statement []struct{ Action []string }
	}
	if err := json.Unmarshal([]byte(u.Policy()), &policy); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range policy.Statement {
		all = append(all, s.Action...)
	}
	return all
}

// TestPolicyOfRoles has the roles that an environment is given in the policy, by
// whatever the settings name them.
func TestPolicyOfRoles(t *testing.T) {
	named := func(role, profile string) settings {
		return settings{
			{Namespace: "aws:elasticbeanstalk:environment", Name: "ServiceRole"}:           role,
			{Namespace: "aws:autoscaling:launchconfiguration", Name: "IamInstanceProfile"}: profile,
		}
	}
	const iam = "arn:aws:iam::111122223333:"
	for _, c := range []struct {
		name   string
		change func(*plan)
		want   []string // the resources
	}{
		{"nothing is created", func(*plan) {}, nil},
		{"no environment is created", func(p *plan) { p.config.Create, p.config.Envs = true, nil }, nil},
		{"created with what AWS names", func(p *plan) { p.config.Create = true }, []string{
			iam + "role/aws-service-role/elasticbeanstalk.amazonaws.com/AWSServiceRoleForElasticBeanstalk", iam + "role/aws-elasticbeanstalk-ec2-role",
		}},
		{"created with names", func(p *plan) { p.config.Create, p.config.OptionSettings = true, named("service", "web") }, []string{iam + "role/service", iam + "role/web"}},
		{"changed to ARNs", func(p *plan) {
			p.config.OptionSettings = named(iam+"role/eb/service", iam+"instance-profile/eb/web")
		}, []string{iam + "role/eb/service", iam + "role/web"}},
	} {
		var policy struct {
			Statement []struct {
				Sid              string
				Action, Resource any
			}
		}
		if err := json.Unmarshal([]byte(setup(c.change).Policy()), &policy); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range policy.Statement {
			if actions := fmt.Sprint(s.Action); strings.Contains(actions, "iam:PassRole") {
				for _, resource := range s.Resource.([]any) {
					got = append(got, resource.(string))
				}
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: roles that may be passed: %q; want %q", c.name, got, c.want)
		}
	}
}

// TestPolicyOfImages has the repositories in ECR by their own account and
// region, each once.
func TestPolicyOfImages(t *testing.T) {
	use := setup(func(p *plan) {
		p.config.CheckImages = true
		p.images = map[string]image.Reference{
			"a": {Registry: "999922223333.dkr.ecr.cn-north-1.amazonaws.com.cn", Repository: "team/web"},
			"b": {Registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", Repository: "team/api"},
			"c": {Registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com", Repository: "team/api"},
			"d": {Registry: "docker.io", Repository: "guk0/web"},
			"e": {Registry: "public.ecr.aws", Repository: "guk0/web"},
		}
	})
	want := []string{"arn:aws-cn:ecr:cn-north-1:999922223333:repository/team/web", "arn:aws:ecr:eu-west-1:111122223333:repository/team/api"}
	if !slices.Equal(use.Repositories, want) {
		t.Errorf("repositories %q, want %q", use.Repositories, want)
	}
	all := actions(t, use)
	for _, action := range []string{"ecr:GetAuthorizationToken", "ecr:BatchGetImage"} {
		if !slices.Contains(all, action) {
			t.Errorf("%s is missing in %q", action, all)
		}
	}
}
