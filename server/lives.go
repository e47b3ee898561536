package server

import (
	"context"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/views/pages"
)

// closingPath is where an owner closes the business, and takes it back.
const closingPath = "/closing"

// awayFrom is where somebody goes instead who asked for a page that is not theirs because of where they stand, "" where it is simply
// not theirs.
func awayFrom(m access.Member) string {
	switch {
	case m.Lapsed:
		return opAccessPath + "?over=1"
	case m.HasTenant() && !tenants.Allows(m.Tenant.State, tenants.Working):
		return closingPath
	case !m.HasTenant() && m.Person.OperatorRole == "":
		return "/choose"
	}

	return ""
}

// fillShut puts on the page of businesses those that let the person in no more, and why.
func (s *Server) fillShut(c *fiber.Ctx, p *pages.Choose) error {
	ctx := c.UserContext()
	var shut []access.Standing
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		shut, err = access.ShutPlaces(ctx, tx, member(c))
		return err
	})
	if err != nil {
		return err
	}
	p.Now, p.Support = time.Now(), s.cfg.SupportEmail
	for _, b := range shut {
		p.Shut = append(p.Shut, pages.Shut{Name: b.Name, State: b.State, Reason: b.Reason, Since: b.Since, EraseAfter: orZero(b.EraseAfter)})
	}

	return nil
}

func (s *Server) closingPage(c *fiber.Ctx) error {
	return s.showClosing(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showClosing(c *fiber.Ctx, status int, form pages.Filled) error {
	m := member(c)
	t := m.Tenant
	p := pages.Closing{
		Frame: s.frame(c, "lives.close_title"), Now: time.Now(), Name: t.Name, CanExport: m.Can("contacts:export"), Days: int(access.Grace / (24 * time.Hour)),
		Closing: t.State == tenants.Closing, Since: t.StateSince, By: t.StateBy, Reason: t.StateReason, EraseAfter: orZero(t.EraseAfter), Form: form,
		CanKeep: t.StateBefore != "",
	}
	p.Frame.Path = closingPath

	return s.show(c, status, pages.ClosingPage(p))
}

func (s *Server) closeBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.Close(ctx, tx, m, field(c, "confirm")) })
	if form, ok := refilled(c, err); ok {
		return s.showClosing(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return c.Redirect(closingPath, fiber.StatusSeeOther)
}

func (s *Server) keepBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.KeepOpen(ctx, tx, m) }); err != nil {
		return err
	}

	return s.done(c, closingPath, flash{Key: "lives.kept"})
}

// queueLife tells a business's owners where it stands, unless it stands elsewhere by now.
func (t *Teller) queueLife(ctx context.Context, tx *tenants.Tx, j telling) error {
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil || tenant.State != j.Whose {
		return err
	}
	owners, err := access.Owners(ctx, tx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		ctx := inLanguage(ctx, to, tenant.Lang, tenant.Location())
		letter := pages.LifeMail(ctx, pages.Life{
			Business: tenant.Name, State: tenant.State, Reason: tenant.StateReason, EraseAfter: orZero(tenant.EraseAfter), Support: t.support, Href: t.link("/"),
			CanKeep: tenant.StateBefore != "",
		})
		if err := queueMail(ctx, tx, t.keys, to.Email, mail.AboutLife+j.ID.String()+" "+to.ID.String(), letter); err != nil {
			return err
		}
	}

	return nil
}

// queueErased sends an owner of before the receipt that everything is gone.
func (t *Teller) queueErased(ctx context.Context, tx *tenants.Tx, j telling) error {
	var gone struct {
		ID   string `db:"id"`
		Rows int64  `db:"rows"`
	}
	if err := tx.GetContext(ctx, &gone, `SELECT args->>'tenant_id' AS id, (args->>'rows')::bigint AS rows FROM jobs WHERE id = $1`, j.ID); err != nil {
		return fmt.Errorf("read receipt: %w", err)
	}
	ctx = inLanguage(ctx, access.Reader{Lang: j.Lang}, "en", time.UTC)

	return queueMail(ctx, tx, t.keys, j.Whose, "erased "+j.ID.String(), pages.ErasedMail(ctx, gone.ID, gone.Rows))
}
