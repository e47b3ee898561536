package web

import (
	"crypto/rand"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Cookies, without the prefix that https adds.
const (
	SessionCookie = "pehchan"
	VisitorCookie = "pehchan-visitor" // ties forms to a browser before sign-in
	DeviceCookie  = "pehchan-device"  // a browser that has signed in before
	StepCookie    = "pehchan-step"    // between the two steps of a sign-in
	LangCookie    = "pehchan-lang"
	ThemeCookie   = "pehchan-theme"
	flashCookie   = "pehchan-flash" // what was just done, for the next page
	waitingCookie = "pehchan-wait"  // the form that waits for a proof
	ReadCookie    = "pehchan-read"  // the briefing that was opened last

	AYear = 365 * 24 * time.Hour
)

// cookieName adds the prefix with which browsers accept the cookie over https only and from this host alone.
func (s *Site) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}

	return name
}

// Cookie is the value of our cookie. Two of one name mean that somebody has planted one, so neither counts.
func (s *Site) Cookie(c *fiber.Ctx, name string) string {
	full, value, seen := s.cookieName(name), "", 0
	c.Request().Header.VisitAllCookie(func(k, v []byte) {
		if string(k) == full {
			value = string(v)
			seen++
		}
	})
	if seen != 1 {
		return ""
	}

	return value
}

// SetCookie keeps value for life; a life of zero is until the browser closes.
func (s *Site) SetCookie(c *fiber.Ctx, name, value string, life time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(life.Seconds()), SessionOnly: life == 0,
		Secure: s.secure(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// DropCookie makes the browser forget a cookie of ours.
func (s *Site) DropCookie(c *fiber.Ctx, name string) {
	c.Cookie(&fiber.Cookie{
		Name: s.cookieName(name), Path: "/", Expires: time.Unix(0, 0), MaxAge: -1,
		Secure: s.secure(), HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// Visitor makes sure that a browser without a session has something to tie its forms to.
func (s *Site) Visitor(c *fiber.Ctx) []byte {
	id := s.Cookie(c, VisitorCookie)
	if id == "" {
		id = rand.Text()
		s.SetCookie(c, VisitorCookie, id, 0)
	}

	return []byte("visitor " + id)
}
