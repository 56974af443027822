package action_test

import (
	"io"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
)

// The benchmarks measure the guard, writer to writer: what a loud test suite
// prints, in the pieces that an engine sends.
func BenchmarkWriter(b *testing.B)         { benchmarkWriter(b, "") }
func BenchmarkWriterPrefixed(b *testing.B) { benchmarkWriter(b, "backend | ") }

func benchmarkWriter(b *testing.B, prefix string) {
	log := action.NewLog(io.Discard)
	for _, secret := range []string{"one-that-is-hidden", "another one", "correct horse battery staple"} {
		log.Mask(secret)
	}
	line := "GET /api/values 200 in 12 ms, another request by one user, correct: 17 of 17 rows\n"
	chunk := []byte(strings.Repeat(line, 32<<10/len(line)+1))[:32<<10]
	writer := log.Writer(prefix)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		if _, err := writer.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		b.Fatal(err)
	}
}
