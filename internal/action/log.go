package action

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/sethvargo/go-githubactions"
)

// maxLine is how long a line of foreign output may be, in bytes, before it is
// passed on in pieces.
const maxLine = 1 << 20

// Log is a step's log. Whatever is printed to it is inert: the runner reads
// workflow commands from any line that begins with "::" and from "##[" anywhere
// in a line (actions/runner, OutputManager.cs), so all text stands between
// ::stop-commands::TOKEN and ::TOKEN::, and only the log's own commands stand
// outside. Masked values are replaced by *** before they reach the runner.
type Log struct {
	mu    sync.Mutex
	w     io.Writer
	gh    *githubactions.Action
	token string // of the open guard; "" when commands are heard
	masks [][]byte
}

// NewLog is a log on the standard output of a step.
func NewLog(w io.Writer) *Log {
	l := &Log{w: w}
	l.gh = githubactions.New(githubactions.WithWriter(commandWriter{l}))
	return l
}

// Printf prints one line, or several.
func (l *Log) Printf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	l.write([]byte(text))
}

// Error is a red annotation; at the error's place if it is Located.
func (l *Log) Error(err error) { l.at(err).Errorf("%s", l.redacted(err.Error())) }

// Warning is a yellow annotation; at the error's place if it is Located.
func (l *Log) Warning(err error) { l.at(err).Warningf("%s", l.redacted(err.Error())) }

// Notice is a blue annotation.
func (l *Log) Notice(format string, args ...any) {
	l.gh.Noticef("%s", l.redacted(fmt.Sprintf(format, args...)))
}

// Group folds what follows under a title, until EndGroup.
func (l *Log) Group(title string) { l.gh.Group(l.redacted(title)) }

// EndGroup ends the group.
func (l *Log) EndGroup() { l.gh.EndGroup() }

func (l *Log) at(err error) *githubactions.Action {
	var place Located
	if !errors.As(err, &place) {
		return l.gh
	}
	file, line := place.Location()
	if file == "" {
		return l.gh
	}
	fields := githubactions.CommandProperties{"file": file}
	if line > 0 {
		fields["line"] = fmt.Sprint(line)
	}
	return l.gh.WithFieldsMap(fields)
}

// Mask hides a value, and every line of it, in this log and in the logs of the
// steps that follow. Lines of one or two characters are left: to mask them
// would make the log unreadable and hide nothing.
func (l *Log) Mask(value string) {
	for line := range strings.Lines(value) {
		line = strings.TrimSpace(line)
		if len(line) >= 3 && l.remember(line) {
			l.gh.AddMask(line)
			l.remember(Escape(line)) // as it stands in a summary
		}
	}
}

// remember keeps the masks longest first, so that a secret that holds another
// one goes whole. It is false for one that is known.
func (l *Log) remember(mask string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.masks, func(known []byte) bool { return string(known) == mask }) {
		return false
	}
	l.masks = append(l.masks, []byte(mask))
	slices.SortFunc(l.masks, func(a, b []byte) int { return len(b) - len(a) })
	return true
}

// Redact replaces every masked value in a text that leaves by another way than
// the log: summaries and outputs.
func (l *Log) Redact(text string) string { return l.redacted(text) }

func (l *Log) redacted(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.redact([]byte(text)))
}

func (l *Log) redact(text []byte) []byte {
	for _, mask := range l.masks {
		if bytes.Contains(text, mask) {
			text = bytes.ReplaceAll(text, mask, []byte("***"))
		}
	}
	return text
}

// Masked tells whether a text holds a masked value.
func (l *Log) Masked(text string) bool { return l.redacted(text) != text }

func (l *Log) longestMask() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.masks) == 0 {
		return 0
	}
	return len(l.masks[0])
}

// cut is the largest place at or before a limit where a line can be cut so
// that neither a masked value nor a character is.
func (l *Log) cut(line []byte, limit int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for back := 0; back < utf8.UTFMax && !utf8.RuneStart(line[limit]); back++ {
		limit--
	}
	for _, mask := range l.masks {
		from := max(0, limit-len(mask)+1)
		if at := bytes.Index(line[from:min(len(line), limit+len(mask)-1)], mask); at >= 0 {
			return from + at
		}
	}
	return limit
}

// write prints whole lines under the guard.
func (l *Log) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token == "" {
		l.token = rand.Text()
		l.put([]byte("::stop-commands::" + l.token + "\n"))
	}
	l.put(l.redact(lines))
}

// put passes bytes on. A log that can't be written has nobody to tell.
func (l *Log) put(text []byte) { _, _ = l.w.Write(text) }

// Flush lets the runner hear commands again. The log can be used afterwards.
func (l *Log) Flush() { l.command(nil) }

// command prints workflow commands, outside the guard.
func (l *Log) command(text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != "" {
		l.put([]byte("::" + l.token + "::\n"))
		l.token = ""
	}
	if len(text) > 0 {
		l.put(text)
	}
}

type commandWriter struct{ log *Log }

func (c commandWriter) Write(text []byte) (int, error) {
	c.log.command(text)
	return len(text), nil
}

// Writer is for output that is not ours: it goes to the log line by line, each
// line with a prefix. Close prints an unfinished line.
func (l *Log) Writer(prefix string) io.WriteCloser {
	return &lineWriter{log: l, prefix: []byte(prefix)}
}

type lineWriter struct {
	log    *Log
	prefix []byte
	mu     sync.Mutex
	line   []byte
}

func (w *lineWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, text...)
	for {
		end, more := w.next()
		if end == 0 {
			return len(text), nil
		}
		lines := w.line[:end:end]
		if more {
			lines = append(lines, '\n')
		}
		w.print(lines)
		w.line = append(w.line[:0], w.line[end:]...)
	}
}

// next is how much can be printed: whole lines, or a piece of a line that is
// longer than maxLine, which needs an end. Such a line is cut at the same
// places in whatever pieces it comes.
func (w *lineWriter) next() (end int, needsEnd bool) {
	end = bytes.LastIndexByte(w.line[:min(len(w.line), maxLine)], '\n') + 1
	if end > 0 || len(w.line) < maxLine {
		return end, false
	}
	if w.line[maxLine-1] != '\n' && len(w.line) > maxLine && w.line[maxLine] == '\n' {
		return maxLine + 1, false
	}
	longest := w.log.longestMask()
	if len(w.line) <= maxLine+longest && !bytes.ContainsRune(w.line[maxLine:], '\n') {
		return 0, false
	}
	return w.log.cut(w.line, maxLine), true
}

func (w *lineWriter) print(lines []byte) {
	if len(w.prefix) == 0 {
		w.log.write(lines)
		return
	}
	var prefixed bytes.Buffer
	for line := range bytes.Lines(lines) {
		prefixed.Write(w.prefix)
		prefixed.Write(line)
	}
	w.log.write(prefixed.Bytes())
}

func (w *lineWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) > 0 {
		w.print(append(w.line, '\n'))
		w.line = nil
	}
	return nil
}
