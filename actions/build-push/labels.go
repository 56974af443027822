package buildpush

import (
	"strings"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
)

// labels are the input's for a service. {sha} is the whole commit and {date}
// its time in RFC 3339, as OCI's revision and created are written; a label that
// has no value for one is left out. Other braces stay as they are. Source: the
// OCI image specification, annotations.md.
func (c config) labels(t action.Trigger, service string) map[string]string {
	all := map[string]string{}
	known := map[string]string{"{sha}": t.SHA, "{date}": ""}
	if !t.Date.IsZero() {
		known["{date}"] = t.Date.UTC().Format(time.RFC3339)
	}
	for name, value := range c.Labels.For(service) {
		missing := false
		for braced, filled := range known {
			if strings.Contains(value, braced) {
				missing = missing || filled == ""
				value = strings.ReplaceAll(value, braced, filled)
			}
		}
		if !missing {
			all[name] = value
		}
	}
	return all
}

// shape gives a build what the inputs say of its outcome, over the source.
func (c config) shape(build *compose.Build) {
	if given := c.platforms(); len(given) > 0 {
		build.Platforms = given
	}
	if c.Provenance != "" {
		build.Provenance = c.Provenance
	}
	if c.SBOM != "" {
		build.SBOM = c.SBOM
	}
}
