package travis

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Var is one variable of env.
type Var struct {
	// Name is empty for an encrypted value, which holds its name too.
	Name string
	// Word is the value as the shell reads it; nil for an encrypted one.
	Word   *syntax.Word
	Secure bool
	Place  Place
}

// Env is the section env.
type Env struct {
	Global []Var
	// Jobs has a row of variables for each job that is made of it.
	Jobs [][]Var
	// Odd are the entries that are no assignments.
	Odd []Text
}

// ReadEnv reads env in all its forms: a line, a list of lines, a mapping, and
// global: and jobs: (once matrix:) with any of these.
func ReadEnv(n Node) Env {
	var e Env
	if n.IsMap() && !n.Secure() {
		section := n.Section()
		if section.Has("global") || section.Has("jobs") || section.Has("matrix") {
			if global, ok := section.Take("global"); ok {
				for _, row := range e.rows(global) {
					e.Global = append(e.Global, row...)
				}
			}
			if jobs, ok := section.Take("jobs", "matrix"); ok {
				e.Jobs = e.rows(jobs)
			}
			// Beside them stand variables for all jobs.
			e.Global = append(e.Global, e.entries(section.Rest())...)
			return e
		}
		e.Global = e.mapping(n)
		return e
	}
	rows := e.rows(n)
	for _, row := range rows {
		if len(row) == 1 && row[0].Secure {
			e.Global = append(e.Global, row...)
			continue
		}
		e.Jobs = append(e.Jobs, row)
	}
	return e
}

func (e *Env) rows(n Node) [][]Var {
	var rows [][]Var
	for _, item := range n.Items() {
		switch {
		case item.Secure():
			rows = append(rows, []Var{{Secure: true, Place: item.Place()}})
		case item.IsMap():
			rows = append(rows, e.mapping(item))
		default:
			if row := e.line(item.Text()); len(row) > 0 {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// mapping reads {A: 1, B: {secure: …}}.
func (e *Env) mapping(n Node) []Var { return e.entries(n.Keys()) }

func (e *Env) entries(keys []*Key) []Var {
	var row []Var
	for _, key := range keys {
		if key.Node.Secure() || key.Name == "secure" {
			name := key.Name
			if name == "secure" {
				name = ""
			}
			row = append(row, Var{Name: name, Secure: true, Place: key.Place})
			continue
		}
		row = append(row, Var{Name: key.Name, Word: parseWord(key.Node.Text().Value), Place: key.Place})
	}
	return row
}

// parseWord takes a text of YAML for the inside of double quotes, so that its
// variables count and its spaces stay.
func parseWord(text string) *syntax.Word {
	quotedText := `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader("A="+quotedText), "")
	if err != nil || len(file.Stmts) != 1 {
		return &syntax.Word{Parts: []syntax.WordPart{&syntax.SglQuoted{Value: text}}}
	}
	return file.Stmts[0].Cmd.(*syntax.CallExpr).Assigns[0].Value
}

// line reads A=1 B="two words".
func (e *Env) line(text Text) []Var {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text.Value), "")
	if err != nil || len(file.Stmts) != 1 {
		e.odd(text)
		return nil
	}
	var assigns []*syntax.Assign
	switch cmd := file.Stmts[0].Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) == 0 {
			assigns = cmd.Assigns
		}
	case *syntax.DeclClause:
		assigns = cmd.Args
	}
	if len(assigns) == 0 {
		e.odd(text)
		return nil
	}
	var row []Var
	for _, a := range assigns {
		if a.Name == nil || a.Array != nil {
			e.odd(text)
			continue
		}
		row = append(row, Var{Name: a.Name.Value, Word: a.Value, Place: text.Place})
	}
	return row
}

func (e *Env) odd(text Text) {
	if text.Value != "" {
		e.Odd = append(e.Odd, text)
	}
}
