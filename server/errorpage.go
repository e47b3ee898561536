package server

import "github.com/gofiber/fiber/v2"

func (s *Server) errorPage(c *fiber.Ctx, r refusal) error {
	return c.SendString(r.code)
}
