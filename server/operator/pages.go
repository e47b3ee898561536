// Package operator is the console of who runs the platform: all businesses from the outside, and the way into one that allows it.
package operator

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
