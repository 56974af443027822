package compose

import "github.com/guk0/travois/internal/action"

// ServiceInputs are the inputs that say where services come from, alike in
// every action.
type ServiceInputs struct {
	Services    string       `env:"SERVICES"`
	ComposeFile action.Lines `env:"COMPOSE-FILE"`
	Vars        action.Pairs `env:"VARS"`
}

// Source is what the inputs say. Keys are the keys of a service that the
// action uses, all of them if nil.
func (i ServiceInputs) Source(workspace string, keys []string) Source {
	return Source{Inline: i.Services, Files: i.ComposeFile, Workspace: workspace, Vars: i.Vars, Keys: keys}
}
