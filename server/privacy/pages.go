// Package privacy handles what customers ask about their own data, and how long what is kept.
package privacy

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
