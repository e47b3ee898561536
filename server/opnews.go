package server

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

func (s *Server) opNewsPage(c *fiber.Ctx) error {
	return s.showOpNews(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showOpNews(c *fiber.Ctx, status int, form pages.Filled) error {
	p := pages.OpNews{Frame: s.frame(c, "console.news"), Now: time.Now(), CanWrite: member(c).Can("op:write"), Most: operator.MostDays, Form: form}
	p.Frame.Path = opNewsPath
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err := operator.Announcements(ctx, tx)
		for _, a := range list {
			p.Items = append(p.Items, pages.OpAnnouncement{ID: a.ID.String(), EN: a.EN, HI: a.HI, Audience: a.Audience, By: a.By, At: a.At, EndsAt: a.EndsAt, Over: a.Over})
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.show(c, status, pages.OpNewsPage(p))
}

func (s *Server) announce(c *fiber.Ctx) error {
	days, err := strconv.Atoi(field(c, "days"))
	if err != nil {
		days = 0
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		return operator.Announce(ctx, tx, m, field(c, "en"), field(c, "hi"), field(c, "audience"), days)
	})
	if form, ok := refilled(c, err, "en", "hi", "audience", "days"); ok {
		return s.showOpNews(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, opNewsPath, flash{Key: "toast.saved"})
}

func (s *Server) endAnnouncement(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		return operator.EndAnnouncement(ctx, tx, m, id)
	})
	if err != nil {
		return err
	}

	return s.done(c, opNewsPath, flash{Key: "toast.saved"})
}

// putAwayNews hides an announcement from whoever has read it.
func (s *Server) putAwayNews(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return operator.PutAway(ctx, tx, m, id) }); err != nil {
		return err
	}

	return c.Redirect("/home", fiber.StatusSeeOther)
}

func homeNews(ctx context.Context, tx *tenants.Tx, m access.Member, p *pages.Home) error {
	if m.Grant != nil {
		return nil
	}
	list, err := operator.News(ctx, tx, m)
	for _, a := range list {
		text := a.EN
		if i18n.Lang(ctx) == i18n.Hindi {
			text = a.HI
		}
		p.News = append(p.News, pages.HomeNews{ID: a.ID.String(), Text: text, At: a.At})
	}

	return err
}
