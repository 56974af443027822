package buildpush

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
)

// TestLongStep shows that a long step is cut, and no secret with it.
func TestLongStep(t *testing.T) {
	var out bytes.Buffer
	log := action.NewLog(&out)
	log.Mask("open-sesame-street")
	p := (&board{log: log}).panel("web")
	step := "[2/3] RUN " + strings.Repeat("x", longestStep-15)
	for _, piece := range []string{"#5 " + step + "open-ses", "ame-street and more\n#5 " + step + "open-sesame-street\n#6 exporting\n"} {
		if _, err := fmt.Fprint(p, piece); err != nil {
			t.Fatal(err)
		}
	}
	_, shown, _ := strings.Cut(out.String(), "::add-mask::open-sesame-street\n")
	if strings.Contains(shown, "open") || strings.Count(shown, "\nweb: "+step+"***") != 2 || !strings.Contains(shown, "*** a …\n") {
		t.Errorf("shown:\n%s", shown)
	}
}
