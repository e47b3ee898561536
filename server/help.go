package server

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/views/pages"
)

func (s *Server) helpPage(c *fiber.Ctx) error {
	return s.show(c, fiber.StatusOK, pages.HelpPage(pages.Help{Frame: s.frame(c, "help.title")}))
}

func (s *Server) morePage(c *fiber.Ctx) error {
	return s.show(c, fiber.StatusOK, pages.MorePage(pages.More{Frame: s.frame(c, "nav.more")}))
}
