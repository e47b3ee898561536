package operator

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/operator"
)

func (s *Pages) NewsPage(c *fiber.Ctx) error {
	return s.showOpNews(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showOpNews(c *fiber.Ctx, status int, form components.Filled) error {
	p := pages.News{Frame: s.Frame(c, "console.news"), Now: time.Now(), CanWrite: web.Member(c).Can("op:write"), Most: operator.MostDays, Form: form}
	p.Frame.Path = web.OpNewsPath
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err := operator.Announcements(ctx, tx)
		for _, a := range list {
			p.Items = append(p.Items, pages.Announcement{ID: a.ID.String(), EN: a.EN, HI: a.HI, Audience: a.Audience, By: a.By, At: a.At, EndsAt: a.EndsAt, Over: a.Over})
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.NewsPage(p))
}

func (s *Pages) Announce(c *fiber.Ctx) error {
	days, err := strconv.Atoi(web.Field(c, "days"))
	if err != nil {
		days = 0
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		return operator.Announce(ctx, tx, m, web.Field(c, "en"), web.Field(c, "hi"), web.Field(c, "audience"), days)
	})
	if form, ok := web.Refilled(c, err, "en", "hi", "audience", "days"); ok {
		return s.showOpNews(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.OpNewsPath, web.Flash{Key: "toast.saved"})
}

func (s *Pages) EndAnnouncement(c *fiber.Ctx) error {
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

	return s.Done(c, web.OpNewsPath, web.Flash{Key: "toast.saved"})
}

// PutAwayNews hides an announcement from whoever has read it.
func (s *Pages) PutAwayNews(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return operator.PutAway(ctx, tx, m, id) }); err != nil {
		return err
	}

	return c.Redirect("/home", fiber.StatusSeeOther)
}
