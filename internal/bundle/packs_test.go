package bundle

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPacks(t *testing.T) {
	noise := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // It never fails.
	text := bytes.Repeat([]byte("func main() { run(os.Args[1:]) }\n"), 2<<10)
	for name, one := range map[string]struct {
		raw  []byte
		want bool
	}{
		"text":                       {text, true},
		"a short text":               {text[:200], true},
		"noise":                      {noise, false},
		"a short noise":              {noise[:300], false},
		"noise, and a text in it":    {append(bytes.Clone(noise[:32<<10]), text[:32<<10]...), true},
		"nothing":                    {nil, false},
		"a text, and noise after it": {append(bytes.Clone(text[:512]), noise...), true},
	} {
		if got := packs(one.raw); got != one.want {
			t.Errorf("%s: worth to pack: %v, want %v", name, got, one.want)
		}
	}
}
