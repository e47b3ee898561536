package api

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// document is the OpenAPI description of the API. A test holds it against the table of routes and against real answers.
//
//go:embed openapi.json
var document []byte

// Document answers GET /openapi.json, to anybody: it says nothing of anyone.
func (a *API) Document(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, document)
}
