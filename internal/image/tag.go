package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// MaxTag is how many characters a tag may have.
// Source: the OCI distribution specification, "Pulling manifests".
const MaxTag = 128

var (
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	notInTag      = regexp.MustCompile(`[^A-Za-z0-9_.-]`)
)

// CheckTag reports a text that is no tag.
func CheckTag(tag string) error {
	if tagPattern.MatchString(tag) {
		return nil
	}
	return fmt.Errorf("tag %q: a tag has 1 to %d characters out of A-Z a-z 0-9 _ . - and does not begin with . or -", tag, MaxTag)
}

// CheckDigest reports a text that is no digest.
func CheckDigest(digest string) error {
	if digestPattern.MatchString(digest) {
		return nil
	}
	return fmt.Errorf("digest %q: a digest is sha256: and 64 hex digits", digest)
}

// BranchTag makes a tag of a branch's name. A name that had to be changed or
// cut gets eight hex digits of its hash, so that two branches never meet in
// one tag.
func BranchTag(branch string) string {
	tag := notInTag.ReplaceAllString(branch, "-")
	if tag != "" && (tag[0] == '.' || tag[0] == '-') {
		tag = "_" + tag[1:]
	}
	if tag == branch && len(tag) <= MaxTag {
		return tag
	}
	suffix := hashed(branch)
	return tag[:min(len(tag), MaxTag-len(suffix))] + suffix
}

// Shorten cuts a part of a tag to a length, with a hash of its own again. One
// that fits, or that would be all hash, stays.
func Shorten(part string, length int) string {
	suffix := hashed(part)
	if len(part) <= length || length <= len(suffix) {
		return part
	}
	return part[:length-len(suffix)] + suffix
}

// hashed is a dash and eight hex digits of a text's hash.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "-" + hex.EncodeToString(sum[:4])
}
