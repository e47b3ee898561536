package server

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

func (s *Server) appsPage(c *fiber.Ctx) error {
	return s.showApps(c, fiber.StatusOK, pages.Filled{}, "")
}

// showApps lists the apps a business may use. form came back from the form that adds one, or from that of the app rotating.
func (s *Server) showApps(c *fiber.Ctx, status int, form pages.Filled, rotating string) error {
	ctx, m := c.UserContext(), member(c)
	var (
		list []numbers.App
		uses = map[uuid.UUID]int{}
	)
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
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
	meters, err := ingest.AppMeters(ctx, s.db, m.Tenant.ID)
	if err != nil {
		return err
	}

	p := pages.Apps{Frame: s.frame(c, "apps.title"), Now: time.Now(), CanManage: m.Can("apps:manage"), Form: form, Rotating: rotating}
	p.Frame.Path = "/apps"
	for _, app := range list {
		meter := meters[app.ID]
		p.Items = append(p.Items, pages.App{
			Name: app.Name, MetaAppID: app.MetaAppID, Platform: !app.TenantID.Valid, WebhookURL: s.hookURL(app.Name), Numbers: uses[app.ID],
			OldUntil: orZero(app.OldUntil), Accepted: meter.Accepted, Duplicate: meter.Duplicate, Refused: meter.Refused, RefusedAt: orZero(meter.RefusedAt),
		})
	}

	return s.show(c, status, pages.AppsPage(p))
}

func (s *Server) addApp(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	in := numbers.AppInput{
		Name: field(c, "name"), MetaAppID: field(c, "meta_app_id"), AppSecret: field(c, "app_secret"), VerifyToken: field(c, "verify_token"),
	}
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, s.keys, m.Actor, in)
		return err
	})
	if form, ok := refilled(c, err, "name", "meta_app_id"); ok {
		return s.showApps(c, classify(err).status, form, "")
	}
	if err != nil {
		return err
	}

	return s.done(c, "/apps", flash{Key: "toast.app_added", Args: []any{"name", in.Name}})
}

func (s *Server) rotateApp(c *fiber.Ctx) error {
	ctx, m, name := c.UserContext(), member(c), c.Params("name")
	hours, err := strconv.Atoi(field(c, "keep"))
	if err != nil || hours < 1 || hours > 24*365 {
		hours = -1 // what nobody can choose on the page is refused like any other wrong time
	}
	in := numbers.RotateInput{AppSecret: field(c, "app_secret"), VerifyToken: field(c, "verify_token"), Keep: time.Duration(hours) * time.Hour}

	var app numbers.App
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		app, err = numbers.RotateApp(ctx, tx, s.keys, m.Actor, name, in)
		return err
	})
	if form, ok := refilled(c, err); ok {
		return s.showApps(c, classify(err).status, form, name)
	}
	if err != nil {
		return err
	}

	return s.done(c, "/apps", flash{Key: "toast.app_rotated", Args: []any{"name", app.Name, "time", i18n.DateTime(ctx, orZero(app.OldUntil))}})
}
