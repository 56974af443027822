package eblocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// example is a request and its answer, as AWS's model has them.
type example struct {
	ID            string
	Input, Output map[string]any
}

func loadExamples(t *testing.T) map[string][]example {
	t.Helper()
	dir, err := modelDir()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, beanstalkModel, "examples-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Examples map[string][]example }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Examples
}

// served are the examples of actions that are known here.
func (b *bench) served(f func(action string, e example)) {
	b.t.Helper()
	actions, seen := b.beanstalkActions(), 0
	examples := loadExamples(b.t)
	for _, action := range slices.Sorted(maps.Keys(examples)) {
		if actions[action] == nil {
			continue
		}
		for _, e := range examples[action] {
			seen++
			f(action, e)
		}
	}
	if seen < 20 {
		b.t.Errorf("%d examples, expected more of them", seen)
	}
}

// call sends an example's request with AWS's own client.
func (b *bench) call(action string, input map[string]any) (any, error) {
	b.t.Helper()
	method := reflect.ValueOf(b.eb).MethodByName(action)
	in := reflect.New(method.Type().In(1).Elem())
	data, err := json.Marshal(input)
	if err == nil {
		err = json.Unmarshal(data, in.Interface())
	}
	if err != nil {
		b.t.Fatalf("%s: %v", action, err)
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(b.t.Context()), in})
	err, _ = out[1].Interface().(error)
	return out[0].Interface(), err
}

// TestExampleRequests expects that each of AWS's example requests is understood:
// what it refuses is that there is no such thing, not how it was asked.
func TestExampleRequests(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.served(func(action string, e example) {
		_, err := b.call(action, e.Input)
		var refused smithy.APIError
		if err == nil {
			return
		}
		if !errors.As(err, &refused) || !slices.Contains([]string{"InvalidParameterValue", "InvalidParameterCombination"}, refused.ErrorCode()) {
			t.Errorf("%s, %s: %v", action, e.ID, err)
		}
	})
}

// TestExampleAnswers writes each of AWS's example answers as XML: the check of
// our own answers must accept it, and AWS's own client must read it as it was.
func TestExampleAnswers(t *testing.T) {
	t.Parallel()
	m := loadModel(t, serviceBeanstalk)
	var answer string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, answer)
	}))
	defer api.Close()
	known, _ := faked(t)
	b := benchFor(t, known.Server, api.URL)
	b.served(func(action string, e example) {
		answer = m.xml(action, e.Output)
		for _, problem := range m.checkAnswer(action, parseXML(t, answer)) {
			t.Error(problem)
		}
		got, err := b.call(action, e.Input)
		if err != nil {
			t.Errorf("%s, %s: %v", action, e.ID, err)
			return
		}
		data, err := json.Marshal(got)
		var read map[string]any
		if err == nil {
			err = json.Unmarshal(data, &read)
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(told(e.Output), subset(read, told(e.Output))); diff != "" {
			t.Errorf("%s, %s: the client reads (-want +got):\n%s", action, e.ID, diff)
		}
	})
}

// told is a value without what says nothing: empty lists, and spellings of times.
func told(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, one := range v {
			if list, ok := one.([]any); ok && len(list) == 0 {
				continue
			}
			out[name] = told(one)
		}
		return out
	case []any:
		var out []any
		for _, one := range v {
			out = append(out, told(one))
		}
		return out
	case string:
		return strings.Replace(strings.TrimSuffix(v, "Z"), ".000", "", 1)
	}
	return value
}

// subset leaves of a value what another one has too.
func subset(value, like any) any {
	switch l := like.(type) {
	case map[string]any:
		v, _ := value.(map[string]any)
		out := map[string]any{}
		for name := range l {
			if one, ok := v[name]; ok {
				out[name] = subset(one, l[name])
			}
		}
		return out
	case []any:
		v, _ := value.([]any)
		if len(v) != len(l) {
			return value
		}
		var out []any
		for n := range v {
			out = append(out, subset(v[n], l[n]))
		}
		return out
	}
	return told(value)
}

// xml is an answer as the query protocol has it.
func (m *model) xml(action string, output map[string]any) string {
	var body strings.Builder
	if o := m.Operations[action].Output; o != nil {
		body.WriteString("<" + o.ResultWrapper + ">")
		m.write(&body, o.Shape, output)
		body.WriteString("</" + o.ResultWrapper + ">")
	}
	return fmt.Sprintf(`<%sResponse xmlns=%q>%s<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></%sResponse>`,
		action, beanstalkNamespace, body.String(), action)
}

func (m *model) write(b *strings.Builder, shape string, value any) {
	s := m.Shapes[shape]
	switch v := value.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if s.Members[name] == nil {
				continue // told by its absence in what the client reads
			}
			b.WriteString("<" + name + ">")
			m.write(b, s.Members[name].Shape, v[name])
			b.WriteString("</" + name + ">")
		}
	case []any:
		for _, one := range v {
			b.WriteString("<member>")
			m.write(b, s.Member.Shape, one)
			b.WriteString("</member>")
		}
	default:
		b.WriteString(escaper.Replace(fmt.Sprint(v)))
	}
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
