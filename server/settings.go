package server

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// zones are the time zones offered: those of the countries the product is made for first, one for each offset and rule there.
var zones = []string{
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Colombo", "Asia/Karachi", "Asia/Dubai", "Asia/Riyadh", "Asia/Singapore", "Asia/Jakarta",
	"Europe/London", "Europe/Berlin", "Africa/Lagos", "Africa/Nairobi", "Africa/Johannesburg", "America/Sao_Paulo", "America/Mexico_City",
	"America/Argentina/Buenos_Aires", "America/New_York", "America/Los_Angeles", "Australia/Sydney", "UTC",
}

func (s *Server) settingsPage(c *fiber.Ctx) error {
	return s.showSettings(c, fiber.StatusOK, settingsForms{})
}

// settingsForms are the forms of the settings that came back.
type settingsForms struct{ business, mine, password, quiet pages.Filled }

func (s *Server) showSettings(c *fiber.Ctx, status int, forms settingsForms) error {
	m := member(c)
	own := m.Person.Preferences()
	p := pages.Settings{
		Frame:     s.frame(c, "settings.title"),
		Me:        pages.Choices{Lang: own.Lang, Theme: own.Theme, Density: own.Density, Shortcuts: own.Shortcuts},
		Business:  pages.BusinessSettings{Name: m.Tenant.Name, Lang: m.Tenant.Lang, Timezone: m.Tenant.Timezone, Density: m.Tenant.Density},
		CanChange: m.Can("settings:edit"), CanRules: m.Can("rules:read"), CanClose: m.Can("business:close"), Zones: zones, Form: forms.business, MyForm: forms.mine, PasswordForm: forms.password,
	}
	p.Frame.Path = "/settings"
	if p.CanChange {
		p.Quiet = quietView(m.Tenant)
		if p.Quiet.Form = forms.quiet; forms.quiet.Values != nil {
			p.Quiet.On = forms.quiet.Values["on"] != ""
		}
	}
	if err := s.fillDevices(c, &p); err != nil {
		return err
	}
	if m.Role == access.Owner {
		want, err := s.wishes(c)
		if err != nil {
			return err
		}
		p.Mails = &pages.MailChoices{Alerts: want.Alerts, Digest: want.Digest}
	}
	if m.HasTenant() && !slices.Contains(zones, m.Tenant.Timezone) {
		p.Zones = append([]string{m.Tenant.Timezone}, zones...)
	}

	return s.show(c, status, pages.SettingsPage(p))
}

// fillDevices puts on the settings where the person is signed in.
func (s *Server) fillDevices(c *fiber.Ctx, p *pages.Settings) error {
	ctx := c.UserContext()
	return s.db.System(ctx, func(tx *tenants.Tx) error {
		list, err := access.Devices(ctx, tx, member(c))
		p.Now = time.Now()
		for _, d := range list {
			p.Devices = append(p.Devices, pages.Device{Handle: d.Handle, Agent: d.Agent, Address: d.Address, Place: d.Place, Since: d.Since, Seen: d.Seen, Here: d.Here})
		}

		return err
	})
}

// endDevice signs the person out in one place.
func (s *Server) endDevice(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := s.db.System(ctx, func(tx *tenants.Tx) error { return access.EndDevice(ctx, tx, member(c), c.Params("handle")) }); err != nil {
		return err
	}

	return s.done(c, "/settings#devices", flash{Key: "toast.device_ended"})
}

func (s *Server) wishes(c *fiber.Ctx) (want access.MailWishes, err error) {
	ctx, m := c.UserContext(), member(c)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		want, err = access.Wishes(ctx, tx, m.Person.ID)
		return err
	})

	return want, err
}

// saveMails keeps which mails an owner wants.
func (s *Server) saveMails(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	want := access.MailWishes{Alerts: field(c, "alerts") != "", Digest: field(c, "digest") != ""}
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetWishes(ctx, tx, m.Actor, m.Person.ID, want) })
	if err != nil {
		return err
	}

	return s.done(c, "/settings#mails", flash{Key: "toast.saved"})
}

func (s *Server) savePreferences(c *fiber.Ctx) error {
	err := s.prefer(c, func(p *access.Preferences) {
		*p = access.Preferences{Lang: field(c, "lang"), Theme: field(c, "theme"), Density: field(c, "density"), Shortcuts: field(c, "shortcuts") != ""}
	})
	if form, ok := refilled(c, err); ok {
		return s.showSettings(c, classify(err).status, settingsForms{mine: form})
	}
	if err != nil {
		return err
	}
	s.dropCookie(c, langCookie)
	s.dropCookie(c, themeCookie)

	return s.done(c, "/settings", flash{Key: "toast.saved"})
}

func (s *Server) saveBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	in := access.TenantSettings{Name: field(c, "name"), Lang: field(c, "lang"), Timezone: field(c, "timezone"), Density: field(c, "density")}
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.ChangeTenant(ctx, tx, m, in) })
	if form, ok := refilled(c, err, "name", "lang", "timezone", "density"); ok {
		return s.showSettings(c, classify(err).status, settingsForms{business: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/settings", flash{Key: "toast.saved"})
}
