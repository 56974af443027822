package eblocal

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// commonErrors are the codes that any operation of any service may answer with,
// and their statuses ("Common Error Types" in the API references).
var commonErrors = map[string]int{
	"AccessDenied": 403, "ExpiredToken": 403, "InsufficientPrivilegesException": 403, "InternalFailure": 500, "InvalidAction": 400,
	"InvalidParameterCombination": 400, "InvalidParameterValue": 400, "MalformedQueryString": 404, "MissingAction": 400,
	"ServiceUnavailable": 503, "SignatureDoesNotMatch": 403, "Throttling": 400, "ValidationError": 400,
	// Of changes of the configuration, as clients report it; the references lack it.
	"ConfigurationValidationException": 400,
}

// audited holds every answer to a query that a test sees against AWS's model.
func audited(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service, operation := serviceOf(r), Operation(r)
		if service == serviceS3 {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		for _, problem := range audit(service, operation, answer.Code, answer.Body.Bytes()) {
			t.Error(problem)
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	})
}

// Audited is a client's transport that does the same.
func Audited(t *testing.T, next http.RoundTripper) http.RoundTripper { return auditor{t, next} }

type auditor struct {
	t    *testing.T
	next http.RoundTripper
}

// RoundTrip asks and holds the answer against the model.
func (a auditor) RoundTrip(r *http.Request) (*http.Response, error) {
	service := serviceOf(r)
	if service == serviceS3 {
		return a.next.RoundTrip(r)
	}
	form, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	asked := r.Clone(r.Context())
	r.Body, asked.Body = io.NopCloser(bytes.NewReader(form)), io.NopCloser(bytes.NewReader(form))
	response, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	for _, problem := range audit(service, Operation(asked), response.StatusCode, answer) {
		a.t.Error(problem)
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return response, err
}

// audit returns how an answer differs from what AWS declares.
func audit(service, operation string, status int, body []byte) []string {
	all, err := models()
	if err != nil {
		return []string{err.Error()}
	}
	var root element
	if err := xml.Unmarshal(body, &root); err != nil {
		return []string{fmt.Sprintf("%s: %v:\n%s", operation, err, body)}
	}
	if status == http.StatusOK {
		return all[service].checkAnswer(operation, root)
	}
	return all[service].checkError(operation, status, root)
}

// checkError returns how an error differs from those that an operation may
// answer with.
func (m *model) checkError(operation string, status int, root element) []string {
	failure, _ := root.child("Error")
	text := func(e element, name string) string {
		c, _ := e.child(name)
		return c.Text
	}
	code, sender := text(failure, "Code"), "Sender"
	if status >= http.StatusInternalServerError {
		sender = "Receiver"
	}
	var problems []string
	if root.XMLName.Local != "ErrorResponse" || root.XMLName.Space != m.Metadata.Namespace || text(root, "RequestId") == "" ||
		text(failure, "Message") == "" || text(failure, "Type") != sender {
		problems = append(problems, fmt.Sprintf("%s: the error is %+v", operation, root))
	}
	want, ok := commonErrors[code]
	for _, declared := range m.Operations[operation].Errors {
		s := m.Shapes[declared.Shape]
		if code == s.Error.Code || s.Error.Code == "" && code == declared.Shape {
			want, ok = max(s.Error.Status, http.StatusBadRequest), true
		}
	}
	if !ok || status != want {
		problems = append(problems, fmt.Sprintf("%s: error %s with status %d; expected one that is declared, with status %d", operation, code, status, want))
	}
	return problems
}

// TestAuditSeesFaults makes sure that the audit can fail.
func TestAuditSeesFaults(t *testing.T) {
	refusal := func(code string) string {
		return `<ErrorResponse xmlns="` + beanstalkNamespace + `"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>no</Message></Error><RequestId>x</RequestId></ErrorResponse>`
	}
	for _, c := range []struct {
		operation string
		status    int
		body      string
		want      string
	}{
		{"CreateApplication", 400, refusal("TooManyApplicationsException"), ""},
		{"CreateApplicationVersion", 400, refusal("TooManyApplicationVersionsException"), ""},
		{"DeleteApplication", 400, refusal("OperationInProgressFailure"), ""},
		{"DeleteApplication", 400, refusal("OperationInProgressException"), "expected one that is declared"},
		{"DescribeEvents", 400, refusal("TooManyApplicationsException"), "expected one that is declared"},
		{"DescribeEvents", 403, refusal("InvalidParameterValue"), "with status 400"},
		{"DescribeEvents", 500, refusal("InternalFailure"), "the error is"},
		{"DescribeEvents", 400, strings.Replace(refusal("Throttling"), "2010-12-01", "x", 1), "the error is"},
		{"DescribeEvents", 200, refusal("Throttling"), "the answer is a"},
		{"DescribeEvents", 200, "not XML", "EOF"},
	} {
		problems := audit(serviceBeanstalk, c.operation, c.status, []byte(c.body))
		if found := slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, c.want) }); found != (c.want != "") {
			t.Errorf("%s, %d, %s: %q, expected %q", c.operation, c.status, c.body, problems, c.want)
		}
	}
}
