// Package inbox shows the conversations with customers, and sends what is written there: replies, requests for a number, and codes that
// prove who somebody is.
package inbox

import (
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/outbox"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site

	templates *outbox.Catalogue
	fetches   chan struct{} // one for each file being passed on
}

// New makes the pages of a site.
func New(s *web.Site) *Pages {
	return &Pages{Site: s, templates: outbox.NewCatalogue(s.DB, s.Keys, s.Graph), fetches: make(chan struct{}, maxFetches)}
}
