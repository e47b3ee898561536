package server

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
)

// privacyRoutes are those of what customers ask about their own data, of how long what is kept, and of incidents.
func (s *Server) privacyRoutes() []Route {
	const get, post = fiber.MethodGet, fiber.MethodPost

	return []Route{
		{get, web.PrivacyPath, "privacy:read", s.privacy.Page},
		{post, web.RequestsPath, "privacy:handle", s.privacy.AddRequest},
		{post, web.RequestsPath + "/take", "privacy:handle", s.privacy.TakeOver},
		{get, web.PrivacyPath + "/record", "privacy:read", s.privacy.RecordPage},
		{get, web.PrivacyPath + "/record/file", "privacy:read", s.privacy.RecordFile},
		{post, web.PrivacyPath + "/keeping", "settings:edit" + fresh, s.privacy.SaveKeeping},
		{post, web.PrivacyPath + "/hold", "settings:edit" + fresh, s.privacy.SetHold},
		{get, web.IncidentsPath + "/new", "privacy:handle", s.privacy.NewIncidentPage},
		{post, web.IncidentsPath, "privacy:handle", s.privacy.OpenIncident},
		{get, web.IncidentsPath + "/:id", "privacy:handle", s.privacy.IncidentPage},
		{post, web.IncidentsPath + "/:id", "privacy:handle", s.privacy.ChangeIncident},
		{post, web.IncidentsPath + "/:id/mark", "privacy:handle", s.privacy.MarkIncident},
		{post, web.IncidentsPath + "/:id/people", "privacy:handle" + fresh, s.privacy.ExportIncident},
		{post, web.IncidentsPath + "/:id/close", "privacy:handle", s.privacy.CloseIncident},
		{get, web.RequestsPath + "/:id", "privacy:read", s.privacy.RequestPage},
		{post, web.RequestsPath + "/:id/contact", "privacy:handle", s.privacy.ChooseRequest},
		{post, web.RequestsPath + "/:id/proof", "privacy:handle", s.privacy.ProveRequest},
		{post, web.RequestsPath + "/:id/correct", "privacy:handle", s.privacy.CorrectRequest},
		{post, web.RequestsPath + "/:id/close", "privacy:handle", s.privacy.CloseRequest},
		{post, web.RequestsPath + "/:id/data", "privacy:handle" + fresh, s.privacy.HandOut},
		{post, web.RequestsPath + "/:id/erase", "privacy:erase" + fresh, s.privacy.EraseRequest},
		{get, web.RequestsPath + "/:id/receipt", "privacy:read", s.privacy.RequestReceipt},
	}
}
