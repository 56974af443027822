package migrate

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// part is a piece of a word: a text, or what an expression stands for.
type part struct {
	text string
	// name is the variable that the expression is the value of.
	name, expr string
	// short marks a commit cut to its first digits.
	short bool
}

// arg is a word of a command, its variables looked up.
type arg []part

func literal(text string) arg { return arg{{text: text}} }

// lit is the text of an arg without expressions.
func (a arg) lit() (string, bool) {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// prefix is the text before the first expression.
func (a arg) prefix() string {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			break
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// after is the arg without its first n bytes, which are text.
func (a arg) after(n int) arg {
	var out arg
	for i, p := range a {
		if n >= len(p.text) && p.expr == "" {
			n -= len(p.text)
			continue
		}
		out = append(out, part{text: p.text[n:], name: p.name, expr: p.expr, short: p.short})
		return append(out, a[i+1:]...)
	}
	return out
}

// cut splits at the first of some bytes that stands in a text.
func (a arg) cut(chars string) (before, after arg, found bool) {
	for i, p := range a {
		if at := strings.IndexAny(p.text, chars); p.expr == "" && at >= 0 {
			before = append(before, a[:i]...)
			before = append(before, part{text: p.text[:at]})
			after = append(after, part{text: p.text[at+1:]})
			return before, append(after, a[i+1:]...), true
		}
	}
	return a, nil, false
}

// String is the arg with expressions as GitHub writes them.
func (a arg) String() string {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			b.WriteString("${{ " + p.expr + " }}")
			continue
		}
		b.WriteString(inert(p.text))
	}
	return b.String()
}

// inert is a text of the file that GitHub must not take for an expression.
func inert(text string) string { return strings.ReplaceAll(text, "${{", "${{ '${{' }}") }

// fields collects the lines of the input vars that Compose texts need.
type fields struct {
	names  []string
	values map[string]string
	// lookup is the value of a variable that is passed on by its name alone.
	lookup func(name string) arg
	// scope hides what stands in plain text, and place is where.
	scope *scope
	place travis.Place
}

// compose is the arg as a value in a Compose file; what is no text becomes a
// ${NAME} that the input vars fills.
func (f *fields) compose(a arg) string {
	var b strings.Builder
	for _, p := range a {
		if p.expr == "" {
			b.WriteString(strings.ReplaceAll(p.text, "$", "$$"))
			continue
		}
		name := p.name
		if name == "" {
			name = "VALUE"
		}
		if f.values == nil {
			f.values = map[string]string{}
		}
		if _, there := f.values[name]; !there {
			f.names = append(f.names, name)
			f.values[name] = "${{ " + p.expr + " }}"
		}
		b.WriteString("${" + name + "}")
	}
	return b.String()
}

func (f *fields) lines() string {
	var lines []string
	for _, name := range f.names {
		lines = append(lines, name+"="+f.values[name])
	}
	return strings.Join(lines, "\n")
}

// joined puts texts that follow each other into one.
func joined(a arg) arg {
	var out arg
	for _, p := range a {
		if last := len(out) - 1; last >= 0 && p.expr == "" && out[last].expr == "" {
			out[last].text += p.text
			continue
		}
		out = append(out, p)
	}
	if len(out) > 1 {
		out = slices.DeleteFunc(out, func(p part) bool { return p.expr == "" && p.text == "" })
	}
	return out
}

func unescape(text string, quoted bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\\n", text[i+1]) >= 0) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// source is a piece of a command as text.
func source(node syntax.Node) string {
	var b strings.Builder
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&b, node); err != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}
