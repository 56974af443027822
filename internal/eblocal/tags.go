package eblocal

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
)

type tag struct{ Key, Value string }

func (c *call) tags() map[string]string { return c.tagsIn("Tags") }

func (c *call) tagsIn(list string) map[string]string {
	tags := map[string]string{}
	for _, t := range c.structs(list, "Key", "Value") {
		tags[t["Key"]] = t["Value"]
	}
	return tags
}

func (s *Server) listTagsForResource(c *call) (any, error) {
	arn, tags, err := s.tagged(c)
	if err != nil {
		return nil, err
	}
	var described []tag
	for _, key := range sortedKeys(*tags) {
		described = append(described, tag{key, (*tags)[key]})
	}
	return struct {
		ResourceArn  string
		ResourceTags list[tag]
	}{arn, listOf(described)}, nil
}

// maxTags is how many tags a resource may have on AWS.
const maxTags = 50

func (s *Server) updateTagsForResource(c *call) (any, error) {
	_, tags, err := s.tagged(c)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(*tags)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, c.tagsIn("TagsToAdd"))
	for _, key := range c.strings("TagsToRemove") {
		delete(next, key)
	}
	if len(next) > maxTags {
		return nil, &apiError{http.StatusBadRequest, "TooManyTagsException", fmt.Sprintf("A resource can have at most %d tags.", maxTags)}
	}
	*tags = next
	s.keep()
	return nil, nil
}

// tagged finds the resource that a call is about, and its tags.
func (s *Server) tagged(c *call) (string, *map[string]string, error) {
	arn, err := c.required("ResourceArn")
	if err != nil {
		return "", nil, err
	}
	if tags := s.tagsOf(arn); tags != nil {
		return arn, tags, nil
	}
	return "", nil, &apiError{http.StatusBadRequest, "ResourceNotFoundException", "Resource not found: " + arn}
}

func (s *Server) tagsOf(arn string) *map[string]string {
	resource, ours := strings.CutPrefix(arn, s.arn(""))
	kind, name, _ := strings.Cut(resource, "/")
	if !ours {
		return nil
	}
	app, part, _ := strings.Cut(name, "/")
	switch kind {
	case "application":
		if a := s.state.app(name); a != nil {
			return &a.Tags
		}
	case "applicationversion":
		if v := s.state.version(app, part); v != nil {
			return &v.Tags
		}
	case "environment":
		if e := s.state.env(part); e != nil && e.App == app {
			return &e.Tags
		}
	}
	return nil
}
