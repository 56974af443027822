package action

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const tailSize = 64 << 10

func TestTail(t *testing.T) {
	short := Tail{Size: tailSize}
	for _, part := range []string{"one\n", "tw", "o\n"} {
		_, _ = short.Write([]byte(part))
	}
	if got := string(short.Lines()); got != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
	long := Tail{Size: tailSize}
	for i := range 100_000 {
		_, _ = fmt.Fprintf(&long, "line %d\n", i)
	}
	got := long.Lines()
	if len(got) > tailSize+len("…\n") || !bytes.HasSuffix(got, []byte("line 99999\n")) || !strings.HasPrefix(string(got), "…\nline ") {
		t.Errorf("%d bytes, begins %q, ends %q", len(got), got[:20], got[len(got)-20:])
	}
	if len(long.text) > 3*tailSize {
		t.Errorf("holds %d bytes", len(long.text))
	}
}
