package beanstalk

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
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
	bucketChars     = regexp.MustCompile(`^[a-z0-9.-]+$`)
	// accountBucket is the shape of the bucket that Elastic Beanstalk keeps in
	// an account, at the front of a name into which something else slipped.
	accountBucket = regexp.MustCompile(`^elasticbeanstalk-[a-z0-9-]+-\d{12}`)
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

// CheckBucket refuses a name that no S3 bucket can have (S3 user guide, bucket
// naming rules), with every rule that it breaks, and guesses what was meant.
func CheckBucket(name string) error {
	var broken []string
	for _, rule := range bucketRules {
		if rule.breaks(name) {
			broken = append(broken, rule.text)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	text := fmt.Sprintf("%q: %s", name, strings.Join(broken, "; "))
	if meant := MeantBucket(name); meant != "" {
		text += fmt.Sprintf("; did you mean %q?", meant)
	}
	return errors.New(text)
}

type bucketRule struct {
	text   string
	breaks func(string) bool
}

var bucketRules = []bucketRule{
	{"a bucket name has 3 to 63 characters", func(n string) bool { return len(n) < 3 || len(n) > 63 }},
	{"upper-case letters are not allowed (S3 takes a-z, 0-9, '.' and '-')", func(n string) bool { return strings.ToLower(n) != n }},
	{"only a-z, 0-9, '.' and '-' are allowed", func(n string) bool { return n != "" && !bucketChars.MatchString(strings.ToLower(n)) }},
	{"it must start and end with a letter or a digit", func(n string) bool { return n != strings.Trim(n, ".-") }},
	{"two dots in a row are not allowed", func(n string) bool { return strings.Contains(n, "..") }},
	{"an IP address is not allowed", func(n string) bool { _, err := netip.ParseAddr(n); return err == nil }},
	{"the beginning is reserved by S3", hasAny(strings.HasPrefix, "xn--", "sthree-", "amzn-s3-demo-")},
	{"the ending is reserved by S3", hasAny(strings.HasSuffix, "-s3alias", "--ol-s3", ".mrap", "--x-s3")},
}

func hasAny(has func(s, part string) bool, parts ...string) func(string) bool {
	return func(name string) bool {
		for _, part := range parts {
			if has(name, part) {
				return true
			}
		}
		return false
	}
}

// MeantBucket is the valid name that a wrong one most likely stands for, or "".
func MeantBucket(name string) string {
	for _, guess := range []string{accountBucket.FindString(name), strings.ToLower(name)} {
		if guess != "" && guess != name && validBucket(guess) {
			return guess
		}
	}
	return ""
}

func validBucket(name string) bool {
	for _, rule := range bucketRules {
		if rule.breaks(name) {
			return false
		}
	}
	return true
}
