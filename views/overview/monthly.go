package overview

import (
	"context"
	"net/url"
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

// rows is the list of what one figure counts.
func (p Monthly) rows(show string) string { return monthlyRows(p.From, show) }

func monthlyRows(from time.Time, show string) string {
	return "/reports/monthly/rows?month=" + from.Format("2006-01") + "&show=" + show
}

// step is one thing to do next month, and where.
type step struct{ title, href string }

// next are at most three things to do.
func (p Monthly) next(ctx context.Context) []step {
	var all []step
	if p.Waiting > 0 {
		all = append(all, step{title: i18n.N(ctx, "monthly.next_waiting", p.Waiting), href: "/resolve"})
	}
	if p.Unanswered > 0 {
		all = append(all, step{title: i18n.N(ctx, "monthly.next_unanswered", p.Unanswered), href: "/inbox?state=waiting"})
	}
	if p.Undone > 0 {
		all = append(all, step{title: i18n.N(ctx, "monthly.next_undone", int(p.Undone)), href: p.rows("undone")})
	}
	if p.Stale > 0 && len(all) < 3 {
		all = append(all, step{title: i18n.T(ctx, "monthly.next_stale"), href: "/changes"})
	}
	return all
}

// MonthlyRows are the rows that one figure of a month counts.
type MonthlyRows struct {
	Frame layout.Frame
	Now   time.Time
	From  time.Time // first day, in the reader's zone
	Show  string    // reached, auto, joined, undone or decided
	Count int64     // how many there are
	Items []MonthRow
	Next  string
}

// MonthRow is an account, a link or a decision.
type MonthRow struct {
	ID   string
	Name string // "" where nobody of the book is meant
	What string // kind of a link, outcome of a decision
	By   string // the person who did it
	At   time.Time
	Href string
}

// Title is the figure's own words.
func (p MonthlyRows) Title(ctx context.Context) string { return i18n.T(ctx, "monthly.rows_"+p.Show) }

// Address is this list's with more in its query.
func (p MonthlyRows) Address(key, value string) string {
	return monthlyRows(p.From, p.Show) + "&" + url.Values{key: {value}}.Encode()
}

func (p MonthlyRows) back() string { return "/reports/monthly?month=" + p.From.Format("2006-01") }

func (r MonthRow) title(ctx context.Context) string {
	if r.Name == "" {
		return i18n.T(ctx, "monthly.row_nobody")
	}
	return r.Name
}

func (r MonthRow) what(ctx context.Context) string {
	switch {
	case r.What == "":
		return ""
	case r.By != "":
		return i18n.T(ctx, "monthly.row_"+r.What) + " · " + i18n.T(ctx, "monthly.row_by", "name", r.By)
	}
	return i18n.T(ctx, "monthly.row_"+r.What)
}
