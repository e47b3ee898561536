package server

import (
	"errors"

	"github.com/gofiber/fiber/v2"
)

// fail is the only place that turns an error into a status.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	var fe *fiber.Error
	if errors.As(err, &fe) {
		status = fe.Code
	}

	return c.SendStatus(status)
}
