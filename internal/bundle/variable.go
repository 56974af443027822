package bundle

import (
	"regexp"
	"slices"
	"strings"
)

// Variable is a ${NAME} in a file.
type Variable struct {
	Name string
	// Line counts from 1.
	Line int
	// Within are the variables that it stands in, as B does in ${A:-${B}}, the
	// outermost first.
	Within []Condition
}

// Condition is a variable that must have a value, or must have none.
type Condition struct {
	Name string
	Set  bool
}

// Used tells whether Compose comes to the variable, by those that have a value.
func (v Variable) Used(set func(name string) bool) bool {
	return !slices.ContainsFunc(v.Within, func(c Condition) bool { return set(c.Name) != c.Set })
}

func (v Variable) same(other Variable) bool {
	return v.Name == other.Name && v.Line == other.Line && slices.Equal(v.Within, other.Within)
}

// beginning is how a variable begins as Compose reads it; $$ is a dollar sign.
var beginning = regexp.MustCompile(`^\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-+?])?)`)

// variables are those of a text that must have a value, without their lines.
// What Compose can't read is none.
func variables(text string, within ...Condition) []Variable {
	var all []Variable
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			return all
		}
		text = text[at:]
		m := beginning.FindStringSubmatch(text)
		if m == nil {
			text = text[1:]
			continue
		}
		text = text[len(m[0]):]
		inner := ""
		if m[2] != "" {
			var ends bool
			if inner, text, ends = braced(text); !ends || m[3] == "" && inner != "" {
				continue
			}
		}
		name := m[1] + m[2]
		switch operator := strings.TrimPrefix(m[3], ":"); {
		case operator == "-" || operator == "+":
			all = append(all, variables(inner, append(slices.Clone(within), Condition{name, operator == "+"})...)...)
		case name != "":
			all = append(all, Variable{Name: name, Within: within})
		}
	}
}

// braced cuts a text at the brace that ends it, if one does.
func braced(text string) (inner, rest string, ends bool) {
	open := 1
	for i := range len(text) {
		switch text[i] {
		case '{':
			open++
		case '}':
			open--
		}
		if open == 0 {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
