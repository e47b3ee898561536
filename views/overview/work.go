package overview

import (
	"context"
	"net/url"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// cases is the queue narrowed down to a kind and an age, empty for who may not see it.
func (p Overview) cases(kind, age string) string {
	if !p.CanQueue {
		return ""
	}
	q := url.Values{"tab": {"open"}, "kind": {kind}}
	if age != "" {
		q.Set("age", age)
	}
	return "/resolve?" + q.Encode()
}

// rows is the list of what a figure about links and decisions counts.
func (p Overview) rows(show string) string { return workRows(p.Asked.Days, show) }

func workRows(days int, show string) string {
	return Adopted{Days: days}.More("/overview/rows", "show", show)
}

// WorkRows is GET /overview/rows: the links and decisions behind the figures of the overview's last days. ?show= linked_auto, linked_manual,
// either with _back for what was taken back since, or decided.
type WorkRows struct {
	Frame layout.Frame
	Asked Adopted
	Show  string
	Count int64
	Items []MonthRow
	Next  string
}

// WorkShows are what WorkRows can show.
var WorkShows = []string{"linked_auto", "linked_auto_back", "linked_manual", "linked_manual_back", "decided"}

// Title is the figure's own words.
func (p WorkRows) Title(ctx context.Context) string { return i18n.T(ctx, "adoption.rows_"+p.Show) }

func (p WorkRows) answer(ctx context.Context) string {
	return i18n.N(ctx, "adoption.rows_count", int(p.Count), "days", p.Asked.Days)
}

func (p WorkRows) chips(ctx context.Context) []components.Chip {
	var chips []components.Chip
	for _, show := range WorkShows {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "adoption.rows_"+show), Href: workRows(p.Asked.Days, show), Current: show == p.Show})
	}
	return chips
}

// Address is this list's with more in its query.
func (p WorkRows) Address(key, value string) string {
	return Adopted{Days: p.Asked.Days}.More("/overview/rows", "show", p.Show, key, value)
}
