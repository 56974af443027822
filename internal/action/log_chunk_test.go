package action_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/guk0/travois/internal/action"
)

// TestWriterChunks shows that output and masks do not depend on the pieces
// that output comes in, not even for a line longer than any.
func TestWriterChunks(t *testing.T) {
	secret := "first line of it\nsecond line of it"
	for name, text := range map[string]string{
		"lines":       strings.Repeat("a line with first line of it inside\nsecond line of it\n", 50),
		"binary":      "\x00\xff\r 10 %\r 20 %\nno end",
		"a long line": strings.Repeat("x", 1<<20-8) + "second line of it" + strings.Repeat("é", 1<<19) + "\nend\n",
	} {
		whole := printed(t, secret, text, func() int { return len(text) })
		if strings.Contains(whole, "line of it") {
			t.Errorf("%s: a secret is shown", name)
		}
		for range 5 {
			got := printed(t, secret, text, func() int { return 1 + rand.IntN(len(text)/4+1) })
			if got != whole {
				t.Errorf("%s: in pieces %d bytes are printed, at once %d", name, len(got), len(whole))
			}
			if !utf8.ValidString(got) && utf8.ValidString(text) {
				t.Errorf("%s: a character is cut", name)
			}
		}
	}
}

// printed is what a text becomes, given in pieces, without the guard's token.
func printed(t *testing.T, secret, text string, size func() int) string {
	t.Helper()
	var out bytes.Buffer
	log := action.NewLog(&out)
	log.Mask(secret)
	out.Reset()
	writer := log.Writer("")
	for rest := []byte(text); len(rest) > 0; {
		n := min(size(), len(rest))
		if _, err := writer.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(out.String(), "\n")
	return body
}
