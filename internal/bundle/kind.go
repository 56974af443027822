package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/guk0/travois/internal/place"
)

// Kind is what a deploy file is. The text is for messages.
type Kind string

// The deploy files of Elastic Beanstalk's Docker platforms.
const (
	Compose     Kind = "Compose file"
	DockerrunV1 Kind = "Dockerrun.aws.json version 1"
	DockerrunV2 Kind = "Dockerrun.aws.json version 2"
	DockerrunV3 Kind = "Dockerrun.aws.json version 3"
	// Dockerfile is one that the instances build.
	Dockerfile Kind = "Dockerfile"
)

// DeployFileKind tells by a file's name, and in a Dockerrun.aws.json by its
// version, what it is. The error names the line of a version that is not
// written as it must be; the kind is empty beside it only where the version
// is not recognisable. RenderDockerrun reports the same error.
func DeployFileKind(filename string, src []byte) (Kind, error) {
	if path.Base(filename) == string(Dockerfile) {
		return Dockerfile, nil
	}
	if !strings.HasSuffix(strings.ToLower(path.Base(filename)), ".aws.json") {
		return Compose, nil
	}
	root, err := parseJSON(filename, src)
	if root == nil {
		return "", err
	}
	kind, kindErr := dockerrunKind(filename, root)
	return kind, errors.Join(err, kindErr)
}

// dockerrunKind is the kind with an error where the version is recognisable but
// not written as it must be; the kind is empty where it is not.
func dockerrunKind(file string, root *value) (Kind, error) {
	if !root.object {
		return "", place.At(file, root.line, fmt.Errorf("the file is %s; a Dockerrun.aws.json is an object", root.kind()))
	}
	version := root.get(versionKey)
	if version != nil {
		return kindOf(file, version)
	}
	for _, m := range root.members {
		if didYouMean(m.key, []string{versionKey}) != "" {
			kind, _ := kindOf(file, m.value)
			return kind, place.At(file, m.keyLine, fmt.Errorf("unknown key %q; did you mean %q?", m.key, versionKey))
		}
	}
	return "", place.At(file, root.line, fmt.Errorf(`no %s: write "%s": 2 for several containers, "%s": "1" for one`, versionKey, versionKey, versionKey))
}

func kindOf(file string, version *value) (Kind, error) {
	switch version.scalar {
	case json.Number("2"):
		return DockerrunV2, nil
	case "1":
		return DockerrunV1, nil
	case "3":
		return DockerrunV3, nil
	}
	wrong := func(kind Kind, want string) (Kind, error) {
		return kind, place.At(file, version.line, fmt.Errorf("%s is %s; write %s", versionKey, version.kind(), want))
	}
	switch version.scalar {
	case "2":
		return wrong(DockerrunV2, "2, a number")
	case json.Number("1"):
		return wrong(DockerrunV1, `"1", a text`)
	case json.Number("3"):
		return wrong(DockerrunV3, `"3", a text`)
	}
	return wrong("", `2 for several containers, "1" for one`)
}
