package wiretest

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// element is a piece of an answer: text, or elements.
type element struct {
	name string
	body any // string or []element
}

func (e element) write(b *strings.Builder) {
	fmt.Fprintf(b, "<%s>", e.name)
	switch body := e.body.(type) {
	case string:
		_ = xml.EscapeText(b, []byte(body))
	case []element:
		for _, kid := range body {
			kid.write(b)
		}
	}
	fmt.Fprintf(b, "</%s>", e.name)
}

// list is a list in the query protocol.
func list[T any](name string, all []T, member func(T) []element) element {
	var members []element
	for _, one := range all {
		members = append(members, element{"member", member(one)})
	}
	return element{name, members}
}

func texts(name string, all []string) element {
	var members []element
	for _, one := range all {
		members = append(members, element{"member", one})
	}
	return element{name, members}
}

// refusal is an error of the service.
type refusal struct {
	status        int
	code, message string
}

func invalid(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf(format, args...)}
}

var operations = map[string]func(*AWS, url.Values) ([]element, *refusal){
	"GetCallerIdentity":             (*AWS).identity,
	"DescribeApplications":          (*AWS).describeApplications,
	"DescribeEnvironments":          (*AWS).describeEnvironments,
	"DescribeConfigurationSettings": (*AWS).describeSettings,
	"DescribeApplicationVersions":   (*AWS).describeVersions,
	"CreateStorageLocation":         (*AWS).createStorage,
	"AssumeRole":                    (*AWS).assumeRole,
	"AssumeRoleWithWebIdentity":     (*AWS).assumeRole,
	"CreateApplicationVersion":      (*AWS).createVersion,
	"UpdateEnvironment":             (*AWS).update,
	"UpdateApplicationVersion":      (*AWS).updateVersion,
	"DescribeAccountAttributes":     (*AWS).accountAttributes,
	"DeleteApplicationVersion":      (*AWS).deleteVersion,
	"ListAvailableSolutionStacks":   (*AWS).solutionStacks,
	"DescribePlatformVersion":       (*AWS).platformVersion,
	"CreateApplication":             (*AWS).createApplication,
	"CreateEnvironment":             (*AWS).createEnvironment,
	"ValidateConfigurationSettings": (*AWS).validate,
	"AbortEnvironmentUpdate":        (*AWS).abort,
	"DescribeEvents":                (*AWS).describeEvents,
	"DescribeEnvironmentHealth":     (*AWS).health,
	"DescribeInstancesHealth":       (*AWS).instancesHealth,
	"RequestEnvironmentInfo":        (*AWS).requestInfo,
	"RetrieveEnvironmentInfo":       (*AWS).retrieveInfo,
}

func (a *AWS) serveQuery(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	name := r.PostForm.Get("Action")
	f := a.called(name)
	if f != nil && f.Late {
		operations[name](a, r.PostForm)
		return errBroken
	}
	if f != nil {
		if f.Status == 0 {
			return errBroken
		}
		a.refuse(w, &refusal{f.Status, f.Code, f.Message})
		return nil
	}
	if a.Throttled != nil && name != "GetCallerIdentity" && a.Throttled() {
		a.refuse(w, &refusal{http.StatusBadRequest, "Throttling", "Rate exceeded"})
		return nil
	}
	operation, ok := operations[name]
	if !ok {
		panic("the wire does not know the operation " + name)
	}
	result, problem := operation(a, r.PostForm)
	if problem != nil {
		a.refuse(w, problem)
		return nil
	}
	a.answer(w, http.StatusOK, element{name + "Response", []element{
		{name + "Result", result},
		{"ResponseMetadata", []element{{"RequestId", a.requestID()}}},
	}})
	return nil
}

func (a *AWS) refuse(w http.ResponseWriter, p *refusal) {
	a.answer(w, p.status, element{"ErrorResponse", []element{
		{"Error", []element{{"Type", "Sender"}, {"Code", p.code}, {"Message", p.message}}},
		{"RequestId", a.requestID()},
	}})
}

