package tenants_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	night, noon := tenants.Quiet{From: 22 * 60, Until: 7*60 + 30}, tenants.Quiet{From: 13 * 60, Until: 14 * 60}
	for _, c := range []struct {
		what      string
		quiet     tenants.Quiet
		zone      string
		now, want string // by the clocks of zone; want is empty for at once
	}{
		{"none are set", tenants.Quiet{}, "Asia/Kolkata", "2026-11-23T03:00:00", ""},
		{"both at the same minute are none", tenants.Quiet{From: 600, Until: 600}, "Asia/Kolkata", "2026-11-23T10:00:00", ""},
		{"a minute before", night, "Asia/Kolkata", "2026-11-23T21:59:59", ""},
		{"from the first minute on", night, "Asia/Kolkata", "2026-11-23T22:00:00", "2026-11-24T07:30:00"},
		{"before midnight, at the end of a month", night, "Asia/Kolkata", "2026-11-30T23:59:59", "2026-12-01T07:30:00"},
		{"after midnight", night, "Asia/Kolkata", "2026-11-24T00:00:00", "2026-11-24T07:30:00"},
		{"the last minute", night, "Asia/Kolkata", "2026-11-24T07:29:59", "2026-11-24T07:30:00"},
		{"the minute they end", night, "Asia/Kolkata", "2026-11-24T07:30:00", ""},
		{"within a day, before", noon, "Asia/Kolkata", "2026-11-24T12:59:00", ""},
		{"within a day", noon, "Asia/Kolkata", "2026-11-24T13:00:00", "2026-11-24T14:00:00"},
		{"within a day, after", noon, "Asia/Kolkata", "2026-11-24T14:00:00", ""},
		{"the night in which clocks go forward", night, "Europe/Berlin", "2027-03-27T23:00:00", "2027-03-28T07:30:00"},
		{"the night in which they go back", night, "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T07:30:00"},
		{"by the clocks of the business, not of the server", night, "America/New_York", "2026-11-23T22:30:00", "2026-11-24T07:30:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(s string) time.Time {
			parsed, err := time.ParseInLocation("2006-01-02T15:04:05", s, zone)
			if err != nil {
				t.Fatal(err)
			}
			return parsed.UTC()
		}
		want := at(c.now)
		if c.want != "" {
			want = at(c.want)
		}
		if got := c.quiet.After(at(c.now), zone); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", c.what, got.In(zone), want.In(zone))
		}
	}
}

// Somebody's own quiet hours come on top of those of the business.
func TestCalm(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("IST", 19800)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, zone) }
	business, own := tenants.Quiet{From: 21 * 60, Until: 7 * 60}, tenants.Quiet{From: 6 * 60, Until: 10 * 60}
	for _, c := range []struct {
		what      string
		own       tenants.Quiet
		now, want time.Time
	}{
		{"in neither", own, at(23, 12), at(23, 12)},
		{"none of their own", tenants.Quiet{}, at(23, 22), at(24, 7)},
		{"the business's run into their own", own, at(23, 22), at(24, 10)},
		{"their own alone", own, at(24, 8), at(24, 10)},
		{"their own run into the business's", tenants.Quiet{From: 14 * 60, Until: 21*60 + 30}, at(24, 15), at(25, 7)},
		{"no time is left: their own count", tenants.Quiet{From: 7 * 60, Until: 21 * 60}, at(24, 8), at(24, 21)},
	} {
		if got := tenants.Calm(c.now, zone, business, c.own); !got.Equal(c.want) {
			t.Errorf("%s: got %s, want %s", c.what, got.In(zone), c.want)
		}
	}
}
