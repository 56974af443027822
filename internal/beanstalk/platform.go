package beanstalk

import (
	"regexp"
	"strings"
)

// Kind is what a platform runs.
type Kind string

// The kinds of platform that matter to a deploy file.
const (
	// Docker takes docker-compose.yml, or Dockerrun.aws.json v1.
	Docker Kind = "docker"
	// ECS takes Dockerrun.aws.json v2.
	ECS Kind = "ecs"
	// Other is a platform that is known to run no containers of ours.
	Other Kind = "other"
	// Unknown is a platform of one's own, whose name tells nothing.
	Unknown Kind = ""
)

var (
	awsPlatform = regexp.MustCompile(`^arn:[^:]+:elasticbeanstalk:[^:]*:([^:]*):platform/(.+) running on .+$`)
	dockerName  = regexp.MustCompile(`^Docker\b`)
	ecsName     = regexp.MustCompile(`^(ECS$|Multi-container Docker\b)`)
)

// PlatformKind tells the kind from an environment's solution stack name, such
// as "64bit Amazon Linux 2023 v4.1.0 running Docker", and without one from its
// platform ARN. A platform ARN with an account's id is a custom platform.
func PlatformKind(stack, arn string) Kind {
	if _, name, ok := strings.Cut(stack, " running "); ok {
		return kindOf(name)
	}
	m := awsPlatform.FindStringSubmatch(arn)
	if m == nil || m[1] != "" {
		return Unknown
	}
	return kindOf(m[2])
}

func kindOf(name string) Kind {
	switch {
	case dockerName.MatchString(name):
		return Docker
	case ecsName.MatchString(name):
		return ECS
	}
	return Other
}
