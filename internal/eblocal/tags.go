package eblocal

import (
	"net/http"
	"strings"
)

type tag struct{ Key, Value string }

func (c *call) tags() map[string]string {
	tags := map[string]string{}
	for _, t := range c.structs("Tags") {
		tags[t["Key"]] = t["Value"]
	}
	return tags
}

func (s *Server) listTagsForResource(c *call) (any, error) {
	arn, err := c.required("ResourceArn")
	if err != nil {
		return nil, err
	}
	tags, found := s.tagsOf(arn)
	if !found {
		return nil, &apiError{http.StatusBadRequest, "ResourceNotFoundException", "Resource not found: " + arn}
	}
	var described []tag
	for _, key := range sortedKeys(tags) {
		described = append(described, tag{key, tags[key]})
	}
	return struct {
		ResourceArn  string
		ResourceTags list[tag]
	}{arn, listOf(described)}, nil
}

func (s *Server) tagsOf(arn string) (map[string]string, bool) {
	resource, ours := strings.CutPrefix(arn, s.arn(""))
	kind, name, _ := strings.Cut(resource, "/")
	if !ours {
		return nil, false
	}
	switch kind {
	case "application":
		if a := s.state.app(name); a != nil {
			return a.Tags, true
		}
	case "applicationversion":
		app, label, _ := strings.Cut(name, "/")
		if v := s.state.version(app, label); v != nil {
			return v.Tags, true
		}
	case "environment":
		return nil, name == s.opts.App+"/"+s.opts.Env
	}
	return nil, false
}
