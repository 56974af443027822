// Package cache owns where the steps of builds are kept between runs: which
// caches a build reads and writes, by the input cache, the engine and what the
// runner offers.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// The values of the input cache.
const (
	Auto     = "auto"
	None     = "none"
	Inline   = "inline"
	Registry = "registry"
	GitHub   = "gha"
)

var kinds = []string{Auto, None, Inline, Registry, GitHub}

// Inputs are alike in every action that builds.
type Inputs struct {
	Cache string `env:"CACHE" envDefault:"auto"`
}

// Check reports a value that is none.
func (i Inputs) Check() error {
	if slices.Contains(kinds, i.Cache) {
		return nil
	}
	return action.BadInput("cache", "%q is none of %s", i.Cache, strings.Join(kinds, ", "))
}

// Host is what the engine and the runner can do.
type Host struct {
	// Exports tells an engine that can write caches of every kind; the classic
	// image store can only write them into the image.
	Exports bool
	// URL and Token are those of GitHub's cache service, "" without one.
	URL, Token string
	// Act tells that the step runs under act, whose cache service is of an older
	// kind.
	Act bool
	// AWS are the step's credentials by the names that caches in S3 have for
	// them, nil without.
	AWS map[string]string
}

// HostOf reads what the runner offers. A container action gets the address and
// the token of the cache service, and not the variable that tells its version
// (actions/runner, ContainerActionHandler.cs).
func HostOf(exports bool, getenv func(string) string) Host {
	host := Host{Exports: exports, Act: getenv("ACT") != "", AWS: aws(getenv)}
	if !host.Act {
		host.URL, host.Token = getenv("ACTIONS_RESULTS_URL"), getenv("ACTIONS_RUNTIME_TOKEN")
	}
	return host
}

// aws reads the credentials that aws-actions/configure-aws-credentials leaves.
func aws(getenv func(string) string) map[string]string {
	found := map[string]string{}
	for name, variable := range map[string]string{
		"access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY", "session_token": "AWS_SESSION_TOKEN",
	} {
		if value := getenv(variable); value != "" {
			found[name] = value
		}
	}
	if found["access_key_id"] == "" || found["secret_access_key"] == "" {
		return nil
	}
	return found
}

func (h Host) github() bool { return h.Exports && h.URL != "" && h.Token != "" }

// Reach gives caches that a source names what it takes to reach them, as docker
// buildx does: those of GitHub's cache service, and those in S3 that name no
// credentials of their own. Those of a service that is not there are missing;
// an engine that has no such cache at all keeps them, to refuse them.
func (h Host) Reach(caches []compose.Cache) (reached []compose.Cache, missing bool) {
	for _, one := range caches {
		if one.Type == GitHub && h.Exports && one.Attrs["token"] == "" {
			if !h.github() {
				missing = true
				continue
			}
			attrs := map[string]string{"url_v2": h.URL, "token": h.Token, "version": "2"}
			maps.Copy(attrs, one.Attrs)
			one.Attrs = attrs
		}
		if one.Type == "s3" && one.Attrs["access_key_id"] == "" && one.Attrs["secret_access_key"] == "" {
			attrs := maps.Clone(one.Attrs)
			maps.Copy(attrs, h.AWS)
			one.Attrs = attrs
		}
		reached = append(reached, one)
	}
	return reached, missing
}

// OnEngine are the caches of a source that the BuildKit in the engine can read
// and write, with what it takes to reach them. They are for an image that is the
// same without the others and has no other builder, as a test's.
func (h Host) OnEngine(from, to []compose.Cache) (read, written []compose.Cache) {
	has := func(all []compose.Cache, kinds ...string) []compose.Cache {
		if h.Exports {
			kinds = append(kinds, GitHub, Registry)
		}
		all, _ = h.Reach(all)
		return slices.DeleteFunc(all, func(one compose.Cache) bool { return !slices.Contains(kinds, one.Type) })
	}
	return has(from, Registry), has(to, Inline)
}

// Optional lets a build go on without what it can't write, as one that is not to
// be pushed: a pull request from a fork has no login.
func Optional(to []compose.Cache) []compose.Cache {
	var all []compose.Cache
	for _, one := range to {
		if _, given := one.Attrs["ignore-error"]; !given && one.Type != Inline {
			one.Attrs = maps.Clone(one.Attrs)
			one.Attrs["ignore-error"] = "true"
		}
		all = append(all, one)
	}
	return all
}

// Image is one that is built.
type Image struct {
	Service string
	// Role tells apart what builds the service: two that wrote one cache would
	// overwrite each other's. Each reads those of all roles.
	Role Role
	// Name has no tag; it is empty for an image that is never pushed.
	Name image.Reference
	// Tags are those that an earlier image may have.
	Tags []string
	// Pushed tells that the image, and what is kept beside it, goes to the
	// registry.
	Pushed bool
}

// Role is what builds a service.
type Role string

// The roles.
const (
	Build Role = "build"
	Test  Role = "test"
)

