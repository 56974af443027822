package eblocal

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// proxy is the environment's load balancer: it sends what comes to the one
// instance in service.
type proxy struct {
	transport http.RoundTripper // to instances; TCP when nil

	mu      sync.Mutex
	current *target
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
	if p.current != nil {
		p.current.active++
	}
	return p.current
}

func (p *proxy) release(t *target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.active--
	if t.retired && t.active == 0 {
		close(t.idle)
	}
}

// retire moves traffic to next and returns a channel that is closed when the
// instance before it has answered its last request.
func (p *proxy) retire(next *target) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.current
	p.current = next
	if old == nil {
		done := make(chan struct{})
		close(done)
		return done
	}
	old.retired = true
	if old.active == 0 {
		close(old.idle)
	}
	return old.idle
}

// point sends traffic to addr, if it does not go there already.
func (p *proxy) point(addr string) {
	p.mu.Lock()
	same := p.current != nil && p.current.addr == addr
	p.mu.Unlock()
	if !same {
		p.retire(p.target(addr))
	}
}
