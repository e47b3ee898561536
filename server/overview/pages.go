// Package overview shows how far the change to usernames has come among a business's customers.
package overview

import (
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site

	offers web.Kept[map[string]identity.Offers] // by tenant, for as long as counting them again is not worth it
}

// New makes the pages of a site.
func New(s *web.Site) *Pages { return &Pages{Site: s} }
