package engine

import "regexp"

// passing are how engines and registries word what may go better the next
// time: 408, 429, 5xx, a connection that broke. The engine gives a push's
// refusal as text alone.
var passing = regexp.MustCompile(`(?i)\b(status|code|HTTP status:|response:?|parsing HTTP)[ :]*(408|429|5\d\d)\b|\b(408 Request Timeout|429 Too Many Requests|50[0234] [A-Z])|toomanyrequests|too many requests|request timeout|internal server error|bad gateway|service unavailable|gateway timeout|\bEOF\b|connection reset|broken pipe|i/o timeout|handshake timeout|connection refused|connection timed out|deadline exceeded|server misbehaving|heard nothing`)

// final are refusals that another try only repeats.
var final = regexp.MustCompile(`(?i)unauthorized|authentication required|denied|forbidden|insufficient_scope|name unknown|not found|invalid reference`)

// Transient tells whether what failed may go better the next time.
func Transient(err error) bool {
	return err != nil && passing.MatchString(err.Error()) && !final.MatchString(err.Error())
}

// crowded is a registry that wants to be left alone for a while.
var crowded = regexp.MustCompile(`(?i)\b429\b|toomanyrequests|too many requests|\b503\b|service unavailable`)

// Crowded tells an error of a registry that has too much to do.
func Crowded(err error) bool { return Transient(err) && crowded.MatchString(err.Error()) }
