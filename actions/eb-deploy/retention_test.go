package ebdeploy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// stored puts versions v1, v2, … of the application into the account, the oldest
// first, each with its bundle.
func (s *stage) stored(n int) {
	const app, bucket = "docker-fullstack", "elasticbeanstalk-ap-northeast-2-957930470982"
	for i := range n {
		v := &wiretest.Version{Label: fmt.Sprintf("v%d", i+1), Bucket: bucket, Key: fmt.Sprintf("v%d.zip", i+1), Made: time.Now().AddDate(0, 0, i-n)}
		s.wire.Versions[app] = append(s.wire.Versions[app], v)
		s.wire.Buckets[bucket][v.Key] = &wiretest.Object{Body: []byte("zip")}
	}
}

// left are the labels of the application's versions and how many bundles there
// are.
func (s *stage) left() (labels []string, bundles int) {
	for _, v := range s.wire.Versions["docker-fullstack"] {
		labels = append(labels, v.Label)
	}
	return labels, len(s.wire.Buckets["elasticbeanstalk-ap-northeast-2-957930470982"])
}

// TestKeepVersions keeps two, the one that ran before, the one that runs
// elsewhere, and a bundle that another application has too.
func TestKeepVersions(t *testing.T) {
	for _, bundles := range []bool{false, true} {
		on(t, func(t *testing.T, s *stage) {
			const app = "docker-fullstack"
			s.stored(7)
			s.env.Label = "v2"
			s.wire.Apps[app] = append(s.wire.Apps[app], &wiretest.Environment{ID: "e-other", Name: "other", Label: "v4", Status: "Ready"})
			s.wire.Versions["another"] = []*wiretest.Version{{Label: "x", Bucket: s.wire.Versions[app][2].Bucket, Key: "v3.zip"}}
			s.inputs["keep-versions"], s.inputs["delete-bundles"] = "2", fmt.Sprint(bundles)
			got := s.run(t)
			labels, objects := s.left()
			if diff := cmp.Diff([]string{"v2", "v4", "v7", output(got, "version-label")}, labels); diff != "" || got.result() != "deployed" {
				t.Errorf("(-want +got):\n%s\n%s", diff, got)
			}
			want := 8 // seven and the new one
			if bundles {
				want = 5 // v1, v5 and v6 are gone; v3 belongs to another one too
			}
			if objects != want {
				t.Errorf("delete-bundles %t: %d bundles are left, want %d", bundles, objects, want)
			}
			if !strings.Contains(got.log, "deleted version v1") {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestKeepVersionsElsewhere keeps the way back of an environment that another
// run deploys to: past an attempt that failed, and past the same version again.
func TestKeepVersionsElsewhere(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		const app = "docker-fullstack"
		s.stored(8)
		s.env.Label = "v8"
		other := &wiretest.Environment{ID: "e-other", Name: "other", Label: "v5", Status: "Ready"}
		report := func(label, severity string) {
			for _, e := range []wiretest.Event{{Severity: "INFO", Message: "Environment update is starting."}, {Severity: severity, Message: "It ended."}} {
				e.At, e.Label = time.Now().Add(time.Duration(len(other.Events)-20)*time.Hour), label
				other.Events = append(other.Events, e)
			}
		}
		for _, one := range [][2]string{{"v1", "INFO"}, {"v2", "INFO"}, {"v4", "ERROR"}, {"v5", "INFO"}, {"v5", "INFO"}, {"v6", "ERROR"}} {
			report(one[0], one[1])
		}
		s.wire.Apps[app] = append(s.wire.Apps[app], other)
		s.inputs["keep-versions"] = "1"
		got := s.run(t)
		labels, _ := s.left()
		if diff := cmp.Diff([]string{"v2", "v4", "v5", "v8", output(got, "version-label")}, labels); diff != "" || got.result() != "deployed" {
			t.Errorf("left (-want +got):\n%s\n%s", diff, got)
		}
	})
}

// TestKeepVersionsYoung keeps what another run has just made and not sent yet, and
// what an environment is getting while it still shows another version.
func TestKeepVersionsYoung(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		const app = "docker-fullstack"
		s.stored(7)
		s.env.Label = "v4"
		s.wire.Versions[app][5].Made = time.Now().Add(-119 * time.Minute)
		s.wire.Versions[app][6].Made = time.Now().Add(-121 * time.Minute)
		other := &wiretest.Environment{ID: "e-other", Name: "other", Label: "v2", Status: "Updating"}
		for i, label := range []string{"v2", "v1"} {
			other.Events = append(other.Events, wiretest.Event{At: time.Now().Add(time.Duration(i-2) * time.Minute), Severity: "INFO", Message: "Environment update is starting.", Label: label})
		}
		s.wire.Apps[app] = append(s.wire.Apps[app], other)
		s.inputs["keep-versions"] = "1"
		got := s.run(t)
		labels, _ := s.left()
		if diff := cmp.Diff([]string{"v1", "v2", "v4", "v6", output(got, "version-label")}, labels); diff != "" || got.result() != "deployed" {
			t.Errorf("left (-want +got):\n%s\n%s", diff, got)
		}
	})
}

// TestKeepVersionsUnread deletes nothing where the events can't be read.
func TestKeepVersionsUnread(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.stored(3)
		s.inputs["env"], s.inputs["keep-versions"], s.inputs["env-vars"] = "", "1", ""
		s.wire.Fail(wiretest.Fault{Operation: "DescribeEvents", Status: 403, Code: "AccessDenied", Message: "not authorized", Times: 1})
		got := s.run(t)
		if labels, _ := s.left(); got.code != 0 || len(labels) != 4 || !strings.Contains(got.log, "::warning::no version is deleted, since it is not known which ones are to stay: read the events") {
			t.Errorf("left: %v\n%s", labels, got)
		}
	})
}

