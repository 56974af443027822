package eblocal

import "time"

// clock is the server's time, which all that clients see is dated by. It may be
// ahead of this machine's or behind it, and may pass faster.
type clock struct {
	start time.Time
	ahead time.Duration
	speed float64
}

func newClock(o Options) clock {
	return clock{start: time.Now(), ahead: o.ClockSkew, speed: o.Speed}
}

func (c clock) now() time.Time {
	passed := time.Duration(float64(time.Since(c.start)) * c.speed)
	return c.start.Add(c.ahead + passed)
}

// wall is how long a span of the server's time takes on this machine.
func (c clock) wall(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.speed)
}

// after moves a clock ahead, so that what an earlier start dated is past.
func (c clock) after(last time.Time) clock {
	if late := last.Sub(c.now()); late > 0 {
		c.ahead += late
	}
	return c
}
