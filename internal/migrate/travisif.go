package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// travisCondition is a condition in Travis's language of if: as an expression.
// Source: travis-ci/travis-conditions and Travis's documentation, "Conditions".
func travisCondition(text string, env func(name string) (string, bool)) (string, error) {
	p := &conditionParser{rest: text, env: env}
	expr, err := p.or()
	if err != nil {
		return "", err
	}
	if p.peek() != "" {
		return "", fmt.Errorf("%q is not understood", p.peek())
	}
	return conjunction(expr), nil
}

var conditionToken = regexp.MustCompile(`^\s*("[^"]*"|'[^']*'|[(),]|=~|!~|!=|==?|&&|\|\||!|[^\s(),=!&|]+)`)

type conditionParser struct {
	rest string
	env  func(string) (string, bool)
}

func (p *conditionParser) peek() string {
	if found := conditionToken.FindStringSubmatch(p.rest); found != nil {
		return found[1]
	}
	return strings.TrimSpace(p.rest)
}

func (p *conditionParser) next() string {
	token := p.peek()
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")[len(token):]
	return token
}

// pattern is a regular expression: between slashes or quotes, else up to a
// space or a parenthesis that it did not open.
func (p *conditionParser) pattern() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if found := delimited.FindString(p.rest); found != "" {
		p.rest = p.rest[len(found):]
		return unquote(found)
	}
	depth, at := 0, 0
	for ; at < len(p.rest); at++ {
		c := p.rest[at]
		if c == '\\' {
			at++
			continue
		}
		if c == '(' {
			depth++
		}
		if c == ')' {
			depth--
		}
		if depth < 0 || depth == 0 && (c == ' ' || c == '\n') {
			break
		}
	}
	at = min(at, len(p.rest))
	pattern := p.rest[:at]
	p.rest = p.rest[at:]
	return pattern
}

var delimited = regexp.MustCompile(`^(/(?:\\.|[^/\\])+/|"[^"]*"|'[^']*')`)

func (p *conditionParser) accept(words ...string) bool {
	for _, word := range words {
		if strings.EqualFold(p.peek(), word) {
			p.next()
			return true
		}
	}
	return false
}

func (p *conditionParser) or() ([]string, error) {
	left, err := p.and()
	for err == nil && p.accept("or", "||") {
		var right []string
		right, err = p.and()
		left = combine(left, right, false)
	}
	return left, err
}

func (p *conditionParser) and() ([]string, error) {
	left, err := p.not()
	for err == nil && p.accept("and", "&&") {
		var right []string
		right, err = p.not()
		left = combine(left, right, true)
	}
	return left, err
}

func (p *conditionParser) not() ([]string, error) {
	if p.accept("not", "!") {
		inner, err := p.not()
		return negated(inner), err
	}
	if p.accept("(") {
		inner, err := p.or()
		if err == nil && !p.accept(")") {
			return nil, fmt.Errorf("a parenthesis is not closed")
		}
		return []string{disjunction([]string{conjunction(inner)})}, err
	}
	term, err := p.term()
	return []string{term}, err
}

func (p *conditionParser) term() (string, error) {
	name := strings.ToLower(p.next())
	operand, err := p.operand(name)
	if err != nil {
		return "", err
	}
	if word := strings.ToLower(p.peek()); name == "fork" && slices.Contains([]string{"", ")", "and", "or", "&&", "||"}, word) {
		return operand, nil
	}
	negate := false
	switch op := strings.ToLower(p.next()); op {
	case "=", "==", "!=":
		return p.comparison(name, operand, op), nil
	case "=~", "!~":
		return p.match(operand, op)
	case "not":
		negate = true
		if !p.accept("in") {
			return "", fmt.Errorf("%q after NOT is not understood", p.peek())
		}
		fallthrough
	case "in":
		return p.in(name, operand, negate)
	case "is":
		return p.is(name, operand)
	default:
		return "", fmt.Errorf("%q after %s is not understood", op, name)
	}
}

// operand is an attribute of the build. Source: the list in Travis's
// documentation, "Conditions".
func (p *conditionParser) operand(name string) (string, error) {
	attributes := map[string]string{
		"branch": travisBranch, "type": "github.event_name", "repo": "github.repository", "tag": "github.ref_name",
		"commit_message": "github.event.head_commit.message", "sender": "github.actor", "head_branch": "github.head_ref",
		"head_repo": "github.event.pull_request.head.repo.full_name", "fork": "github.event.pull_request.head.repo.fork",
		"os": "'linux'",
	}
	if expr, ok := attributes[name]; ok {
		return expr, nil
	}
	if name == "env" && p.accept("(") {
		variable := p.next()
		if !p.accept(")") {
			return "", fmt.Errorf("env(%s is not closed", variable)
		}
		if expr, ok := p.env(unquote(variable)); ok {
			return expr, nil
		}
		return "", fmt.Errorf("env(%s) is not known before the job runs", variable)
	}
	return "", fmt.Errorf("%q is not understood", name)
}

func (p *conditionParser) comparison(name, operand, op string) string {
	value := unquote(p.next())
	if op != "!=" {
		op = "=="
	}
	if name == "type" {
		value = eventName(value)
		if value == "pull_request" || value == "push" && op == "==" {
			return operand + " " + op + " " + quote(value)
		}
	}
	if name == "fork" {
		return map[bool]string{true: "", false: "!"}[(value == "true") == (op == "==")] + operand
	}
	return operand + " " + op + " " + quote(value)
}

func (p *conditionParser) match(operand, op string) (string, error) {
	pattern := p.pattern()
	term, ok := matches(operand, pattern)
	if !ok {
		return "", fmt.Errorf("the regular expression %s has no counterpart", pattern)
	}
	if op == "!~" {
		term = "!(" + term + ")"
	}
	return term, nil
}

func (p *conditionParser) in(name, operand string, negate bool) (string, error) {
	if !p.accept("(") {
		return "", fmt.Errorf("a list in parentheses should follow IN")
	}
	var terms []string
	for !p.accept(")") {
		if p.peek() == "" {
			return "", fmt.Errorf("the list after IN is not closed")
		}
		if p.accept(",") {
			continue
		}
		value := unquote(p.next())
		if name == "type" {
			value = eventName(value)
		}
		terms = append(terms, equals(operand, value))
	}
	if negate {
		return negated([]string{strings.Join(terms, " || ")})[0], nil
	}
	return disjunction(terms), nil
}

func (p *conditionParser) is(name, operand string) (string, error) {
	negate := p.accept("not")
	word := strings.ToLower(p.next())
	present := (word == "present" || word == "true") != negate
	if word != "present" && word != "blank" && word != "true" && word != "false" {
		return "", fmt.Errorf("IS %s is not understood", word)
	}
	switch {
	case name == "tag" && present:
		return isTag, nil
	case name == "tag":
		return isNoTag, nil
	case name == "fork" && present:
		return operand, nil
	case name == "fork":
		return "!" + operand, nil
	case present:
		return operand + " != ''", nil
	}
	return operand + " == ''", nil
}

func unquote(token string) string {
	if len(token) > 1 && (token[0] == '"' || token[0] == '\'') && token[len(token)-1] == token[0] {
		return token[1 : len(token)-1]
	}
	return token
}
