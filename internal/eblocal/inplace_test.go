package eblocal

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// TestRollingOnTheEngine has two instances, whose containers are replaced one
// after the other, and a version whose containers die.
func TestRollingOnTheEngine(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	b := onEngine(t, testOptions(t))
	bundle := func(image string) map[string]string {
		return map[string]string{composeFile: "services:\n  web:\n    image: " + image + "\n    container_name: web\n    ports: ['80:8000']\n"}
	}
	b.version("v1", bundle(images.push("web:1", "PORT=8000", "TEXT=one")))
	b.version("v2", bundle(images.push("web:2", "PORT=8000", "TEXT=two")))
	b.version("v3", bundle(images.push("web:broken", "DIE=no database")))
	settings := func(o ...[]ebtypes.ConfigurationOptionSetting) (all []ebtypes.ConfigurationOptionSetting) {
		for _, one := range o {
			all = append(all, one...)
		}
		return all
	}
	b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v1"), OptionSettings: settings(
		option(commandNamespace, "DeploymentPolicy", "Rolling"), option(groupNamespace, "MinSize", "2"), option(commandNamespace, "BatchSize", "50"))})
	b.awaitReady()
	b.mustServe("text=one")

	mustContain(t, "events", strings.Join(b.deployed("v2"), "\n"), "INFO Batch 2: Completed application deployment.")
	for range 4 { // both instances
		b.mustServe("text=two")
	}
	if got := len(strings.Fields(b.objects("container"))); got != 2 {
		t.Errorf("%d containers, expected one of each instance", got)
	}

	mustContain(t, "events", strings.Join(b.deployed("v3"), "\n"), `Container "web" exited with code 1.`, "ERROR During an aborted deployment")
	for range 4 { // the one that failed stays out of service
		b.mustServe("text=two")
	}
	if e := b.environment(); aws.ToString(e.VersionLabel) != "v2" || e.Health != ebtypes.EnvironmentHealthRed {
		t.Errorf("after a failed batch: label %q, health %s; expected v2, Red", aws.ToString(e.VersionLabel), e.Health)
	}
	mustContain(t, "tail", b.tail(), "no database", "serving two")
	b.deployed("v1")
	for range 4 {
		b.mustServe("text=one")
	}
	b.awaitHealth(ebtypes.EnvironmentHealthGreen)
}
