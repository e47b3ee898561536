package numbers

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	pages "github.com/pehchan/pehchan/views/numbers"
)

// ItemsPage lists the events behind a term of the zero-loss equation, of one number or of the whole business: ?state=set_aside or waiting.
func (s *Pages) ItemsPage(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	veil := s.Items(m)
	filter, err := itemsAfter(veil, c.Query("before"))
	if err != nil {
		return err
	}
	filter.State, filter.NumberID, filter.Limit = ingest.SetAside, number, itemsPageSize+1
	if c.Query("state") == ingest.Waiting {
		filter.State = ingest.Waiting
	}
	p := pages.ItemList{Frame: s.Frame(c, "inbox.title"), Now: time.Now(), State: filter.State}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if number != uuid.Nil {
			n, err := numbers.Get(ctx, tx, number)
			if err != nil {
				return err
			}
			p.Number = web.NumberView(n, ingest.Counts{})
		}

		return s.fillItemList(ctx, tx, m, filter, &p)
	})
	if err != nil {
		return err
	}
	p.Frame.Path = p.At(p.State)

	return s.Show(c, fiber.StatusOK, pages.ItemListPage(p))
}

func (s *Pages) fillItemList(ctx context.Context, tx *tenants.Tx, m access.Member, filter ingest.ItemFilter, p *pages.ItemList) error {
	counts, err := ingest.NumberCounts(ctx, tx)
	if err != nil {
		return err
	}
	for id, n := range counts {
		if filter.NumberID == uuid.Nil || id == filter.NumberID {
			p.SetAside, p.Waiting = p.SetAside+n.SetAside, p.Waiting+n.Waiting
		}
	}
	e, err := web.EyesOf(ctx, tx, m)
	if err != nil {
		return err
	}
	items, err := ingest.Items(ctx, tx, filter)
	if err != nil {
		return err
	}
	veil := s.Items(m)
	if len(items) > itemsPageSize {
		items = items[:itemsPageSize]
		last := items[itemsPageSize-1]
		p.Next = fmt.Sprintf("%s&before=%d.%s", p.At(p.State), last.ReceivedAt.UnixMicro(), veil.Write(last.ID))
	}
	for _, item := range items {
		view := pages.ListedItem{InboxItem: itemView(veil, item)}
		view.Href = "/numbers/items/" + view.ID
		if item.NumberID.Valid {
			view.Number, view.Href = e.Numbers[item.NumberID.UUID], "/numbers/"+item.NumberID.UUID.String()+"/items/"+view.ID
		}
		if !m.Can("ingest:read") {
			view.Href = ""
		}
		p.Items = append(p.Items, view)
	}

	return nil
}
