package ebdeploy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// wrote are the calls since an earlier count that changed something.
func (l *local) wrote(t *testing.T, before int, want ...string) {
	t.Helper()
	if got := l.aws.Wrote()[before:]; !slices.Equal(got, want) {
		t.Errorf("writes %v; want %v", got, want)
	}
}

// existing deploys a version that is there.
func (l *local) existing(t *testing.T, label string) ended {
	t.Helper()
	l.inputs["version-label"], l.inputs["tags"] = label, ""
	return l.run(t)
}

// TestLocalVersions begins with v1 running.
func TestLocalVersions(t *testing.T) {
	onV1, onV2 := end{"v1", "Green", v1, []string{"v1"}, 1}, end{"v2", "Green", v2, both, 2}
	beside := onV1
	beside.Versions, beside.Bundles = both, 2
	only := func(t *testing.T, l *local) string {
		l.inputs["env"] = ""
		got := l.version(t, "v2")
		l.inputs["env"] = eblocaltest.Env
		if got.result() != "created" {
			t.Fatalf("%s", got)
		}
		return strings.TrimPrefix(output(got, "s3-uri"), "s3://")
	}
	for name, c := range map[string]struct {
		quotas eblocal.Quotas
		// run comes after before, which may write.
		before func(t *testing.T, l *local)
		run    func(t *testing.T, l *local) ended
		writes []string
		want   expected
	}{
		"the version only": {run: func(t *testing.T, l *local) ended { l.inputs["env"] = ""; return l.version(t, "v2") },
			writes: []string{"CreateStorageLocation", "PutObject", "CreateApplicationVersion"},
			want: expected{result: "created", log: []string{"created version v2 from s3://"}, end: beside,
				outputs: map[string]string{"version-label": "v2", "environment-url": "", "previous-version-label": "", "results": "{}"}}},
		"unchanged": {run: func(t *testing.T, l *local) ended { return l.version(t, "v1") },
			want: expected{result: "unchanged", end: onV1, outputs: map[string]string{"previous-version-label": "v1", "health": "Green"}}},
		"forth and the way back": {before: func(t *testing.T, l *local) { l.deployed(t, "v2") }, run: func(t *testing.T, l *local) ended { return l.existing(t, "v1") },
			writes: []string{"UpdateEnvironment"}, want: expected{result: "deployed", end: beside, outputs: map[string]string{"previous-version-label": "v2", "bundle-sha256": ""}}},
		"an existing one that is not there": {run: func(t *testing.T, l *local) ended { return l.existing(t, "v9") },
			want: expected{result: "rejected", code: 1, log: []string{`has no version "v9"`}, end: onV1}},
		"the same label for other content": {run: func(t *testing.T, l *local) ended {
			l.inputs["version-label"], l.inputs["tags"] = "v1", `{"nginx":"v2","backend":"v2"}`
			return l.run(t)
		}, want: expected{result: "rejected", code: 1, log: []string{`application version "v1" exists with other content: stored sha256 `, ", this bundle ", "give another version-label"}, end: onV1}},
		"a bundle without its version": {before: func(t *testing.T, l *local) {
			only(t, l)
			l.aws.Ask(t, "DeleteApplicationVersion", "ApplicationName", eblocaltest.App, "VersionLabel", "v2")
		}, run: func(t *testing.T, l *local) ended { return l.version(t, "v2") }, writes: []string{"CreateStorageLocation", "CreateApplicationVersion", "UpdateEnvironment"},
			want: expected{result: "deployed", log: []string{"which was there"}, end: onV2}},
		"a version without its bundle": {before: func(t *testing.T, l *local) { l.aws.Lose(t, only(t, l)) }, run: func(t *testing.T, l *local) ended { return l.version(t, "v2") },
			writes: []string{"CreateStorageLocation", "PutObject", "UpdateEnvironment"}, want: expected{result: "deployed", log: []string{"version v2 had lost its bundle; it is at s3://"}, end: onV2}},
		"the running version without its bundle": {before: func(t *testing.T, l *local) { l.aws.Lose(t, l.aws.Account(t).Objects[0]) }, run: func(t *testing.T, l *local) ended { return l.version(t, "v1") },
			writes: []string{"CreateStorageLocation", "PutObject"}, want: expected{result: "unchanged", log: []string{"version v1 had lost its bundle"}, end: onV1}},
		"an existing one without its bundle": {before: func(t *testing.T, l *local) { l.aws.Lose(t, only(t, l)) }, run: func(t *testing.T, l *local) ended { return l.existing(t, "v2") },
			want: expected{result: "rejected", code: 1, log: []string{`version "v2" can't be deployed: its bundle`, "is gone"}, end: end{"v1", "Green", v1, both, 1}}},
		"no room": {quotas: eblocal.Quotas{Versions: 1}, run: func(t *testing.T, l *local) ended { return l.version(t, "v2") },
			want: expected{result: "rejected", code: 1, log: []string{"no version can be made: there are 1 of 1 application versions", "give keep-versions"}, end: onV1}},
		"room is made": {quotas: eblocal.Quotas{Versions: 3}, before: func(t *testing.T, l *local) {
			l.deployed(t, "v2")
			l.deployed(t, "v3")
		}, run: func(t *testing.T, l *local) ended {
			time.Sleep(3 * time.Hour) // younger ones may be another run's
			l.inputs["keep-versions"], l.inputs["delete-bundles"] = "1", "true"
			return l.version(t, "v4")
		}, writes: []string{"CreateStorageLocation", "DeleteApplicationVersion", "PutObject", "CreateApplicationVersion", "UpdateEnvironment", "DeleteApplicationVersion"},
			want: expected{result: "deployed", log: []string{"deleted version v1 and its bundle"}, not: []string{"::warning::"}, end: end{"v4", "Green", []string{"v4 Deployed"}, []string{"v3", "v4"}, 2}}},
		"no room can be made": {quotas: eblocal.Quotas{Versions: 2}, before: func(t *testing.T, l *local) { l.deployed(t, "v2") }, run: func(t *testing.T, l *local) ended {
			l.inputs["keep-versions"] = "1"
			return l.version(t, "v3")
		}, want: expected{result: "rejected", code: 1, log: []string{"keep-versions: 1 could delete none"}, end: onV2}},
		"dry-run": {run: func(t *testing.T, l *local) ended { l.inputs["dry-run"] = "true"; return l.version(t, "v2") },
			want: expected{result: "planned", log: []string{"-    image: guk0/docker-nginx:v1", "+    image: guk0/docker-nginx:v2", `"elasticbeanstalk:CreateApplicationVersion"`}, end: onV1}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{Quotas: c.quotas}, func(t *testing.T, l *local) {
				l.deployed(t, "v1")
				if c.before != nil {
					c.before(t, l)
				}
				before := len(l.aws.Wrote())
				got := c.run(t, l)
				l.wrote(t, before, c.writes...)
				l.must(t, got, c.want)
			})
		})
	}
}

