package beanstalk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Use is what a deployment does with AWS, as far as it needs permissions.
type Use struct {
	Region, Account, App string
	Envs                 []string
	// Bucket is empty for the account's own one; Folder is where bundles are in
	// it, "." for its root.
	Bucket, Folder string
	// Makes tells that a version is made, Settings that settings are sent,
	// Creates that what is missing is made, Prunes that old versions are deleted
	// and PrunesBundles their objects with them, Aborts that an update may be.
	Makes, Settings, Creates, Prunes, PrunesBundles, Aborts bool
	// ServiceRole and Profile are what the settings say of the environment's role
	// and its instances' profile: a name, an ARN, or empty.
	ServiceRole, Profile string
	// Repositories are the ARNs of those in ECR whose images are looked for.
	Repositories []string
	// Platform is the ARN of a new environment's platform, where it is given by it.
	Platform string
}

// Statement is a statement of an IAM policy.
type Statement struct {
	Sid, Effect string
	Action      []string
	Resource    any // a text or several
}

// Policy is the least IAM policy for the calls of a deployment, as JSON. What
// Elastic Beanstalk does on behalf of the caller is not in it, since it depends
// on the environment's resources. Source of the resources that each action
// takes: AWS Service Authorization Reference, "AWS Elastic Beanstalk", "Amazon S3".
func (u Use) Policy() string {
	var all []Statement
	for _, s := range []Statement{u.looks(), u.changes(), u.roles(), u.bucket(), u.objects(), u.images()} {
		if len(s.Action) == 0 {
			continue
		}
		s.Effect = "Allow"
		slices.Sort(s.Action)
		all = append(all, s)
	}
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", all}, "", "  ")
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}

// looks are the actions that change nothing. Lists have no resource of their
// own, and a deployment looks for what is there when a name is wrong.
func (u Use) looks() Statement {
	s := Statement{Sid: "Look", Resource: "*"}
	s.add(true, "elasticbeanstalk", "DescribeApplications", "DescribeApplicationVersions")
	s.add(len(u.Envs) > 0 || u.Prunes, "elasticbeanstalk", "DescribeEnvironments", "DescribeEvents")
	s.add(len(u.Envs) > 0, "elasticbeanstalk", "DescribeConfigurationSettings", "DescribeEnvironmentHealth", "DescribeInstancesHealth",
		"RequestEnvironmentInfo", "RetrieveEnvironmentInfo")
	s.add(u.Makes || u.Creates, "elasticbeanstalk", "DescribeAccountAttributes")
	s.add(u.Makes && u.Bucket == "", "elasticbeanstalk", "CreateStorageLocation")
	s.add(u.Settings && len(u.Envs) > 0, "elasticbeanstalk", "ValidateConfigurationSettings")
	s.add(u.createsEnvs() && u.Platform == "", "elasticbeanstalk", "ListAvailableSolutionStacks")
	s.add(u.createsEnvs() && u.Platform != "", "elasticbeanstalk", "DescribePlatformVersion")
	s.add(len(u.Repositories) > 0, "ecr", "GetAuthorizationToken")
	return s
}

func (u Use) createsEnvs() bool { return u.Creates && len(u.Envs) > 0 }

// images are those that a deployment looks for before it names them.
func (u Use) images() Statement {
	s := Statement{Sid: "Images", Resource: u.Repositories}
	s.add(len(u.Repositories) > 0, "ecr", "BatchGetImage")
	return s
}

// changes are the actions on the application, its versions and environments.
func (u Use) changes() Statement {
	s := Statement{Sid: "Deploy"}
	s.add(u.Makes, "elasticbeanstalk", "CreateApplicationVersion")
	s.add(u.Prunes, "elasticbeanstalk", "DeleteApplicationVersion")
	s.add(len(u.Envs) > 0, "elasticbeanstalk", "UpdateEnvironment", "UpdateApplicationVersion")
	s.add(len(u.Envs) > 0 && u.Aborts, "elasticbeanstalk", "AbortEnvironmentUpdate")
	s.add(u.Creates, "elasticbeanstalk", "CreateApplication")
	s.add(u.createsEnvs(), "elasticbeanstalk", "CreateEnvironment")
	resources := []string{u.arn("application/" + u.App), u.arn("applicationversion/" + u.App + "/*")}
	for _, env := range u.Envs {
		resources = append(resources, u.arn("environment/"+u.App+"/"+env))
	}
	if u.createsEnvs() {
		resources = append(resources, fmt.Sprintf("arn:%s:elasticbeanstalk:%s::solutionstack/*", u.partition(), u.Region))
		if u.Platform != "" {
			resources = append(resources, u.Platform)
		}
	}
	s.Resource = resources
	return s
}

// Of an environment whose settings name none.
const (
	defaultProfile = "aws-elasticbeanstalk-ec2-role"
	ownRole        = "aws-service-role/elasticbeanstalk.amazonaws.com/AWSServiceRoleForElasticBeanstalk"
)

// roles are handed to the environment, which IAM lets only those do who may pass
// them. Elastic Beanstalk makes its own one with the first environment.
func (u Use) roles() Statement {
	s := Statement{Sid: "Roles"}
	creates := u.createsEnvs()
	var resources []string
	if u.ServiceRole != "" || creates {
		resources = append(resources, u.role(cmp.Or(u.ServiceRole, ownRole)))
	}
	if u.Profile != "" || creates {
		// Its role has its name, but not its path, unless it was made otherwise.
		resources = append(resources, u.role(path.Base(cmp.Or(u.Profile, defaultProfile))))
	}
	s.add(len(resources) > 0, "iam", "PassRole")
	s.add(creates && u.ServiceRole == "", "iam", "CreateServiceLinkedRole")
	s.Resource = resources
	return s
}

func (u Use) role(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", u.partition(), u.account(), name)
}

func (u Use) bucket() Statement {
	s := Statement{Sid: "Bucket", Resource: u.s3("")}
	s.add(u.Makes || len(u.Envs) > 0, "s3", "GetBucketLocation", "ListBucket")
	s.add(u.Makes, "s3", "ListBucketMultipartUploads")
	s.add(u.Makes && (u.Bucket == "" || u.Creates), "s3", "CreateBucket")
	return s
}

// objects are the bundles. A dry run reads the running version's too.
func (u Use) objects() Statement {
	s := Statement{Sid: "Bundles", Resource: []string{u.s3(path.Join("/", u.Folder, "*"))}}
	s.add(u.Makes, "s3", "GetObject", "PutObject", "AbortMultipartUpload")
	s.add(!u.Makes && len(u.Envs) > 0, "s3", "GetObject")
	s.add(u.Prunes && u.PrunesBundles, "s3", "DeleteObject")
	return s
}

func (s *Statement) add(needed bool, service string, actions ...string) {
	for _, action := range actions {
		if needed {
			s.Action = append(s.Action, service+":"+action)
		}
	}
}

func (u Use) partition() string {
	switch {
	case strings.HasPrefix(u.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(u.Region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(u.Region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

func (u Use) account() string { return cmp.Or(u.Account, "<account>") }

func (u Use) arn(resource string) string {
	return fmt.Sprintf("arn:%s:elasticbeanstalk:%s:%s:%s", u.partition(), u.Region, u.account(), resource)
}

func (u Use) s3(path string) string {
	return fmt.Sprintf("arn:%s:s3:::%s%s", u.partition(), cmp.Or(u.Bucket, AccountBucket(u.Region, u.account())), path)
}
