package engine

import (
	"testing"

	"github.com/guk0/travois/internal/compose"
)

func TestLineOfStep(t *testing.T) {
	build := compose.Build{Inline: "FROM a AS one\nRUN  make \\\n  all\n# why\nCOPY x /\nFROM b\nCOPY x /\nRUN <<E\nmake\nE\n"}
	for instruction, want := range map[string]int{
		"RUN make   all":  2,
		"COPY x /":        0, // twice
		"RUN make none":   0,
		"RUN <<E (make)":  0,
		"FROM a AS one":   1,
		"COPY --from=x y": 0,
	} {
		if got := lineOfStep(build, instruction); got != want {
			t.Errorf("%q is at line %d, want %d", instruction, got, want)
		}
	}
	if got := lineOfStep(compose.Build{Dockerfile: "/nowhere/at/all"}, "RUN x"); got != 0 {
		t.Errorf("a file that is not there has line %d", got)
	}
}
