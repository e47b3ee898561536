package numbers

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// ItemList is GET /numbers/items and /numbers/{id}/items: the events behind a term of the zero-loss equation, ?state=set_aside or waiting.
type ItemList struct {
	Frame             layout.Frame
	Now               time.Time
	Number            Number // without an ID: all of the business
	State             string // set_aside or waiting
	SetAside, Waiting int64  // how many there are
	Items             []ListedItem
	Next              string
}

// ListedItem is an event with the name of the number that it is of, empty for none.
type ListedItem struct {
	InboxItem
	Number string
}

// At is the list of a state.
func (p ItemList) At(state string) string { return p.Number.at() + "/items?state=" + state }

func (p ItemList) chips(ctx context.Context) []components.Chip {
	return []components.Chip{
		{Label: i18n.T(ctx, "meter.set_aside"), Href: p.At("set_aside"), Current: p.State == "set_aside", Count: i18n.Number(ctx, p.SetAside)},
		{Label: i18n.T(ctx, "meter.waiting"), Href: p.At("waiting"), Current: p.State == "waiting", Count: i18n.Number(ctx, p.Waiting)},
	}
}

func (p ItemList) title(ctx context.Context) string { return i18n.T(ctx, "inbox.list_"+p.State) }

func (p ItemList) answer(ctx context.Context) string {
	switch {
	case p.State == "set_aside" && p.SetAside == 0:
		return i18n.T(ctx, "inbox.none")
	case p.State == "waiting" && p.Waiting == 0:
		return i18n.T(ctx, "meter.none_waits")
	}
	return i18n.T(ctx, "inbox.list_"+p.State+"_why")
}

func (p ItemList) back() string {
	if p.Number.ID == "" {
		return "/numbers"
	}
	return p.Number.HealthAt()
}

func (p ItemList) backWords(ctx context.Context) string {
	if p.Number.ID == "" {
		return i18n.T(ctx, "numbers.title")
	}
	return p.Number.Label()
}

func (p ItemList) columns(ctx context.Context) []components.Column {
	list := []components.Column{{Label: i18n.T(ctx, "inbox.at")}, {Label: i18n.T(ctx, "inbox.what")}}
	if p.Number.ID == "" {
		list = append(list, components.Column{Label: i18n.T(ctx, "forecast.number")})
	}
	if p.State == "set_aside" {
		list = append(list, components.Column{Label: i18n.T(ctx, "inbox.why")})
	}
	return append(list, components.Column{Label: i18n.T(ctx, "inbox.look"), Quiet: true})
}