var roles = []Role{Build, Test}

// Earlier are the tags that build-push gives by default to what it pushes from
// a branch: the images of the trigger's branch and of the default branch may
// hold steps that need not be run again, for a pull request too.
func Earlier(trigger action.Trigger) []string {
	var tags []string
	for _, branch := range []string{trigger.Branch, trigger.DefaultBranch} {
		if tag := image.BranchTag(branch); branch != "" && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return append(tags, "latest")
}

// Notice tells that the input can't be had, where an error would help nobody; it
// is "" otherwise. A workflow has to run under act as it is.
func (i Inputs) Notice(host Host) string {
	if i.Cache != GitHub || !host.Act {
		return ""
	}
	return "input cache: gha is off under act, whose cache service is of another kind; it is inline here"
}

// kind is the one that the input stands for.
func (i Inputs) kind(host Host) string {
	switch {
	case i.Cache == GitHub && host.Act:
		return Inline
	case i.Cache != Auto:
		return i.Cache
	case host.github():
		return GitHub
	}
	return Inline
}

// ReadsImages tells that steps are kept in the images themselves: then it
// matters which of them there are.
func (i Inputs) ReadsImages(host Host) bool { return i.kind(host) == Inline }

// For is what a build reads and writes. The error says why the engine or the
// runner has no such cache.
func (i Inputs) For(host Host, one Image) (from, to []compose.Cache, err error) {
	switch i.kind(host) {
	case None:
		return nil, nil, nil
	case GitHub:
		if err := host.checkGitHub(one.Role); err != nil {
			return nil, nil, err
		}
		from, to = host.gha(one)
	case Registry:
		if !host.Exports {
			return nil, nil, needsExports(Registry, one.Role)
		}
		from, to = inRegistry(one)
	default:
		from, to = inImage(one)
	}
	return from, to, nil
}

// needsExports is the error for a kind that the engine can't write. Only what
// builds to push has another builder to offer.
func needsExports(kind string, role Role) error {
	other := ""
	if role == Build {
		other = ", or builder: container"
	}
	return action.BadInput("cache", "%s needs an engine with the containerd image store%s; this one can keep steps in the image alone: give inline or auto", kind, other)
}

func (h Host) checkGitHub(role Role) error {
	switch {
	case !h.Exports:
		return needsExports(GitHub, role)
	case !h.github():
		return action.BadInput("cache", "gha needs GitHub's cache service, which this runner does not offer: give auto")
	}
	return nil
}

// gha is GitHub's cache service, with a scope for each image and role. Only
// the steps of the last stage are kept, since more takes longer to send than
// most builds take; a service that fails never fails a build.
func (h Host) gha(one Image) (from, to []compose.Cache) {
	entry := func(scope string, more map[string]string) compose.Cache {
		attrs := map[string]string{"scope": scope, "url_v2": h.URL, "token": h.Token, "version": "2"}
		maps.Copy(attrs, more)
		return compose.Cache{Type: "gha", Attrs: attrs}
	}
	read := roles
	if one.Name.Repository == "" {
		read = []Role{one.Role}
	}
	for _, role := range read {
		from = append(from, entry(one.scope(role), nil))
	}
	return from, []compose.Cache{entry(one.scope(one.Role), map[string]string{"mode": "min", "ignore-error": "true"})}
}

// scope is an image's part of the cache service, which a repository has one of.
// The name's hash tells services apart that several Compose files of the
// repository call alike; a service without a name shares with no other role.
func (i Image) scope(role Role) string {
	scope := "travois-" + i.Service
	if i.Name.Repository != "" {
		sum := sha256.Sum256([]byte(i.Name.Name()))
		scope += "-" + hex.EncodeToString(sum[:4])
	}
	return scope + "-" + string(role)
}

// inRegistry keeps steps beside the image, under a tag of each role: as an
// image, since Amazon ECR takes no index of layers, which BuildKit before 0.21
// writes.
func inRegistry(one Image) (from, to []compose.Cache) {
	if one.Name.Repository == "" {
		return nil, nil
	}
	at := func(role Role) string { return one.Name.WithTag("cache-" + string(role)).String() }
	for _, role := range roles {
		from = append(from, compose.Cache{Type: "registry", Attrs: map[string]string{"ref": at(role)}})
	}
	if one.Pushed {
		to = []compose.Cache{{Type: "registry", Attrs: map[string]string{"ref": at(one.Role), "mode": "min", "image-manifest": "true", "ignore-error": "true"}}}
	}
	return from, to
}

// inImage keeps the steps of the last stage in the image itself.
func inImage(one Image) (from, to []compose.Cache) {
	if one.Name.Repository != "" {
		for _, tag := range one.Tags {
			from = append(from, compose.Cache{Type: "registry", Attrs: map[string]string{"ref": one.Name.WithTag(tag).String()}})
		}
	}
	if one.Pushed {
		to = []compose.Cache{{Type: "inline"}}
	}
	return from, to
}
