package server

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"
)

// Guard puts the check of a permission before a handler, as the table of routes does.
func (s *Server) Guard(permission string, handler fiber.Handler) fiber.Handler {
	return s.guard(Route{Permission: permission, Handler: handler})
}

// AskForNewAppsNoMore is as if the apps asked for in this second had been too many.
func (s *Server) AskForNewAppsNoMore() { s.apps.around = rate.NewLimiter(0, 0) }

// AskAtOnce counts n requests of a key at one moment, and returns how many of them are allowed.
func (s *Server) AskAtOnce(secret string, at time.Time, n int) (allowed int) {
	for range n {
		if s.rates.allow(secret, at) {
			allowed++
		}
	}

	return allowed
}
