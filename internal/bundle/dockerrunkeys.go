package bundle

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// shape is what a key of a Dockerrun.aws.json holds. keys are those of the
// object, or of the objects in the list; nil where they are not looked at. An
// empty kind is not looked at either, or is checked elsewhere.
type shape struct {
	kind string
	keys map[string]shape
}

// The kinds of shape, as they are called in messages.
const (
	aText     = "a text"
	aNumber   = "a number"
	aTruth    = "true or false"
	aList     = "a list"
	someTexts = "a list of texts"
	anObject  = "an object"
	// aScalar is what Elastic Beanstalk takes as a text and otherwise.
	aScalar = "a text or a number"
)

func shapes(kind string, keys ...string) map[string]shape {
	all := map[string]shape{}
	for _, key := range keys {
		all[key] = shape{kind: kind}
	}
	return all
}

func union(all ...map[string]shape) map[string]shape {
	whole := map[string]shape{}
	for _, one := range all {
		maps.Copy(whole, one)
	}
	return whole
}

// login is how each version says where the logins are; see loginKeys.
func login(kind Kind) map[string]shape {
	keys := loginKeys[kind]
	return map[string]shape{keys[0]: {anObject, shapes(aText, keys[1], keys[2])}}
}

// dockerrunKeys are the keys of each version.
// Sources: the Elastic Beanstalk guide, "Dockerrun.aws.json"; the Amazon ECS API
// reference, ContainerDefinition.
var dockerrunKeys = map[Kind]map[string]shape{
	DockerrunV1: union(login(DockerrunV1), shapes(aScalar, versionKey), shapes(aText, "Logging", "Entrypoint", "Command"), map[string]shape{
		"Image":   {anObject, shapes("", "Name", "Update")},
		"Ports":   {aList, shapes(aScalar, "ContainerPort", "HostPort")},
		"Volumes": {aList, shapes(aText, "HostDirectory", "ContainerDirectory")},
	}),
	DockerrunV2: union(login(DockerrunV2), shapes(aScalar, versionKey), shapes(aText, "family", "executionRoleArn", "taskRoleArn"), map[string]shape{
		"containerDefinitions": {"", containerKeys},
		"volumes":              {aList, union(shapes(aText, "name"), map[string]shape{"host": {anObject, shapes(aText, "sourcePath")}})},
	}),
}

var containerKeys = union(
	shapes("", "name", "image", "memory", "memoryReservation"),
	shapes(aText, "hostname", "user", "workingDirectory", "versionConsistency"),
	shapes(aNumber, "cpu", "startTimeout", "stopTimeout"),
	shapes(aTruth, "essential", "privileged", "readonlyRootFilesystem", "disableNetworking", "interactive", "pseudoTerminal"),
	shapes(someTexts, "links", "command", "entryPoint", "dnsServers", "dnsSearchDomains", "dockerSecurityOptions", "credentialSpecs"),
	shapes(aList, "environmentFiles", "secrets", "ulimits", "extraHosts", "systemControls", "resourceRequirements", "dependsOn"),
	shapes(anObject, "dockerLabels", "logConfiguration", "healthCheck", "linuxParameters", "firelensConfiguration", "repositoryCredentials", "restartPolicy"),
	map[string]shape{
		"portMappings": {aList, union(shapes(aNumber, "containerPort", "hostPort"), shapes(aText, "protocol", "name", "appProtocol", "containerPortRange"))},
		"environment":  {aList, shapes(aText, "name", "value")},
		"mountPoints":  {aList, union(shapes(aText, "sourceVolume", "containerPath"), shapes(aTruth, "readOnly"))},
		"volumesFrom":  {aList, union(shapes(aText, "sourceContainer"), shapes(aTruth, "readOnly"))},
	},
)

// keys checks an object's keys and what they hold. A key that is not known is
// reported where it may be meant to be one that is.
func (r *dockerrun) keys(where string, v *value, known map[string]shape) {
	names := slices.Sorted(maps.Keys(known))
	for _, m := range v.members {
		s, is := known[m.key]
		if !is {
			if hint := didYouMean(m.key, names); misspeltFor(v, meant(hint, names)) {
				r.problem(m.keyLine, "unknown key %q%s", where+m.key, hint)
			}
			continue
		}
		r.holds(where+m.key, m.value, s)
	}
}

// misspeltFor tells that a key which is not there may be meant by another one. The
// keys that must be there are reported as missing, with what is meant.
func misspeltFor(v *value, key string) bool {
	return key != "" && key != versionKey && key != "containerDefinitions" && v.get(key) == nil
}

// meant is the name in a hint of didYouMean.
func meant(hint string, names []string) string {
	for _, name := range names {
		if hint == fmt.Sprintf("; did you mean %q?", name) {
			return name
		}
	}
	return ""
}

func (r *dockerrun) holds(where string, v *value, s shape) {
	if s.kind != "" && !v.isA(s.kind) {
		r.problem(v.line, "%s is %s; write %s", where, v.kind(), s.kind)
		return
	}
	switch {
	case s.keys == nil:
	case v.object:
		r.keys(where+".", v, s.keys)
	case v.list:
		for i, item := range v.members {
			at := fmt.Sprintf("%s[%d]", where, i)
			if item.value.object {
				r.keys(at+".", item.value, s.keys)
			} else if s.kind != "" {
				r.problem(item.value.line, "%s is %s; write an object", at, item.value.kind())
			}
		}
	}
}

func (v *value) isA(kind string) bool {
	_, text := v.scalar.(string)
	_, number := v.scalar.(json.Number)
	_, truth := v.scalar.(bool)
	switch kind {
	case aText:
		return text
	case aNumber:
		return number
	case aScalar:
		return text || number
	case aTruth:
		return truth
	case anObject:
		return v.object
	case someTexts:
		return v.list && !slices.ContainsFunc(v.members, func(m member) bool { return m.value.text() == "" && !m.value.isA(aText) })
	}
	return v.list
}

// AsksOfDockerrun reads the ports of the host that the containers of a
// Dockerrun.aws.json version 2 are mapped to. In the other versions Elastic
// Beanstalk's own server answers on the instance.
func AsksOfDockerrun(src []byte) Asks {
	root, _ := parseJSON("", src)
	asks := Asks{AllPorts: root != nil}
	definitions := root.get("containerDefinitions")
	if definitions == nil {
		return asks
	}
	for _, container := range definitions.members {
		mappings := container.value.get("portMappings")
		if mappings == nil {
			continue
		}
		for _, m := range mappings.members {
			if number, is := m.value.get("hostPort").number(); is {
				asks.Ports = append(asks.Ports, number)
			}
		}
	}
	return asks
}

func (v *value) number() (int, bool) {
	if v == nil {
		return 0, false
	}
	number, is := v.scalar.(json.Number)
	if !is {
		return 0, false
	}
	n, err := number.Int64()
	return int(n), err == nil
}
