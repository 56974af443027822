// Package junit owns JUnit reports: what was tested, where in the repository a
// failure is, and how both are told.
package junit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	gojunit "github.com/joshdk/go-junit"
)

// Status is how a test ended.
type Status string

// The statuses of JUnit.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Errored Status = "error"
	Skipped Status = "skipped"
)

// Case is one test.
type Case struct {
	Suite, Class, Name string
	Status             Status
	// Message and Output are what the test says of a failure: a line, and a
	// stack or more.
	Message, Output string
	// File and Line are the test's in the container, "" and 0 if the report
	// does not tell.
	File     string
	Line     int
	Duration time.Duration
}

// Bad tells that a test failed, by itself or by something unforeseen.
func (c Case) Bad() bool { return c.Status == Failed || c.Status == Errored }

// Title names a test as its author knows it.
func (c Case) Title() string {
	name := strings.TrimSpace(c.Name)
	if name == "" {
		name = "(without a name)"
	}
	if c.Class == "" || c.Class == c.Name || strings.HasPrefix(name, c.Class) {
		return name
	}
	return c.Class + " › " + name
}

// Report is one file of them.
type Report struct {
	// File is its path in the container.
	File  string
	Cases []Case
	// Problem is why it could not be read, nil if it was.
	Problem error
}

// Totals count tests. Failures are failed and errored ones.
type Totals struct {
	Tests, Failures, Skipped int
	Duration                 time.Duration
}

// Add is the sum of both.
func (t Totals) Add(other Totals) Totals {
	return Totals{t.Tests + other.Tests, t.Failures + other.Failures, t.Skipped + other.Skipped, t.Duration + other.Duration}
}

// Totals counts the report's tests.
func (r Report) Totals() Totals {
	var all Totals
	for _, one := range r.Cases {
		all.Tests++
		all.Duration += one.Duration
		switch {
		case one.Bad():
			all.Failures++
		case one.Status == Skipped:
			all.Skipped++
		}
	}
	return all
}

// A report that is larger or deeper than any test runner writes is not read:
// it could use up the machine.
const (
	maxSize  = 32 << 20
	maxDepth = 32
)

// Parse reads a report. It never fails: what can't be read is the report's
// Problem.
func Parse(file string, from io.Reader) Report {
	report := Report{File: file}
	text, err := io.ReadAll(io.LimitReader(from, maxSize+1))
	switch {
	case err != nil:
		report.Problem = fmt.Errorf("%s: %w", file, err)
	case len(text) > maxSize:
		report.Problem = fmt.Errorf("%s is larger than %d MiB and was not read; let the test runner leave the tests' output out of it", file, maxSize>>20)
	case len(bytes.TrimSpace(text)) == 0:
		report.Problem = fmt.Errorf("%s is empty; did the test runner end before it wrote it?", file)
	default:
		report.Cases, err = parse(text)
		if err != nil {
			report.Problem = fmt.Errorf("%s is no JUnit report: %w", file, err)
		}
	}
	return report
}

func parse(text []byte) ([]Case, error) {
	text = clean(text)
	roots, err := check(text)
	if err != nil {
		return nil, err
	}
	suites, err := gojunit.Ingest(asSuite(text, roots))
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, one := range suites {
		all = collect(all, one, "")
	}
	return all, nil
}

// encoding is that of an XML declaration, which is the text's first thing.
var encoding = regexp.MustCompile(`^<\?xml[^>]*encoding=["']([^"']*)["'][^>]*\?>`)

// clean takes away what no XML may hold and test runners write all the same:
// colours of a terminal, broken characters.
func clean(text []byte) []byte {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n")
	text = colours.ReplaceAll(text, nil)
	text = controls.ReplaceAll(text, []byte("?"))
	return bytes.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, text)
}

// colours are a terminal's, also as a test runner escapes them.
var colours = regexp.MustCompile(`(?:\x1b|&#x1[bB];|&#27;)\[[0-9;]*[A-Za-z]`)

