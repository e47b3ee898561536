package server

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

func seconds(n int) string { return strconv.Itoa(n) }

// language changes the language of this browser and of whoever is signed in, and stays on the page.
func (s *Server) language(c *fiber.Ctx) error {
	lang := field(c, "lang")
	if lang != i18n.English && lang != i18n.Hindi {
		return &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	if err := s.prefer(c, func(p *access.Preferences) { p.Lang = lang }); err != nil {
		return err
	}
	s.setCookie(c, langCookie, lang, aYear)

	return c.Redirect(localPath(field(c, "next")), fiber.StatusSeeOther)
}

// theme changes light and dark likewise.
func (s *Server) theme(c *fiber.Ctx) error {
	theme := field(c, "theme")
	if theme != "light" && theme != "dark" && theme != "system" {
		return &tenants.Invalid{Field: "theme", Key: "choice"}
	}
	if err := s.prefer(c, func(p *access.Preferences) { p.Theme = theme }); err != nil {
		return err
	}
	s.setCookie(c, themeCookie, theme, aYear)

	return c.Redirect(localPath(field(c, "next")), fiber.StatusSeeOther)
}

// prefer changes what a signed-in person prefers; of an anonymous one nothing is kept but the cookie.
func (s *Server) prefer(c *fiber.Ctx, change func(*access.Preferences)) error {
	m, known := access.From(c.UserContext())
	if !known {
		return nil
	}
	p := m.Person.Preferences()
	change(&p)

	ctx := c.UserContext()

	return s.db.System(ctx, func(tx *tenants.Tx) error { return access.SetPreferences(ctx, tx, m.Person.ID, p) })
}
