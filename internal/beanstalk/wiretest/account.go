package wiretest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// describeVersions lists those of one label, or pages through all.
func (a *AWS) describeVersions(in url.Values) ([]element, *refusal) {
	type owned struct {
		app string
		*Version
	}
	var found []owned
	for _, app := range slices.Sorted(maps.Keys(a.Versions)) {
		for _, v := range a.Versions[app] {
			if label := in.Get("VersionLabels.member.1"); label == "" || label == v.Label {
				found = append(found, owned{app, v})
			}
		}
	}
	if app := in.Get("ApplicationName"); app != "" {
		found = slices.DeleteFunc(found, func(v owned) bool { return v.app != app })
	}
	first, _ := strconv.Atoi(in.Get("NextToken"))
	page := found[first:min(len(found), first+PageSize)]
	result := []element{list("ApplicationVersions", page, func(v owned) []element {
		fields := []element{
			{"ApplicationName", v.app}, {"VersionLabel", v.Label}, {"Description", v.Description}, {"Status", v.Status},
			{"DateCreated", v.Made.UTC().Format("2006-01-02T15:04:05.000Z")},
		}
		if v.Bucket != "" {
			fields = append(fields, element{"SourceBundle", []element{{"S3Bucket", v.Bucket}, {"S3Key", v.Key}}})
		}
		return fields
	})}
	if next := first + len(page); next < len(found) {
		result = append(result, element{"NextToken", strconv.Itoa(next)})
	}
	return result, nil
}

func (a *AWS) quota() (quota, used int) {
	for _, versions := range a.Versions {
		used += len(versions)
	}
	return cmp.Or(a.VersionQuota, 1000), used
}

func (a *AWS) accountAttributes(url.Values) ([]element, *refusal) {
	quota, _ := a.quota()
	maximum := func(n int) []element { return []element{{"Maximum", strconv.Itoa(n)}} }
	return []element{{"ResourceQuotas", []element{
		{"ApplicationVersionQuota", maximum(quota)}, {"ApplicationQuota", maximum(cmp.Or(a.AppQuota, 75))}, {"EnvironmentQuota", maximum(cmp.Or(a.EnvQuota, 200))},
	}}}, nil
}

func (a *AWS) deleteVersion(in url.Values) ([]element, *refusal) {
	app, label := in.Get("ApplicationName"), in.Get("VersionLabel")
	for _, e := range a.Apps[app] {
		if e.Label == label {
			return nil, invalid("Unable to delete application version %s because it is deployed.", label)
		}
	}
	a.Versions[app] = slices.DeleteFunc(a.Versions[app], func(v *Version) bool {
		if v.Label == label && in.Get("DeleteSourceBundle") == "true" {
			delete(a.Buckets[v.Bucket], v.Key)
		}
		return v.Label == label
	})
	return nil, nil
}

func (a *AWS) updateVersion(in url.Values) ([]element, *refusal) {
	label := in.Get("VersionLabel")
	for _, v := range a.Versions[in.Get("ApplicationName")] {
		if v.Label == label {
			v.Description = in.Get("Description")
			return []element{{"ApplicationVersion", []element{{"VersionLabel", label}, {"Description", v.Description}}}}, nil
		}
	}
	return nil, invalid("No Application Version named '%s' found.", label)
}

func (a *AWS) solutionStacks(url.Values) ([]element, *refusal) {
	return []element{texts("SolutionStacks", a.Stacks)}, nil
}

func (a *AWS) platformVersion(in url.Values) ([]element, *refusal) {
	arn := in.Get("PlatformArn")
	stack, there := a.Platforms[arn]
	if !there {
		return nil, invalid("No Platform named '%s' found.", arn)
	}
	return []element{{"PlatformDescription", []element{{"PlatformArn", arn}, {"PlatformStatus", "Ready"}, {"SolutionStackName", stack}}}}, nil
}

func (a *AWS) createApplication(in url.Values) ([]element, *refusal) {
	name := in.Get("ApplicationName")
	if _, there := a.Apps[name]; there {
		return nil, invalid("Application %s already exists.", name)
	}
	a.Apps[name] = nil
	return []element{{"Application", []element{{"ApplicationName", name}}}}, nil
}

// createEnvironment begins an environment that is Ready after 20 s.
func (a *AWS) createEnvironment(in url.Values) ([]element, *refusal) {
	app, name, stack := in.Get("ApplicationName"), in.Get("EnvironmentName"), in.Get("SolutionStackName")
	for _, envs := range a.Apps {
		if slices.ContainsFunc(envs, func(e *Environment) bool { return e.Name == name }) {
			return nil, invalid("Environment %s already exists.", name)
		}
	}
	arn := in.Get("PlatformArn")
	if named, there := a.Platforms[arn]; there {
		stack = named
	} else if !slices.Contains(a.Stacks, stack) {
		return nil, &refusal{http.StatusBadRequest, "InvalidParameterValue", "No Solution Stack named '" + stack + "' found."}
	}
	e := &Environment{
		ID: "e-new" + strconv.Itoa(len(a.Apps[app])), Name: name, Health: "Grey", Stack: stack, PlatformARN: arn,
		Tier: cmp.Or(in.Get("Tier.Name"), "WebServer"), CNAME: name + ".test",
	}
	e.set(in)
	e.Begin(in.Get("VersionLabel"), a.requestID(), a.now())
	e.Status, e.listed = "Launching", a.now().Add(a.ListsLate)
	a.Apps[app] = append(a.Apps[app], e)
	return e.describe(), nil
}