// TestKeepVersionsAgain leaves the way back where the same run comes again.
func TestKeepVersionsAgain(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.stored(3)
		s.env.Label, s.inputs["keep-versions"] = "v3", "1"
		first := s.run(t)
		again := s.run(t)
		labels, _ := s.left()
		if diff := cmp.Diff([]string{"v3", output(first, "version-label")}, labels); diff != "" || first.result() != "deployed" || again.result() != "unchanged" {
			t.Errorf("left (-want +got):\n%s\n%s\n%s", diff, first, again)
		}
	})
}

// TestKeepVersionsAfterFailure deletes nothing, and what can't be deleted is no
// failure.
func TestKeepVersionsAfterFailure(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.stored(3)
		s.inputs["keep-versions"] = "1"
		s.env.Script = fails(before)
		if got := s.run(t); got.result() != "rolled-back" {
			t.Errorf("%s", got)
		}
		if labels, _ := s.left(); len(labels) != 4 {
			t.Errorf("left: %v", labels)
		}
		s.env.Script = nil
		s.wire.Fail(wiretest.Fault{Operation: "DeleteApplicationVersion", Status: 400, Code: "SourceBundleDeletionException", Message: "in use", Times: 1})
		got := s.run(t)
		labels, _ := s.left()
		if diff := cmp.Diff([]string{"v1", output(got, "version-label")}, labels); diff != "" || got.code != 0 || !strings.Contains(got.log, `::warning::delete application version "v1": SourceBundleDeletionException: in use`) {
			t.Errorf("left (-want +got):\n%s\n%s", diff, got)
		}
	})
}

// TestKeepVersionsMakesRoom deploys although the quota is used up.
func TestKeepVersionsMakesRoom(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.stored(5)
		s.wire.VersionQuota = 5
		s.inputs["keep-versions"] = "3"
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("%s", got)
		}
		s.inputs["keep-versions"], s.inputs["delete-bundles"] = "-1", "true"
		got := s.run(t)
		for _, want := range []string{"input keep-versions: -1 is negative", "input delete-bundles: is true, but keep-versions does not say"} {
			if !strings.Contains(got.log, want) {
				t.Errorf("the log lacks %q:\n%s", want, got)
			}
		}
	})
}

// TestKeepVersionsCantMakeRoom has the quota used up by versions that stay, or
// that are another application's: nothing is uploaded.
func TestKeepVersionsCantMakeRoom(t *testing.T) {
	const app = "docker-fullstack"
	for name, prepare := range map[string]func(s *stage){
		"those that are kept": func(s *stage) { s.inputs["keep-versions"] = "5" },
		"those in use":        func(s *stage) { s.env.Label, s.wire.Versions[app] = "v1", s.wire.Versions[app][:1] },
		"young ones": func(s *stage) {
			for _, v := range s.wire.Versions[app] {
				v.Made = time.Now().Add(-time.Hour)
			}
		},
		"another application's": func(s *stage) {
			s.wire.Versions["another"], s.wire.Versions[app] = s.wire.Versions[app], nil
		},
	} {
		on(t, func(t *testing.T, s *stage) {
			s.stored(5)
			s.inputs["keep-versions"] = "1"
			prepare(s)
			s.wire.VersionQuota = len(s.wire.Versions[app]) + len(s.wire.Versions["another"])
			got := s.run(t)
			if got.result() != "rejected" || !strings.Contains(got.log, "keep-versions: "+s.inputs["keep-versions"]+" could delete none of docker-fullstack") {
				t.Errorf("%s: %s", name, got)
			}
			if wrote := s.wire.Wrote(); len(wrote) > 0 {
				t.Errorf("%s: it wrote %v", name, wrote)
			}
		})
	}
}
