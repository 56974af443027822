package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/guk0/travois/internal/artifact"
	"github.com/guk0/travois/internal/junit"
)

// maxArtifacts is how much one line of the input artifacts may copy out, in
// bytes: more than a disk of the runner's has free would end the job.
const maxArtifacts = 8 << 30

// collect copies reports and artifacts out of the containers, which have ended
// or still run as dependencies do. A copy of which nothing comes for the input
// idle-timeout is given up.
func (st *stage) collect(ctx context.Context, into *try) {
	main := st.units[st.suite.name]
	if main == nil || main.instance == nil {
		return
	}
	ctx, copying := newWatch(ctx, st.plan.idle)
	defer copying.stop()
	for _, pattern := range st.suite.reports {
		copying.now("copying " + pattern)
		found, err := st.report(ctx, copying, main, pattern)
		if err != nil {
			err = fmt.Errorf("suite %q: report %s: %w", st.suite.name, pattern, err)
		}
		into.reports = append(into.reports, found...)
		into.warnings = append(into.warnings, err)
	}
	for _, one := range st.suite.artifacts {
		copying.now("copying " + one.from)
		count, err := st.artifact(ctx, copying, one)
		if err != nil {
			err = fmt.Errorf("suite %q: artifact %s of %s: %w", st.suite.name, one.from, one.service, err)
		} else {
			st.log.Printf("suite %q: copied %s of %s to %s: %d files, %d bytes", st.suite.name, one.from, one.service, one.to, count.Files, count.Bytes)
		}
		into.warnings = append(into.warnings, err)
	}
	into.warnings = slices.DeleteFunc(into.warnings, func(err error) bool { return err == nil })
}

func (st *stage) report(ctx context.Context, copying *watch, from *unit, pattern string) ([]junit.Report, error) {
	stream, err := from.instance.CopyOut(ctx, artifact.Root(pattern))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoReport
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	var found []junit.Report
	err = artifact.Match(copying.read(ctx, stream), pattern, func(name string, content io.Reader) error {
		found = append(found, junit.Parse(name, content))
		return nil
	})
	if err == nil && len(found) == 0 {
		err = errNoReport
	}
	return found, err
}

var errNoReport = errors.New("the container has no such file; does the suite write it there?")

func (st *stage) artifact(ctx context.Context, copying *watch, one copiedOut) (artifact.Written, error) {
	unit := st.units[one.service]
	if unit == nil || unit.instance == nil {
		return artifact.Written{}, errors.New("its container was never made")
	}
	owner, err := artifact.OwnerOf(st.plan.workspace)
	if err != nil {
		return artifact.Written{}, err
	}
	stream, err := unit.instance.CopyOut(ctx, one.from)
	if errors.Is(err, fs.ErrNotExist) {
		return artifact.Written{}, errors.New("the container has no such file or folder")
	}
	if err != nil {
		return artifact.Written{}, err
	}
	defer func() { _ = stream.Close() }()
	return artifact.Write(copying.read(ctx, stream), st.plan.workspace, one.to, owner, maxArtifacts)
}
