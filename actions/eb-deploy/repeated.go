package ebdeploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// repeated refuses JSON with a key that stands twice in one object: only the
// last one would count. It tells the keys, and no values.
func repeated(text []byte) error {
	r := repeats{text: text, decoder: json.NewDecoder(bytes.NewReader(text))}
	_ = r.value(nil) // That it is JSON is known by then.
	return errors.Join(r.problems...)
}

type repeats struct {
	text     []byte
	decoder  *json.Decoder
	problems []error
}

// value goes through a value that stands below these keys.
func (r *repeats) value(at []string) error {
	token, err := r.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		for r.decoder.More() && err == nil {
			err = r.value(at)
		}
	case json.Delim('{'):
		err = r.object(at)
	default:
		return nil
	}
	if err == nil {
		_, err = r.decoder.Token()
	}
	return err
}

func (r *repeats) object(at []string) error {
	seen := map[string]bool{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		below := append(at[:len(at):len(at)], key)
		if seen[key] {
			line := 1 + bytes.Count(r.text[:r.decoder.InputOffset()], []byte("\n"))
			r.problems = append(r.problems, fmt.Errorf("line %d gives %s a second time", line, strings.Join(below, " ")))
		}
		seen[key] = true
		if err := r.value(below); err != nil {
			return err
		}
	}
	return nil
}
