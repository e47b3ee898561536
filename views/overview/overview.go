// Package overview draws how far the change has come: adoption, the forecast, whom one can reach, and the month.
package overview

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/people"
)

// Adopted is what is asked of the pages about adoption, and what can be asked: ?days= 7, 28 or 90, ?at= a number's id or a portfolio's
// scope, ?country= as ISO 3166.
type Adopted struct {
	Days      int
	At        string
	Country   string
	Places    []components.Option // all of it first
	Countries []components.Option
}

// More is a page with what is asked, and more: names and values by turns.
func (a Adopted) More(path string, more ...string) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	if a.Days != 28 {
		set("days", strconv.Itoa(a.Days))
	}
	set("at", a.At)
	set("country", a.Country)
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] == "" {
			q.Del(more[i])
			continue
		}
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (a Adopted) windows(ctx context.Context, path string) []components.Chip {
	var chips []components.Chip
	for _, days := range []int{7, 28, 90} {
		b := a
		b.Days = days
		chips = append(chips, components.Chip{Label: i18n.N(ctx, "adoption.days", days), Href: b.More(path), Current: days == a.Days})
	}
	return chips
}

// SeenCounts counts the accounts that were heard from, and what WhatsApp showed of them.
type SeenCounts struct {
	Active, WithID, Named, Hidden int64
}

// SeenWeek is what was seen in the week from a Monday.
type SeenWeek struct {
	At time.Time
	SeenCounts
}

// Overview is GET /overview: how far IDs, usernames and hidden phones have come among the customers heard from, and how the work goes.
type Overview struct {
	Frame   layout.Frame
	Now     time.Time
	Asked   Adopted
	Seen    SeenCounts
	Weeks   []SeenWeek // the last of them is not over
	Filling bool       // the past is still being counted
	Plain   bool       // the reader saves data: no drawings

	Waiting []WaitingKind
	Linked  Linked
	Decided Decided
	Asks    Asks
	Meter   numbers.Meter // of the whole business; none where nothing came
	Target  *Target       // nil where the business has chosen none

	CanQueue, CanForecast, CanReach bool
	CanSet                          bool // the target
}

// WaitingKind counts the open cases of a kind by how long they have waited.
type WaitingKind struct {
	Kind                    string
	Day, Week, Month, Older int64
}

func (w WaitingKind) all() int64 { return w.Day + w.Week + w.Month + w.Older }

// Linked counts what was put together in the days asked for, and taken back.
type Linked struct {
	Auto, AutoUndone, Manual, ManualUndone int64
}

// Decided says how long the cases that people decided had been open.
type Decided struct {
	Count       int64
	Median, P90 time.Duration
}

// Asks counts questions for a number and what came of them.
type Asks struct {
	Asked, Shared, WithoutNumber, Typed, Silent, Waiting int64
}

func (p Overview) answer(ctx context.Context) string {
	switch {
	case p.Filling:
		return i18n.T(ctx, "adoption.counting")
	case p.Seen.Active == 0:
		return i18n.T(ctx, "adoption.nobody")
	}
	return i18n.T(ctx, "adoption.answer", "id", i18n.Percent(ctx, p.Seen.WithID, p.Seen.Active), "active", p.Seen.Active,
		"named", i18n.Percent(ctx, p.Seen.Named, p.Seen.Active), "hidden", i18n.Percent(ctx, p.Seen.Hidden, p.Seen.Active), "days", p.Asked.Days)
}

// people is the list behind a figure.
func (p Overview) people(figure string) string {
	return p.Asked.More("/adoption/people", "show", figure)
}

func (p Overview) peopleOf(week time.Time, figure string) string {
	return p.Asked.More("/adoption/people", "show", figure, "week", week.Format(time.DateOnly))
}

func (p Overview) shareOf(ctx context.Context, part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return i18n.Percent(ctx, part, whole)
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return -1
	}
	return float64(part) / float64(whole)
}

func (p Overview) chart(ctx context.Context) components.ChartOptions {
	var ids, names, hidden components.Line
	last := SeenCounts{}
	for _, w := range p.Weeks {
		ids.Values = append(ids.Values, share(w.WithID, w.Active))
		names.Values = append(names.Values, share(w.Named, w.Active))
		hidden.Values = append(hidden.Values, share(w.Hidden, w.Active))
		if w.Active > 0 {
			last = w.SeenCounts
		}
	}
	ids.Name = i18n.T(ctx, "adoption.line_id", "share", p.shareOf(ctx, last.WithID, last.Active))
	names.Name = i18n.T(ctx, "adoption.line_named", "share", p.shareOf(ctx, last.Named, last.Active))
	hidden.Name = i18n.T(ctx, "adoption.line_hidden", "share", p.shareOf(ctx, last.Hidden, last.Active))
	o := components.ChartOptions{Label: i18n.T(ctx, "adoption.chart"), Lines: []components.Line{ids, names, hidden}, Open: true}
	if n := len(p.Weeks); n > 0 {
		o.From, o.To = i18n.Day(ctx, p.Weeks[0].At), i18n.Day(ctx, p.Weeks[n-1].At)
	}
	return o
}

func (p Overview) heard() bool {
	for _, w := range p.Weeks {
		if w.Active > 0 {
			return true
		}
	}
	return false
}

// AdoptionPeople is GET /adoption/people: whom a figure counts. ?show= id, no_id, named, hidden or visible narrows, ?week= is the Monday of
// one week.
type AdoptionPeople struct {
	Frame layout.Frame
	Now   time.Time
	Asked Adopted
	Show  string
	Week  time.Time
	Count int64 // how many there are
	Items []AdoptionPerson
	Next  string

	CanSave bool
}

// save is where this list can be saved under a name.
func (p AdoptionPeople) save() string {
	return "/adoption/reach?" + url.Values{"save": {p.Asked.More("/adoption/people", "show", p.Show)}}.Encode()
}

// AdoptionPerson is an account with whoever has it.
type AdoptionPerson struct {
	people.Someone
	Day    time.Time // last heard from
	WithID bool      // what was shown of it in that week
	Named  bool
	Hidden bool
}

func (p AdoptionPeople) back() string { return p.Asked.More("/overview") }

func (p AdoptionPeople) answer(ctx context.Context) string {
	if p.Week.IsZero() {
		return i18n.N(ctx, "adoption.people_days", int(p.Count), "days", p.Asked.Days)
	}
	return i18n.N(ctx, "adoption.people_week", int(p.Count), "day", i18n.Date(ctx, p.Week))
}

var shows = []string{"", "id", "no_id", "named", "hidden", "visible"}

func (p AdoptionPeople) chips(ctx context.Context) []components.Chip {
	week := ""
	if !p.Week.IsZero() {
		week = p.Week.Format(time.DateOnly)
	}
	var chips []components.Chip
	for _, show := range shows {
		chips = append(chips, components.Chip{
			Label: i18n.T(ctx, "adoption.show_"+show), Href: p.Asked.More("/adoption/people", "show", show, "week", week), Current: show == p.Show,
		})
	}
	return chips
}

func (p Overview) outOf(ctx context.Context, n int64) string {
	return i18n.T(ctx, "adoption.out_of", "n", n, "all", p.Seen.Active)
}
