package server

import "github.com/gofiber/fiber/v2"

// Guard puts the check of a permission before a handler, as the table of routes does.
func (s *Server) Guard(permission string, handler fiber.Handler) fiber.Handler {
	return s.guard(Route{Permission: permission, Handler: handler})
}
