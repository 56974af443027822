package registry

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// renewBefore is how long before its end a lease is not used any more: a push
// that begins with it has to come to its end.
const renewBefore = 2 * time.Minute

// lease is a login that is fetched when it is first needed and lasts for a
// while.
type lease struct {
	// fetch gives the login and when it ends; the zero time is never.
	fetch func(context.Context) (Login, time.Time, error)
	mask  func(string)

	mu    sync.Mutex
	login Login
	until time.Time
	err   error
}

// get gives the login that is held or a new one. Callers side by side share
// one. A refusal stays: the same question has the same answer.
func (l *lease) get(ctx context.Context) (Login, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.login.Username != "" && (l.until.IsZero() || time.Until(l.until) > renewBefore) {
		return l.login, l.err
	}
	login, until, err := l.fetch(ctx)
	if err != nil {
		if ctx.Err() == nil {
			l.err = err
		}
		return Login{}, err
	}
	for _, secret := range login.secrets() {
		l.mask(secret)
	}
	l.login, l.until = login, until
	return login, nil
}

// leases are those that a run may come to need. Nil has none.
type leases struct {
	mask func(string)
	// aws are the credentials that log in to ECR; nil is the SDK's default chain.
	aws aws.CredentialsProvider

	mu    sync.Mutex
	byKey map[string]*lease
	// given are the hosts that an input gave a lease.
	given []string
}

// of is the lease for a registry's host, nil if it has none. All registries of
// one ECR endpoint share one.
func (l *leases) of(host string) *lease {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.byKey[host]; found != nil {
		return found
	}
	endpoint, is := parseECR(host)
	if !is {
		return nil
	}
	found := l.byKey[endpoint.key()]
	if found == nil {
		found = &lease{fetch: func(ctx context.Context) (Login, time.Time, error) { return endpoint.login(ctx, l.aws) }, mask: l.mask}
		l.byKey[endpoint.key()] = found
	}
	return found
}

// add gives a host a lease of its own.
func (l *leases) add(host string, fetch func(context.Context) (Login, time.Time, error)) {
	l.byKey[host] = &lease{fetch: fetch, mask: l.mask}
	l.given = append(l.given, host)
}

func newLeases(mask func(string)) *leases {
	return &leases{mask: mask, byKey: map[string]*lease{}}
}
