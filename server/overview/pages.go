// Package overview shows how far the change to usernames has come among a business's customers.
package overview

import "github.com/pehchan/pehchan/server/web"

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
