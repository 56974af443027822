package beanstalk_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// TestClockOfTheRunner is an hour off, so that AWS refuses what it signs at first.
func TestClockOfTheRunner(t *testing.T) {
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, _ *beanstalk.Client) {
			prepared(wire)
			wire.Skew = skew
			cfg := wire.Config()
			gate := &signedLately{HTTPClient: cfg.HTTPClient, skew: skew}
			cfg.HTTPClient = gate
			got, errs := rollAll(t.Context(), beanstalk.New(cfg), []string{envName})
			if errs[0] != nil || got[0].Result != beanstalk.Deployed || len(got[0].Events) == 0 {
				t.Errorf("%s: %+v, %v", skew, got[0], errs[0])
			}
			if gate.refused == 0 || gate.refused > 2 {
				t.Errorf("%s: %d requests were refused; want one or two", skew, gate.refused)
			}
		})
	}
}

// signedLately refuses as AWS does what was signed more than five minutes before
// or after the server's time.
type signedLately struct {
	aws.HTTPClient
	skew    time.Duration
	refused int
}

func (s *signedLately) Do(r *http.Request) (*http.Response, error) {
	now := time.Now().Add(s.skew).UTC()
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, err
	}
	if now.Sub(signed).Abs() <= 5*time.Minute {
		return s.HTTPClient.Do(r)
	}
	s.refused++
	return &http.Response{
		StatusCode: http.StatusForbidden, Request: r, Header: http.Header{"Date": {now.Format(http.TimeFormat)}, "Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader("<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error></ErrorResponse>")),
	}, nil
}
