package buildpush

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// String is what dry-run prints.
func (p plan) String() string {
	var text strings.Builder
	verb := "build and push"
	if !p.push {
		verb = "build, without a push,"
	}
	fmt.Fprintf(&text, "Would %s %s side by side (builder: %s, cache: %s):\n", verb, p.count(), p.builder, p.cache.Cache)
	for _, one := range p.images {
		fmt.Fprintf(&text, "  %s: %s\n", one.build.Service, p.source(one.build))
		for _, line := range shape(one.build) {
			fmt.Fprintf(&text, "    %s\n", line)
		}
		for _, reference := range p.all(one) {
			fmt.Fprintf(&text, "    %s\n", reference)
		}
	}
	return text.String()
}

// count is how many images there are, in words.
func (p plan) count() string {
	if len(p.images) == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", len(p.images))
}

// summary is what a dry run shows for the job.
func (p plan) summary() string {
	var text strings.Builder
	pushed := "and pushed"
	if !p.push {
		pushed = "and not pushed"
	}
	fmt.Fprintf(&text, "%s, to be built %s; builder `%s`, cache `%s`.\n\n", p.count(), pushed, p.builder, p.cache.Cache)
	text.WriteString("| service | from | outcome | references |\n|---|---|---|---|\n")
	for _, one := range p.images {
		var references []string
		for _, reference := range p.all(one) {
			references = append(references, "`"+reference.String()+"`")
		}
		outcome := strings.Join(shape(one.build), "<br>")
		if outcome == "" {
			outcome = "a plain image"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", one.build.Service, action.Escape(p.source(one.build)), outcome, strings.Join(references, "<br>"))
	}
	return text.String()
}

// all are the references of an image, those of the file last.
func (p plan) all(one planned) []image.Reference { return append(p.references(one), one.more...) }

// shape tells what an image is to be beside plain.
func shape(build compose.Build) []string {
	var lines []string
	if len(build.Platforms) > 0 {
		lines = append(lines, "platforms: "+strings.Join(build.Platforms, ", "))
	}
	for _, one := range []struct{ name, value string }{{"provenance", build.Provenance}, {"sbom", build.SBOM}} {
		if one.value != "" && one.value != "false" {
			lines = append(lines, one.name+": "+one.value)
		}
	}
	return lines
}

// source tells what an image is built from.
func (p plan) source(build compose.Build) string {
	switch {
	case build.Inline != "":
		return "a Dockerfile in the Compose file"
	case build.Remote():
		return withoutLogin(build.Context)
	}
	dockerfile, err := filepath.Rel(p.workspace, build.Dockerfile)
	if err != nil {
		return build.Dockerfile
	}
	return dockerfile
}

// withoutLogin is an address without what stands before its host, which may be
// a token.
func withoutLogin(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.User == nil || parsed.Host == "" {
		return address
	}
	parsed.User = nil
	return parsed.String()
}
