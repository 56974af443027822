package buildpush

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
)

// The values of the output result.
const (
	notBuilt  = "planned"
	builtOnly = "built"
	pushed    = "pushed"
	rejected  = "rejected"
	failed    = "failed"
)

// result is what became of a plan.
type result struct {
	verdict string
	tag     string
	images  []imageResult
	// outline is what a dry run shows.
	outline string
}

type imageResult struct {
	service string
	name    image.Reference
	built   engine.Built
	// tags are those that were pushed.
	tags []string
	// more are the file's own that were pushed.
	more []image.Reference
	// found is the digest that the registry had the image under before, "" if it
	// had not.
	found string
	// digest is the registry's, set when the image is up.
	digest string
	// already tells that the registry had the image.
	already bool
	// pushing is what was done to push it, in order.
	pushing []span
}

// span is a part of a push.
type span struct {
	name  string
	begin time.Time
	took  time.Duration
}

// pushTime is how long the parts of a push took together.
func (i imageResult) pushTime() time.Duration {
	var all time.Duration
	for _, part := range i.pushing {
		all += part.took
	}
	return all
}

// unbuilt is the result of a plan before anything was done, which is the end of
// a dry run.
func (p plan) unbuilt() result {
	done := result{verdict: notBuilt, outline: p.summary()}
	if len(p.tags) > 0 {
		done.tag = p.tags[0]
	}
	for _, one := range p.images {
		done.images = append(done.images, imageResult{service: one.build.Service, name: one.name})
	}
	return done
}

func finish(r *action.Runner, done result, err error) error {
	outputs := done.outputs()
	if warning := dropped(outputs, hidden(r)); warning != nil {
		r.Log.Warning(warning)
	}
	return r.Finish(outputs, done.summary(), err)
}

// outputs are set for what was built, or pushed, and where something failed for
// what is up all the same, with a tag that it has. tags and digests hold no
// repository's name, since GitHub drops a job's output that holds a masked value.
func (d result) outputs() action.Outputs {
	images, tags, digests := map[string]string{}, map[string]string{}, map[string]string{}
	for _, one := range d.images {
		if d.verdict == rejected || d.verdict == failed && one.digest == "" {
			continue
		}
		tag := d.handedOn(one)
		if tag != "" {
			tags[one.service] = tag
		}
		images[one.service] = one.name.WithTag(tag).WithDigest(one.digest).String()
		if one.digest != "" {
			digests[one.service] = one.digest
		}
	}
	outputs := action.Outputs{"result": d.verdict, "tag": d.tag, "pushed": fmt.Sprint(d.verdict == pushed)}
	outputs.JSON("images", images)
	outputs.JSON("tags", tags)
	outputs.JSON("digests", digests)
	return outputs
}

// handedOn is the tag that stands for an image: the first or, where that has not
// moved, the one that the image is up under, "" if it is up by its digest alone.
func (d result) handedOn(one imageResult) string {
	if d.verdict != failed || slices.Contains(one.tags, d.tag) {
		return d.tag
	}
	return strings.Join(one.tags[:min(1, len(one.tags))], "")
}

func (d result) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## Images: %s\n\n", d.verdict)
	if len(d.images) == 0 {
		return text.String()
	}
	if d.verdict == notBuilt {
		return text.String() + d.outline
	}
	text.WriteString("| service | image | tags pushed | digest | size | from cache | build | push |\n|---|---|---|---|--:|--:|--:|--:|\n")
	for _, one := range d.images {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
			one.service, one.name, code(strings.Join(one.pushedTags(), "`, `")), code(short(one.digest)),
			size(one.built.Size), cached(one.built), action.Seconds(one.built.Duration), one.pushCell())
	}
	return text.String() + d.timeline()
}

// pushedTags are the tags, and the references of the file whole.
func (i imageResult) pushedTags() []string {
	all := slices.Clone(i.tags)
	for _, more := range i.more {
		all = append(all, more.String())
	}
	return all
}

// pushCell is how long the push took, or that there was nothing to send.
func (i imageResult) pushCell() string {
	if i.already {
		return "was there"
	}
	return action.Seconds(i.pushTime())
}

func code(text string) string {
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}

// short is enough of a digest to tell two apart.
func short(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

func cached(built engine.Built) string {
	if built.Steps == 0 {
		return "–"
	}
	return fmt.Sprintf("%d of %d steps", built.Cached, built.Steps)
}

func size(bytes int64) string {
	if bytes == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
