package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/pages"
)

// graphPatience is how long a request may wait for Meta, which is asked several things one after the other. It ends before the
// connection to the browser does.
const graphPatience = 25 * time.Second

// askingMeta is the context of a request that asks Meta. Unlike others it does not end after pageTimeout.
func askingMeta(c *fiber.Ctx) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.UserContext()), graphPatience)
}

func (s *Server) numbersPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.Numbers{Frame: s.frame(c, "numbers.title"), Now: time.Now(), CanConnect: m.Can("numbers:connect"), CanReplay: m.Can("ingest:replay")}
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		counts, err := ingest.NumberCounts(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range list {
			p.Items = append(p.Items, numberView(n, counts[n.ID]))
		}
		if counts[uuid.Nil].SetAside == 0 || !m.Can("ingest:read") {
			return nil
		}

		items, err := ingest.Items(ctx, tx, ingest.ItemFilter{State: ingest.SetAside, NoNumber: true, Limit: itemsPageSize})
		for _, item := range items {
			view := itemView(s.items(m), item)
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
		return rank(a.State == numbers.Disconnected) - rank(b.State == numbers.Disconnected)
	})

	return s.show(c, fiber.StatusOK, pages.NumbersPage(p))
}

func rank(last bool) int {
	if last {
		return 1
	}

	return 0
}

func (s *Server) numberNewPage(c *fiber.Ctx) error {
	_, window, err := s.signupApp(c)
	if err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.NumberNewPage(pages.NumberNew{Frame: s.frame(c, "doors.title"), Window: window}))
}

func (s *Server) numberManualPage(c *fiber.Ctx) error {
	return s.showManual(c, fiber.StatusOK, pages.Filled{}, nil)
}

func (s *Server) showManual(c *fiber.Ctx, status int, form pages.Filled, checks []numbers.CheckResult) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.NumberManual{Frame: s.frame(c, "manual.title"), CanApps: m.Can("apps:manage"), Form: form, Checks: checkViews(checks)}
	p.Frame.Path = "/numbers/new/manual"
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		apps, err := numbers.Apps(ctx, tx)
		for _, app := range apps {
			p.Apps = append(p.Apps, app.Name)
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.show(c, status, pages.NumberManualPage(p))
}

// connectNumber asks Meta about a number and connects it. What Meta does not confirm is listed above the form.
func (s *Server) connectNumber(c *fiber.Ctx) error {
	ctx, cancel := askingMeta(c)
	defer cancel()

	m := member(c)
	number, err := numbers.Connect(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, numbers.ConnectInput{
		App: field(c, "app"), WABAID: field(c, "waba_id"), PhoneNumberID: field(c, "phone_number_id"), DisplayPhone: field(c, "display_phone_number"),
		PortfolioID: field(c, "portfolio_id"), AccessToken: field(c, "access_token"), PublicURL: s.origin.Load().String(),
	})

	typed := []string{"app", "waba_id", "phone_number_id", "display_phone_number", "portfolio_id"}
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := refilled(c, &tenants.Conflict{Code: "checks"}, typed...)
		return s.showManual(c, fiber.StatusUnprocessableEntity, form, refused.Checks)
	}
	if form, ok := refilled(c, err, typed...); ok {
		return s.showManual(c, classify(err).status, form, nil)
	}
	if err != nil {
		return err
	}

	to, err := s.afterConnect(ctx, m, number.ID)
	if err != nil {
		return err
	}

	return s.done(c, to, flash{Key: "toast.number_connected"})
}

func numberView(n numbers.Number, counts ingest.Counts) pages.Number {
	return pages.Number{
		ID: n.ID.String(), Name: n.Name, Phone: n.DisplayPhone, State: n.State, App: n.App, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID,
		PortfolioID: n.PortfolioID, HasToken: n.HasToken, TokenProblem: n.TokenProblem, TokenExpires: orZero(n.TokenExpiresAt), ConnectedAt: n.CreatedAt,
		FirstEvent: orZero(n.FirstEventAt), LastEvent: orZero(n.LastEventAt), Tested: orZero(n.TestedAt), SetAside: int(counts.SetAside),
		OnApp: n.OnApp, Onboarded: orZero(n.OnboardedAt), GraceUntil: orZero(n.GraceUntil), MayRenew: n.OnboardedAt != nil,
		QuietSince: orZero(n.QuietSince),
		PhoneFree:  n.PhoneFree, PhoneCleaning: n.PhoneCleaning,
	}
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
