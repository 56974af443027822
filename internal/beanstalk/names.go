package beanstalk

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guk0/travois/internal/bucketname"
)

// The limits of Elastic Beanstalk's names, from its API reference.
const (
	maxLabel       = 100
	maxDescription = 200
	maxApplication = 100
)

var (
	regionName      = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d+$`)
	environmentName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)
)

// CheckRegion refuses what is not shaped as a region's name.
func CheckRegion(name string) error {
	if regionName.MatchString(name) {
		return nil
	}
	if zone := strings.TrimRight(name, "abcdef"); zone != name && regionName.MatchString(zone) {
		return fmt.Errorf("%q is an availability zone; write the region: %q", name, zone)
	}
	return fmt.Errorf("%q is no region; write one such as \"ap-northeast-2\"", name)
}

// CheckApplication refuses a name that no application can have.
func CheckApplication(name string) error {
	return checkLength(name, 1, maxApplication)
}

// CheckEnvironment refuses a name that no environment can have.
func CheckEnvironment(name string) error {
	if err := checkLength(name, 4, 40); err != nil {
		return err
	}
	if !environmentName.MatchString(name) {
		return fmt.Errorf("%q: allowed are letters, digits and hyphens, without a hyphen at either end", name)
	}
	return nil
}

// CheckLabel refuses a version label that Elastic Beanstalk would not take.
func CheckLabel(label string) error {
	if err := checkLength(label, 1, maxLabel); err != nil {
		return err
	}
	if strings.Contains(label, "/") {
		return fmt.Errorf("%q: a slash is not allowed in a version label; write %q", label, strings.ReplaceAll(label, "/", "-"))
	}
	if strings.ContainsFunc(label, unicode.IsControl) {
		return fmt.Errorf("%q: control characters are not allowed in a version label", label)
	}
	return nil
}

func checkLength(text string, least, most int) error {
	if n := utf8.RuneCountInString(text); n < least || n > most {
		return fmt.Errorf("%q has %d characters; allowed are %d to %d", text, n, least, most)
	}
	return nil
}

// Description makes a text fit for a version's description: one line of
// printable characters, at most 200 of them.
func Description(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	return short(text, maxDescription)
}

func short(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return strings.TrimSpace(string([]rune(text)[:most-1])) + "…"
}

// CheckBucket refuses a name that no S3 bucket can have.
func CheckBucket(name string) error { return bucketname.Check(name) }
