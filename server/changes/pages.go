// Package changes shows what is known of the change to usernames, and what is new in it.
package changes

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