// controls are characters that XML refuses even where they are escaped.
var controls = regexp.MustCompile(`&#(?:x0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));`)

// root is the element above all suites.
const root = "testsuites"

// asSuite makes a suite of the element above all suites, since Node writes
// tests right below it, which the parser would pass over. Places are those of
// the element's tags.
func asSuite(text []byte, places []int64) []byte {
	var all []byte
	done := int64(0)
	for _, at := range places {
		end := at + int64(bytes.Index(text[at:], []byte(root))+len(root))
		all = append(all, text[done:end-1]...)
		done = end
	}
	return append(all, text[done:]...)
}

// check reads the text as XML, for the line of a mistake and against depths
// that the parser would pay for. It gives the places of root's tags.
func check(text []byte) (roots []int64, err error) {
	if found := encoding.FindSubmatch(text); found != nil && !strings.EqualFold(string(found[1]), "utf-8") && !strings.EqualFold(string(found[1]), "us-ascii") {
		return nil, fmt.Errorf("it is encoded in %s; let the test runner write UTF-8", found[1])
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	depth, suites := 0, false
	for {
		at := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch element := token.(type) {
		case xml.StartElement:
			depth++
			suites = suites || strings.HasPrefix(element.Name.Local, "testsuite")
			if depth == 1 && !suites {
				return nil, fmt.Errorf("it begins with <%s> and not with <testsuites> or <testsuite>", element.Name.Local)
			}
			roots = appendRoot(roots, text, at, element.Name.Local)
		case xml.EndElement:
			depth--
			roots = appendRoot(roots, text, at, element.Name.Local)
		}
		if depth > maxDepth {
			return nil, fmt.Errorf("its elements stand in each other more than %d deep", maxDepth)
		}
	}
	if !suites {
		return nil, errors.New("it holds no <testsuite>")
	}
	return roots, nil
}

// appendRoot adds the place of a tag. An element that closes itself has one.
func appendRoot(roots []int64, text []byte, at int64, name string) []int64 {
	if name != root || len(roots) > 0 && roots[len(roots)-1] == at || at >= int64(len(text)) || text[at] != '<' || !bytes.Contains(text[at:min(len(text), int(at)+len(root)+2)], []byte(root)) {
		return roots
	}
	return append(roots, at)
}

func collect(all []Case, suite gojunit.Suite, above string) []Case {
	for _, test := range suite.Tests {
		all = append(all, caseOf(suite, test, above))
	}
	file := suite.Properties["file"]
	if file == "" {
		file = above
	}
	for _, one := range suite.Suites {
		all = collect(all, one, file)
	}
	return all
}

func caseOf(suite gojunit.Suite, test gojunit.Test, above string) Case {
	one := Case{
		Suite: suite.Name, Class: test.Classname, Name: test.Name, Status: Status(test.Status), Message: strings.TrimSpace(test.Message),
		File: first(test.Properties["file"], test.Properties["filepath"], suite.Properties["file"], suite.Properties["filepath"], above),
		Line: number(test.Properties["line"], test.Properties["lineno"]), Duration: sane(test.Duration),
	}
	var failure gojunit.Error
	if errors.As(test.Error, &failure) {
		one.Output = strings.TrimSpace(failure.Body)
	}
	if one.Message == "" {
		one.Message, _, _ = strings.Cut(one.Output, "\n")
	}
	if one.Bad() {
		one.Output = strings.TrimSpace(strings.Join([]string{one.Output, test.SystemOut, test.SystemErr}, "\n"))
	}
	return one
}

// sane drops durations that no test has: negative ones, and those of NaN.
func sane(d time.Duration) time.Duration {
	if d < 0 || d > math.MaxInt64/1_000_000 {
		return 0
	}
	return d
}

func first(all ...string) string {
	for _, one := range all {
		if one != "" {
			return one
		}
	}
	return ""
}

func number(all ...string) int {
	line := 0
	for _, one := range all {
		if _, err := fmt.Sscanf(one, "%d", &line); err == nil && line > 0 {
			return line
		}
	}
	return 0
}
