package engine

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Engines give a registry's refusal as text alone, and BuildKit loses the type
// of such an error on its way here. So texts are what is read. References, URLs
// and paths in them are left out before: a repository may be called "denied".
var names = regexp.MustCompile(`\S*/\S*`)

// read is an error's text without the names in it.
func read(err error) string {
	return names.ReplaceAllStringFunc(err.Error(), func(word string) string {
		if word == "i/o" {
			return word
		}
		return "/"
	})
}

// worded is how engines word the status of an answer, bare how an answer's own
// text may. Sources: distribution/distribution, registry/client/errors.go;
// containerd, core/remotes/errors/errors.go.
var (
	worded = regexp.MustCompile(`(?i)\b(?:status(?: code)?|status from \w+ request to /|response code|parsing HTTP)[ :]+([45]\d\d)\b`)
	bare   = regexp.MustCompile(`\b([45]\d\d) [A-Z]`)
)

// status is the last HTTP status of a text, the cause's, 0 if it has none.
func status(text string) int {
	all := worded.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		all = bare.FindAllStringSubmatch(text, -1)
	}
	if len(all) == 0 {
		return 0
	}
	number, _ := strconv.Atoi(all[len(all)-1][1])
	return number
}

// limited is how registries say, with whatever status, that they were asked too
// much. GHCR does with 403 too. Source: GitHub's documentation, "Rate limits for
// the REST API".
var limited = regexp.MustCompile(`(?i)toomanyrequests|too many requests|rate limit|rate exceeded|retry-after`)

// passing are the words, beside a status, for what may go better the next time:
// a registry's own trouble, an answer of which an engine knows nothing to say,
// and a connection that broke.
var passing = regexp.MustCompile(`(?i)request timeout|internal[ _]?(server[ _]?)?error|bad gateway|unavailable|gateway time-?out|unknown error|\bunknown:? *$|` +
	`\bEOF\b|connection reset|broken pipe|i/o timeout|handshake timeout|connection refused|connection timed out|deadline exceeded|` +
	`Client\.Timeout exceeded|timeout awaiting response|GOAWAY|stream error|connection lost|closed network connection|server closed|` +
	`no route to host|network is unreachable|temporary failure in name resolution|server misbehaving`)

// denied are the words for a login or a permission that lacks, final those for
// whatever another try only repeats.
var (
	denied = regexp.MustCompile(`(?i)unauthorized|authentication required|denied|forbidden|insufficient_scope`)
	final  = regexp.MustCompile(denied.String() + `|(name|manifest|blob) unknown|not found|invalid reference`)
)

// Transient tells whether what failed may go better the next time: a status of
// 408, 429 or 5xx, a limit on requests, a connection that broke.
func Transient(err error) bool {
	if err == nil {
		return false
	}
	text := read(err)
	switch code := status(text); {
	case limited.MatchString(text) || Silent(err):
		return true
	case code != 0:
		return code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
	}
	return passing.MatchString(text) && !final.MatchString(text)
}

// Crowded tells an error of a registry that wants to be left alone for a while.
func Crowded(err error) bool {
	if err == nil {
		return false
	}
	text := read(err)
	code := status(text)
	return limited.MatchString(text) || code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable || code == 0 && unavailable.MatchString(text)
}

var unavailable = regexp.MustCompile(`(?i)service (temporarily )?unavailable`)

// wait is a pause that a registry names in words, as GHCR does; engines don't
// pass the header on.
var wait = regexp.MustCompile(`(?i)retry-after:? *(\d[\d.hmnsuµμ]*)`)

// Pause is for how long the registry asks to be left alone in an error's text, 0
// if it does not.
func Pause(err error) time.Duration {
	found := wait.FindStringSubmatch(err.Error())
	if found == nil {
		return 0
	}
	if seconds, err := strconv.Atoi(found[1]); err == nil {
		return time.Duration(seconds) * time.Second
	}
	pause, _ := time.ParseDuration(found[1])
	return pause
}

// Denied tells a refusal of a login or of a permission.
func Denied(err error) bool {
	if err == nil || Transient(err) {
		return false
	}
	text := read(err)
	code := status(text)
	return code == http.StatusUnauthorized || code == http.StatusForbidden || code == 0 && denied.MatchString(text)
}

// Silent tells a push that was given up since nothing was heard of it.
func Silent(err error) bool {
	var cause quiet
	return errors.As(err, &cause)
}
