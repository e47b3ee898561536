package settings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
)

// targetView is the form of the business's target date, which may have come back.
func targetView(t tenants.Tenant, form components.Filled) *pages.TargetDate {
	view := &pages.TargetDate{Today: time.Now().In(t.Location()).Format(time.DateOnly), Form: form}
	if t.ReadyBy != nil {
		view.Day = t.ReadyBy.Format(time.DateOnly)
	}

	return view
}

// SaveTarget keeps the day by which the business wants to be ready; an empty one is none.
func (s *Pages) SaveTarget(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var (
		day *time.Time
		err error
	)
	if typed := web.Field(c, "ready_by"); typed != "" {
		at, wrong := time.Parse(time.DateOnly, typed)
		if day = &at; wrong != nil {
			err = &tenants.Invalid{Field: "ready_by", Key: "target_day"}
		}
	}
	if err == nil {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return access.SetTarget(ctx, tx, m, day, time.Now()) })
	}
	if form, ok := web.Refilled(c, err, "ready_by"); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{target: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/settings#target", web.Flash{Key: "toast.saved"})
}
