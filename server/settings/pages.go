// Package settings is what people and businesses choose for themselves.
package settings

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
