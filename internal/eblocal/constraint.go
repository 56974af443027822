package eblocal

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parameter is what AWS's service model says of a parameter of a request.
type parameter struct {
	Type     string                `json:"type"`
	Required bool                  `json:"required,omitempty"`
	Min      int                   `json:"min,omitempty"`
	Max      int                   `json:"max,omitempty"`
	Enum     []string              `json:"enum,omitempty"`
	Pattern  string                `json:"pattern,omitempty"`
	Members  map[string]*parameter `json:"members,omitempty"` // of a structure
	Member   *parameter            `json:"member,omitempty"`  // of a list
}

// requestsJSON is written from the model by a test, which also holds it against
// the model: go test ./internal/eblocal -run RequestsAreTheModel -update.
//
//go:embed requests.json
var requestsJSON []byte

// requests are the parameters of each action of Elastic Beanstalk and STS served here.
var requests = func() map[string]*parameter {
	all := map[string]*parameter{}
	if err := json.Unmarshal(requestsJSON, &all); err != nil {
		panic(err)
	}
	return all
}()

// validate refuses what AWS's own front refuses, everything at once.
func (p *parameter) validate(values url.Values) error {
	var found []string
	for _, name := range sortedKeys(p.Members) {
		found = append(found, p.Members[name].faults(values, name, lowerFirst(name))...)
	}
	if len(found) == 0 {
		return nil
	}
	noun := "errors"
	if len(found) == 1 {
		noun = "error"
	}
	return &apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf("%d validation %s detected: %s", len(found), noun, strings.Join(found, "; "))}
}

// faults are what is wrong with the values under a key, told of a path.
func (p *parameter) faults(values url.Values, key, path string) []string {
	if !present(values, key) {
		if p.Required {
			return []string{"Value null at '" + path + "' failed to satisfy constraint: Member must not be null"}
		}
		return nil
	}
	var found []string
	switch p.Type {
	case "structure":
		for _, name := range sortedKeys(p.Members) {
			found = append(found, p.Members[name].faults(values, key+"."+name, path+"."+lowerFirst(name))...)
		}
	case "list":
		n := 1
		for ; present(values, member(key, n)); n++ {
			found = append(found, p.Member.faults(values, member(key, n), fmt.Sprintf("%s.%d.member", path, n))...)
		}
		found = append(found, p.sized(n-1, "["+strconv.Itoa(n-1)+" members]", path)...)
	default:
		found = p.scalarFaults(values.Get(key), path)
	}
	return found
}

// present tells whether there is a value under a key or below it.
func present(values url.Values, key string) bool {
	if values.Has(key) {
		return true
	}
	for name := range values {
		if strings.HasPrefix(name, key+".") {
			return true
		}
	}
	return false
}

func (p *parameter) scalarFaults(value, path string) []string {
	fault := func(constraint string) []string {
		return []string{fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", value, path, constraint)}
	}
	switch p.Type {
	case "integer", "long":
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
			return fault("Member must be a number")
		case p.Max > 0 && n > p.Max:
			return fault(fmt.Sprintf("Member must have value less than or equal to %d", p.Max))
		case n < p.Min:
			return fault(fmt.Sprintf("Member must have value greater than or equal to %d", p.Min))
		}
	case "boolean":
		if _, err := strconv.ParseBool(value); err != nil {
			return fault("Member must be true or false")
		}
	case "timestamp":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return fault("Member must be a time as in 2006-01-02T15:04:05Z")
		}
	case "string":
		if len(p.Enum) > 0 && !slices.Contains(p.Enum, value) {
			return fault("Member must satisfy enum value set: [" + strings.Join(p.Enum, ", ") + "]")
		}
		if !matches(p.Pattern, value) {
			return fault("Member must satisfy regular expression pattern: " + p.Pattern)
		}
		return p.sized(utf8.RuneCountInString(value), value, path)
	}
	return nil
}

// javaRune is a character as Java's patterns write it, which AWS's are.
var javaRune = regexp.MustCompile(`\\u([0-9A-F]{4,6})`)

// matches tells whether a text is all of a pattern, which an empty one leaves open.
func matches(pattern, text string) bool {
	return pattern == "" || regexp.MustCompile("^(?s:"+javaRune.ReplaceAllString(pattern, `\x{$1}`)+")$").MatchString(text)
}

// sized holds a length against its bounds.
func (p *parameter) sized(length int, value, path string) []string {
	fault := func(constraint string) []string {
		return []string{fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: %s", value, path, constraint)}
	}
	switch {
	case p.Max > 0 && length > p.Max:
		return fault(fmt.Sprintf("Member must have length less than or equal to %d", p.Max))
	case length < p.Min:
		return fault(fmt.Sprintf("Member must have length greater than or equal to %d", p.Min))
	}
	return nil
}

var memberPart = regexp.MustCompile(`\.member\.\d+`)

// takes tells whether there is a parameter of this name.
func (p *parameter) takes(name string) bool {
	at := p
	for part := range strings.SplitSeq(memberPart.ReplaceAllString(name, ""), ".") {
		if at.Type == "list" {
			at = at.Member
		}
		if at = at.Members[part]; at == nil {
			return false
		}
	}
	return true
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }
