package ebdeploy

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/guk0/travois/internal/beanstalk"
)

// The bounds of a chart that is still read, and that GitHub still draws.
const (
	maxBars    = 60
	maxBarText = 70
)

// timeline is a Mermaid chart of the events: each one lasts until the next, so
// that what took its time is seen; "" where there are none.
func (d result) timeline() string {
	var begin time.Time
	for _, env := range d.envs {
		if len(env.outcome.Events) > 0 {
			if at := env.outcome.Events[0].At; begin.IsZero() || at.Before(begin) {
				begin = at
			}
		}
	}
	if begin.IsZero() {
		return ""
	}
	var text strings.Builder
	text.WriteString("```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n")
	for _, env := range d.envs {
		if len(env.outcome.Events) > 0 {
			fmt.Fprintf(&text, "  section %s\n", env.name)
			writeBars(&text, env.outcome.Events, begin)
		}
	}
	text.WriteString("```\n\n")
	return text.String()
}

func writeBars(text *strings.Builder, events []beanstalk.Event, begin time.Time) {
	for i, e := range events[:min(len(events), maxBars)] {
		end := e.At
		if i+1 < len(events) {
			end = events[i+1].At
		}
		tag := ""
		if e.Severe() {
			tag = "crit, "
		}
		from, to := e.At.Sub(begin).Milliseconds(), end.Sub(begin).Milliseconds()
		fmt.Fprintf(text, "  %s : %s%d, %d\n", barText(e.Message), tag, from, max(to, from+1))
	}
	if more := len(events) - maxBars; more > 0 {
		at := events[maxBars].At.Sub(begin).Milliseconds()
		fmt.Fprintf(text, "  and %d more : %d, %d\n", more, at, max(events[len(events)-1].At.Sub(begin).Milliseconds(), at+1))
	}
}

// barText keeps of a message what means nothing to Mermaid.
func barText(message string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .-_/()'", r) {
			return r
		}
		return ' '
	}, message)
	runes := []rune(oneLine(plain))
	if len(runes) > maxBarText {
		runes = append(runes[:maxBarText-1], '…')
	}
	if len(runes) == 0 {
		return "event"
	}
	return string(runes)
}
