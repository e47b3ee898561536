package tenants

import "time"

// Quiet are the hours in which a business's people, or one of them, get no mail that can wait, as minutes of its day: from 22:00 until 07:00 is
// 1320 and 420. There are none where the two are equal.
type Quiet struct {
	From  int `db:"quiet_from"`
	Until int `db:"quiet_until"`
}

// Set tells whether there are such hours.
func (q Quiet) Set() bool { return q.From != q.Until }

// After is when something that can wait may go out that is ready at now: at once, or at the end of the quiet hours that now is in, by the
// clocks of zone.
func (q Quiet) After(now time.Time, zone *time.Location) time.Time {
	at := now.In(zone)
	minute := at.Hour()*60 + at.Minute()
	overnight := q.From > q.Until
	switch {
	case !q.Set():
		return now
	case !overnight && (minute < q.From || minute >= q.Until):
		return now
	case overnight && minute < q.From && minute >= q.Until:
		return now
	}
	day := at.Day()
	if overnight && minute >= q.From {
		day++
	}
	// A minute that the clocks leave out falls an hour beside it.
	return time.Date(at.Year(), at.Month(), day, q.Until/60, q.Until%60, 0, 0, zone)
}

// Calm is After for hours of several kinds: at once, or when none of them lasts any more. Where they leave no time of the day, the last alone
// count.
func Calm(now time.Time, zone *time.Location, hours ...Quiet) time.Time {
	at, last := now, now
	for at.Sub(now) <= 24*time.Hour {
		before := at
		for _, q := range hours {
			at, last = q.After(at, zone), q.After(now, zone)
		}
		if at.Equal(before) {
			return at
		}
	}

	return last
}
