// Package answers shows the answers to customers' questions and the ready-made replies, lets a business write its own, and keeps the
// questions that no answer fits.
package answers

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
