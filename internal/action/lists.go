package action

import (
	"fmt"
	"slices"
	"strings"
)

// Lines is an input of one entry a line. Blank lines and the space around an
// entry do not count.
type Lines []string

// UnmarshalText never fails.
func (l *Lines) UnmarshalText(text []byte) error {
	*l = nil
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			*l = append(*l, line)
		}
	}
	return nil
}

// Pairs is an input of KEY=VALUE lines. A value may hold further "=".
type Pairs map[string]string

// UnmarshalText fails on lines without "=", a key that is empty or one that
// comes twice. The error names the line by number and key, never by value.
func (p *Pairs) UnmarshalText(text []byte) error {
	*p = Pairs{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if strings.TrimSpace(line) == "" {
			continue
		}
		key, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		key = strings.TrimSpace(key)
		if !found || key == "" {
			return fmt.Errorf("line %d is not KEY=VALUE", number)
		}
		if _, twice := (*p)[key]; twice {
			return fmt.Errorf("line %d gives a key a second time", number)
		}
		(*p)[key] = value
	}
	return nil
}

// Secret is an input that is never printed: the runner and the log mask it.
type Secret string

// UnmarshalText drops the line end that a secret often gets when it is pasted.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(strings.TrimRight(string(text), "\r\n"))
	return nil
}

// String hides the value from every format.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// Reveal is the value, for the one who must send it.
func (s Secret) Reveal() string { return string(s) }

// Masks is the value.
func (s Secret) Masks() []string { return []string{string(s)} }

// Scoped is an input of KEY=VALUE lines for all services and
// service:KEY=VALUE lines for one.
type Scoped []scoped

type scoped struct {
	line                int
	service, key, value string
}

// UnmarshalText fails on lines without "=". The error names the line by
// number, never by value.
func (s *Scoped) UnmarshalText(text []byte) error {
	*s = nil
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if err := s.add(number, strings.TrimRight(line, "\r\n")); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scoped) add(number int, entry string) error {
	if strings.TrimSpace(entry) == "" {
		return nil
	}
	name, value, found := strings.Cut(entry, "=")
	service, key, ofOne := strings.Cut(strings.TrimSpace(name), ":")
	if !ofOne {
		service, key = "", service
	}
	if !found || key == "" || ofOne && service == "" {
		return fmt.Errorf("line %d is neither KEY=VALUE nor service:KEY=VALUE", number)
	}
	*s = append(*s, scoped{number, service, key, value})
	return nil
}

// For is what the lines give one service. A line for the service alone wins.
func (s Scoped) For(service string) map[string]string {
	values := map[string]string{}
	for _, scope := range []string{"", service} {
		for _, line := range s {
			if line.service == scope {
				values[line.key] = line.value
			}
		}
	}
	return values
}

// Unknown reports the lines for services that are not among the known ones, by
// number: a secret pasted without its "=" would stand in the key.
func (s Scoped) Unknown(input string, known []string) []error {
	var problems []error
	for _, line := range s {
		if line.service != "" && !slices.Contains(known, line.service) {
			problems = append(problems, BadInput(input, "line %d is for a service %q; there are: %s", line.line, line.service, strings.Join(known, ", ")))
		}
	}
	return problems
}

// Secrets is a Scoped whose values are masked. An entry in quotes may have
// several lines, and has "" for a quote, as docker/build-push-action's.
type Secrets struct{ Scoped }

// UnmarshalText also fails on a quote that nothing closes.
func (s *Secrets) UnmarshalText(text []byte) error {
	s.Scoped = nil
	number, open, quoted := 0, 0, ""
	for line := range strings.Lines(string(text)) {
		number++
		if open == 0 && !strings.HasPrefix(strings.TrimSpace(line), `"`) {
			if err := s.add(number, strings.TrimRight(line, "\r\n")); err != nil {
				return fmt.Errorf(`%w; a value of several lines needs quotes around the entry: "KEY=VALUE"`, err)
			}
			continue
		}
		if open == 0 {
			open, quoted = number, ""
		}
		quoted += line
		entry := strings.TrimSpace(quoted)
		if strings.Count(entry, `"`)%2 != 0 || !strings.HasSuffix(entry, `"`) {
			continue
		}
		if err := s.add(open, strings.ReplaceAll(entry[1:len(entry)-1], `""`, `"`)); err != nil {
			return err
		}
		open = 0
	}
	if open > 0 {
		return fmt.Errorf("line %d opens a quote that nothing closes: an entry of several lines ends in a quote at its line's end, and a quote within it is doubled", open)
	}
	return nil
}

// Masks are the values.
func (s Secrets) Masks() []string {
	var all []string
	for _, line := range s.Scoped {
		all = append(all, line.value)
	}
	return all
}

// String hides the values from every format.
func (s Secrets) String() string { return fmt.Sprintf("%d secrets", len(s.Scoped)) }

// GoString hides the values from %#v.
func (s Secrets) GoString() string { return s.String() }
