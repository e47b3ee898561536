package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// opAccessPath is where operators ask to enter businesses, supportPath where owners let them.
const (
	opAccessPath = "/op/access"
	supportPath  = "/support-access"
)

// underLeave holds an operator to the leave they are in a business by: to look only, changes nothing; nothing is ever exported; and each
// page is counted for the owners to see.
func (s *Server) underLeave(c *fiber.Ctx, m access.Member, r Route) error {
	if !safeMethod(c.Method()) && m.Grant.Scope == "read" || strings.HasSuffix(r.Path, "/export") {
		return tenants.ErrForbidden
	}
	if !safeMethod(c.Method()) || asksItself(c) {
		return nil
	}
	ctx := c.UserContext()

	return s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.CountView(ctx, tx, m.Grant.ID, r.Path) })
}

func (s *Server) opAccessPage(c *fiber.Ctx) error {
	values := map[string]string{"slug": c.Query("business"), "scope": "read", "minutes": strconv.Itoa(access.MostMinutes / 2)}

	return s.showOpAccess(c, fiber.StatusOK, pages.Filled{Values: values})
}

func (s *Server) showOpAccess(c *fiber.Ctx, status int, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	var list []access.Grant
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		list, err = access.Grants(ctx, tx, m)
		return err
	})
	if err != nil {
		return err
	}
	p := pages.OpAccess{Frame: s.frame(c, "support.op_title"), Now: time.Now(), Most: access.MostMinutes, Form: form, Over: c.Query("over") != ""}
	p.Frame.Path = opAccessPath
	for _, g := range list {
		p.Items = append(p.Items, leaveView(g))
	}

	return s.show(c, status, pages.OpAccessPage(p))
}

func leaveView(g access.Grant) pages.OperatorLeave {
	return pages.OperatorLeave{
		ID: g.ID.String(), Business: g.Business, Operator: g.Operator, Mine: g.Mine, Reason: g.Reason, Ticket: g.Ticket, Scope: g.Scope, Minutes: g.Minutes,
		State: g.State, AskedAt: g.AskedAt, DecidedBy: g.DecidedBy, Standing: g.Standing, EnteredAt: orZero(g.EnteredAt), ExpiresAt: orZero(g.ExpiresAt),
		EndedBy: g.EndedBy, Pages: g.Pages,
	}
}

func (s *Server) askAccess(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	minutes, err := strconv.Atoi(field(c, "minutes"))
	if err != nil {
		minutes = 0
	}
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.AskAccess(ctx, tx, m, access.Wish{
			Slug: field(c, "slug"), Reason: field(c, "reason"), Ticket: field(c, "ticket"), Scope: field(c, "scope"), Minutes: minutes,
		})
		return err
	})
	if form, ok := refilled(c, err, "slug", "reason", "ticket", "scope", "minutes"); ok {
		return s.showOpAccess(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, opAccessPath, flash{Key: "support.asked"})
}

// enterBusiness takes an operator into a business that lets them in.
func (s *Server) enterBusiness(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	return s.moveOperator(c, "/home", func(ctx context.Context, tx *tenants.Tx, m access.Member, from access.Origin) (string, error) {
		return s.sessions.Enter(ctx, tx, m, id, from)
	})
}

// leaveBusiness takes them out again, and ends the leave.
func (s *Server) leaveBusiness(c *fiber.Ctx) error {
	return s.moveOperator(c, opAccessPath, s.sessions.Leave)
}

func (s *Server) moveOperator(c *fiber.Ctx, to string, move func(context.Context, *tenants.Tx, access.Member, access.Origin) (string, error)) error {
	ctx, m := c.UserContext(), member(c)
	var token string
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		token, err = move(ctx, tx, m, access.Origin{Address: s.clientIP(c).String(), UserAgent: c.Get(fiber.HeaderUserAgent)})
		return err
	})
	if err != nil {
		return err
	}
	s.setCookie(c, sessionCookie, token, access.SessionLife)

	return c.Redirect(to, fiber.StatusSeeOther)
}

// supportPage is where an owner sees which operators ask to come in, are in, and were.
func (s *Server) supportPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	var (
		list  []access.Grant
		views []access.View
	)
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		list, err = access.SupportGrants(ctx, tx)
		if err == nil {
			views, err = access.Views(ctx, tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	p := pages.Support{Frame: s.frame(c, "support.title"), Now: time.Now(), Standing: m.Tenant.Standing}
	for _, g := range list {
		view := leaveView(g)
		for _, v := range views {
			if v.Grant == g.ID {
				view.Seen = append(view.Seen, pages.Seen{Page: v.Page, Times: v.Times, Last: v.Last})
			}
		}
		p.Items = append(p.Items, view)
	}

	return s.show(c, fiber.StatusOK, pages.SupportPage(p))
}

func (s *Server) allowSupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.allowed", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return access.Decide(ctx, tx, m, id, true)
	})
}

func (s *Server) denySupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.denied", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return access.Decide(ctx, tx, m, id, false)
	})
}

func (s *Server) endSupport(c *fiber.Ctx) error {
	return s.onLeave(c, "support.ended", access.EndSupport)
}

func (s *Server) onLeave(c *fiber.Ctx, said string, do func(context.Context, *tenants.Tx, access.Member, uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m, id) }); err != nil {
		return err
	}

	return s.done(c, supportPath, flash{Key: said})
}

func (s *Server) setStanding(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetStanding(ctx, tx, m, field(c, "standing")) }); err != nil {
		return err
	}

	return s.done(c, supportPath, flash{Key: "toast.saved"})
}

// queueSupport tells a business's owners that an operator asks to come in, or may by their standing leave.
func (t *Teller) queueSupport(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	g, err := access.SupportGrant(ctx, tx, id)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil {
		return err
	}
	owners, err := access.Owners(ctx, tx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		ctx := inLanguage(ctx, to, tenant.Lang, tenant.Location())
		if err := queueMail(ctx, tx, t.keys, to.Email, "support "+id.String()+" "+to.ID.String(), pages.SupportMail(ctx, leaveView(g), t.link(supportPath))); err != nil {
			return err
		}
	}

	return nil
}
