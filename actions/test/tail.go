package main

import (
	"bytes"
	"sync"
)

// tailSize is how much of a dependency's output is kept to be shown, in bytes.
const tailSize = 64 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
	cut  bool
}

func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if len(t.text) > 2*tailSize {
		t.text = append(t.text[:0], t.text[len(t.text)-tailSize:]...)
		t.cut = true
	}
	return len(text), nil
}

// lines are whole lines of the end, at most tailSize bytes.
func (t *tail) lines() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, cut := t.text, t.cut
	if len(text) > tailSize {
		text, cut = text[len(text)-tailSize:], true
	}
	if cut {
		text = append([]byte("…\n"), text[bytes.IndexByte(text, '\n')+1:]...)
	}
	return bytes.Clone(text)
}
