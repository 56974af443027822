package action_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
)

func TestProblemList(t *testing.T) {
	err := errors.Join(errors.New("run <x> | `<b> *` of __init__ [2/3] ~\n# two\r\n- three `"), errors.New("plain: \"words\""))
	want := "\n- run &lt;x&gt; &#124; `<b> *` of &#95;&#95;init&#95;&#95; &#91;2/3] &#126;<br># two <br>- three &#96;\n- plain: \"words\"\n"
	if diff := cmp.Diff(want, action.ProblemList(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSummaryHidesEscaped shows that a masked value of characters which Markdown
// reads is hidden in a summary, where others stand for them.
func TestSummaryHidesEscaped(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary")
	r := action.NewRunner([]string{"GITHUB_STEP_SUMMARY=" + summary}, &bytes.Buffer{})
	r.Log.Mask("se<s_me*|&`street")
	if err := r.Finish(nil, "| "+action.Escape("a se<s_me*|&`street")+" |\n", errors.New("no se<s_me*|&`street")); err == nil {
		t.Error("the error is gone")
	}
	if diff := cmp.Diff("| a *** |\n\n- no ***\n\n", read(t, summary)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
