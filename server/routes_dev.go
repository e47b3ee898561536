package server

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
)

// developerRoutes are those of /dev: what a business's own developers wire their systems to ours with.
func (s *Server) developerRoutes() []Route {
	const get, post = fiber.MethodGet, fiber.MethodPost

	return []Route{
		{get, "/dev/keys", "apikeys:read", s.settings.KeysPage},
		{post, "/dev/keys", "apikeys:manage" + fresh, s.settings.AddKey},
		{post, "/dev/keys/:id/revoke", "apikeys:manage", s.settings.RevokeKey},
		{get, web.ForwardsPath, "forwards:read", s.settings.ForwardsPage},
		{post, web.ForwardsPath, "forwards:manage" + fresh, s.settings.AddForward},
		{get, web.ForwardsPath + "/:id", "forwards:read", s.settings.ForwardPage},
		{post, web.ForwardsPath + "/:id/state", "forwards:manage", s.settings.TurnForward},
		{post, web.ForwardsPath + "/:id/test", "forwards:manage", s.settings.TestForward},
		{post, web.ForwardsPath + "/:id/again", "forwards:manage", s.settings.ForwardAgain},
		{post, web.ForwardsPath + "/:id/secret", "forwards:manage" + fresh, s.settings.NewForwardSecret},
		{post, web.ForwardsPath + "/:id/remove", "forwards:manage", s.settings.RemoveForward},
		{get, web.DocsPath, "apikeys:read", s.docs.Page},
		{get, web.DocsPath + "/:call", "apikeys:read", s.docs.CallPage},
	}
}
