package actiontest

import (
	"fmt"
	"strings"
)

// Outputs reads a step's outputs as the runner does, on Linux. Source:
// actions/runner, FileCommandManager.cs.
func Outputs(text string) (map[string]string, error) {
	all := map[string]string{}
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case line == "":
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			all[line[:equals]] = line[equals+1:]
		case heredoc > 0 && line[heredoc+2:] != "":
			value, rest, found := strings.Cut("\n"+text, "\n"+line[heredoc+2:]+"\n")
			if !found {
				return nil, fmt.Errorf("matching delimiter not found: %q", line)
			}
			all[line[:heredoc]], text = strings.TrimPrefix(value, "\n"), rest
		default:
			return nil, fmt.Errorf("invalid format %q", line)
		}
	}
	return all, nil
}
