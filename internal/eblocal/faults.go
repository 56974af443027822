package eblocal

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Faults are the ways in which Elastic Beanstalk misbehaves now and then. The
// zero value is none of them. What is random comes from a fixed sequence, and
// every duration is in the server's time.
type Faults struct {
	// Throttle is how many of 100 calls are answered with Throttling.
	Throttle int
	// Latency is how long every answer takes.
	Latency time.Duration
	// Refuse lists calls that go wrong.
	Refuse []Refusal

	// LateUpdating is how long an environment still reads Ready after an update
	// was accepted.
	LateUpdating time.Duration
	// Separate refuses a new version together with a change of the configuration.
	Separate bool
	// LateLabel keeps the label of before until the update has ended; without it
	// the new one shows from the start.
	LateLabel bool

	// Dip is how long health is Severe right after an update ended well.
	Dip time.Duration
	// HideFailure reports a deployment in place as done although an instance did
	// not take it; only that instance's own deployment tells.
	HideFailure bool

	// InstancePage is the most instances of a page of DescribeInstancesHealth.
	InstancePage int
	// EventPage is the most events of a page; 0 for what is asked for.
	EventPage int
	// WholeSeconds dates events by the second, so that many are of the same time.
	WholeSeconds bool
	// LateEvents is how long it takes until an event is listed.
	LateEvents time.Duration
	// LateLogs is how long the tails of logs take that were asked for.
	LateLogs time.Duration
	// Noise are events of other operations that every update has beside its own.
	Noise []Noise

	// Processing is how long a version takes that is created with Process.
	Processing time.Duration
	// FailProcessing ends it as Failed.
	FailProcessing bool
	// UpperCase writes the statuses of versions in upper case.
	UpperCase bool
}

// Refusal makes some calls of one operation fail.
type Refusal struct {
	Operation string // as Operation names it, "" for every one
	Skip      int    // so many calls go well before
	Times     int    // so many calls fail; 0 for all that follow
	Status    int    // that of the code when 0; -1 for a connection that breaks
	Code      string
	Message   string
	// Done carries the call out before its answer is lost or replaced.
	Done bool
}

// Noise is an event that is not the update's.
type Noise struct {
	After    time.Duration // since the update began
	Severity string        // INFO when empty
	Message  string
	Request  string // RequestId; none when empty
}

// faulty is a Server's state of misbehaviour.
type faulty struct {
	Faults
	random *rand.Rand
	calls  []int // seen by each of Refuse
}

func newFaulty(f Faults) faulty {
	return faulty{Faults: f, random: rand.New(rand.NewPCG(1, 2)), calls: make([]int, len(f.Refuse))}
}

// SetFaults replaces the faults of a running server.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = newFaulty(f)
}

var throttling = &apiError{http.StatusBadRequest, "Throttling", "Rate exceeded"}

// trouble is what goes wrong with a call, nil if nothing does; the caller holds
// the lock.
func (f *faulty) trouble(service, operation string) *Refusal {
	for i, r := range f.Refuse {
		if r.Operation != "" && r.Operation != operation {
			continue
		}
		f.calls[i]++
		if n := f.calls[i] - r.Skip; n > 0 && (r.Times == 0 || n <= r.Times) {
			return &r
		}
	}
	if service == serviceBeanstalk && f.Throttle > 0 && f.random.IntN(100) < f.Throttle {
		return &Refusal{Status: throttling.status, Code: throttling.code, Message: throttling.message}
	}
	return nil
}

// misbehave puts the faults in front of a service.
func (s *Server) misbehave(service string, next http.Handler, w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	trouble := s.faults.trouble(service, Operation(r))
	latency := s.clock.wall(s.faults.Latency)
	s.mu.Unlock()
	if latency > 0 {
		sleep(r.Context(), latency)
	}
	if trouble == nil {
		next.ServeHTTP(w, r)
		return
	}
	if trouble.Done {
		next.ServeHTTP(nowhere{http.Header{}}, r)
	}
	if trouble.Status < 0 {
		panic(http.ErrAbortHandler) // net/http cuts the connection
	}
	trouble.answer(service, w)
}

func (r *Refusal) answer(service string, w http.ResponseWriter) {
	status := r.Status
	if status == 0 {
		status = statusOf(r.Code)
	}
	if service == serviceS3 {
		writeS3Error(w, status, r.Code, r.Message)
		return
	}
	id := newRequestID()
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	namespace := beanstalkNamespace
	if service == serviceSTS {
		namespace = stsNamespace
	}
	e := &apiError{status, r.Code, r.Message}
	writeXML(w, e.response(namespace, id))
}

// statusOf is the HTTP status that AWS answers a code with.
func statusOf(code string) int {
	switch code {
	case "InsufficientPrivilegesException", "AccessDenied", "ExpiredToken":
		return http.StatusForbidden
	case "MalformedQueryString":
		return http.StatusNotFound
	case "InternalFailure":
		return http.StatusInternalServerError
	case "ServiceUnavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// makeNoise puts the events of other operations beside an update's own; the
// caller holds the lock.
func (s *Server) makeNoise(e *environment) {
	for _, n := range s.faults.Noise {
		if n.Severity == "" {
			n.Severity = "INFO"
		}
		s.runs.Go(func() {
			if !sleep(s.ctx, s.clock.wall(n.After)) {
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.event(event{App: e.App, Env: e.Name, EnvID: e.ID, RequestID: n.Request, Severity: n.Severity, Message: n.Message})
		})
	}
}

// nowhere is an answer that nobody gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}
