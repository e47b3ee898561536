package ingest_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// hours are 8 days of counts, the oldest first: n in each hour for which open says so.
func hours(n int64, open func(day, hour int) bool) []int64 {
	list := make([]int64, 8*24)
	for i := range list {
		if open(i/24, i%24) {
			list[i] = n
		}
	}

	return list
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	always := func(int, int) bool { return true }
	shop := func(_, hour int) bool { return hour >= 9 && hour < 21 }
	quietFor := func(n int, list []int64) []int64 {
		for i := range n + 1 { // and the running hour
			list[len(list)-1-i] = 0
		}
		return list
	}
	for name, c := range map[string]struct {
		hours []int64
		odd   bool
		since int
	}{
		"day and night":                         {hours(5, always), false, 0},
		"day and night, silent for 2 hours":     {quietFor(2, hours(5, always)), false, 2},
		"day and night, silent for 3 hours":     {quietFor(3, hours(5, always)), true, 3},
		"a shop at night":                       {quietFor(11, hours(5, shop)), false, 11},
		"a shop that did not open":              {quietFor(20, hours(5, shop)), true, 26},
		"a shop that is closed on a day":        {quietFor(20, hours(5, func(day, hour int) bool { return day != 3 && shop(day, hour) })), false, 26},
		"a shop where little happens":           {quietFor(30, hours(1, func(_, hour int) bool { return hour == 12 })), false, 34},
		"a shop that has just begun":            {quietFor(5, hours(9, func(day, hour int) bool { return day == 7 && hour > 12 })), false, 5},
		"silence before the first hour is none": {quietFor(4, hours(9, func(day, _ int) bool { return day > 4 })), true, 4},
		"nothing ever":                          {make([]int64, 8*24), false, 0},
	} {
		since, odd := ingest.Rate{Hours: c.hours}.Quiet()
		if odd != c.odd || since != c.since {
			t.Errorf("%s: silent for %d hours, odd %v; want %d, %v", name, since, odd, c.since, c.odd)
		}
	}
}

func TestRateOfANumber(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.work(t)
	for i := range 3 {
		p.receive(t, p.app, toAsha(text(i+1, "namaste")))
	}
	p.settle(t)

	read := func(tenant, number uuid.UUID, now time.Time) (rate ingest.Rate, seen []ingest.FieldSeen) {
		t.Helper()
		if err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
			if rate, err = ingest.NumberRate(ctx, tx, number, now); err != nil {
				return err
			}
			seen, err = ingest.FieldsSeen(ctx, tx, number)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return rate, seen
	}
	sum := func(list []int64) (n int64) {
		for _, v := range list {
			n += v
		}
		return n
	}

	var at time.Time
	if err := p.DB.SQL().QueryRow(`SELECT max(received_at) FROM inbox_events`).Scan(&at); err != nil {
		t.Fatal(err)
	}
	rate, seen := read(p.asha, p.ashaNumber, at)
	if len(rate.Minutes) != 60 || len(rate.Hours) != 192 || sum(rate.Minutes) != 3 || sum(rate.Hours) != 3 || sum(rate.Minutes[57:]) != 3 || rate.Still() {
		t.Errorf("got minutes %v and %d in the last hours, want three of late", rate.Minutes, sum(rate.Hours))
	}
	if len(seen) != 1 || seen[0].Field != "messages" || seen[0].Items != 3 || !seen[0].LastAt.Equal(at) {
		t.Errorf("fields: got %+v, want messages three times, the last at %s", seen, at)
	}
	if rate, _ := read(p.asha, p.ashaNumber, at.Add(2*time.Hour)); sum(rate.Minutes) != 0 || rate.Hours[191] != 0 || sum(rate.Hours[188:]) != 3 {
		t.Errorf("two hours later: got minutes %v, hours %v", rate.Minutes, rate.Hours[188:])
	}
	for whose, number := range map[uuid.UUID]uuid.UUID{p.ravi: p.ashaNumber, p.asha: p.raviNumber} {
		if rate, seen := read(whose, number, at); !rate.Still() || len(seen) != 0 {
			t.Errorf("another tenant's number: got %v and %v", rate.Hours, seen)
		}
	}

	// The slot of a minute is used again an hour later, and what comes late does not fall into it.
	slot := at.UTC().Truncate(time.Minute)
	if _, err := p.DB.SQL().Exec(`UPDATE inbox_rates SET at = at - interval '1 hour' WHERE unit = 'minute'`); err != nil {
		t.Fatal(err)
	}
	if rate, _ := read(p.asha, p.ashaNumber, slot); sum(rate.Minutes) != 0 {
		t.Errorf("an hour old: got %v, want none", rate.Minutes)
	}
	p.receive(t, p.app, toAsha(text(9, "namaste")))
	p.settle(t)
	if rate, _ := read(p.asha, p.ashaNumber, time.Now()); sum(rate.Minutes) != 1 || !slices.Contains(rate.Minutes[58:], 1) {
		t.Errorf("after the next: got %v, want that one alone", rate.Minutes)
	}
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	meters := func() map[uuid.UUID]ingest.AppMeter {
		t.Helper()
		got, err := ingest.AppMeters(t.Context(), p.DB, p.asha)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 7 {
		p.receiver.Refuse(p.ashasApp)
		p.receiver.Refuse(p.app)
	}
	until(t, "the refused are counted", func() bool { m := meters(); return m[p.ashasApp].Refused == 7 && m[p.app].Refused == 7 })

	own, shared := meters()[p.ashasApp], meters()[p.app]
	if own.RefusedLately != 7 || own.RefusedDay != 7 || !own.Own || own.Name != "ashas-own" || shared.Own {
		t.Errorf("got %+v and %+v", own, shared)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if !own.WrongSecret(hourAgo) || !own.WrongSecret(time.Time{}) || own.WrongSecret(time.Now()) || shared.WrongSecret(hourAgo) {
		t.Error("want the own app's secret doubted unless something was accepted lately, and the platform's never")
	}
	if _, err := p.DB.SQL().Exec(`UPDATE app_refusals SET at = at - interval '3 hours'`); err != nil {
		t.Fatal(err)
	}
	if own := meters()[p.ashasApp]; own.RefusedLately != 0 || own.RefusedDay != 7 || own.WrongSecret(hourAgo) {
		t.Errorf("three hours later: got %+v, want no doubt", own)
	}
}
