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
