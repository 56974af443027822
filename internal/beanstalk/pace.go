package beanstalk

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// The rate of calls to Elastic Beanstalk. Its limits are shared by the whole
// account, so a run keeps below half a call a second on average, however many
// environments it has; what was throttled counts as well. The calls of the
// preflight and of the end come in a burst, which headStart allows for; the rate
// in between makes up for it in a deployment of five minutes.
const (
	callsPerSecond = 0.4
	headStart      = 24
)

// The time between two looks at the environments: short at first, since a small
// deployment ends in seconds. With the jitter, which keeps the pipelines of one
// account out of step, it stays below 5 s.
const (
	shortestInterval = time.Second
	lookInterval     = 3500 * time.Millisecond
)

// pace counts the calls of a client to Elastic Beanstalk.
type pace struct {
	client aws.HTTPClient

	mu      sync.Mutex
	started time.Time
	calls   int
}

// Do sends a request and counts it, each attempt of it.
func (p *pace) Do(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	if p.calls == 0 {
		p.started = time.Now()
	}
	p.calls++
	p.mu.Unlock()
	return p.client.Do(r)
}

// allowed is when the average has room for another call.
func (p *pace) allowed() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.started.Add(time.Duration(float64(p.calls-headStart) / callsPerSecond * float64(time.Second)))
}

// room is how many calls the average has room for.
func (p *pace) room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(time.Since(p.started).Seconds()*callsPerSecond) + headStart - p.calls
}

// wait is for about a while, and until the average has room. It ends early with
// the context's error.
func (p *pace) wait(ctx context.Context, while time.Duration) error {
	return sleep(ctx, time.Until(latest(time.Now().Add(jittered(while)), p.allowed())))
}

// jittered gives or takes a tenth.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// The attempts at one call: maxAttempts where the service fails or can't be
// reached, maxThrottled where it only throttles, which always passes and comes
// in bursts of the whole account. At half of all answers throttled, one call in
// sixteen million finds no way through.
const (
	maxAttempts  = 10
	maxThrottled = 24
	maxBackoff   = 20 * time.Second
)

// retryer is the SDK's own, without its quota of retries: pace bounds the
// calls, and a quota that is used up would end a deployment that is well.
type retryer struct{ *retry.Standard }

func newRetryer() aws.Retryer {
	return retryer{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff, o.RateLimiter = maxThrottled, maxBackoff, ratelimit.None
	})}
}

// RetryDelay gives up by its error.
func (r retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if attempt >= maxAttempts && !throttled(err) {
		return 0, err
	}
	return r.Standard.RetryDelay(attempt, err)
}
