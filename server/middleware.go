package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

// around stands about every request: headers, language, a deadline, and what to do with errors and panics.
func (s *Server) around(c *fiber.Ctx) error {
	s.secureHeaders(c)
	started := time.Now()

	// fiber does not end a request's context when the client leaves, so each has a deadline of its own.
	ctx, cancel := context.WithTimeout(c.UserContext(), pageTimeout)
	defer cancel()
	c.SetUserContext(i18n.With(tenants.Often(ctx), s.anonymousLang(c), s.zone))

	if err := s.safely(c); err != nil {
		if err := s.fail(c, err); err != nil {
			return err
		}
	}
	s.metrics.count(c, time.Since(started))

	return compress(c)
}

func (s *Server) safely(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()

	// A compressed body could unfold to any size, and no browser sends one.
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return fiber.ErrUnsupportedMediaType
	}

	return c.Next()
}

// guard lets a request to its handler if the route's permission allows it.
func (s *Server) guard(r Route) fiber.Handler {
	switch r.Permission {
	case public:
		return r.Handler
	case keyRead, keyWrite:
		return s.guardAPI(r)
	}

	permission, asks := strings.CutSuffix(r.Permission, fresh)

	return func(c *fiber.Ctx) error {
		if err := checkText(c); err != nil {
			return err
		}
		m, known, err := s.identify(c)
		if err != nil {
			return err
		}
		if permission != anyone && !known {
			return s.toLogin(c)
		}
		if !safeMethod(c.Method()) {
			if err := s.checkForm(c, m, known); err != nil {
				return err
			}
		}
		if permission != anyone && permission != signedIn && !m.Can(permission) {
			if asksItself(c) && c.Get("HX-Request") != "" {
				return endPage(c, overMoved)
			}
			if to := awayFrom(m); to != "" && c.Method() == fiber.MethodGet && c.Path() != eventsPath {
				return c.Redirect(to, fiber.StatusSeeOther)
			}

			return fmt.Errorf("%s: %w", permission, tenants.ErrForbidden)
		}
		if m.MustAddFactor && permission != anyone && !openWithoutFactor(c.Path()) {
			return s.toAddFactor(c)
		}
		if m.Grant != nil && permission != signedIn && permission != anyone {
			if err := s.underLeave(c, m, r); err != nil {
				return err
			}
		}
		if asks && !m.Proved {
			return s.toConfirm(c)
		}
		if !safeMethod(c.Method()) && m.HasTenant() {
			err = s.once(c, m, r.Handler)
		} else {
			err = r.Handler(c)
		}
		if errors.Is(err, errStale) {
			return s.toConfirm(c)
		}

		return err
	}
}

// identify reads the session, if the request has one, and makes it known to what follows: the member, their language and
// their time zone.
func (s *Server) identify(c *fiber.Ctx) (m access.Member, known bool, err error) {
	token := s.cookie(c, sessionCookie)
	if token == "" {
		return access.Member{}, false, nil
	}
	if !s.sessions.Signed(token) {
		s.dropCookie(c, sessionCookie)
		return access.Member{}, false, nil
	}

	check := s.sessions.Check
	if asksItself(c) {
		check = s.sessions.Peek
	}
	ctx := c.UserContext()
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		m, err = check(ctx, tx, token)
		return err
	})
	if errors.Is(err, access.ErrNoSession) {
		// The second press of a button that changed the session comes with the old one. Its answer must not take away the new.
		if safeMethod(c.Method()) {
			s.dropCookie(c, sessionCookie)
		}
		return access.Member{}, false, nil
	}
	if err != nil {
		return access.Member{}, false, err
	}

	lang := m.Person.Lang
	if lang == "" && s.cookie(c, langCookie) == "" {
		lang = m.Tenant.Lang
	}
	if lang == "" {
		lang = s.anonymousLang(c)
	}
	zone := s.zone
	if m.HasTenant() {
		zone = m.Tenant.Location()
	}
	c.SetUserContext(i18n.With(access.With(ctx, m), lang, zone))

	return m, true, nil
}

// asksItself tells whether an open page makes this request again and again by itself: that is no sign of somebody being there,
// so it must not keep a session from ending.
func asksItself(c *fiber.Ctx) bool {
	return c.Path() == eventsPath || strings.HasSuffix(c.Path(), "/live") || c.Get("Live") != ""
}

// member is who a guarded handler serves.
func member(c *fiber.Ctx) access.Member {
	m, _ := access.From(c.UserContext())

	return m
}

// anonymousLang is the language of somebody we do not know: their last choice here, else the first of the two that the browser
// asks for, else English.
func (s *Server) anonymousLang(c *fiber.Ctx) string {
	if lang := s.cookie(c, langCookie); lang == i18n.Hindi || lang == i18n.English {
		return lang
	}
	if c.AcceptsLanguages(i18n.English, i18n.Hindi) == i18n.Hindi {
		return i18n.Hindi
	}

	return i18n.English
}

// toLogin sends an anonymous request to the login page, and from there back to the page it asked for.
func (s *Server) toLogin(c *fiber.Ctx) error {
	if asksItself(c) && c.Get("HX-Request") != "" {
		return endPage(c, overOut)
	}
	to := "/login"
	q := url.Values{}
	if c.Method() == fiber.MethodGet && c.Get("HX-Request") == "" {
		if next := localPath(c.OriginalURL()); next != "/" {
			q.Set("next", next)
		}
	}
	if len(c.Request().Header.Cookie(s.cookieName(sessionCookie))) > 0 {
		q.Set("ended", "1")
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", to)
		return c.SendStatus(fiber.StatusUnauthorized)
	}

	return c.Redirect(to, fiber.StatusSeeOther)
}

// localPath is next if it leads to a page of ours, else "/". What a browser might read as another host, and what cannot stand
// in a header, is no page of ours.
func localPath(next string) string {
	if len(next) > 2000 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(next, "/@") {
		return "/"
	}
	if strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || strings.ContainsFunc(u.Path, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	if strings.HasPrefix(u.Path, "//") {
		return "/"
	}

	return next
}

func safeMethod(method string) bool {
	return method == fiber.MethodGet || method == fiber.MethodHead || method == fiber.MethodOptions
}

// checkText refuses an address or a form that is no text: no page of ours sends such, and PostgreSQL does not take it.
func checkText(c *fiber.Ctx) error {
	if !isText(c.Request().URI().PathOriginal()) {
		return tenants.ErrNotFound
	}

	wrong := false
	check := func(name, value []byte) { wrong = wrong || !isText(name) || !isText(value) }
	c.Context().QueryArgs().VisitAll(check)
	c.Request().PostArgs().VisitAll(check)
	if wrong {
		return &tenants.Invalid{Key: "bad_character"}
	}

	return nil
}

func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// field is a value of a posted form. Unlike FormValue it never looks into the query, and it never unpacks a body.
func field(c *fiber.Ctx, name string) string {
	return strings.TrimSpace(string(c.Request().PostArgs().Peek(name)))
}

// rawField is field as it was typed, for passwords.
func rawField(c *fiber.Ctx, name string) string {
	return string(c.Request().PostArgs().Peek(name))
}
