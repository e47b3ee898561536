package overview

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/overview"
)

// ReachPage shows how many customers can be reached in which way, and the groups that were saved.
func (s *Pages) ReachPage(c *fiber.Ctx) error {
	save, _ := adoption.SegmentFilter(c.Query("save"))

	return s.showReach(c, fiber.StatusOK, save, components.Filled{})
}

func (s *Pages) showReach(c *fiber.Ctx, status int, save string, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Reach{Frame: s.Frame(c, "reach.title"), Save: save, CanSave: m.Can("reach:save"), Form: form}
	p.Frame.Path = web.ReachPath
	var reaches identity.Reaches
	var segments []adoption.Segment
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if reaches, err = identity.CountReach(ctx, tx); err != nil {
			return err
		}
		segments, err = adoption.Segments(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	offers, err := s.offers.Of(ctx, s.DB, m.Tenant.ID, identity.CountOffers)
	if err != nil {
		return err
	}
	p.Buckets = buckets(reaches, offers)
	for _, g := range segments {
		p.Segments = append(p.Segments, pages.Segment{ID: g.ID.String(), Name: g.Name, By: g.MadeBy, At: g.MadeAt})
	}

	return s.Show(c, status, pages.ReachPage(p))
}

// buckets are the ways of being reached, with how many can be reached so and what they said about offers.
func buckets(r identity.Reaches, offers map[string]identity.Offers) []pages.Bucket {
	list := []pages.Bucket{
		{Reach: identity.ReachBoth, Count: r.Both},
		{Reach: identity.ReachID, Count: r.ID},
		{Reach: identity.ReachPhone, Count: r.Phone},
		{Reach: identity.ReachNeither, Count: r.Neither},
	}
	for i, b := range list {
		list[i].Yes, list[i].No = offers[b.Reach].Yes, offers[b.Reach].No
	}

	return list
}

// SaveSegment keeps a list of customers under a name.
func (s *Pages) SaveSegment(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := adoption.SaveSegment(ctx, tx, m.Actor, web.Field(c, "name"), web.Field(c, "filter"))
		return err
	})
	if form, ok := web.Refilled(c, err, "name"); ok {
		save, _ := adoption.SegmentFilter(web.Field(c, "filter"))

		return s.showReach(c, web.Classify(err).Status, save, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.ReachPath, web.Flash{Key: "toast.saved"})
}

// OpenSegment leads to the list that a segment keeps.
func (s *Pages) OpenSegment(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var g adoption.Segment
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		g, err = adoption.OneSegment(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}

	return c.Redirect(g.Filter, fiber.StatusSeeOther)
}

// RemoveSegment forgets a segment.
func (s *Pages) RemoveSegment(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return adoption.RemoveSegment(ctx, tx, m.Actor, id) })
	if err != nil {
		return err
	}

	return s.Done(c, web.ReachPath, web.Flash{Key: "toast.saved"})
}
