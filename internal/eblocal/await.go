package eblocal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const cutOff = "The update was cut off: eb-local was stopped."

// await returns what was seen last when the run was healthy for a while, or will
// not be.
func (s *Server) await(ctx context.Context, r run) (verdict, error) {
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, s.clock.wall(s.opts.HealthTimeout))
	defer cancel()
	tick := time.NewTicker(s.clock.wall(min(pollEvery, s.opts.Settle)))
	defer tick.Stop()
	var since time.Time
	var print string
	var last []string
	for {
		v, err := s.examine(ctx, r, false)
		if ctx.Err() == nil {
			if err != nil {
				return v, troubles{err.Error()}
			}
			last = v.complaints()
		}
		switch {
		case len(v.Failed) > 0:
			return v, troubles(v.Failed)
		case len(v.complaints()) > 0:
			print = ""
		case print != v.Print:
			print, since = v.Print, s.clock.now()
		case s.clock.now().Sub(since) >= s.opts.Settle:
			return v, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return v, s.late(whole, last)
		}
	}
}

func (s *Server) late(whole context.Context, last []string) error {
	if whole.Err() != nil {
		return append(troubles{ended(whole)}, last...)
	}
	return append(troubles{fmt.Sprintf("The instance was not healthy within %s.", s.opts.HealthTimeout)}, last...)
}

// ended says why an update was not let run to its end.
func ended(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "The deployment took longer than the option Timeout of " + commandNamespace + " allows."
	}
	return cutOff
}

// examine looks at the containers and asks port 80.
func (s *Server) examine(ctx context.Context, r run, inService bool) (verdict, error) {
	containers, err := s.runner.Containers(ctx, r.Name)
	if err != nil {
		return verdict{}, err
	}
	v := r.Expect.judge(containers, inService)
	v.Silent = s.probe(ctx, r.Expect.Web, v.Web)
	return v, nil
}

// probe asks what the load balancer would ask; it returns what is wrong.
func (s *Server) probe(ctx context.Context, web endpoint, addr string) string {
	what := fmt.Sprintf("Port %d of container %q", web.Port, web.Service)
	if addr == "" {
		return what + " is not published."
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return what + " can't be asked: " + err.Error() + "."
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	resp, err := s.asks.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // the address would tell nothing to a reader
		}
		return what + " does not answer: " + err.Error() + "."
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return fmt.Sprintf("%s answers with status %d.", what, resp.StatusCode)
	}
	return ""
}

// probeClient opens a connection for each question and takes a redirect for an answer.
func probeClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{DisableKeepAlives: true}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
