// Package numbers connects a business's WhatsApp numbers and shows how they are.
package numbers

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
