package numbers

import (
	"cmp"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/home"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	pages "github.com/pehchan/pehchan/views/numbers"
)

// The two ways of Meta's window: the number stays in the Business app, or is new.
const (
	wayKeep  = "keep"
	wayFresh = "fresh"
)

// signupApp is the platform's app that Meta's window is opened for; ok is false where there is none.
func (s *Pages) signupApp(c *fiber.Ctx) (app numbers.Credentials, ok bool, err error) {
	if s.Config.SignupApp == "" {
		return numbers.Credentials{}, false, nil
	}
	err = s.DB.As(c.UserContext(), web.Member(c).Tenant.ID, func(tx *tenants.Tx) error {
		app, err = numbers.PlatformApp(c.UserContext(), tx, s.Keys, s.Config.SignupApp)
		return err
	})
	if tenants.ConflictCode(err) != "" {
		return numbers.Credentials{}, false, nil
	}

	return app, err == nil, err
}

// SignupPage is the page from which Meta's own window opens.
func (s *Pages) SignupPage(c *fiber.Ctx) error {
	switch way := c.Query("way"); way {
	case wayKeep, wayFresh:
		return s.showSignup(c, fiber.StatusOK, way, nil)
	case "":
		return c.Redirect("/numbers/new", fiber.StatusSeeOther)
	}

	return tenants.ErrNotFound
}

func (s *Pages) showSignup(c *fiber.Ctx, status int, way string, outcome *pages.SignupOutcome) error {
	app, ok, err := s.signupApp(c)
	if err != nil {
		return err
	}
	if !ok {
		return c.Redirect("/numbers/new", fiber.StatusSeeOther)
	}

	p := pages.Signup{
		Frame: s.Frame(c, "doors.title"), Way: way, AppID: app.MetaAppID, Config: s.Config.SignupConfig, Version: config.MetaVersion, SDK: s.Config.WindowSDK(),
		Origins: s.Config.WindowOrigins(), Outcome: outcome,
	}
	p.Frame.Path = web.SignupPath + "?way=" + way
	s.openToMeta(c)

	return s.Show(c, status, pages.SignupPage(p))
}

// openToMeta lets this one page load Meta's script and open Meta's window, and nothing else.
func (s *Pages) openToMeta(c *fiber.Ctx) {
	script, window := config.OriginOf(s.Config.WindowSDK()), strings.Join(s.Config.WindowOrigins(), " ")
	c.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+web.Nonce(c.UserContext())+"' "+script+"; style-src 'self'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self' "+window+"; frame-src "+window+"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	// With same-origin the window could not answer the page that opened it.
	c.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
}

// Signup is what Meta's window said: a code to be exchanged at once, or why there is none.
func (s *Pages) Signup(c *fiber.Ctx) error {
	way := web.Field(c, "way")
	if way != wayKeep && way != wayFresh {
		return tenants.ErrNotFound
	}
	if web.Field(c, "code") == "" {
		return s.showSignup(c, fiber.StatusUnprocessableEntity, way, withoutCode(c))
	}

	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	number, err := numbers.Signup(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, numbers.SignupInput{
		App: s.Config.SignupApp, Code: web.Field(c, "code"), OnApp: way == wayKeep, WABAID: web.Field(c, "waba_id"), PhoneNumberID: web.Field(c, "phone_number_id"),
		PortfolioID: web.Field(c, "business_id"), PublicURL: s.Origin.Load().String(),
	})
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		return s.showSignup(c, fiber.StatusUnprocessableEntity, way, &pages.SignupOutcome{Failed: "checks", Checks: checkViews(refused.Checks)})
	}
	if form, ok := web.Refilled(c, err); ok {
		s.Log.Warn("signup failed", "tenant", m.Tenant.ID, "error", err)
		failed := cmp.Or(form.Failed, "signup_refused")
		return s.showSignup(c, web.Classify(err).Status, way, &pages.SignupOutcome{Failed: failed, Copy: "WhatsApp signup failed: " + failed})
	}
	if err != nil {
		return err
	}

	to, err := home.AfterConnect(ctx, s.Site, m, number.ID)
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: "toast.number_signed_up"})
}

// withoutCode says how Meta's window ended where it gave no code. An event that is not known is told as one that was left.
func withoutCode(c *fiber.Ctx) *pages.SignupOutcome {
	o := &pages.SignupOutcome{Was: "closed", Step: upTo(web.Field(c, "step"), 100)}
	message := upTo(web.Field(c, "error_message"), 300)
	switch event := web.Field(c, "event"); {
	case event == "ERROR" || message != "":
		o.Was, o.Step, o.Code = "error", "", upTo(web.Field(c, "error_code"), 20)
		o.Copy = "WhatsApp signup: " + message
		for _, name := range []string{"error_code", "session_id"} {
			if value := upTo(web.Field(c, name), 100); value != "" {
				o.Copy += " (" + name + ": " + value + ")"
			}
		}
	case event == "CANCEL":
		o.Was = "cancelled"
	case event != "":
		o.Was, o.Step = "no_account_chosen", ""
	}

	return o
}

func upTo(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}

	return s
}

// ReconnectNumber brings a disconnected number back with the token it had.
func (s *Pages) ReconnectNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	_, err = numbers.Reconnect(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, id, s.Origin.Load().String())
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := web.Refilled(c, &tenants.Conflict{Code: "checks"})
		return s.showNumber(c, fiber.StatusUnprocessableEntity, pages.NumberHome{Failed: form, ReturnChecks: checkViews(refused.Checks)})
	}
	if form, ok := web.Refilled(c, err); ok {
		return s.showNumber(c, web.Classify(err).Status, pages.NumberHome{Failed: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String(), web.Flash{Key: "toast.number_reconnected"})
}

// StartSync asks Meta for what a number's Business app holds.
func (s *Pages) StartSync(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := web.AskingMeta(c)
	defer cancel()
	m := web.Member(c)
	err = numbers.StartSync(ctx, s.DB, s.Keys, s.Graph, m.Actor, m.Tenant.ID, id)
	if form, ok := web.Refilled(c, err); ok {
		s.Log.Warn("sync not started", "tenant", m.Tenant.ID, "number", id, "error", err)
		return s.showNumber(c, web.Classify(err).Status, pages.NumberHome{Failed: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/numbers/"+id.String(), web.Flash{Key: "toast.sync_started"})
}

// fillSync puts on a number's page what it can bring along from the Business app, and how far that has come.
func fillSync(number numbers.Number, syncs []numbers.Sync, p *pages.NumberHome) {
	until, ok := number.SyncUntil()
	if !ok {
		return
	}
	p.Sync = &pages.AppSync{Until: until}
	for _, sync := range syncs {
		b := &pages.Brought{AskedAt: sync.StartedAt, Here: sync.Arrived, Percent: sync.Progress, Declined: sync.Declined}
		if sync.Kind == numbers.SyncHistory {
			p.Sync.History = b
		} else {
			p.Sync.Contacts = b
		}
	}
}
