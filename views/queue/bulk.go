package queue

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Bulk is many cases decided at once: before, while and after. Doing it posts
// to /resolve/many/{id}, taking it back to /resolve/many/{id}/undo. What the
// post had no time for goes on by itself.
type Bulk struct {
	Frame    layout.Frame
	Now      time.Time
	ID       string
	Query    string // of the queue's filter, to go back to
	Decision string // new or same
	Sign     string // what they all rest on, in words; empty for new
	State    string // draft, running, done, undoing or undone
	By       string
	At       time.Time
	CutShort bool // more match than are decided at once
	CanRun   bool
	CanUndo  bool
	Stuck    bool // it does not go on by itself: posting again does
	Form     components.Filled
	Total    int
	Chosen   int // still to do
	Done     int
	Skipped  int
	Undone   int
	Kept     int
	Why      []BulkWhy
	Items    []BulkItem
	Next     string // address of the next page, empty on the last
}

// BulkWhy counts the cases that were left out, or could not be taken back, for
// one reason.
type BulkWhy struct {
	State string // skipped or kept
	Code  string // bulk.why_<code>
	Count int
}

// BulkItem is one of the cases.
type BulkItem struct {
	Who       *people.Someone
	Candidate string // whom they are, of same
	State     string // chosen, done, skipped, undone or kept
	Why       string // bulk.why_<why>
	Href      string
}

// SortWhy puts the most frequent reason first.
func SortWhy(list []BulkWhy) {
	slices.SortFunc(list, func(a, b BulkWhy) int {
		return cmp.Or(cmp.Compare(b.State, a.State), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
}

// Path is the address of this page.
func (p Bulk) Path() string { return p.address() + "?" + p.Query }

func (p Bulk) address() string { return "/resolve/many/" + p.ID }

func (p Bulk) working() bool {
	return !p.Stuck && (p.State == "running" || p.State == "undoing")
}

func (p Bulk) why(state string) []BulkWhy {
	var list []BulkWhy
	for _, w := range p.Why {
		if w.State == state {
			list = append(list, w)
		}
	}
	return list
}

func (p Bulk) heading(ctx context.Context) string {
	switch {
	case p.State == "draft" && p.Decision == "new":
		return i18n.T(ctx, "bulk.ask_new")
	case p.State == "draft":
		return i18n.T(ctx, "bulk.ask_same")
	case p.Decision == "new":
		return i18n.T(ctx, "bulk.did_new")
	}
	return i18n.T(ctx, "bulk.did_same")
}

func (p Bulk) answer(ctx context.Context) string {
	switch p.State {
	case "draft":
		return i18n.N(ctx, "bulk.would_"+p.Decision, p.Chosen)
	case "undoing", "undone":
		return i18n.N(ctx, "bulk.undone", p.Undone)
	}
	return i18n.N(ctx, "bulk.done_"+p.Decision, p.Done)
}
