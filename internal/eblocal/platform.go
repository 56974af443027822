package eblocal

// product is an AWS platform and its versions, the newest first.
type product struct {
	name     string
	versions []string
}

var products = map[Platform]product{
	Docker: {"Docker", []string{"4.0.1", "4.0.0"}},
	ECS:    {"ECS", []string{"4.0.8", "4.0.7"}},
}

const operatingSystem = "64bit Amazon Linux 2023"

// release is one version of a platform.
type release struct {
	kind    Platform
	version string
}

// releases are all there are, the newest of each platform first.
func releases() []release {
	var all []release
	for _, kind := range []Platform{Docker, ECS} {
		for _, v := range products[kind].versions {
			all = append(all, release{kind, v})
		}
	}
	return all
}

func newest(kind Platform) release { return release{kind, products[kind].versions[0]} }

func (e *environment) release() release { return release{e.Platform, e.Version} }

func (r release) stack() string {
	return operatingSystem + " v" + r.version + " running " + products[r.kind].name
}

func (r release) branch() string {
	return products[r.kind].name + " running on " + operatingSystem
}

func (s *Server) platformArn(r release) string {
	return "arn:aws:elasticbeanstalk:" + s.opts.Region + "::platform/" + r.branch() + "/" + r.version
}

// askedPlatform is the platform that a new environment is to have.
func (s *Server) askedPlatform(c *call) (release, error) {
	stack, arn := c.str("SolutionStackName"), c.str("PlatformArn")
	if (stack == "") == (arn == "") {
		return release{}, invalidCombination("Exactly one of SolutionStackName and PlatformArn must be given.")
	}
	for _, r := range releases() {
		if stack == r.stack() || arn == s.platformArn(r) {
			return r, nil
		}
	}
	if stack != "" {
		return release{}, invalidValue("No Solution Stack named '%s' found.", stack)
	}
	return release{}, invalidValue("No Platform found for ARN '%s'.", arn)
}

type solutionStackDescription struct {
	SolutionStackName  string
	PermittedFileTypes list[string]
}

func (s *Server) listAvailableSolutionStacks(*call) (any, error) {
	var names []string
	var details []solutionStackDescription
	for _, r := range releases() {
		names = append(names, r.stack())
		details = append(details, solutionStackDescription{r.stack(), listOf([]string{"zip", "json"})})
	}
	return struct {
		SolutionStacks       list[string]
		SolutionStackDetails list[solutionStackDescription]
	}{listOf(names), listOf(details)}, nil
}