func (a *AWS) answer(w http.ResponseWriter, status int, e element) {
	var b strings.Builder
	e.write(&b)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

func (a *AWS) identity(url.Values) ([]element, *refusal) {
	return []element{{"Account", a.Account}, {"Arn", "arn:aws:sts::" + a.Account + ":assumed-role/deploy/run"}, {"UserId", "AROA:run"}}, nil
}

func (a *AWS) assumeRole(in url.Values) ([]element, *refusal) {
	token, there := a.Roles[in.Get("RoleArn")]
	if !there || token != in.Get("WebIdentityToken") {
		return nil, &refusal{http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:" + in.Get("Action")}
	}
	until := a.now().Add(time.Hour).UTC().Format(time.RFC3339)
	return []element{{"Credentials", []element{
		{"AccessKeyId", "assumed-" + in.Get("RoleSessionName")}, {"SecretAccessKey", Secret}, {"SessionToken", "session-word"}, {"Expiration", until},
	}}}, nil
}

func (a *AWS) describeApplications(url.Values) ([]element, *refusal) {
	return []element{list("Applications", slices.Sorted(maps.Keys(a.Apps)), func(n string) []element {
		return []element{{"ApplicationName", n}}
	})}, nil
}

func (a *AWS) describeEnvironments(in url.Values) ([]element, *refusal) {
	var found []*Environment
	for _, app := range slices.Sorted(maps.Keys(a.Apps)) {
		for _, e := range a.Apps[app] {
			if wanted := in.Get("ApplicationName"); (wanted == "" || wanted == app) && !a.now().Before(e.listed) {
				e.app = app
				found = append(found, e)
			}
		}
	}
	if names := plainMembers(in, "EnvironmentNames"); len(names) > 0 {
		found = slices.DeleteFunc(found, func(e *Environment) bool { return !slices.Contains(names, e.Name) })
	}
	return []element{list("Environments", found, (*Environment).describe)}, nil
}

// plainMembers are the elements of a list of texts in a request.
func plainMembers(in url.Values, name string) []string {
	var all []string
	for i := 1; in.Has(fmt.Sprintf("%s.member.%d", name, i)); i++ {
		all = append(all, in.Get(fmt.Sprintf("%s.member.%d", name, i)))
	}
	return all
}

func (e *Environment) describe() []element {
	all := []element{
		{"EnvironmentId", e.ID}, {"EnvironmentName", e.Name}, {"ApplicationName", e.app}, {"Status", e.Status}, {"Health", e.Health},
		{"HealthStatus", e.HealthStatus}, {"VersionLabel", e.Label}, {"SolutionStackName", e.Stack}, {"CNAME", e.CNAME},
		{"Tier", []element{{"Name", e.Tier}}}, {"AbortableOperationInProgress", strconv.FormatBool(e.Abortable && e.Status == "Updating")},
	}
	if e.PlatformARN != "" {
		all = append(all, element{"PlatformArn", e.PlatformARN})
	}
	return all
}

func (a *AWS) environment(in url.Values) *Environment {
	for _, envs := range a.Apps {
		for _, e := range envs {
			if e.Name == in.Get("EnvironmentName") || e.ID == in.Get("EnvironmentId") {
				return e
			}
		}
	}
	panic("the wire was asked for an environment that it did not list: " + in.Get("EnvironmentName"))
}

func (a *AWS) describeSettings(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	status := "deployed"
	if e.OptionsPending && e.Status != "Ready" {
		status = "pending"
	}
	options := list("OptionSettings", e.Options, func(o [3]string) []element {
		return []element{{"Namespace", o[0]}, {"OptionName", o[1]}, {"Value", o[2]}}
	})
	return []element{{"ConfigurationSettings", []element{{"member", []element{
		{"DeploymentStatus", status}, {"EnvironmentName", e.Name}, options,
	}}}}}, nil
}

func (a *AWS) createStorage(url.Values) ([]element, *refusal) {
	name := "elasticbeanstalk-" + a.Region + "-" + a.Account
	if a.Buckets[name] == nil {
		a.Buckets[name] = map[string]*Object{}
	}
	return []element{{"S3Bucket", name}}, nil
}

func (a *AWS) createVersion(in url.Values) ([]element, *refusal) {
	app, label := in.Get("ApplicationName"), in.Get("VersionLabel")
	for _, v := range a.Versions[app] {
		if v.Label == label {
			return nil, invalid("Application Version %s already exists.", label)
		}
	}
	v := &Version{
		Label: label, Description: in.Get("Description"), Status: "Unprocessed",
		Bucket: in.Get("SourceBundle.S3Bucket"), Key: in.Get("SourceBundle.S3Key"), Made: a.now(),
	}
	if quota, used := a.quota(); used >= quota {
		return nil, &refusal{http.StatusBadRequest, "TooManyApplicationVersionsException", "You have reached the limit of application versions."}
	}
	if a.Buckets[v.Bucket][v.Key] == nil {
		return nil, invalid("Unable to download from S3 location (Bucket: %s  Key: %s).", v.Bucket, v.Key)
	}
	a.Versions[app] = append(a.Versions[app], v)
	return []element{{"ApplicationVersion", []element{{"VersionLabel", label}}}}, nil
}

func (a *AWS) update(in url.Values) ([]element, *refusal) {
	e, label := a.environment(in), in.Get("VersionLabel")
	if e.Separate && label != "" && in.Get("OptionSettings.member.1.OptionName")+in.Get("OptionsToRemove.member.1.OptionName") != "" {
		return nil, &refusal{http.StatusBadRequest, "InvalidParameterCombination", "You cannot update both the release and the configuration."}
	}
	if e.Status != "Ready" {
		return nil, invalid("Environment named %s is in an invalid state for this operation. Must be Ready.", e.Name)
	}
	if label == "" {
		label = e.Label
	} else if !slices.ContainsFunc(a.Versions[in.Get("ApplicationName")], func(v *Version) bool { return v.Label == label }) {
		return nil, invalid("No Application Version named '%s' found.", label)
	}
	e.set(in)
	e.Begin(label, a.requestID(), a.now())
	return e.describe(), nil
}

func (a *AWS) abort(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	if !e.Abortable || e.Status != "Updating" {
		return nil, invalid("Environment named %s is in an invalid state for this operation. Must be pending deployment.", e.Name)
	}
	e.abort(a.now())
	return nil, nil
}

func (a *AWS) describeEvents(in url.Values) ([]element, *refusal) {
	events := a.events(in)
	first, _ := strconv.Atoi(in.Get("NextToken"))
	most, _ := strconv.Atoi(in.Get("MaxRecords"))
	page := events[first:min(len(events), first+min(most, cmp.Or(a.PageSize, PageSize)))]
	result := []element{list("Events", page, func(e Event) []element {
		fields := []element{
			{"EventDate", e.At.UTC().Format("2006-01-02T15:04:05.000Z")}, {"Severity", e.Severity}, {"Message", e.Message},
			{"EnvironmentName", e.env}, {"VersionLabel", e.Label},
		}
		if e.RequestID != "" {
			fields = append(fields, element{"RequestId", e.RequestID})
		}
		return fields
	})}
	if next := first + len(page); next < len(events) {
		result = append(result, element{"NextToken", strconv.Itoa(next)})
	}
	if a.BetweenPages != nil {
		a.BetweenPages()
	}
	return result, nil
}

// events are those that are asked for, the newest first.
func (a *AWS) events(in url.Values) []Event {
	var found []Event
	for _, e := range a.Apps[in.Get("ApplicationName")] {
		if name := in.Get("EnvironmentName"); name == "" || name == e.Name {
			found = append(found, e.between(in.Get("StartTime"), in.Get("EndTime"))...)
		}
	}
	if id := in.Get("EnvironmentId"); id != "" {
		found = a.environment(in).between(in.Get("StartTime"), in.Get("EndTime"))
	}
	slices.SortStableFunc(found, func(a, b Event) int { return b.At.Compare(a.At) })
	return found
}

// PageSize is how many events a page has at most, unless AWS.PageSize says
// otherwise. It is small, so that paging is always tried.
const PageSize = 3

func (a *AWS) health(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	return []element{{"EnvironmentName", e.Name}, {"Color", e.Health}, {"HealthStatus", e.HealthStatus}, texts("Causes", e.Causes)}, nil
}

func (a *AWS) instancesHealth(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	if e.Instances == nil {
		return nil, &refusal{http.StatusBadRequest, "InvalidRequestException", "DescribeInstancesHealth is not supported."}
	}
	return []element{list("InstanceHealthList", e.Instances, func(i Instance) []element {
		return []element{
			{"InstanceId", i.ID}, {"HealthStatus", i.Health}, texts("Causes", i.Causes),
			{"Deployment", []element{{"Status", i.Deployment}, {"VersionLabel", i.Label}, {"DeploymentId", strconv.Itoa(cmp.Or(i.DeploymentID, 7+len(e.Updates)))}}},
		}
	})}, nil
}

func (a *AWS) requestInfo(url.Values) ([]element, *refusal) { return nil, nil }

func (a *AWS) retrieveInfo(in url.Values) ([]element, *refusal) {
	e := a.environment(in)
	ids := slices.Sorted(maps.Keys(e.Tail))
	return []element{list("EnvironmentInfo", ids, func(id string) []element {
		at, ok := e.TailTime[id]
		if !ok {
			at = a.now()
		}
		return []element{
			{"InfoType", "tail"}, {"Ec2InstanceId", id}, {"Message", "http://aws.test/tail/" + id + "?signature=signed-word"},
			{"SampleTimestamp", at.UTC().Format("2006-01-02T15:04:05.000Z")},
		}
	})}, nil
}
