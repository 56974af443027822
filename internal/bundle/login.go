package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/guk0/travois/internal/place"
)

// Login is where in S3 the instances find the logins of private registries.
type Login struct{ Bucket, Key string }

// loginKeys are the names under which each version of Dockerrun.aws.json refers
// to it. Source: the Elastic Beanstalk guide, "Using images from a private
// repository" and "Dockerrun.aws.json v2".
var loginKeys = map[Kind][3]string{
	DockerrunV1: {"Authentication", "Bucket", "Key"},
	DockerrunV2: {"authentication", "bucket", "key"},
	DockerrunV3: {"Authentication", "bucket", "key"},
}

// Write writes the reference into a Dockerrun.aws.json; all else stays as it
// is. What the file refers to already is replaced.
func (l Login) Write(file string, src []byte) ([]byte, error) {
	root, err := parseJSON(file, src)
	if root == nil || err != nil {
		return nil, err
	}
	kind, err := dockerrunKind(file, root)
	if err != nil {
		return nil, err
	}
	keys := loginKeys[kind]
	edits, err := l.edits(file, src, root, keys)
	if err != nil {
		return nil, err
	}
	content, err := apply(src, edits)
	if err != nil {
		return nil, fmt.Errorf("internal error: write the login into %s: %w", file, err)
	}
	written, err := parseJSON(file, content)
	if found := written.get(keys[0]); err != nil || found.get(keys[1]).text() != l.Bucket || found.get(keys[2]).text() != l.Key {
		return nil, fmt.Errorf("internal error: write the login into %s: it does not read back", file)
	}
	return content, nil
}

func (l Login) edits(file string, src []byte, root *value, keys [3]string) ([]edit, error) {
	found := root.get(keys[0])
	if found == nil {
		return []edit{l.insert(src, root, keys)}, nil
	}
	bucket, key := found.get(keys[1]), found.get(keys[2])
	if bucket.text() == "" || key.text() == "" {
		return nil, place.At(file, found.line, fmt.Errorf(`%s names no bucket and key; write {"%s": "…", "%s": "…"}, or take it out: registry-auth puts it there`, keys[0], keys[1], keys[2]))
	}
	return []edit{{bucket.from, bucket.to, quoted(l.Bucket)}, {key.from, key.to, quoted(l.Key)}}, nil
}

// insert puts the reference before the first entry, spaced as that is.
func (l Login) insert(src []byte, root *value, keys [3]string) edit {
	open := bytes.IndexByte(src, '{') + 1
	text := fmt.Sprintf(`"%s": {"%s": %s, "%s": %s}`, keys[0], keys[1], quoted(l.Bucket), keys[2], quoted(l.Key))
	if len(root.members) > 0 {
		text += ","
	}
	rest := src[open:]
	space := string(rest[:len(rest)-len(bytes.TrimLeft(rest, " \t\r\n"))])
	if space == "" {
		text += " "
	}
	return edit{open, open, space + text}
}

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(out)
}

// Companion is the Dockerrun.aws.json of version 3 that goes with a Compose
// file: the tree's own one with the reference in it, or a new one where src is
// nil or of another version, which a Compose deployment does not read.
func (l Login) Companion(file string, src []byte) ([]byte, error) {
	kind, err := DeployFileKind(dockerrunName, src)
	if src == nil || err == nil && kind != DockerrunV3 {
		return l.Write(file, []byte("{\n  \""+versionKey+"\": \"3\"\n}\n"))
	}
	if err != nil && kind == "" {
		return nil, err
	}
	return l.Write(file, src)
}
