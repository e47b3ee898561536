// Package contacts shows the customers of a business, takes lists of them and gives them out.
package contacts

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
