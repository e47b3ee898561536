package home

import (
	"github.com/gofiber/fiber/v2"

	pages "github.com/pehchan/pehchan/views/home"
)

func (s *Pages) HelpPage(c *fiber.Ctx) error {
	return s.Show(c, fiber.StatusOK, pages.HelpPage(pages.Help{Frame: s.Frame(c, "help.title")}))
}

func (s *Pages) MorePage(c *fiber.Ctx) error {
	return s.Show(c, fiber.StatusOK, pages.MorePage(pages.More{Frame: s.Frame(c, "nav.more")}))
}
