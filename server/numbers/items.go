package numbers

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	pages "github.com/pehchan/pehchan/views/numbers"
)

const replayMax = 1000 // items tried again at once

// numberParam is the number in the path, or uuid.Nil on the paths of items that are of none.
func numberParam(c *fiber.Ctx) (uuid.UUID, error) {
	given := c.Params("id")
	if given == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(given)
	if err != nil || id == uuid.Nil {
		return uuid.Nil, tenants.ErrNotFound
	}

	return id, nil
}

// ItemPage shows the stored bytes of one item of a number: as they came to who may see phones, else with all that could name
// a person hidden.
func (s *Pages) ItemPage(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	veil := s.Items(m)
	id, err := web.ItemID(veil, c.Params("item"))
	if err != nil {
		return err
	}

	p := pages.RawItem{Now: time.Now(), CanReplay: m.Can("ingest:replay"), Clear: m.Can("phones:clear")}
	var item ingest.Item
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if item, err = ingest.ItemByID(ctx, tx, s.Keys, id); err != nil {
			return err
		}
		if item.NumberID.UUID != number {
			return tenants.ErrNotFound
		}
		if !item.NumberID.Valid {
			return nil
		}
		n, err := numbers.Get(ctx, tx, number)
		p.Number = web.NumberView(n, ingest.Counts{})

		return err
	})
	if err != nil {
		return err
	}

	if item.Reason == ingest.Unparsable {
		if item.Body, err = ingest.WholeDelivery(ctx, s.DB, s.Keys, m.Tenant.ID, id); err != nil {
			return err
		}
	}

	if item.Reason == ingest.Unparsable {
		p.Unreadable, p.Line, p.Mark = ingest.Unreadable(item.Body)
	}
	p.Clear = p.Clear && !item.Sealed
	p.Frame, p.Item, p.Raw = s.Frame(c, "inbox.raw_title"), itemView(veil, item), web.Readable(item.Body, p.Clear)

	return s.Show(c, fiber.StatusOK, pages.RawItemPage(p))
}

// ReplayItems has one item, or all of a number that are set aside, processed again; without a number, all that name none.
func (s *Pages) ReplayItems(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}

	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if number != uuid.Nil {
			if _, err := numbers.Get(ctx, tx, number); err != nil {
				return err
			}
		}
		in := ingest.ReplayInput{}
		if one := web.Field(c, "item"); one != "" {
			item, err := web.ItemID(s.Items(m), one)
			if err != nil {
				return err
			}
			in.ItemIDs = []int64{item}
		} else {
			ids, err := setAside(ctx, tx, number)
			if err != nil || len(ids) == 0 {
				return err
			}
			in.ItemIDs = ids
		}

		_, err := ingest.Replay(ctx, tx, m.Actor, in)

		return err
	})
	if err != nil {
		return err
	}

	to := "/numbers"
	if number != uuid.Nil {
		to += "/" + number.String() + "/health"
	}

	return s.Done(c, to+"#items", web.Flash{Key: "toast.replayed"})
}

// setAside lists the last items of a number, or of none, that were set aside, as many as one replay takes.
func setAside(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (ids []int64, err error) {
	filter := ingest.ItemFilter{State: ingest.SetAside, NumberID: number, NoNumber: number == uuid.Nil}
	for len(ids) < replayMax {
		items, err := ingest.Items(ctx, tx, filter)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			break
		}
		for _, item := range items {
			ids = append(ids, item.ID)
		}
		last := items[len(items)-1]
		filter.BeforeAt, filter.BeforeID = last.ReceivedAt, last.ID
	}

	return ids[:min(len(ids), replayMax)], nil
}
