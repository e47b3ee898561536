package server

import (
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	reachPath    = adoptionPath + "/reach"
	segmentsPath = adoptionPath + "/segments"
)

// reachPage shows how many customers can be reached in which way, and the groups that were saved.
func (s *Server) reachPage(c *fiber.Ctx) error {
	save, _ := adoption.SegmentFilter(c.Query("save"))

	return s.showReach(c, fiber.StatusOK, save, pages.Filled{})
}

func (s *Server) showReach(c *fiber.Ctx, status int, save string, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.Reach{Frame: s.frame(c, "reach.title"), Save: save, Form: form}
	p.Frame.Path = reachPath
	reaches, err := s.reaches.of(ctx, s.db, m.Tenant.ID, identity.CountReach)
	if err != nil {
		return err
	}
	p.Buckets = []pages.Bucket{
		{Reach: identity.ReachBoth, Count: reaches.Both},
		{Reach: identity.ReachID, Count: reaches.ID},
		{Reach: identity.ReachPhone, Count: reaches.Phone},
		{Reach: identity.ReachNeither, Count: reaches.Neither},
	}
	var segments []adoption.Segment
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		segments, err = adoption.Segments(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, g := range segments {
		p.Segments = append(p.Segments, pages.Segment{ID: g.ID.String(), Name: g.Name, By: g.MadeBy, At: g.MadeAt})
	}

	return s.show(c, status, pages.ReachPage(p))
}

// saveSegment keeps a list of customers under a name.
func (s *Server) saveSegment(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := adoption.SaveSegment(ctx, tx, m.Actor, field(c, "name"), field(c, "filter"))
		return err
	})
	if form, ok := refilled(c, err, "name"); ok {
		save, _ := adoption.SegmentFilter(field(c, "filter"))

		return s.showReach(c, classify(err).status, save, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, reachPath, flash{Key: "toast.saved"})
}

// openSegment leads to the list that a segment keeps.
func (s *Server) openSegment(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var g adoption.Segment
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		g, err = adoption.OneSegment(ctx, tx, id)
		return err
	})
	if err != nil {
		return err
	}

	return c.Redirect(g.Filter, fiber.StatusSeeOther)
}

// removeSegment forgets a segment.
func (s *Server) removeSegment(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return adoption.RemoveSegment(ctx, tx, m.Actor, id) })
	if err != nil {
		return err
	}

	return s.done(c, reachPath, flash{Key: "toast.saved"})
}
