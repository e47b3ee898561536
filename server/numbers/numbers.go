package numbers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/home"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/numbers"
)

func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Numbers{Frame: s.Frame(c, "numbers.title"), Now: time.Now(), CanConnect: m.Can("numbers:connect"), CanReplay: m.Can("ingest:replay")}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		counts, err := ingest.NumberCounts(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range list {
			p.Items = append(p.Items, web.NumberView(n, counts[n.ID]))
		}
		if counts[uuid.Nil].SetAside == 0 || !m.Can("ingest:read") {
			return nil
		}

		items, err := ingest.Items(ctx, tx, ingest.ItemFilter{State: ingest.SetAside, NoNumber: true, Limit: itemsPageSize})
		for _, item := range items {
			view := itemView(s.Items(m), item)
			view.Href = "/numbers/items/" + view.ID
			p.Aside = append(p.Aside, view)
		}

		return err
	})
	if err != nil {
		return err
	}
	// What is connected stands before what was.
	slices.SortStableFunc(p.Items, func(a, b pages.Number) int {
		return web.Rank(a.State == numbers.Disconnected) - web.Rank(b.State == numbers.Disconnected)
	})

	return s.Show(c, fiber.StatusOK, pages.NumbersPage(p))
}

func (s *Pages) NumberNewPage(c *fiber.Ctx) error {
	_, window, err := s.signupApp(c)
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.NumberNewPage(pages.NumberNew{Frame: s.Frame(c, "doors.title"), Window: window}))
}

func (s *Pages) NumberManualPage(c *fiber.Ctx) error {
	return s.showManual(c, fiber.StatusOK, components.Filled{}, nil)
}

func (s *Pages) showManual(c *fiber.Ctx, status int, form components.Filled, checks []numbers.CheckResult) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.NumberManual{Frame: s.Frame(c, "manual.title"), CanApps: m.Can("apps:manage"), MustProve: !m.Proved, Form: form, Checks: checkViews(checks)}
	p.Frame.Path = "/numbers/new/manual"
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		apps, err := numbers.Apps(ctx, tx)
		for _, app := range apps {
			p.Apps = append(p.Apps, app.Name)
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.NumberManualPage(p))
}

// ConnectNumber asks Meta about a number and connects it. What Meta does not confirm is listed above the form.
func (s *Pages) ConnectNumber(c *fiber.Ctx) error {
	ctx, cancel := web.AskingMeta(c)
	defer cancel()

	m := web.Member(c)
	number, err := numbers.Connect(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, numbers.ConnectInput{
		App: web.Field(c, "app"), WABAID: web.Field(c, "waba_id"), PhoneNumberID: web.Field(c, "phone_number_id"), DisplayPhone: web.Field(c, "display_phone_number"),
		PortfolioID: web.Field(c, "portfolio_id"), AccessToken: web.Field(c, "access_token"), PublicURL: s.Origin.Load().String(),
	})

	typed := []string{"app", "waba_id", "phone_number_id", "display_phone_number", "portfolio_id"}
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := web.Refilled(c, &tenants.Conflict{Code: "checks"}, typed...)
		return s.showManual(c, fiber.StatusUnprocessableEntity, form, refused.Checks)
	}
	if form, ok := web.Refilled(c, err, typed...); ok {
		return s.showManual(c, web.Classify(err).Status, form, nil)
	}
	if err != nil {
		return err
	}

	to, err := home.AfterConnect(ctx, s.Site, m, number.ID)
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: "toast.number_connected"})
}

func checkViews(checks []numbers.CheckResult) []pages.NumberCheck {
	var views []pages.NumberCheck
	for _, check := range checks {
		view := pages.NumberCheck{Code: check.Code, OK: check.OK, Tried: check.Tried(), Reason: check.Reason, Args: check.Args}
		if !check.OK && check.Tried() {
			view.Copy = forDeveloper(check)
		}
		views = append(views, view)
	}

	return views
}

// forDeveloper is a failed check as one hands it to whoever can mend it.
func forDeveloper(check numbers.CheckResult) string {
	var detail strings.Builder
	for _, name := range slices.Sorted(maps.Keys(check.Args)) {
		fmt.Fprintf(&detail, " (%s: %s)", name, check.Args[name])
	}

	return "WhatsApp number check “" + check.Code + "” failed: " + check.Reason + detail.String()
}
