package settings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
	signinpages "github.com/pehchan/pehchan/views/signin"
)

// AwayFrom is where somebody goes instead who asked for a page that is not theirs because of where they stand, "" where it is simply
// not theirs.
func AwayFrom(m access.Member) string {
	switch {
	case m.Lapsed:
		return web.OpAccessPath + "?over=1"
	case m.HasTenant() && !tenants.Allows(m.Tenant.State, tenants.Working):
		return web.ClosingPath
	case !m.HasTenant() && m.Person.OperatorRole == "":
		return "/choose"
	}

	return ""
}

// FillShut puts on the page of businesses those that let the person in no more, and why.
func FillShut(s *web.Site, c *fiber.Ctx, p *signinpages.Choose) error {
	ctx := c.UserContext()
	var shut []access.Standing
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		shut, err = access.ShutPlaces(ctx, tx, web.Member(c))
		return err
	})
	if err != nil {
		return err
	}
	p.Now, p.Support = time.Now(), s.Config.SupportEmail
	for _, b := range shut {
		p.Shut = append(p.Shut, signinpages.Shut{Name: b.Name, State: b.State, Reason: b.Reason, Since: b.Since, EraseAfter: web.OrZero(b.EraseAfter)})
	}

	return nil
}

func (s *Pages) ClosingPage(c *fiber.Ctx) error {
	return s.showClosing(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showClosing(c *fiber.Ctx, status int, form components.Filled) error {
	m := web.Member(c)
	t := m.Tenant
	p := pages.Closing{
		Frame: s.Frame(c, "lives.close_title"), Now: time.Now(), Name: t.Name, CanExport: m.Can("contacts:export"), Days: int(access.Grace / (24 * time.Hour)),
		Closing: t.State == tenants.Closing, Since: t.StateSince, By: t.StateBy, Reason: t.StateReason, EraseAfter: web.OrZero(t.EraseAfter), Form: form,
		CanKeep: t.StateBefore != "",
	}
	p.Frame.Path = web.ClosingPath

	return s.Show(c, status, pages.ClosingPage(p))
}

func (s *Pages) CloseBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.Close(ctx, tx, m, web.Field(c, "confirm")) })
	if form, ok := web.Refilled(c, err); ok {
		return s.showClosing(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return c.Redirect(web.ClosingPath, fiber.StatusSeeOther)
}

func (s *Pages) KeepBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.KeepOpen(ctx, tx, m) }); err != nil {
		return err
	}

	return s.Done(c, web.ClosingPath, web.Flash{Key: "lives.kept"})
}
