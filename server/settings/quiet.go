package settings

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
)

const (
	clockForm = "15:04"
)

// What is offered to whoever has no quiet hours yet.
var usualQuiet = tenants.Quiet{From: 21 * 60, Until: 8 * 60}

func clock(minute int) string {
	return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC).Format(clockForm)
}

// quietView are hours by the clocks of a business, in a form that may have come back.
func quietView(hours tenants.Quiet, t tenants.Tenant, form components.Filled) *pages.QuietHours {
	q := usualQuiet
	if hours.Set() {
		q = hours
	}
	view := &pages.QuietHours{On: hours.Set(), From: clock(q.From), Until: clock(q.Until), Zone: t.Timezone, Form: form}
	if form.Values != nil {
		view.On = form.Values["on"] != ""
	}

	return view
}

// fillOwnQuiet puts on the settings the quiet hours of whoever looks, where they are of a team.
func (s *Pages) fillOwnQuiet(c *fiber.Ctx, p *pages.Settings, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	if !m.HasTenant() {
		return nil
	}
	var hours tenants.Quiet
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		hours, err = access.OwnQuiet(ctx, tx, m.Person.ID)
		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return nil // an operator whom the business let in
	}
	if err != nil {
		return err
	}
	p.MyQuiet = quietView(hours, m.Tenant, form)
	p.MyQuiet.Mine = true
	if all := m.Tenant.Quiet; all.Set() {
		p.MyQuiet.Also = clock(all.From) + "–" + clock(all.Until)
	}

	return nil
}

// typedQuiet reads the form of quiet hours; none where they are switched off.
func typedQuiet(c *fiber.Ctx) (q tenants.Quiet, err error) {
	if web.Field(c, "on") == "" {
		return q, nil
	}
	for name, into := range map[string]*int{"from": &q.From, "until": &q.Until} {
		at, err := time.Parse(clockForm, web.Field(c, name))
		if err != nil {
			return q, &tenants.Invalid{Field: name, Key: "clock"}
		}
		*into = at.Hour()*60 + at.Minute()
	}
	if !q.Set() {
		return q, &tenants.Invalid{Field: "until", Key: "quiet_same"}
	}

	return q, nil
}

func (s *Pages) SaveQuiet(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	q, err := typedQuiet(c)
	if err == nil {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetQuiet(ctx, tx, m, q) })
	}
	if form, ok := web.Refilled(c, err, "on", "from", "until"); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{quiet: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/settings#quiet", web.Flash{Key: "toast.saved"})
}

// SaveOwnQuiet keeps a person's own quiet hours in the business they stand in.
func (s *Pages) SaveOwnQuiet(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	if !m.HasTenant() {
		return tenants.ErrNotFound
	}
	q, err := typedQuiet(c)
	if err == nil {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetOwnQuiet(ctx, tx, m, q) })
	}
	if form, ok := web.Refilled(c, err, "on", "from", "until"); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{ownQuiet: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/settings#quiet-mine", web.Flash{Key: "toast.saved"})
}
