package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/guk0/travois/internal/place"
)

var bom = []byte("\ufeff")

// value is a JSON value with its place in the file.
type value struct {
	// from and to are its bytes, of a scalar only.
	from, to int
	line     int
	// scalar is a string, a json.Number, a bool or nil; what is neither
	// object nor list.
	scalar  any
	object  bool
	list    bool
	members []member
}

// member is an entry of an object or, without key, an item of a list.
type member struct {
	key     string
	keyLine int
	value   *value
}

// get is an entry of an object, nil when there is none.
func (v *value) get(key string) *value {
	if v == nil {
		return nil
	}
	for _, m := range v.members {
		if v.object && m.key == key {
			return m.value
		}
	}
	return nil
}

// items are those of a list, none of anything else.
func (v *value) items() []member {
	if v == nil || !v.list {
		return nil
	}
	return v.members
}

// text is the string that a value is, empty when it is none.
func (v *value) text() string {
	if v == nil {
		return ""
	}
	s, _ := v.scalar.(string)
	return s
}

func (v *value) kind() string {
	switch {
	case v == nil:
		return "missing"
	case v.object:
		return "an object"
	case v.list:
		return "a list"
	}
	switch s := v.scalar.(type) {
	case string:
		return fmt.Sprintf("%q", s)
	case nil:
		return "null"
	default:
		return fmt.Sprintf("%v", s)
	}
}

// located parses JSON and keeps where each value stands.
type located struct {
	file     string
	source   []byte
	decoder  *json.Decoder
	base     int
	problems []error
}

func parseJSON(file string, source []byte) (*value, error) {
	p := &located{file: file, source: source}
	if bytes.HasPrefix(source, bom) {
		p.base = len(bom)
	}
	body := source[p.base:]
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, place.At(file, 0, errors.New("the file is empty"))
	}
	if !utf8.Valid(body) {
		return nil, place.At(file, p.line(p.invalidByte()), errors.New("the file is not UTF-8: save it as UTF-8"))
	}
	var whole any
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, p.syntax(err)
	}
	p.decoder = json.NewDecoder(bytes.NewReader(body))
	p.decoder.UseNumber()
	v, err := p.value()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, p.syntax(err)
	}
	return v, errors.Join(p.problems...)
}

func (p *located) invalidByte() int {
	for i := p.base; i < len(p.source); {
		r, size := utf8.DecodeRune(p.source[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(p.source)
}

func (p *located) syntax(err error) error {
	at := len(p.source)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(at, p.base+int(syntax.Offset))
	}
	return place.At(p.file, p.line(at-1), fmt.Errorf("not valid JSON: %w", err))
}

func (p *located) line(offset int) int {
	return 1 + bytes.Count(p.source[:max(0, min(offset, len(p.source)))], []byte("\n"))
}

// token is the next token with the bytes that it covers.
func (p *located) token() (token json.Token, from, to int, err error) {
	from = p.base + int(p.decoder.InputOffset())
	token, err = p.decoder.Token()
	to = p.base + int(p.decoder.InputOffset())
	for from < to && strings.IndexByte(" \t\r\n,:", p.source[from]) >= 0 {
		from++
	}
	return token, from, to, err
}

func (p *located) value() (*value, error) {
	token, from, to, err := p.token()
	if err != nil {
		return nil, err
	}
	v := &value{from: from, to: to, line: p.line(from)}
	switch token {
	case json.Delim('{'):
		v.object = true
		return v, p.members(v)
	case json.Delim('['):
		v.list = true
		return v, p.members(v)
	}
	v.scalar = token
	return v, nil
}

func (p *located) members(v *value) error {
	seen := map[string]int{}
	for p.decoder.More() {
		var m member
		if v.object {
			token, from, _, err := p.token()
			if err != nil {
				return err
			}
			m.key, _ = token.(string)
			m.keyLine = p.line(from)
			if first, twice := seen[m.key]; twice {
				p.problems = append(p.problems, place.At(p.file, m.keyLine, fmt.Errorf("key %q is given twice, first on line %d: keep one", m.key, first)))
			}
			seen[m.key] = m.keyLine
		}
		child, err := p.value()
		if err != nil {
			return err
		}
		m.value = child
		v.members = append(v.members, m)
	}
	_, _, _, err := p.token()
	return err
}
