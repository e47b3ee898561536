package numbers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/numbers"
)

func (s *Pages) AppsPage(c *fiber.Ctx) error {
	return s.showApps(c, fiber.StatusOK, components.Filled{}, "")
}

// showApps lists the apps a business may use. form came back from the form that adds one, or from that of the app rotating.
func (s *Pages) showApps(c *fiber.Ctx, status int, form components.Filled, rotating string) error {
	ctx, m := c.UserContext(), web.Member(c)
	var (
		list []numbers.App
		uses = map[uuid.UUID]int{}
	)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if list, err = numbers.Apps(ctx, tx); err != nil {
			return err
		}
		connected, err := numbers.List(ctx, tx, uuid.Nil, 0)
		for _, n := range connected {
			if n.State != numbers.Disconnected {
				uses[n.AppID]++
			}
		}

		return err
	})
	if err != nil {
		return err
	}
	meters, err := ingest.AppMeters(ctx, s.DB, m.Tenant.ID)
	if err != nil {
		return err
	}

	p := pages.Apps{Frame: s.Frame(c, "apps.title"), Now: time.Now(), CanManage: m.Can("apps:manage"), MustProve: !m.Proved, Form: form, Rotating: rotating}
	p.Frame.Path = "/apps"
	for _, app := range list {
		meter := meters[app.ID]
		p.Items = append(p.Items, pages.App{
			Name: app.Name, MetaAppID: app.MetaAppID, Platform: !app.TenantID.Valid, WebhookURL: s.hookURL(app.Name), Numbers: uses[app.ID],
			OldUntil: web.OrZero(app.OldUntil), Accepted: meter.Accepted, Duplicate: meter.Duplicate, Refused: meter.Refused, RefusedAt: web.OrZero(meter.RefusedAt),
		})
	}

	return s.Show(c, status, pages.AppsPage(p))
}

func (s *Pages) AddApp(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	in := numbers.AppInput{
		Name: web.Field(c, "name"), MetaAppID: web.Field(c, "meta_app_id"), AppSecret: web.Field(c, "app_secret"), VerifyToken: web.Field(c, "verify_token"),
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, s.Keys, m.Actor, in)
		return err
	})
	if form, ok := web.Refilled(c, err, "name", "meta_app_id"); ok {
		return s.showApps(c, web.Classify(err).Status, form, "")
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/apps", web.Flash{Key: "toast.app_added", Args: []any{"name", in.Name}})
}

func (s *Pages) RotateApp(c *fiber.Ctx) error {
	ctx, m, name := c.UserContext(), web.Member(c), c.Params("name")
	hours, err := strconv.Atoi(web.Field(c, "keep"))
	if err != nil || hours < 1 || hours > 24*365 {
		hours = -1 // what nobody can choose on the page is refused like any other wrong time
	}
	in := numbers.RotateInput{AppSecret: web.Field(c, "app_secret"), VerifyToken: web.Field(c, "verify_token"), Keep: time.Duration(hours) * time.Hour}

	var app numbers.App
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		app, err = numbers.RotateApp(ctx, tx, s.Keys, m.Actor, name, in)
		return err
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showApps(c, web.Classify(err).Status, form, name)
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/apps", web.Flash{Key: "toast.app_rotated", Args: []any{"name", app.Name, "time", i18n.DateTime(ctx, web.OrZero(app.OldUntil))}})
}
