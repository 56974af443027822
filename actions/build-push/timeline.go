package buildpush

import (
	"fmt"
	"strings"
	"time"
)

// timeline is a Mermaid chart of what ran side by side, in milliseconds from
// the first build's start; "" where nothing was built.
func (d result) timeline() string {
	var begin time.Time
	for _, one := range d.images {
		if at := one.built.Started; !at.IsZero() && (begin.IsZero() || at.Before(begin)) {
			begin = at
		}
	}
	if begin.IsZero() {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n")
	for _, one := range d.images {
		if one.built.Started.IsZero() {
			continue
		}
		fmt.Fprintf(&text, "  section %s\n%s", one.service, bar("build", one.built.Started.Sub(begin), one.built.Duration))
		for _, part := range one.pushing {
			text.WriteString(bar(part.name, part.begin.Sub(begin), part.took))
		}
	}
	return text.String() + "```\n"
}

func bar(name string, from, took time.Duration) string {
	return fmt.Sprintf("  %s %s : %d, %d\n", name, took.Round(100*time.Millisecond), from.Milliseconds(), (from + max(took, time.Millisecond)).Milliseconds())
}
