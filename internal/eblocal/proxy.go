package eblocal

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
)

// proxy is an environment's load balancer: it sends what comes to the instances
// in service in turn, and a part of it aside where traffic is split.
type proxy struct {
	transport http.RoundTripper // to instances; TCP when nil

	mu      sync.Mutex
	main    []*target
	aside   []*target
	percent int // of the requests go aside
	served  int
}

// target is an instance behind the proxy, and how many requests it is serving.
type target struct {
	addr    string
	handler http.Handler
	active  int
	retired bool
	idle    chan struct{} // closed when it is retired and serves no more
}

func (p *proxy) target(addr string) *target {
	to := &url.URL{Scheme: "http", Host: addr}
	return &target{
		addr: addr,
		idle: make(chan struct{}),
		handler: &httputil.ReverseProxy{
			Transport: p.transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(to)
				r.Out.Host = r.In.Host
				r.SetXForwarded()
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				http.Error(w, "502 Bad Gateway: the instance does not answer: "+err.Error(), http.StatusBadGateway)
			},
		},
	}
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := p.acquire()
	if t == nil {
		http.Error(w, "503 Service Unavailable: no instance is in service", http.StatusServiceUnavailable)
		return
	}
	defer p.release(t)
	t.handler.ServeHTTP(w, r)
}

func (p *proxy) acquire() *target {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.main
	// Spread evenly: of 100 requests in a row, percent go aside.
	if p.served*p.percent/100 != (p.served+1)*p.percent/100 {
		from = p.aside
	}
	if len(from) == 0 {
		return nil
	}
	t := from[p.served%len(from)]
	p.served++
	t.active++
	return t
}

func (p *proxy) release(t *target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.active--
	if t.retired && t.active == 0 {
		close(t.idle)
	}
}

// send directs traffic to addresses. It returns a channel for each that gets no
// more, closed when that one has answered its last request.
func (p *proxy) send(addrs ...string) []<-chan struct{} { return p.split(0, nil, addrs) }

// split sends a part of the traffic aside.
func (p *proxy) split(percent int, aside, addrs []string) []<-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := slices.Concat(p.main, p.aside)
	p.main, p.aside, p.percent = p.targets(old, addrs), p.targets(old, aside), percent
	var idle []<-chan struct{}
	for _, t := range old {
		if slices.Contains(p.main, t) || slices.Contains(p.aside, t) {
			continue
		}
		t.retired = true
		if t.active == 0 {
			close(t.idle)
		}
		idle = append(idle, t.idle)
	}
	return idle
}

// targets keeps those that are there already.
func (p *proxy) targets(old []*target, addrs []string) []*target {
	var out []*target
	for _, addr := range addrs {
		i := slices.IndexFunc(old, func(t *target) bool { return t.addr == addr })
		if i < 0 {
			out = append(out, p.target(addr))
			continue
		}
		out = append(out, old[i])
	}
	return out
}
