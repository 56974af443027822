package eblocal

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error in the words of the AWS API.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func invalidValue(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "InvalidParameterValue", fmt.Sprintf(format, args...)}
}

func invalidCombination(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "InvalidParameterCombination", fmt.Sprintf(format, args...)}
}

func invalidInput(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

// asAPIError hides what went wrong inside behind the code that AWS has for it.
func asAPIError(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return &apiError{http.StatusInternalServerError, "InternalFailure", err.Error()}
}

type errorResponse struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

func (e *apiError) response(namespace, requestID string) errorResponse {
	kind := "Sender"
	if e.status >= http.StatusInternalServerError {
		kind = "Receiver"
	}
	return errorResponse{
		XMLName:   xml.Name{Space: namespace, Local: "ErrorResponse"},
		Type:      kind,
		Code:      e.code,
		Message:   e.message,
		RequestID: requestID,
	}
}
