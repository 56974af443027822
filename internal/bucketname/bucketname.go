// Package bucketname owns what an S3 bucket may be called.
package bucketname

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

var (
	chars = regexp.MustCompile(`^[a-z0-9.-]+$`)
	// accountBucket is the shape of the bucket that Elastic Beanstalk keeps in
	// an account, at the front of a name into which something else slipped.
	accountBucket = regexp.MustCompile(`^elasticbeanstalk-[a-z0-9-]+-\d{12}`)
)

// Check refuses a name that no S3 bucket can have (S3 user guide, bucket
// naming rules), with every rule that it breaks, and guesses what was meant.
func Check(name string) error {
	var broken []string
	for _, r := range rules {
		if r.breaks(name) {
			broken = append(broken, r.text)
		}
	}
	if len(broken) == 0 {
		return nil
	}
	text := fmt.Sprintf("%q: %s", name, strings.Join(broken, "; "))
	if meant := Meant(name); meant != "" {
		text += fmt.Sprintf("; did you mean %q?", meant)
	}
	return errors.New(text)
}

type rule struct {
	text   string
	breaks func(string) bool
}

var rules = []rule{
	{"a bucket name has 3 to 63 characters", func(n string) bool { return len(n) < 3 || len(n) > 63 }},
	{"upper-case letters are not allowed (S3 takes a-z, 0-9, '.' and '-')", func(n string) bool { return strings.ToLower(n) != n }},
	{"only a-z, 0-9, '.' and '-' are allowed", func(n string) bool { return n != "" && !chars.MatchString(strings.ToLower(n)) }},
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

// Meant is the valid name that a wrong one most likely stands for, or "".
func Meant(name string) string {
	for _, guess := range []string{accountBucket.FindString(name), strings.ToLower(name)} {
		if guess != "" && guess != name && valid(guess) {
			return guess
		}
	}
	return ""
}

func valid(name string) bool {
	for _, r := range rules {
		if r.breaks(name) {
			return false
		}
	}
	return true
}
