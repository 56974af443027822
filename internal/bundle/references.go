package bundle

import (
	"slices"
	"strings"
)

// logVolume begins the names of the volumes that Elastic Beanstalk makes by
// itself, one for the logs of each container. Source: the Elastic Beanstalk guide,
// "Dockerrun.aws.json v2".
const logVolume = "awseb-logs-"

// volumeNames are the volumes that a Dockerrun.aws.json of version 2 declares.
func volumeNames(root *value) []string {
	var names []string
	for _, m := range root.get("volumes").items() {
		names = append(names, m.value.get("name").text())
	}
	return names
}

// references refuses what ECS refuses: a container that names another one, or a
// volume, that is not there.
func (r *dockerrun) references(c *value, containers, volumes []string) {
	name := c.get("name").text()
	refer := func(v *value, as, what, to string, there []string) {
		if to == "" { // its type is checked elsewhere
			return
		}
		if slices.Contains(there, to) {
			return
		}
		r.problem(v.line, "container %q: %s %q, which is no %s of the file; it has %s%s", name, as, to, what, list(there), didYouMean(to, there))
	}
	for _, m := range c.get("links").items() {
		to, _, _ := strings.Cut(m.value.text(), ":")
		refer(m.value, "links to", "container", to, containers)
	}
	for _, m := range c.get("volumesFrom").items() {
		to := m.value.get("sourceContainer")
		refer(m.value, "volumesFrom names", "container", to.text(), containers)
	}
	for _, m := range c.get("dependsOn").items() {
		to := m.value.get("containerName")
		refer(m.value, "dependsOn names", "container", to.text(), containers)
	}
	for _, m := range c.get("mountPoints").items() {
		if to := m.value.get("sourceVolume").text(); !strings.HasPrefix(to, logVolume) {
			refer(m.value, "mounts", "volume", to, volumes)
		}
	}
}
