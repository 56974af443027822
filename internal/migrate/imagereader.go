package migrate

import (
	"fmt"
	"slices"
)

// group are images that are pushed under the same tags and conditions: one
// step of build-push.
type group struct {
	conds  []string
	tags   []string
	images []*picture
	push   bool
	// plain marks tags that build-push's default covers.
	plain bool
}

type imageReader struct {
	scope   *scope
	images  *images
	builds  []*build
	aliases map[string][]arg
	// given are the names that docker tag gave to a build.
	given    map[*command][]arg
	pictures []*picture
}

func (r *imageReader) take(d *docker) error {
	later := imagePhases[d.phase]
	switch d.verb {
	case "build":
		b, err := readBuild(d)
		if err != nil && later {
			return err
		}
		if err == nil {
			r.builds = append(r.builds, b)
		}
		if err == nil && d.has("push") {
			for _, ref := range b.refs {
				if err := r.push(d, ref); err != nil {
					return err
				}
			}
		}
	case "tag":
		if len(d.args) == 2 {
			to := refKey(d.args[1])
			r.aliases[to] = append(r.aliases[to], d.args[0])
			if b := r.find(d.args[0], 0); b != nil {
				r.given[b.command] = append(r.given[b.command], d.args[1])
			}
		}
	case "push":
		if len(d.args) != 1 {
			return fmt.Errorf("docker push names no image")
		}
		return r.push(d, d.args[0])
	case "login":
		if _, ok := r.scope.conditionsOf(d.command); !ok {
			return fmt.Errorf("docker login depends on a condition that only a shell can check")
		}
		return r.images.login.add(d)
	case "compose":
		return r.compose(d)
	case "run":
		if later {
			return fmt.Errorf("docker run after the tests has no counterpart")
		}
	case "other":
		if verb := d.call.Args[1].Lit(); later && !slices.Contains([]string{"images", "ps", "version", "info", "rmi", "rm", "stop", "system"}, verb) {
			return fmt.Errorf("docker %s has no counterpart in build-push", verb)
		}
	}
	return nil
}

func refKey(ref arg) string {
	repository, tag := splitTag(ref)
	return repository.String() + ":" + tagText(tag)
}

func (r *imageReader) push(d *docker, ref arg) error {
	conds, ok := r.scope.conditionsOf(d.command)
	if !ok {
		return fmt.Errorf("docker push depends on a condition that only a shell can check")
	}
	repository, tag := splitTag(ref)
	build := r.find(ref, 0)
	if build == nil && tag == nil {
		// A push without a tag once pushed all of them.
		build = r.findRepository(repository)
	}
	if build == nil {
		return fmt.Errorf("docker push %s: no docker build of that image is read", ref)
	}
	buildConds, ok := r.scope.conditionsOf(build.command)
	if !ok {
		return fmt.Errorf("docker build of %s depends on a condition that only a shell can check", ref)
	}
	conds = append(conds, buildConds...)
	for _, p := range r.pictures {
		if p.repository.String() == repository.String() && p.build == build && conjunction(p.conds) == conjunction(conds) {
			p.tags = append(p.tags, r.tags(build, repository, tag)...)
			return nil
		}
	}
	r.pictures = append(r.pictures, &picture{repository: repository, build: build, tags: r.tags(build, repository, tag), conds: conds, pushed: true})
	return nil
}

// tags are those that a push names: all that the image has when it names none.
func (r *imageReader) tags(b *build, repository, tag arg) []arg {
	if tag != nil || b.has("push") {
		if tag == nil {
			return []arg{literal("latest")}
		}
		return []arg{tag}
	}
	tags := []arg{}
	for _, ref := range slices.Concat(b.refs, r.given[b.command]) {
		repo, t := splitTag(ref)
		if repo.String() != repository.String() {
			continue
		}
		if t == nil {
			t = literal("latest")
		}
		tags = append(tags, t)
	}
	if len(tags) == 0 {
		return []arg{literal("latest")}
	}
	return tags
}

// find is the build of an image, through the names that docker tag gave it.
func (r *imageReader) find(ref arg, depth int) *build {
	for _, b := range slices.Backward(r.builds) {
		for _, other := range b.refs {
			if sameImage(other, ref) {
				return b
			}
		}
	}
	for _, from := range r.aliases[refKey(ref)] {
		if depth < 8 {
			if b := r.find(from, depth+1); b != nil {
				return b
			}
		}
	}
	return nil
}

func (r *imageReader) findRepository(repository arg) *build {
	for _, b := range slices.Backward(r.builds) {
		for _, ref := range b.refs {
			if other, _ := splitTag(ref); other.String() == repository.String() {
				return b
			}
		}
	}
	return nil
}

func (r *imageReader) compose(d *docker) error {
	verb, rest := composeVerb(d)
	later := imagePhases[d.phase]
	switch verb {
	case "push":
		conds, ok := r.scope.conditionsOf(d.command)
		if !ok {
			return fmt.Errorf("docker-compose push depends on a condition that only a shell can check")
		}
		if len(rest) > 0 {
			return fmt.Errorf("docker-compose push of some services has no counterpart: build-push pushes all that have image and build")
		}
		r.images.compose, r.images.composeFiles, r.images.conds = true, d.composeFiles(), conds
	case "build", "pull", "down", "stop", "rm", "version", "config", "":
	default:
		if later {
			return fmt.Errorf("docker-compose %s has no counterpart in build-push", verb)
		}
	}
	return nil
}

// leftover are images that are built after the tests, or built for nothing but
// to see that they build, and not pushed.
func (r *imageReader) leftover(ran func(*build) bool) {
	for _, b := range r.builds {
		used := slices.ContainsFunc(r.pictures, func(p *picture) bool { return p.build == b })
		conds, ok := r.scope.conditionsOf(b.command)
		if used || ran(b) || len(b.refs) == 0 || !ok {
			continue
		}
		repository, _ := splitTag(b.refs[0])
		r.pictures = append(r.pictures, &picture{repository: repository, build: b, conds: conds})
	}
}

func (r *imageReader) group() {
	for _, p := range r.pictures {
		tags, plain := tagLines(p.tags)
		found := slices.IndexFunc(r.images.groups, func(g *group) bool {
			return g.push == p.pushed && conjunction(g.conds) == conjunction(p.conds) && g.plain == plain && slices.Equal(g.tags, tags)
		})
		if found < 0 {
			r.images.groups = append(r.images.groups, &group{conds: p.conds, tags: tags, plain: plain, push: p.pushed})
			found = len(r.images.groups) - 1
		}
		g := r.images.groups[found]
		g.images = append(g.images, p)
	}
}
