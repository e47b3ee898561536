package numbers

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// InboxItem is one event that was not simply routed.
type InboxItem struct {
	ID     string
	At     time.Time
	State  string // held or set_aside
	Kind   string // message, status, …
	Reason string // stable code, named by inbox.why_<reason>
	Note   string // for a developer
	Href   string // of its raw, masked bytes; empty where this reader may not see them
}

// inbox is what a row of events needs to know of its page.
type inbox struct {
	Frame     layout.Frame
	Now       time.Time
	At        string // address that the rows' forms post below
	CanReplay bool
}

// RawItem shows the bytes of one event, masked unless Clear. Number is empty
// for an event of no number.
type RawItem struct {
	Frame     layout.Frame
	Now       time.Time
	Number    Number
	Item      InboxItem
	Raw       string
	Clear     bool // nothing is masked
	CanReplay bool

	Unreadable string // in what way it is no delivery, named by inbox.unreadable_<way>; empty where it is one
	Line, Mark int    // where reading stopped, from 1; 0 for no place in particular
}

func (p RawItem) back(ctx context.Context) string {
	if p.Number.ID == "" {
		return i18n.T(ctx, "numbers.title")
	}
	return p.Number.Label()
}

// unreadable says why it could not be read, and where reading stopped.
func (p RawItem) unreadable(ctx context.Context) string {
	why := i18n.T(ctx, "inbox.unreadable_"+p.Unreadable)
	if p.Line > 0 {
		why += " " + i18n.T(ctx, "inbox.unreadable_at", "line", p.Line, "mark", p.Mark)
	}
	return why
}

func (p RawItem) answer(ctx context.Context) string {
	if p.Clear {
		return i18n.T(ctx, "inbox.raw_clear")
	}
	return i18n.T(ctx, "inbox.raw_masked")
}

func inboxColumns(ctx context.Context) []components.Column {
	return []components.Column{
		{Label: i18n.T(ctx, "inbox.at")}, {Label: i18n.T(ctx, "inbox.what")}, {Label: i18n.T(ctx, "inbox.why")}, {Label: i18n.T(ctx, "inbox.do"), Quiet: true},
	}
}

// ItemReason says why an item waits or was set aside.
func ItemReason(ctx context.Context, code string) string {
	if !i18n.Known("inbox.why_" + code) {
		return i18n.T(ctx, "inbox.why_other", "code", code)
	}
	return i18n.T(ctx, "inbox.why_"+code)
}

// ItemKind says what kind of item it is.
func ItemKind(ctx context.Context, kind string) string {
	if !i18n.Known("inbox.kind_" + kind) {
		return i18n.T(ctx, "inbox.kind_other")
	}
	return i18n.T(ctx, "inbox.kind_"+kind)
}
