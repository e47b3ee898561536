package settings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	clockForm = "15:04"
)

// What is offered to whoever has no quiet hours yet.
var usualQuiet = tenants.Quiet{From: 21 * 60, Until: 8 * 60}

func quietView(t tenants.Tenant) *pages.QuietHours {
	q := usualQuiet
	hours := t.Quiet
	if hours.Set() {
		q = hours
	}
	clock := func(minute int) string { return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC).Format(clockForm) }

	return &pages.QuietHours{On: hours.Set(), From: clock(q.From), Until: clock(q.Until), Zone: t.Timezone}
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
