// Package home is where people begin: the day's work, the first steps of a new business, and help.
package home

import (
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site

	people web.Kept[identity.People] // by tenant, for as long as counting them again is not worth it
}
