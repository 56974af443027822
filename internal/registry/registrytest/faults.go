package registrytest

import (
	"io"
	"net/http"
	"regexp"
	"sync"
)

// Fault is a registry's trouble with some requests.
type Fault struct {
	// Method and Path choose the requests; "" and nil are all.
	Method string
	Path   *regexp.Regexp
	// Times is how many requests fare so; below 0 all do.
	Times int
	// Status is the answer. Without one the connection is cut or, if it Hangs,
	// kept open in silence until the client has enough.
	Status int
	Hangs  bool
	Header http.Header
}

// Faulty is a registry that has trouble before it does its work. It counts what
// it was asked, by method and path.
type Faulty struct {
	Next http.Handler

	mu     sync.Mutex
	faults []Fault
	asked  []string
}

// Set replaces the faults and forgets what was asked.
func (f *Faulty) Set(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.asked = faults, nil
}

// Asked counts the requests whose "METHOD /path" fits an expression.
func (f *Faulty) Asked(like string) int { return len(f.Requests(like)) }

// Requests are those whose "METHOD /path" fits an expression, in the order in
// which they came.
func (f *Faulty) Requests(like string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted := regexp.MustCompile(like)
	var found []string
	for _, one := range f.asked {
		if wanted.MatchString(one) {
			found = append(found, one)
		}
	}
	return found
}

func (f *Faulty) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	fault, is := f.take(request)
	switch {
	case !is:
		f.Next.ServeHTTP(w, request)
	case fault.Hangs:
		_, _ = io.Copy(io.Discard, request.Body) // else net/http does not see the client go
		<-request.Context().Done()
	case fault.Status == 0:
		panic(http.ErrAbortHandler) // net/http cuts the connection and prints nothing
	default:
		for name, values := range fault.Header {
			w.Header()[name] = values
		}
		refuse(w, fault.Status, "UNKNOWN", http.StatusText(fault.Status))
	}
}

func (f *Faulty) take(request *http.Request) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, request.Method+" "+request.URL.Path)
	for i := range f.faults {
		one := &f.faults[i]
		if one.Times == 0 || one.Method != "" && one.Method != request.Method || one.Path != nil && !one.Path.MatchString(request.URL.Path) {
			continue
		}
		one.Times--
		return *one, true
	}
	return Fault{}, false
}
