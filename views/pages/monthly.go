package pages

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Monthly is what a business got out of a month, on one printed page.
type Monthly struct {
	Frame    layout.Frame
	Business string
	Now      time.Time
	From     time.Time // first day, in the reader's zone
	Running  bool      // the month is not over
	Filling  bool      // customers of before are still being counted
	Before   string    // month before, 2006-01; empty for none
	After    string

	Heard, Reached                int64
	Auto, Joined, Undone, Decided int64
	Saved                         time.Duration
	PerDecision                   time.Duration

	Waiting    int // cases that a person must decide now
	Unanswered int // at most MostUnanswered
	Stale      int // facts about usernames where the business is that need checking
}

func (p Monthly) answer(ctx context.Context) string {
	switch {
	case p.Filling:
		return i18n.T(ctx, "monthly.filling")
	case p.Heard == 0:
		return i18n.T(ctx, "monthly.nothing")
	case p.Reached == 0:
		return i18n.T(ctx, "monthly.none_hidden", "heard", p.Heard)
	}
	return i18n.N(ctx, "monthly.reached", int(p.Reached), "heard", p.Heard)
}

// next are at most three things to do.
func (p Monthly) next(ctx context.Context) []task {
	var all []task
	if p.Waiting > 0 {
		all = append(all, task{title: i18n.N(ctx, "monthly.next_waiting", p.Waiting), href: "/resolve"})
	}
	if p.Unanswered > 0 {
		all = append(all, task{title: i18n.N(ctx, "monthly.next_unanswered", p.Unanswered), href: "/inbox?state=waiting"})
	}
	if p.Undone > 0 {
		all = append(all, task{title: i18n.N(ctx, "monthly.next_undone", int(p.Undone)), href: "/audit?about=contacts"})
	}
	if p.Stale > 0 && len(all) < 3 {
		all = append(all, task{title: i18n.T(ctx, "monthly.next_stale"), href: "/changes"})
	}
	return all
}
