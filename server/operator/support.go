package operator

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/operator"
)

// opAccessPath is where operators ask to enter businesses, supportPath where owners let them.
// UnderLeave holds an operator to the leave they are in a business by: to look only, changes nothing; nothing is ever exported; and each
// page is counted for the owners to see.
func (s *Pages) UnderLeave(c *fiber.Ctx, m access.Member, route string) error {
	if !web.SafeMethod(c.Method()) && m.Grant.Scope == "read" || strings.HasSuffix(route, "/export") {
		return tenants.ErrForbidden
	}
	if !web.SafeMethod(c.Method()) || web.AsksItself(c) {
		return nil
	}
	ctx := c.UserContext()

	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.CountView(ctx, tx, m.Grant.ID, route) })
}

func (s *Pages) AccessPage(c *fiber.Ctx) error {
	values := map[string]string{"slug": c.Query("business"), "scope": "read", "minutes": strconv.Itoa(access.MostMinutes / 2)}

	return s.showOpAccess(c, fiber.StatusOK, components.Filled{Values: values})
}

func (s *Pages) showOpAccess(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	var list []access.Grant
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		list, err = access.Grants(ctx, tx, m)
		return err
	})
	if err != nil {
		return err
	}
	p := pages.Access{Frame: s.Frame(c, "support.op_title"), Now: time.Now(), Most: access.MostMinutes, Form: form, Over: c.Query("over") != ""}
	p.Frame.Path = web.OpAccessPath
	for _, g := range list {
		p.Items = append(p.Items, web.LeaveView(g))
	}

	return s.Show(c, status, pages.AccessPage(p))
}

func (s *Pages) AskAccess(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	minutes, err := strconv.Atoi(web.Field(c, "minutes"))
	if err != nil {
		minutes = 0
	}
	err = s.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.AskAccess(ctx, tx, m, access.Wish{
			Slug: web.Field(c, "slug"), Reason: web.Field(c, "reason"), Ticket: web.Field(c, "ticket"), Scope: web.Field(c, "scope"), Minutes: minutes,
		})
		return err
	})
	if form, ok := web.Refilled(c, err, "slug", "reason", "ticket", "scope", "minutes"); ok {
		return s.showOpAccess(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.OpAccessPath, web.Flash{Key: "support.asked"})
}

// EnterBusiness takes an operator into a business that lets them in.
func (s *Pages) EnterBusiness(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	return s.moveOperator(c, "/home", func(ctx context.Context, tx *tenants.Tx, m access.Member, from access.Origin) (string, error) {
		return s.Sessions.Enter(ctx, tx, m, id, from)
	})
}

// LeaveBusiness takes them out again, and ends the leave.
func (s *Pages) LeaveBusiness(c *fiber.Ctx) error {
	return s.moveOperator(c, web.OpAccessPath, s.Sessions.Leave)
}

func (s *Pages) moveOperator(c *fiber.Ctx, to string, move func(context.Context, *tenants.Tx, access.Member, access.Origin) (string, error)) error {
	ctx, m := c.UserContext(), web.Member(c)
	var token string
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		token, err = move(ctx, tx, m, access.Origin{Address: s.ClientIP(c).String(), UserAgent: c.Get(fiber.HeaderUserAgent)})
		return err
	})
	if err != nil {
		return err
	}
	s.SetCookie(c, web.SessionCookie, token, access.SessionLife)

	return c.Redirect(to, fiber.StatusSeeOther)
}

// SupportPage is where an owner sees which operators ask to come in, are in, and were.
func (s *Pages) SupportPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var (
		list  []access.Grant
		views []access.View
	)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		list, err = access.SupportGrants(ctx, tx)
		if err == nil {
			views, err = access.Views(ctx, tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	p := pages.Support{Frame: s.Frame(c, "support.title"), Now: time.Now(), Standing: m.Tenant.Standing}
	for _, g := range list {
		view := web.LeaveView(g)
		for _, v := range views {
			if v.Grant == g.ID {
				view.Seen = append(view.Seen, pages.Seen{Page: v.Page, Times: v.Times, Last: v.Last})
			}
		}
		p.Items = append(p.Items, view)
	}

	return s.Show(c, fiber.StatusOK, pages.SupportPage(p))
}

func (s *Pages) AllowSupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.allowed", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return access.Decide(ctx, tx, m, id, true)
	})
}

func (s *Pages) DenySupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.denied", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return access.Decide(ctx, tx, m, id, false)
	})
}

func (s *Pages) EndSupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.ended", access.EndSupport)
}

func (s *Pages) onLeave(c *fiber.Ctx, said string, do func(context.Context, *tenants.Tx, access.Member, uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m, id) }); err != nil {
		return err
	}

	return s.Done(c, web.SupportPath, web.Flash{Key: said})
}

func (s *Pages) SetStanding(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetStanding(ctx, tx, m, web.Field(c, "standing")) }); err != nil {
		return err
	}

	return s.Done(c, web.SupportPath, web.Flash{Key: "toast.saved"})
}
