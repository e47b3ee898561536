// Package usernames helps a business to its own username, and its customers to know that it is theirs.
package usernames

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
