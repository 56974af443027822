package buildpush

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
)

// labelsOf are those that a run for a commit plans for its one image.
func labelsOf(t *testing.T, sha, date, inputLabels, buildLabels string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	enginetest.Write(t, dir+"/Dockerfile", "FROM scratch\n")
	var log bytes.Buffer
	r := action.NewRunner([]string{
		"GITHUB_WORKSPACE=" + dir, "GITHUB_SHA=" + sha, "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_NAME=push",
		"GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=guk0/app", "INPUT_COMMIT-DATE=" + date,
		"INPUT_SERVICES=web: {image: guk0/web, build: {context: ., labels: {" + buildLabels + "}}}", "INPUT_LABELS=" + inputLabels, "INPUT_PUSH=false",
	}, &log)
	p, err := prepare(t.Context(), r)
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	return p.plan.images[0].build.Labels
}

// TestLabels shows that by default an image's labels are those of every commit,
// and that whoever asks for the commit's gets them.
func TestLabels(t *testing.T) {
	const date = "2026-01-02T03:04:05+09:00"
	first, second := labelsOf(t, firstSHA, date, "", ""), labelsOf(t, secondSHA, "2026-02-02T03:04:05Z", "", "")
	always := map[string]string{
		"org.opencontainers.image.title": "web", "org.opencontainers.image.source": "https://github.com/guk0/app", "org.opencontainers.image.url": "https://github.com/guk0/app",
	}
	if diff := cmp.Diff(always, first); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("another commit has other labels:\n%s", diff)
	}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, from := range []map[string]string{always, more} {
			for name, value := range from {
				all[name] = value
			}
		}
		return all
	}
	for _, c := range []struct {
		name, date, input, build string
		more                     map[string]string
	}{
		{"asked for", date, "org.opencontainers.image.revision={sha}\norg.opencontainers.image.created={date}", "",
			map[string]string{"org.opencontainers.image.revision": firstSHA, "org.opencontainers.image.created": "2026-01-01T18:04:05Z"}},
		{"without a date", "", "org.opencontainers.image.created={date}\na=b", "", map[string]string{"a": "b"}},
		{"the file's over the default", date, "", "org.opencontainers.image.title: The page", map[string]string{"org.opencontainers.image.title": "The page"}},
		{"the input's over the file's", date, "a=1\nweb:b=2\n", "a: 0, b: 0, c: 0", map[string]string{"a": "1", "b": "2", "c": "0"}},
	} {
		if diff := cmp.Diff(with(c.more), labelsOf(t, firstSHA, c.date, c.input, c.build)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
