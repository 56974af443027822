package action

import (
	"bytes"
	"sync"
)

// Tail keeps the end of what is written to it: at least Size bytes of it, at
// most twice as much in memory. It may be written to from several sides.
type Tail struct {
	// Size is in bytes.
	Size int

	mu   sync.Mutex
	text []byte
	cut  bool
}

// Write never fails.
func (t *Tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if len(t.text) > 2*t.Size {
		t.text = append(t.text[:0], t.text[len(t.text)-t.Size:]...)
		t.cut = true
	}
	return len(text), nil
}

// Lines are whole lines of the end, at most Size bytes. A line with an ellipsis
// stands for what is gone.
func (t *Tail) Lines() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	text, cut := t.text, t.cut
	if len(text) > t.Size {
		text, cut = text[len(text)-t.Size:], true
	}
	if cut {
		text = append([]byte("…\n"), text[bytes.IndexByte(text, '\n')+1:]...)
	}
	return bytes.Clone(text)
}
