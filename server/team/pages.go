// Package team shows who works in a business, invites them, gives them roles and takes over from who leaves.
package team

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