// TestLocalKeepVersions keeps the newest, those in use and the way back of each
// environment.
func TestLocalKeepVersions(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.deployed(t, "v1")
		l.inputs["create"], l.inputs["env"], l.inputs["option-settings"] = "true", "second-env", profile
		l.deployed(t, "v1")
		l.deployed(t, "v2")
		l.inputs["create"], l.inputs["env"], l.inputs["option-settings"] = "false", eblocaltest.Env, ""
		for _, label := range []string{"v3", "v4", "v5", "v6"} {
			l.deployed(t, label)
		}
		time.Sleep(3 * time.Hour) // younger ones may be another run's
		l.inputs["keep-versions"], l.inputs["delete-bundles"] = "1", "true"
		got := l.deployed(t, "v7")
		// v1 and v2 are of the second environment, v6 and v7 of the first.
		l.must(t, got, expected{result: "deployed", log: []string{"deleted version v3 and its bundle", "deleted version v5 and its bundle"},
			end: end{"v7", "Green", []string{"v7 Deployed"}, []string{"v1", "v2", "v6", "v7"}, 4}})
		if kept := bundles(l.aws.Account(t)); !slices.ContainsFunc(kept, func(path string) bool { return strings.Contains(path, "/v1-") }) {
			t.Errorf("the bundles that are left: %q", kept)
		}
	})
}

// TestLocalPreflight has many things wrong at once: all are told, and nothing is
// written.
func TestLocalPreflight(t *testing.T) {
	locally(t, eblocal.Options{Quotas: eblocal.Quotas{Versions: 1}}, func(t *testing.T, l *local) {
		l.deployed(t, "v1")
		l.file(t, "docker-compose.yml", "services:\n  nginx:\n    image: guk0/docker-nginx\n    ports: [\"8080:80\"]\n"+
			"  backend:\n    image: guk0/docker-backend\n    environment: {KEY: \"${API_KEY}\"}\n")
		l.inputs["env"], l.inputs["bucket-name"] = eblocaltest.Env+" Dockerfullstack-en", "bundles-of-nobody"
		before := len(l.aws.Wrote())
		got := l.version(t, "v2")
		l.wrote(t, before)
		l.must(t, got, expected{result: "rejected", code: 1, end: end{"v1", "Green", v1, []string{"v1"}, 1}, log: []string{
			`::error::env: no environment "Dockerfullstack-en" in application "docker-fullstack"`, `did you mean "Dockerfullstack-env"?`, `there is no bucket "bundles-of-nobody"`,
			"no version can be made: there are 1 of 1 application versions", "no service publishes port 80", "${API_KEY} has no value",
		}, outputs: map[string]string{"results": `{"Dockerfullstack-en":"rejected","Dockerfullstack-env":"rejected"}`}})
	})
}
