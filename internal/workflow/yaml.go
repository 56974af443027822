// Package workflow owns the text of a GitHub Actions workflow: mappings in the
// order in which they are filled, with comments and empty lines between them.
package workflow

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

var plainInFlow = regexp.MustCompile(`^-{0,2}[A-Za-z0-9_./][A-Za-z0-9_./*+@=:-]*$`)

// Map is a mapping. A value is a string, a Raw, a Block, a Flow, a *Map, or a
// Seq of these.
type Map struct{ entries []entry }

// Raw is a scalar that is written as it is, such as a number.
type Raw string

// Block is a text of several lines, written with |.
type Block string

// Flow is a list on one line.
type Flow []string

// Seq is a list with an element a line.
type Seq []any

// entry is a key with its value, or a comment, or an empty line.
type entry struct {
	key     string
	value   any
	comment string
	blank   bool
}

// Set appends a key, or replaces its value where it is.
func (m *Map) Set(key string, value any) *Map {
	for i := range m.entries {
		if m.entries[i].key == key {
			m.entries[i].value = value
			return m
		}
	}
	m.entries = append(m.entries, entry{key: key, value: value})
	return m
}

// SetText appends a key unless its text is empty.
func (m *Map) SetText(key, text string) *Map {
	if text == "" {
		return m
	}
	if strings.Contains(text, "\n") {
		return m.Set(key, Block(text))
	}
	return m.Set(key, text)
}

// SetMap appends a key unless its mapping is empty.
func (m *Map) SetMap(key string, value *Map) *Map {
	if value == nil || value.Len() == 0 {
		return m
	}
	return m.Set(key, value)
}

// Comment appends the lines of a text as comments.
func (m *Map) Comment(text string) *Map {
	for line := range strings.Lines(text) {
		m.entries = append(m.entries, entry{comment: strings.TrimRight("# "+strings.TrimRight(line, "\r\n"), " ")})
	}
	return m
}

// Blank appends an empty line.
func (m *Map) Blank() *Map {
	m.entries = append(m.entries, entry{blank: true})
	return m
}

// Remove takes a key out.
func (m *Map) Remove(key string) {
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return e.key == key })
}

// Len counts the keys.
func (m *Map) Len() int {
	n := 0
	for _, e := range m.entries {
		if e.key != "" {
			n++
		}
	}
	return n
}

// Get is the value of a key, nil when there is none.
func (m *Map) Get(key string) any {
	for _, e := range m.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// Keys are the keys in their order.
func (m *Map) Keys() []string {
	var keys []string
	for _, e := range m.entries {
		if e.key != "" {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// String is the mapping as YAML.
func (m *Map) String() string {
	var b strings.Builder
	m.write(&b, "", "")
	return b.String()
}

// write begins the first line with first and the others with indent.
func (m *Map) write(b *strings.Builder, first, indent string) {
	for i, e := range m.entries {
		lead := indent
		if i == 0 {
			lead = first
		}
		switch {
		case e.blank:
			b.WriteString("\n")
		case e.comment != "":
			b.WriteString(lead + e.comment + "\n")
		default:
			b.WriteString(lead + key(e.key) + ":")
			writeValue(b, e.value, indent)
		}
	}
}

// key leaves words such as "on" and "n" plain: no reader of YAML 1.2 takes them
// for something else.
func key(text string) string {
	if plainKey.MatchString(text) {
		return text
	}
	return Scalar(text)
}

func writeValue(b *strings.Builder, value any, indent string) {
	deeper := indent + "  "
	switch v := value.(type) {
	case nil:
		b.WriteString("\n")
	case *Map:
		if v.Len() == 0 && len(v.entries) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		v.write(b, deeper, deeper)
	case Seq:
		b.WriteString("\n")
		for _, element := range v {
			writeElement(b, element, deeper)
		}
	default:
		b.WriteString(" " + inline(v, deeper) + "\n")
	}
}

func writeElement(b *strings.Builder, element any, indent string) {
	switch v := element.(type) {
	case *Map:
		v.writeElement(b, indent)
	default:
		b.WriteString(indent + "- " + inline(v, indent+"  ") + "\n")
	}
}

// writeElement puts comments that lead the mapping above its dash.
func (m *Map) writeElement(b *strings.Builder, indent string) {
	lead := 0
	for lead < len(m.entries) && m.entries[lead].key == "" {
		lead++
	}
	(&Map{m.entries[:lead]}).write(b, indent, indent)
	if lead < len(m.entries) {
		(&Map{m.entries[lead:]}).write(b, indent+"- ", indent+"  ")
	}
}

func inline(value any, indent string) string {
	switch v := value.(type) {
	case Raw:
		return string(v)
	case Block:
		return block(string(v), indent)
	case Flow:
		quoted := make([]string, len(v))
		for i, text := range v {
			quoted[i] = flowScalar(text)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case string:
		if strings.Contains(v, "\n") {
			return block(v, indent)
		}
		return Scalar(v)
	}
	return ""
}

// block is a literal block scalar, as deep as its indent.
func block(text, indent string) string {
	header := "|"
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if strings.HasPrefix(text, " ") {
		header = "|2"
	}
	if strings.HasSuffix(text, "\n\n") {
		text = strings.TrimRight(text, "\n") + "\n"
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(indent)
		}
		b.WriteString(strings.TrimRight(line, "\r\n") + "\n")
	}
	return header + "\n" + strings.TrimRight(b.String(), "\n")
}

// Scalar is a text as a scalar of one line, quoted where YAML needs it.
func Scalar(text string) string {
	out, err := yaml.Marshal(text)
	if plain := strings.TrimRight(string(out), "\n"); err == nil && !strings.Contains(plain, "\n") {
		return plain
	}
	return quoted(text)
}

// flowScalar quotes more than Scalar: between brackets more bytes have a
// meaning.
func flowScalar(text string) string {
	if Scalar(text) == text && !plainInFlow.MatchString(text) {
		return quoted(text)
	}
	return Scalar(text)
}

func quoted(text string) string {
	node := yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: text}
	out, err := yaml.Marshal(&node)
	if err != nil {
		return `""`
	}
	return strings.TrimRight(string(out), "\n")
}

// Join appends the keys of another mapping.
func (m *Map) Join(other *Map) *Map {
	m.entries = append(m.entries, other.entries...)
	return m
}

// SetBefore sets a key in front of another one.
func (m *Map) SetBefore(other, key string, value any) *Map {
	for i, e := range m.entries {
		if e.key == other {
			m.entries = slices.Insert(m.entries, i, entry{key: key, value: value})
			return m
		}
	}
	return m.Set(key, value)
}
