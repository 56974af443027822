package eblocal

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeIsComplete holds the actions and the faults that the README lists
// against those that there are.
func TestReadmeIsComplete(t *testing.T) {
	data, err := os.ReadFile("../../cmd/eb-local/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "### Actions")
	list, rest, _ := strings.Cut(rest, ";")
	listed := regexp.MustCompile(`[A-Z]\w+`).FindAllString(list, -1)
	b, _ := faked(t)
	if diff := cmp.Diff(sortedKeys(b.beanstalkActions()), listed); diff != "" {
		t.Errorf("actions in cmd/eb-local/README.md (-served +listed):\n%s", diff)
	}
	_, table, _ := strings.Cut(rest, "| fault |")
	table, _, _ = strings.Cut(table, "\n\n")
	var documented, known []string
	for _, row := range regexp.MustCompile("`([a-z-]+)[=`]").FindAllStringSubmatch(table, -1) {
		documented = append(documented, row[1])
	}
	for _, name := range (&Faults{}).names() {
		name, _, _ = strings.Cut(name, "=")
		known = append(known, name)
	}
	slices.Sort(documented)
	slices.Sort(known)
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("faults in cmd/eb-local/README.md (-known +listed):\n%s", diff)
	}
}
