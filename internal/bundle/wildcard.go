package bundle

import (
	"fmt"
	"regexp"
	"strings"
)

// wildcard makes a gitignore pattern, without ! and outer slashes, a regular
// expression over paths, or over names where the pattern has no slash. It is
// nil for a malformed pattern, which git matches with nothing. Git compares
// bytes, so an expression's runes are bytes; see asBytes.
// Source: gitignore(5), and git's wildmatch.c.
func wildcard(pattern string) *regexp.Regexp {
	t := translator{pattern: pattern}
	for t.at < len(pattern) {
		if !t.next() {
			return nil
		}
	}
	return regexp.MustCompile(`\A(?s:` + t.out.String() + `)\z`)
}

// asBytes gives a text with a rune for each of its bytes.
func asBytes(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r > 0x7f }) < 0 {
		return text
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

// translator goes over a pattern once.
type translator struct {
	pattern string
	at      int
	out     strings.Builder
}

// next translates what stands at the position; it is false where that is
// malformed.
func (t *translator) next() bool {
	c := t.pattern[t.at]
	t.at++
	switch c {
	case '*':
		t.stars()
	case '?':
		t.out.WriteString(`[^/]`)
	case '[':
		return t.class()
	case '\\':
		if t.at == len(t.pattern) {
			return false
		}
		t.literal(t.pattern[t.at])
		t.at++
	default:
		t.literal(c)
	}
	return true
}

func (t *translator) literal(c byte) { fmt.Fprintf(&t.out, `\x{%02x}`, c) }

// stars translates one or more; two or more between slashes pass slashes.
func (t *translator) stars() {
	start := t.at - 1
	for t.at < len(t.pattern) && t.pattern[t.at] == '*' {
		t.at++
	}
	begins := start == 0 || t.pattern[start-1] == '/'
	rest := t.pattern[t.at:]
	switch {
	case t.at-start == 1 || !begins || rest != "" && rest[0] != '/':
		t.out.WriteString(`[^/]*`)
	case rest == "":
		t.out.WriteString(`.*`)
	default:
		t.out.WriteString(`(?:.*/)?`)
		t.at++
	}
}

// class translates what follows a bracket, to the bracket that ends it. It
// never matches a slash.
func (t *translator) class() bool {
	c := classReader{rest: t.pattern[t.at:]}
	if !c.read() {
		return false
	}
	t.at = len(t.pattern) - len(c.rest)
	c.has['/'] = c.negated
	t.out.WriteString(`[`)
	if c.negated {
		t.out.WriteString(`^`)
	}
	// No byte has this rune, so that the class is never empty.
	t.out.WriteString(`\x{10ffff}`)
	for b, in := range c.has {
		if in {
			t.literal(byte(b))
		}
	}
	t.out.WriteString(`]`)
	return true
}

// classReader reads a class of bytes.
type classReader struct {
	rest    string
	negated bool
	has     [256]bool
	// before is the byte in front that a hyphen may begin a range with.
	before byte
}

func (c *classReader) read() bool {
	if c.rest != "" && (c.rest[0] == '!' || c.rest[0] == '^') {
		c.negated = true
		c.rest = c.rest[1:]
	}
	for first := true; ; first = false {
		if c.rest == "" {
			return false
		}
		if c.rest[0] == ']' && !first {
			c.rest = c.rest[1:]
			return true
		}
		if !c.item() {
			return false
		}
	}
}

func (c *classReader) item() bool {
	switch {
	case c.rest[0] == '-' && c.before != 0 && len(c.rest) > 1 && c.rest[1] != ']':
		c.rest = c.rest[1:]
		low := c.before
		high, ok := c.one()
		for b := int(low); ok && b <= int(high); b++ {
			c.has[b] = true
		}
		c.before = 0
		return ok
	case strings.HasPrefix(c.rest, "[:"):
		return c.named()
	}
	b, ok := c.one()
	c.has[b], c.before = ok, b
	return ok
}

// one reads a byte, which may be escaped.
func (c *classReader) one() (byte, bool) {
	if c.rest[0] == '\\' {
		c.rest = c.rest[1:]
	}
	if c.rest == "" {
		return 0, false
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b, true
}

// named reads a class such as [:alpha:]. Without its end it is only a bracket.
func (c *classReader) named() bool {
	end := strings.IndexByte(c.rest[2:], ']')
	if end < 0 {
		return false
	}
	name, closed := strings.CutSuffix(c.rest[2:2+end], ":")
	if !closed {
		c.has['['], c.before = true, '['
		c.rest = c.rest[1:]
		return true
	}
	class, err := regexp.Compile("[[:" + name + ":]]")
	if err != nil || name == "word" || name == "ascii" || strings.HasPrefix(name, "^") {
		return false // Git does not have the others that Go has.
	}
	for b := range 128 {
		c.has[b] = c.has[b] || class.MatchString(string(rune(b)))
	}
	c.rest, c.before = c.rest[2+end+1:], 0
	return true
}
