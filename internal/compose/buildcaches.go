package compose

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// cacheTypes are BuildKit's that work without a folder of the builder's.
var cacheTypes = []string{"registry", "gha", "inline", "s3", "azblob"}

// caches reads "type=…,key=value" and a bare reference, which is one in a
// registry. As with docker buildx, an empty one is none.
func caches(from []string) ([]Cache, error) {
	var all []Cache
	var problems []error
	for _, text := range from {
		if text == "" {
			continue
		}
		one, err := parseCache(text)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, one)
	}
	return all, errors.Join(problems...)
}

// notInline reports what can only be written: BuildKit would read nothing, and
// say so in its log alone.
func notInline(from []Cache) error {
	if slices.ContainsFunc(from, func(one Cache) bool { return one.Type == "inline" }) {
		return errors.New("type inline is for cache_to; give the image that it was written into, as guk0/web:latest")
	}
	return nil
}

func parseCache(text string) (Cache, error) {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return Cache{}, fmt.Errorf("is no list of key=value: %w", err)
	}
	if len(fields) == 1 && !strings.Contains(text, "=") {
		return Cache{Type: "registry", Attrs: map[string]string{"ref": text}}, nil
	}
	one := Cache{Attrs: map[string]string{}}
	for _, field := range fields {
		key, value, found := strings.Cut(field, "=")
		if !found {
			return Cache{}, errors.New("is no list of key=value, as type=registry,ref=guk0/web:cache")
		}
		if key = strings.ToLower(key); key == "type" {
			one.Type = value
			continue
		}
		one.Attrs[key] = value
	}
	if one.Type == "local" {
		return Cache{}, errors.New("type local would be a folder in the action's own container, which is gone after the step; give type=registry or type=gha")
	}
	if !slices.Contains(cacheTypes, one.Type) {
		return Cache{}, fmt.Errorf("type %q is none of %s", one.Type, strings.Join(cacheTypes, ", "))
	}
	if one.Type == "registry" && one.Attrs["ref"] == "" {
		return Cache{}, errors.New("type registry needs a reference, as type=registry,ref=guk0/web:cache")
	}
	return one, nil
}
