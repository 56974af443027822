package eblocal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	beanstalkNamespace = "http://elasticbeanstalk.amazonaws.com/docs/2010-12-01/"
	maxQueryBytes      = 1 << 20
	timeFormat         = "2006-01-02T15:04:05.000Z"
)

// call is one request to a query API.
type call struct {
	ctx    context.Context
	id     string // the RequestId, which events of an update carry
	host   string // as the client named this server, for URLs in answers
	token  string // the session token of the credentials that signed it
	values url.Values
	params *parameter // of the action
}

// action answers a call. A nil answer is an operation that has no output.
type action func(*call) (any, error)

// queryAPI serves the actions of one service as AWS's query protocol has it.
// Requests are held against the parameters that are known of them.
func queryAPI(namespace string, clock clock, actions map[string]action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := newRequestID()
		w.Header().Set("X-Amzn-Requestid", id)
		w.Header().Set("Content-Type", "text/xml")
		name, answer, err := dispatch(r, id, clock.now(), actions)
		if err != nil {
			e := asAPIError(err)
			w.WriteHeader(e.status)
			writeXML(w, e.response(namespace, id))
			return
		}
		writeXML(w, newEnvelope(namespace, name, id, answer))
	}
}

func dispatch(r *http.Request, id string, now time.Time, actions map[string]action) (string, any, error) {
	if err := r.ParseForm(); err != nil {
		return "", nil, &apiError{http.StatusNotFound, "MalformedQueryString", err.Error()}
	}
	name := r.Form.Get("Action")
	if name == "" {
		return "", nil, &apiError{http.StatusBadRequest, "MissingAction", "Could not find operation."}
	}
	act, ok := actions[name]
	if !ok {
		return "", nil, &apiError{http.StatusBadRequest, "InvalidAction",
			fmt.Sprintf("Could not find operation %s for version %s.", name, r.Form.Get("Version"))}
	}
	if err := checkSigned(r, now); err != nil {
		return name, nil, err
	}
	c := &call{ctx: r.Context(), id: id, host: r.Host, token: sessionToken(r), values: r.Form, params: requests[name]}
	if err := c.params.validate(c.values); err != nil {
		return name, nil, err
	}
	answer, err := act(c)
	return name, answer, err
}

const (
	// maxSkew is how far the clock of a client may be from the server's.
	maxSkew      = 5 * time.Minute
	signedFormat = "20060102T150405Z"
)

// checkSigned refuses a request that was signed at another time than now. AWS's
// clients set their clocks by the answer and ask again.
func checkSigned(r *http.Request, now time.Time) error {
	stamp := r.Header.Get("X-Amz-Date")
	signed, err := time.Parse(signedFormat, stamp)
	if err != nil || r.Header.Get("Authorization") == "" {
		return nil // not signed
	}
	refuse := func(text string, edge time.Time, sign string) error {
		return &apiError{http.StatusForbidden, "SignatureDoesNotMatch", fmt.Sprintf("Signature %s %s (%s %s 5 min.)",
			fmt.Sprintf(text, stamp), edge.Format(signedFormat), now.UTC().Format(signedFormat), sign)}
	}
	switch edge := now.UTC(); {
	case signed.Before(edge.Add(-maxSkew)):
		return refuse("expired: %s is now earlier than", edge.Add(-maxSkew), "-")
	case signed.After(edge.Add(maxSkew)):
		return refuse("not yet current: %s is still later than", edge.Add(maxSkew), "+")
	}
	return nil
}

// envelope is what every answer is wrapped in.
type envelope struct {
	XMLName xml.Name
	Result  *result
	ID      string `xml:"ResponseMetadata>RequestId"`
}

type result struct {
	name  string
	value any
}

// MarshalXML gives the result the operation's own element name.
func (r *result) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(r.value, xml.StartElement{Name: xml.Name{Local: r.name}})
}

func newEnvelope(namespace, action, id string, answer any) envelope {
	env := envelope{XMLName: xml.Name{Space: namespace, Local: action + "Response"}, ID: id}
	if answer != nil {
		env.Result = &result{action + "Result", answer}
	}
	return env
}

func writeXML(w io.Writer, v any) {
	// A client that hung up is no concern of the server's.
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(v)
}

// list is a list in the query protocol; an empty one keeps its wrapper.
type list[T any] struct {
	Members []T `xml:"member"`
}

func listOf[T any](members []T) list[T] { return list[T]{members} }

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

func newRequestID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

func (c *call) str(name string) string {
	c.mustTake(name)
	return c.values.Get(name)
}

func (c *call) has(name string) bool {
	c.mustTake(name)
	return c.values.Has(name)
}

// takes tells whether the action has this parameter.
func (c *call) takes(name string) bool { return c.params.takes(name) }

// mustTake keeps an action from reading what no client can send.
func (c *call) mustTake(name string) {
	if !c.takes(name) {
		panic("the service's model has no parameter " + name + " of this action")
	}
}

func (c *call) required(name string) (string, error) {
	v := c.str(name)
	if v == "" {
		return "", invalidInput("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(name))
	}
	return v, nil
}

func (c *call) boolean(name string) (bool, error) {
	if !c.has(name) {
		return false, nil
	}
	v, err := strconv.ParseBool(c.str(name))
	if err != nil {
		return false, invalidInput("%s: expected true or false, got %q", name, c.str(name))
	}
	return v, nil
}

func (c *call) instant(name string) (time.Time, error) {
	if !c.has(name) {
		return time.Time{}, nil
	}
	v, err := time.Parse(time.RFC3339, c.str(name))
	if err != nil {
		return time.Time{}, invalidInput("%s: expected a time as in 2006-01-02T15:04:05Z, got %q", name, c.str(name))
	}
	return v, nil
}

func (c *call) strings(name string) []string {
	var out []string
	c.mustTake(name)
	for i := 1; c.values.Has(member(name, i)); i++ {
		out = append(out, c.values.Get(member(name, i)))
	}
	return out
}

// structs returns the members of a list of structures with the fields that are
// asked for.
func (c *call) structs(name string, fields ...string) []map[string]string {
	for _, field := range fields {
		c.mustTake(name + "." + field)
	}
	var out []map[string]string
	for i := 1; ; i++ {
		prefix := member(name, i) + "."
		if !present(c.values, strings.TrimSuffix(prefix, ".")) {
			return out
		}
		one := map[string]string{}
		for _, field := range fields {
			one[field] = c.values.Get(prefix + field)
		}
		out = append(out, one)
	}
}

func member(name string, i int) string { return name + ".member." + strconv.Itoa(i) }
