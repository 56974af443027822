package eblocal

import (
	"errors"
	"fmt"
	"net"
	"net/http"
)

// openAll opens the addresses of all environments.
func (s *Server) openAll() error {
	for _, e := range s.state.envs() {
		if err := s.open(e); err != nil {
			return err
		}
	}
	s.url = "http://" + s.own().Listen + "/"
	return s.state.save(s.opts.StateDir)
}

// Front serves what comes to the address of an environment, which is given by
// its name or by that address. It is nil if there is no such environment.
func (s *Server) Front(env string) http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.state.envs() {
		if env == e.Name || env == e.Listen {
			return e.proxy
		}
	}
	return nil
}

// open opens an environment's own address.
func (s *Server) open(e *environment) error {
	l, err := s.openFront(e)
	if err != nil {
		return fmt.Errorf("environment %q: listen: %w", e.Name, err)
	}
	e.Listen = l.Addr().String()
	e.proxy = &proxy{transport: s.opts.Transport}
	e.front = &http.Server{Handler: e.proxy, ReadHeaderTimeout: headerTimeout}
	s.work.Go(func() { _ = e.front.Serve(l) })
	return nil
}

// openFront prefers the address of the last start, so that bookmarks stay good.
func (s *Server) openFront(e *environment) (net.Listener, error) {
	if s.opts.EnvListen != "" && e.Name == s.opts.Env {
		return s.opts.Listen("tcp", s.opts.EnvListen)
	}
	if e.Listen != "" {
		if l, err := s.opts.Listen("tcp", e.Listen); err == nil {
			return l, nil
		}
	}
	return s.opts.Listen("tcp", loopback)
}

// closeFronts closes the addresses of all environments; the caller holds the lock.
func (s *Server) closeFronts() error {
	var errs []error
	for _, e := range s.state.envs() {
		if e.front != nil {
			errs = append(errs, e.front.Close())
		}
	}
	return errors.Join(errs...)
}
