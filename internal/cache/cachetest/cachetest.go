// Package cachetest is GitHub's cache service, version 2, in process: what
// BuildKit asks of it when it keeps steps there.
//
// Source: actions/toolkit, packages/cache (the results service's
// CacheService), and the REST API of Azure Blob Storage, which takes the
// content.
package cachetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// service answers at the path of the service.
const service = "/twirp/github.actions.results.api.v1.CacheService/"

// Server is the service.
type Server struct {
	url, token string

	mu      sync.Mutex
	entries []*entry
	blobs   map[string]*blob
}

type entry struct {
	key, version, blob string
	done               bool
}

type blob struct {
	content []byte
	blocks  map[string][]byte
}

// Start serves on loopback until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{token: token(), blobs: map[string]*blob{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/"
	return s
}

// URL is the value of ACTIONS_RESULTS_URL.
func (s *Server) URL() string { return s.url }

// Token is the value of ACTIONS_RUNTIME_TOKEN.
func (s *Server) Token() string { return s.token }

// Keys are those of the entries that were finished.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, one := range s.entries {
		if one.done {
			all = append(all, one.key)
		}
	}
	return all
}

// token is one whose claims say what it may read and write, which BuildKit
// looks at. It is signed by nobody.
func token() string {
	part := func(value any) string {
		text, _ := json.Marshal(value) // maps of strings
		return base64.RawURLEncoding.EncodeToString(text)
	}
	claims := map[string]any{"nbf": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(time.Hour).Unix(), "ac": `[{"Scope":"refs/heads/main","Permission":3}]`}
	return part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(claims) + "." + part("nobody")
}

func (s *Server) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name, is := strings.CutPrefix(request.URL.Path, "/blob/"); is {
		s.serveBlob(w, request, name)
		return
	}
	if request.Header.Get("Authorization") != "Bearer "+s.token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var asked struct {
		Key, Version string
		RestoreKeys  []string `json:"restore_keys"`
	}
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var answer map[string]any
	switch strings.TrimPrefix(request.URL.Path, service) {
	case "CreateCacheEntry":
		answer = s.create(asked.Key, asked.Version)
	case "FinalizeCacheEntryUpload":
		answer = s.finish(asked.Key, asked.Version)
	case "GetCacheEntryDownloadURL":
		answer = s.find(append([]string{asked.Key}, asked.RestoreKeys...), asked.Version)
	default:
		http.NotFound(w, request)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client sees a broken answer
}

func (s *Server) create(key, version string) map[string]any {
	if slices.ContainsFunc(s.entries, func(e *entry) bool { return e.key == key && e.version == version }) {
		return map[string]any{"ok": false}
	}
	name := fmt.Sprint(len(s.entries))
	s.entries = append(s.entries, &entry{key: key, version: version, blob: name})
	s.blobs[name] = &blob{blocks: map[string][]byte{}}
	return map[string]any{"ok": true, "signed_upload_url": s.url + "blob/" + name}
}

func (s *Server) finish(key, version string) map[string]any {
	for _, one := range s.entries {
		if one.key == key && one.version == version {
			one.done = true
			return map[string]any{"ok": true, "entry_id": one.blob}
		}
	}
	return map[string]any{"ok": false}
}

// find takes the first key that an entry begins with, and of several entries
// the newest.
func (s *Server) find(keys []string, version string) map[string]any {
	for _, key := range keys {
		for _, one := range slices.Backward(s.entries) {
			if one.done && one.version == version && strings.HasPrefix(one.key, key) {
				return map[string]any{"ok": true, "signed_download_url": s.url + "blob/" + one.blob, "matched_key": one.key}
			}
		}
	}
	return map[string]any{"ok": false}
}

// serveBlob stores a blob whole or in blocks, and gives it out.
func (s *Server) serveBlob(w http.ResponseWriter, request *http.Request, name string) {
	one := s.blobs[name]
	if one == nil {
		http.NotFound(w, request)
		return
	}
	w.Header().Set("X-Ms-Request-Id", name)
	if request.Method != http.MethodPut {
		if ranged := request.Header.Get("X-Ms-Range"); ranged != "" {
			request.Header.Set("Range", ranged)
		}
		http.ServeContent(w, request, name, time.Time{}, bytes.NewReader(one.content))
		return
	}
	body, err := io.ReadAll(request.Body)
	if err == nil {
		err = one.put(request.URL.Query().Get("comp"), request.URL.Query().Get("blockid"), body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

func (b *blob) put(kind, id string, body []byte) error {
	switch kind {
	case "block":
		b.blocks[id] = body
	case "blocklist":
		var list struct {
			Latest []string `xml:"Latest"`
		}
		if err := xml.Unmarshal(body, &list); err != nil {
			return err
		}
		for _, id := range list.Latest {
			b.content = append(b.content, b.blocks[id]...)
		}
	default:
		b.content = body
	}
	return nil
}
