package web

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

const (
	// SignedIn is asked for by pages for anybody with a session, in a tenant or not.
	SignedIn = "signed-in"
	// HomeZone is the time zone of pages for people whose business we do not know.
	HomeZone = "Asia/Kolkata"
	// PageTimeout is how long a request may take.
	PageTimeout = 10 * time.Second
	// BodyLimit is the most bytes a request may hold, but for the one that uploads a list.
	BodyLimit = 4 << 20
)

// PathID is the id in the address; what is none is not found.
func PathID(c *fiber.Ctx) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return uuid.Nil, tenants.ErrNotFound
	}

	return id, nil
}

// From is the number that a list goes on from, 0 where the address names none; what is no place in a list is not found.
func From(c *fiber.Ctx, name string) (int, error) {
	typed := c.Query(name)
	if typed == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(typed, 10, 31)
	if err != nil {
		return 0, tenants.ErrNotFound
	}

	return int(n), nil
}

// Identify reads the session, if the request has one, and makes it known to what follows: the member, their language and
// their time zone.
func (s *Site) Identify(c *fiber.Ctx) (m access.Member, known bool, err error) {
	token := s.Cookie(c, SessionCookie)
	if token == "" {
		return access.Member{}, false, nil
	}
	if !s.Sessions.Signed(token) {
		s.DropCookie(c, SessionCookie)
		return access.Member{}, false, nil
	}

	check := s.Sessions.Check
	if AsksItself(c) {
		check = s.Sessions.Peek
	}
	ctx := c.UserContext()
	err = s.DB.System(ctx, func(tx *tenants.Tx) error {
		m, err = check(ctx, tx, token)
		return err
	})
	if errors.Is(err, access.ErrNoSession) {
		// The second press of a button that changed the session comes with the old one. Its answer must not take away the new.
		if SafeMethod(c.Method()) {
			s.DropCookie(c, SessionCookie)
		}
		return access.Member{}, false, nil
	}
	if err != nil {
		return access.Member{}, false, err
	}

	lang := m.Person.Lang
	if lang == "" && s.Cookie(c, LangCookie) == "" {
		lang = m.Tenant.Lang
	}
	if lang == "" {
		lang = s.AnonymousLang(c)
	}
	zone := s.Zone
	if m.HasTenant() {
		zone = m.Tenant.Location()
	}
	c.SetUserContext(i18n.With(access.With(ctx, m), lang, zone))

	return m, true, nil
}

// AsksItself tells whether an open page makes this request again and again by itself: that is no sign of somebody being there,
// so it must not keep a session from ending.
func AsksItself(c *fiber.Ctx) bool {
	return c.Path() == EventsPath || strings.HasSuffix(c.Path(), "/live") || c.Get("Live") != ""
}

// Member is who a guarded handler serves.
func Member(c *fiber.Ctx) access.Member {
	m, _ := access.From(c.UserContext())

	return m
}

// AnonymousLang is the language of somebody we do not know: their last choice here, else the first of the two that the browser
// asks for, else English.
func (s *Site) AnonymousLang(c *fiber.Ctx) string {
	if lang := s.Cookie(c, LangCookie); lang == i18n.Hindi || lang == i18n.English {
		return lang
	}
	if c.AcceptsLanguages(i18n.English, i18n.Hindi) == i18n.Hindi {
		return i18n.Hindi
	}

	return i18n.English
}

// ToLogin sends an anonymous request to the login page, and from there back to the page it asked for.
func (s *Site) ToLogin(c *fiber.Ctx) error {
	if AsksItself(c) && c.Get("HX-Request") != "" {
		return EndPage(c, overOut)
	}
	to := "/login"
	q := url.Values{}
	if c.Method() == fiber.MethodGet && c.Get("HX-Request") == "" {
		if next := LocalPath(c.OriginalURL()); next != "/" {
			q.Set("next", next)
		}
	}
	if len(c.Request().Header.Cookie(s.cookieName(SessionCookie))) > 0 {
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

// LocalPath is next if it leads to a page of ours, else "/". What a browser might read as another host, and what cannot stand
// in a header, is no page of ours.
func LocalPath(next string) string {
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

// SafeMethod tells whether a request by this method changes nothing.
func SafeMethod(method string) bool {
	return method == fiber.MethodGet || method == fiber.MethodHead || method == fiber.MethodOptions
}

// Field is a value of a posted form. Unlike FormValue it never looks into the query, and it never unpacks a body.
func Field(c *fiber.Ctx, name string) string {
	return strings.TrimSpace(string(c.Request().PostArgs().Peek(name)))
}

// RawField is field as it was typed, for passwords.
func RawField(c *fiber.Ctx, name string) string {
	return string(c.Request().PostArgs().Peek(name))
}

// Prefer changes what a signed-in person prefers; of an anonymous one nothing is kept but the cookie.
func (s *Site) Prefer(c *fiber.Ctx, change func(*access.Preferences)) error {
	m, known := access.From(c.UserContext())
	if !known {
		return nil
	}
	p := m.Person.Preferences()
	change(&p)

	ctx := c.UserContext()

	return s.DB.System(ctx, func(tx *tenants.Tx) error { return access.SetPreferences(ctx, tx, m.Person.ID, p) })
}

// Seconds is a number of them as the words of a refusal take it.
func Seconds(n int) string { return strconv.Itoa(n) }
