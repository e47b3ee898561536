package settings

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
	signinpages "github.com/pehchan/pehchan/views/signin"
)

// zones are the time zones offered: those of the countries the product is made for first, one for each offset and rule there.
var zones = []string{
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Colombo", "Asia/Karachi", "Asia/Dubai", "Asia/Riyadh", "Asia/Singapore", "Asia/Jakarta",
	"Europe/London", "Europe/Berlin", "Africa/Lagos", "Africa/Nairobi", "Africa/Johannesburg", "America/Sao_Paulo", "America/Mexico_City",
	"America/Argentina/Buenos_Aires", "America/New_York", "America/Los_Angeles", "Australia/Sydney", "UTC",
}

func (s *Pages) Page(c *fiber.Ctx) error {
	return s.showSettings(c, fiber.StatusOK, settingsForms{})
}

// settingsForms are the forms of the settings that came back.
type settingsForms struct{ business, mine, password, quiet, ownQuiet, target components.Filled }

func (s *Pages) showSettings(c *fiber.Ctx, status int, forms settingsForms) error {
	m := web.Member(c)
	own := m.Person.Preferences()
	p := pages.Settings{
		Frame:     s.Frame(c, "settings.title"),
		Me:        pages.Choices{Lang: own.Lang, Theme: own.Theme, Density: own.Density, Shortcuts: own.Shortcuts},
		Business:  pages.BusinessSettings{Name: m.Tenant.Name, Lang: m.Tenant.Lang, Timezone: m.Tenant.Timezone, Density: m.Tenant.Density},
		CanChange: m.Can("settings:edit"), CanRules: m.Can("rules:read"), CanClose: m.Can("business:close"), Zones: zones, Form: forms.business, MyForm: forms.mine, PasswordForm: forms.password,
	}
	p.Frame.Path = "/settings"
	if p.CanChange {
		p.Quiet = quietView(m.Tenant.Quiet, m.Tenant, forms.quiet)
		p.Target = targetView(m.Tenant, forms.target)
	}
	if err := s.fillOwnQuiet(c, &p, forms.ownQuiet); err != nil {
		return err
	}
	if err := s.fillDevices(c, &p); err != nil {
		return err
	}
	if err := s.fillMails(c, &p); err != nil {
		return err
	}
	if m.HasTenant() && !slices.Contains(zones, m.Tenant.Timezone) {
		p.Zones = append([]string{m.Tenant.Timezone}, zones...)
	}

	return s.Show(c, status, pages.SettingsPage(p))
}

// fillDevices puts on the settings where the person is signed in.
func (s *Pages) fillDevices(c *fiber.Ctx, p *pages.Settings) error {
	ctx := c.UserContext()
	return s.DB.System(ctx, func(tx *tenants.Tx) error {
		list, err := access.Devices(ctx, tx, web.Member(c))
		p.Now = time.Now()
		for _, d := range list {
			p.Devices = append(p.Devices, signinpages.Device{Handle: d.Handle, Agent: d.Agent, Address: d.Address, Place: d.Place, Since: d.Since, Seen: d.Seen, Here: d.Here})
		}

		return err
	})
}

// EndDevice signs the person out in one place.
func (s *Pages) EndDevice(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := s.DB.System(ctx, func(tx *tenants.Tx) error { return access.EndDevice(ctx, tx, web.Member(c), c.Params("handle")) }); err != nil {
		return err
	}

	return s.Done(c, "/settings#devices", web.Flash{Key: "toast.device_ended"})
}

func (s *Pages) SavePreferences(c *fiber.Ctx) error {
	err := s.Prefer(c, func(p *access.Preferences) {
		*p = access.Preferences{Lang: web.Field(c, "lang"), Theme: web.Field(c, "theme"), Density: web.Field(c, "density"), Shortcuts: web.Field(c, "shortcuts") != ""}
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{mine: form})
	}
	if err != nil {
		return err
	}
	s.DropCookie(c, web.LangCookie)
	s.DropCookie(c, web.ThemeCookie)

	return s.Done(c, "/settings", web.Flash{Key: "toast.saved"})
}

func (s *Pages) SaveBusiness(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	in := access.TenantSettings{Name: web.Field(c, "name"), Lang: web.Field(c, "lang"), Timezone: web.Field(c, "timezone"), Density: web.Field(c, "density")}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.ChangeTenant(ctx, tx, m, in) })
	if form, ok := web.Refilled(c, err, "name", "lang", "timezone", "density"); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{business: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/settings", web.Flash{Key: "toast.saved"})
}
