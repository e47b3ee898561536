// Package inbox draws conversations: the list, one thread with its composer, asking for a number, and codes that link back.
package inbox

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/people"
)

// Inbox lists the people there is a conversation with. Its filters are ?state=, ?who=, ?number= and ?q=.
type Inbox struct {
	Frame      layout.Frame
	Now        time.Time
	State      string // unread or waiting; empty for all
	Who        string // mine or nobody; empty for anyone's
	Number     string // id of the number filtered by, empty for all
	Query      string
	Numbers    []numbers.NumberChoice
	Unread     int
	Waiting    int
	More       int // Unread and Waiting are counted no further
	Items      []InboxEntry
	Next       string // address of the next page, empty on the last
	Paged      bool   // a page after the first, whose rows are added to those
	NoNumber   bool   // none is connected yet
	CanConnect bool
	CanAnswer  bool
}

// InboxEntry is one person of the list.
type InboxEntry struct {
	Who      people.Someone
	Last     *people.Said // nil where the business has not kept it
	Unread   bool
	Waiting  time.Time // since when; zero where nobody waits
	Ends     time.Time // until when WhatsApp lets the business answer freely; zero where that is over
	Assignee string    // empty for nobody
	Mine     bool      // the assignee is this reader
}

func (p Inbox) answer(ctx context.Context) string {
	switch {
	case p.Waiting >= p.More:
		return i18n.T(ctx, "talks.answer_many", "count", p.More)
	case p.Waiting > 0:
		return i18n.N(ctx, "talks.answer_waiting", p.Waiting)
	case p.Unread > 0:
		return i18n.T(ctx, "talks.answer_unread")
	}
	return i18n.T(ctx, "talks.answer_clear")
}

// href is the address of the list with one filter changed.
func (p Inbox) href(name, value string) string {
	q := url.Values{}
	for k, v := range map[string]string{"state": p.State, "who": p.Who, "number": p.Number, "q": p.Query} {
		if k == name {
			v = value
		}
		if v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return "/inbox"
	}
	return "/inbox?" + q.Encode()
}

func (p Inbox) count(ctx context.Context, n int) string {
	if n >= p.More {
		return i18n.Number(ctx, int64(p.More)) + "+"
	}
	return i18n.Number(ctx, int64(n))
}

func (p Inbox) states(ctx context.Context) []components.Chip {
	return []components.Chip{
		{Label: i18n.T(ctx, "talks.all"), Href: p.href("state", ""), Current: p.State == ""},
		{Label: i18n.T(ctx, "talks.unread"), Href: p.href("state", "unread"), Current: p.State == "unread", Count: p.count(ctx, p.Unread)},
		{Label: i18n.T(ctx, "talks.waiting"), Href: p.href("state", "waiting"), Current: p.State == "waiting", Count: p.count(ctx, p.Waiting)},
	}
}

func (p Inbox) people(ctx context.Context) []components.Chip {
	return []components.Chip{
		{Label: i18n.T(ctx, "talks.anyone"), Href: p.href("who", ""), Current: p.Who == ""},
		{Label: i18n.T(ctx, "talks.mine"), Href: p.href("who", "mine"), Current: p.Who == "mine"},
		{Label: i18n.T(ctx, "talks.nobody"), Href: p.href("who", "nobody"), Current: p.Who == "nobody"},
	}
}

func (p Inbox) numbers(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "talks.any_number"), Href: p.href("number", ""), Current: p.Number == ""}}
	for _, n := range p.Numbers {
		chips = append(chips, components.Chip{Label: n.Name, Href: p.href("number", n.ID), Current: n.ID == p.Number})
	}
	return chips
}

func (p Inbox) filtered() bool {
	return p.State != "" || p.Who != "" || p.Number != "" || p.Query != ""
}

func (i InboxEntry) open() string { return "/inbox/" + i.Who.ID }

func queryEscape(s string) string { return url.QueryEscape(s) }

// keyNames are the keys as they stand on a keyboard.
var keyNames = map[string]string{"j": "J", "k": "K", "enter": "Enter", "slash": "/", "r": "R", "t": "T", "n": "N", "a": "A", "e": "E", "i": "I", "q": "Q", "m": "M"}
