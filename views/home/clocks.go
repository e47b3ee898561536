package home

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pehchan/pehchan/views/i18n"
)

// Clock is the time within which somebody must be told of an incident, which runs.
type Clock struct {
	Incident string    // its address
	What     string    // happened
	To       string    // people, cert or board
	Due      time.Time // zero: without delay
	Over     bool
}

// mostOfWhat is how much of what happened stands on a card.
const mostOfWhat = 80

// late tells whether somebody should have been told of an incident by now.
func (p Home) late() bool { return slices.ContainsFunc(p.Clocks, func(c Clock) bool { return c.Over }) }

// firstClock is the clock that ends first. What is owed without delay has no end, and comes after those that have one.
func (p Home) firstClock() Clock {
	return slices.MinFunc(p.Clocks, func(a, b Clock) int {
		switch {
		case a.Due.IsZero() && b.Due.IsZero():
			return 0
		case a.Due.IsZero():
			return 1
		case b.Due.IsZero():
			return -1
		}

		return a.Due.Compare(b.Due)
	})
}

// clockTask is the card of the incident whose clock ends first, with all that run of it. Where several incidents run it leads to the list.
func (p Home) clockTask(ctx context.Context) []task {
	if len(p.Clocks) == 0 {
		return nil
	}
	first := p.firstClock()
	key, incidents := "home.clock_"+first.To, map[string]bool{}
	if first.Over {
		key += "_over"
	}
	what := first.What
	if utf8.RuneCountInString(what) > mostOfWhat {
		what = strings.TrimSpace(string([]rune(what)[:mostOfWhat])) + "…"
	}
	why, also := []string{i18n.T(ctx, "home.clock_what", "what", what)}, []string{}
	for _, c := range p.Clocks {
		incidents[c.Incident] = true
		if c.Incident == first.Incident && c != first {
			also = append(also, c.says(ctx))
		}
	}
	if len(also) > 0 {
		why = append(why, i18n.T(ctx, "home.clock_also", "list", strings.Join(also, "; ")))
	}
	t := task{"incident", i18n.T(ctx, key, "time", i18n.DateTime(ctx, first.Due)), "", i18n.T(ctx, "home.clock_go"), first.Incident, ""}
	if more := len(incidents) - 1; more > 0 {
		why, t.button, t.href = append(why, i18n.N(ctx, "home.clock_more", more)), i18n.T(ctx, "home.clock_go_all"), "/privacy#incidents"
	}
	t.why = strings.Join(why, " ")

	return []task{t}
}

// says is whom it is about and when it ends, in the middle of a sentence.
func (c Clock) says(ctx context.Context) string {
	key := "home.clock_until"
	switch {
	case c.Over:
		key = "home.clock_was"
	case c.Due.IsZero():
		key = "home.clock_at_once"
	}

	return i18n.T(ctx, key, "who", i18n.T(ctx, "home.clock_to_"+c.To), "time", i18n.DateTime(ctx, c.Due))
}
