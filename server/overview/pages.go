// Package overview shows how far the change to usernames has come among a business's customers.
package overview

import (
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site

	reaches web.Kept[identity.Reaches] // by tenant, for as long as counting them again is not worth it
}
