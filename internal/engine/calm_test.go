package engine

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestUntilCalm shows how long is looked for what comes late.
func TestUntilCalm(t *testing.T) {
	for _, c := range []struct {
		name string
		// come is when something comes.
		come []time.Duration
		want int
		took time.Duration
	}{
		{"nothing", nil, 0, calmAtOnce},
		{"at once", []time.Duration{0}, 1, calmAtLast},
		{"late", []time.Duration{0, 1700 * time.Millisecond}, 2, 1750*time.Millisecond + calmAtLast},
		{"before the step seems clean", []time.Duration{200 * time.Millisecond}, 1, 250*time.Millisecond + calmAtLast},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			come := c.come
			swept, err := UntilCalm(t.Context(), func() (Swept, error) {
				var found Swept
				for len(come) > 0 && time.Since(begin) >= come[0] {
					found.Networks++
					come = come[1:]
				}
				return found, nil
			})
			if took := time.Since(begin); err != nil || swept.Networks != c.want || took != c.took {
				t.Errorf("%s: swept %+v in %s (%v), want %d in %s", c.name, swept, took, err, c.want, c.took)
			}
		})
	}
}
