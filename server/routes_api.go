package server

import "github.com/gofiber/fiber/v2"

// apiRoutes are those of the public API, which ask for a key.
func (s *Server) apiRoutes() []Route {
	const get, post, patch = fiber.MethodGet, fiber.MethodPost, fiber.MethodPatch

	return []Route{
		{get, "/api/v1/openapi.json", public, s.api.Document},
		{get, "/api/v1/resolve", keyRead, s.api.Resolve},
		{get, "/api/v1/contacts", keyRead, s.api.Contacts},
		{get, "/api/v1/contacts/:id", keyRead, s.api.Contact},
		{patch, "/api/v1/contacts/:id", keyWrite, s.api.EditContact},
		{get, "/api/v1/contacts/:id/messages", keyRead, s.api.Messages},
		{get, "/api/v1/contacts/:id/links", keyRead, s.api.Links},
		{post, "/api/v1/links/:id/undo", keyWrite, s.api.Undo},
		{get, "/api/v1/cases", keyRead, s.api.Cases},
		{post, "/api/v1/cases/:id/decision", keyWrite, s.api.Decide},
		{get, "/api/v1/merges/preview", keyRead, s.api.PreviewMerge},
		{post, "/api/v1/merges", keyWrite, s.api.Merge},
		{get, "/api/v1/ingest", keyRead, s.api.Ingest},
		{post, "/api/v1/ingest/replay", keyWrite, s.api.Replay},
		{get, "/api/v1/jobs/:id", keyRead, s.api.Job},
		{get, "/api/v1/adoption", keyRead, s.api.Adoption},
		{get, "/api/v1/numbers", keyRead, s.api.Numbers},
		{post, "/api/v1/numbers", keyWrite, s.api.ConnectNumber},
	}
}
