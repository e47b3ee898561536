package inbox

import (
	"context"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	pages "github.com/pehchan/pehchan/views/inbox"
)

const (
	inboxPageSize = 20
)

// inboxFilter reads ?state=, ?who=, ?number= and ?q=. What is unknown narrows nothing.
func inboxFilter(c *fiber.Ctx, m access.Member) (conversations.InboxFilter, error) {
	f := conversations.InboxFilter{Person: m.Person.ID, Query: c.Query("q"), Page: identity.Page{Limit: inboxPageSize, Cursor: c.Query("cursor")}}
	switch state := c.Query("state"); state {
	case conversations.Unread, conversations.Waiting:
		f.State = state
	}
	switch who := c.Query("who"); who {
	case conversations.Mine, conversations.Nobodys:
		f.Who = who
	}
	if number := c.Query("number"); number != "" {
		id, err := uuid.Parse(number)
		if err != nil {
			return conversations.InboxFilter{}, tenants.ErrNotFound
		}
		f.Number = id
	}

	return f, nil
}

// Page lists the people there is a conversation with.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	f, err := inboxFilter(c, m)
	if err != nil {
		return err
	}
	p := pages.Inbox{
		Frame: s.Frame(c, "talks.title"), Now: time.Now(), State: f.State, Who: f.Who, Query: f.Query, Paged: f.Cursor != "",
		More: conversations.MostCounted, CanConnect: m.Can("numbers:connect"), CanAnswer: m.Can("conversations:answer"),
	}
	if f.Number != uuid.Nil {
		p.Number = f.Number.String()
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return fillInbox(ctx, tx, m, f, &p) })
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.InboxPage(p))
}

func fillInbox(ctx context.Context, tx *tenants.Tx, m access.Member, f conversations.InboxFilter, p *pages.Inbox) error {
	e, err := web.EyesOf(ctx, tx, m)
	if err != nil {
		return err
	}
	p.Numbers = e.Choices()
	p.NoNumber = len(p.Numbers) == 0

	counts, err := conversations.CountInbox(ctx, tx)
	if err != nil {
		return err
	}
	p.Unread, p.Waiting = counts.Unread, counts.Waiting
	list, next, err := conversations.Inbox(ctx, tx, f)
	if err != nil {
		return err
	}
	for _, c := range list {
		p.Items = append(p.Items, inboxEntry(ctx, e, m, c))
	}
	if next != "" {
		q := url.Values{"cursor": {next}}
		for name, value := range map[string]string{"state": p.State, "who": p.Who, "number": p.Number, "q": p.Query} {
			if value != "" {
				q.Set(name, value)
			}
		}
		p.Next = web.InboxPath + "?" + q.Encode()
	}

	return nil
}

func inboxEntry(ctx context.Context, e web.Eyes, m access.Member, c conversations.Conversation) pages.InboxEntry {
	item := pages.InboxEntry{Who: e.Someone(c.Contact), Unread: c.Unread, Waiting: c.WaitingSince, Ends: c.WindowEnds}
	if c.Last.ID != uuid.Nil {
		v := e.Entry(c.Last, false)
		item.Last = &v
	}
	if c.Assignee != uuid.Nil {
		item.Assignee, item.Mine = e.Name(ctx, c.Assignee.String()), c.Assignee == m.Person.ID
	}

	return item
}
