// Package queue shows the cases that a person must decide, takes what they decide, and merges contacts with an undo.
package queue

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
