package server

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/pages"
)

const signupPath = "/numbers/new/embedded"

// The two ways of Meta's window: the number stays in the Business app, or is new.
const (
	wayKeep  = "keep"
	wayFresh = "fresh"
)

// metaOrigins are those from which Meta's window speaks. Source: domain facts 10.4.
var metaOrigins = []string{"https://www.facebook.com", "https://web.facebook.com"}

// signupApp is the platform's app that Meta's window is opened for; ok is false where there is none.
func (s *Server) signupApp(c *fiber.Ctx) (app numbers.Credentials, ok bool, err error) {
	if s.cfg.SignupApp == "" {
		return numbers.Credentials{}, false, nil
	}
	err = s.db.As(c.UserContext(), member(c).Tenant.ID, func(tx *tenants.Tx) error {
		app, err = numbers.PlatformApp(c.UserContext(), tx, s.keys, s.cfg.SignupApp)
		return err
	})
	if tenants.ConflictCode(err) != "" {
		return numbers.Credentials{}, false, nil
	}

	return app, err == nil, err
}

// signupPage is the page from which Meta's own window opens.
func (s *Server) signupPage(c *fiber.Ctx) error {
	switch way := c.Query("way"); way {
	case wayKeep, wayFresh:
		return s.showSignup(c, fiber.StatusOK, way, nil)
	case "":
		return c.Redirect("/numbers/new", fiber.StatusSeeOther)
	}

	return tenants.ErrNotFound
}

func (s *Server) showSignup(c *fiber.Ctx, status int, way string, outcome *pages.SignupOutcome) error {
	app, ok, err := s.signupApp(c)
	if err != nil {
		return err
	}
	if !ok {
		return c.Redirect("/numbers/new", fiber.StatusSeeOther)
	}

	p := pages.Signup{
		Frame: s.frame(c, "doors.title"), Way: way, AppID: app.MetaAppID, Config: s.cfg.SignupConfig, Version: metaVersion, SDK: s.cfg.signupSDK(),
		Origins: s.cfg.signupOrigins(), Outcome: outcome,
	}
	p.Frame.Path = signupPath + "?way=" + way
	s.openToMeta(c)

	return s.show(c, status, pages.SignupPage(p))
}

// openToMeta lets this one page load Meta's script and open Meta's window, and nothing else.
func (s *Server) openToMeta(c *fiber.Ctx) {
	script, window := originOf(s.cfg.signupSDK()), strings.Join(s.cfg.signupOrigins(), " ")
	c.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce(c.UserContext())+"' "+script+"; style-src 'self'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self' "+window+"; frame-src "+window+"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	// With same-origin the window could not answer the page that opened it.
	c.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}

	return u.Scheme + "://" + u.Host
}

// signup is what Meta's window said: a code to be exchanged at once, or why there is none.
func (s *Server) signup(c *fiber.Ctx) error {
	way := field(c, "way")
	if way != wayKeep && way != wayFresh {
		return tenants.ErrNotFound
	}
	if field(c, "code") == "" {
		return s.showSignup(c, fiber.StatusUnprocessableEntity, way, withoutCode(c))
	}

	ctx, cancel := askingMeta(c)
	defer cancel()
	m := member(c)
	number, err := numbers.Signup(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, numbers.SignupInput{
		App: s.cfg.SignupApp, Code: field(c, "code"), OnApp: way == wayKeep, WABAID: field(c, "waba_id"), PhoneNumberID: field(c, "phone_number_id"),
		PortfolioID: field(c, "business_id"), PublicURL: s.origin.Load().String(),
	})
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		return s.showSignup(c, fiber.StatusUnprocessableEntity, way, &pages.SignupOutcome{Failed: "checks", Checks: checkViews(refused.Checks)})
	}
	if form, ok := refilled(c, err); ok {
		s.log.Warn("signup failed", "tenant", m.Tenant.ID, "error", err)
		failed := cmp.Or(form.Failed, "signup_refused")
		return s.showSignup(c, classify(err).status, way, &pages.SignupOutcome{Failed: failed, Copy: "WhatsApp signup failed: " + failed})
	}
	if err != nil {
		return err
	}

	to, err := s.afterConnect(ctx, m, number.ID)
	if err != nil {
		return err
	}

	return s.done(c, to, flash{Key: "toast.number_signed_up"})
}

// withoutCode says how Meta's window ended where it gave no code. An event that is not known is told as one that was left.
func withoutCode(c *fiber.Ctx) *pages.SignupOutcome {
	o := &pages.SignupOutcome{Was: "closed", Step: upTo(field(c, "step"), 100)}
	message := upTo(field(c, "error_message"), 300)
	switch event := field(c, "event"); {
	case event == "ERROR" || message != "":
		o.Was, o.Step = "error", ""
		o.Copy = "WhatsApp signup: " + message
		for _, name := range []string{"error_code", "session_id"} {
			if value := upTo(field(c, name), 100); value != "" {
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

// reconnectNumber brings a disconnected number back with the token it had.
func (s *Server) reconnectNumber(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := askingMeta(c)
	defer cancel()
	m := member(c)
	_, err = numbers.Reconnect(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, id, s.origin.Load().String())
	var refused *numbers.Refused
	if errors.As(err, &refused) {
		form, _ := refilled(c, &tenants.Conflict{Code: "checks"})
		return s.showNumber(c, fiber.StatusUnprocessableEntity, pages.NumberHome{Failed: form, ReturnChecks: checkViews(refused.Checks)})
	}
	if form, ok := refilled(c, err); ok {
		return s.showNumber(c, classify(err).status, pages.NumberHome{Failed: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String(), flash{Key: "toast.number_reconnected"})
}

// startSync asks Meta for what a number's Business app holds.
func (s *Server) startSync(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, cancel := askingMeta(c)
	defer cancel()
	m := member(c)
	err = numbers.StartSync(ctx, s.db, s.keys, s.graph, m.Actor, m.Tenant.ID, id)
	if form, ok := refilled(c, err); ok {
		s.log.Warn("sync not started", "tenant", m.Tenant.ID, "number", id, "error", err)
		return s.showNumber(c, classify(err).status, pages.NumberHome{Failed: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/numbers/"+id.String(), flash{Key: "toast.sync_started"})
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
