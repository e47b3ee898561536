package settings

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

// Language changes the language of this browser and of whoever is signed in, and stays on the page.
func (s *Pages) Language(c *fiber.Ctx) error {
	lang := web.Field(c, "lang")
	if lang != i18n.English && lang != i18n.Hindi {
		return &tenants.Invalid{Field: "lang", Key: "choice"}
	}
	if err := s.Prefer(c, func(p *access.Preferences) { p.Lang = lang }); err != nil {
		return err
	}
	s.SetCookie(c, web.LangCookie, lang, web.AYear)

	return c.Redirect(web.LocalPath(web.Field(c, "next")), fiber.StatusSeeOther)
}

// Theme changes light and dark likewise.
func (s *Pages) Theme(c *fiber.Ctx) error {
	theme := web.Field(c, "theme")
	if theme != "light" && theme != "dark" && theme != "system" {
		return &tenants.Invalid{Field: "theme", Key: "choice"}
	}
	if err := s.Prefer(c, func(p *access.Preferences) { p.Theme = theme }); err != nil {
		return err
	}
	s.SetCookie(c, web.ThemeCookie, theme, web.AYear)

	return c.Redirect(web.LocalPath(web.Field(c, "next")), fiber.StatusSeeOther)
}
