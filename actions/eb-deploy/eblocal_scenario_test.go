package ebdeploy

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// scenario is a deployment of v2 to an environment of two instances that run v1.
type scenario struct {
	policy string
	// basic is an environment without enhanced health, whose instances can't be
	// asked.
	basic bool
	// fresh is an environment that runs nothing yet.
	fresh  bool
	faults eblocal.Faults
	broken []eblocaltest.Breakage
	inputs map[string]string
	// prepare comes last before the deployment; beside is what else happens, from
	// the beginning on.
	prepare func(t *testing.T, l *local)
	beside  func(t *testing.T, l *local)
	// settles is an environment that goes on after the run, and is looked at when
	// that is over.
	settles bool
	want    expected
}

// run also holds all that the user is shown against a golden file of the
// scenario's name.
func (s scenario) run(t *testing.T) {
	name := strings.Trim(notInName.ReplaceAllString(strings.TrimPrefix(t.Name(), "TestLocalVerdicts/"), "-"), "-")
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.set(t, [3]string{"aws:autoscaling:asg", "MinSize", "2"}, [3]string{commandOptions, "DeploymentPolicy", "AllAtOnce"})
		if !s.fresh {
			l.deployed(t, "v1")
		}
		l.set(t, [3]string{commandOptions, "DeploymentPolicy", s.policy},
			[3]string{commandOptions, "BatchSizeType", "Fixed"}, [3]string{commandOptions, "BatchSize", "1"})
		if s.basic {
			l.set(t, [3]string{"aws:elasticbeanstalk:healthreporting:system", "SystemType", "basic"})
		}
		for _, b := range s.broken {
			l.aws.Engine.Break(b)
		}
		l.aws.SetFaults(s.faults)
		maps.Copy(l.inputs, s.inputs)
		if s.prepare != nil {
			s.prepare(t, l)
		}
		time.Sleep(2 * time.Second) // the server tells its time by the second
		if s.beside != nil {
			go s.beside(t, l)
		}
		got := l.version(t, "v2")
		if s.settles {
			l.settle(t)
		}
		l.must(t, got, s.want)
		actiontest.Golden(t, filepath.Join("testdata", "verdicts", name+".golden"), timeless(got.String()))
	})
}

var (
	notInName  = regexp.MustCompile(`[^a-zA-Z0-9-]+`)
	clocks     = regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`)
	bars       = regexp.MustCompile(`(?m)^(  .* : (?:crit, )?)\d+, \d+$`)
	waiting    = regexp.MustCompile(`(?m)^environment "[^"]*" is \w+; waiting until it is Ready\n`)
	addressed  = regexp.MustCompile(`192\.0\.2\.\d+`)
	cutName    = regexp.MustCompile(`\b(i-0|e-)[0-9a-z]*…`)
	randomName = regexp.MustCompile(`\b(i-0|e-)[0-9a-z]{8,16}\b`)
)

// timeless has no times and no random names: when a look comes, and so what comes
// after it, is left to chance.
func timeless(text string) string {
	text = took.ReplaceAllString(text, "N s")
	text = waiting.ReplaceAllString(text, "")
	text = clocks.ReplaceAllString(text, "hh:mm:ss")
	text = bars.ReplaceAllString(text, "${1}N, N")
	text = addressed.ReplaceAllString(text, "192.0.2.1")
	text = cutName.ReplaceAllString(text, "$1…")
	known := map[string]string{}
	return randomName.ReplaceAllStringFunc(text, func(name string) string {
		if known[name] == "" {
			known[name] = fmt.Sprintf("%s-%d", name[:1], len(known)+1)
		}
		return known[name]
	})
}
