package server

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// What a route asks of its caller, besides the permissions of tenants/access/policy.csv.
const (
	public   = "public"    // anybody
	signedIn = "signed-in" // anybody with a session, in a tenant or not
)

// Route is one line of the table: a method and path, who may use it, and what answers.
type Route struct {
	Method     string
	Path       string
	Permission string
	Handler    fiber.Handler
}

// Routes is every route of the server. A new feature starts with a line here.
func (s *Server) Routes() []Route {
	const get, post = fiber.MethodGet, fiber.MethodPost

	_ = post

	return []Route{
		{get, "/healthz", public, s.healthz},
		{get, "/readyz", public, s.readyz},
	}
}

// register builds the app from the table. It refuses a line that does not say who may use it.
func (s *Server) register() error {
	for _, r := range s.Routes() {
		if r.Permission == "" || r.Handler == nil || !strings.HasPrefix(r.Path, "/") {
			return fmt.Errorf("route %s %s lacks a permission, a handler or a path", r.Method, r.Path)
		}
		s.app.Add(r.Method, r.Path, r.Handler)
	}

	return nil
}
