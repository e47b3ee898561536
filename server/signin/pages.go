// Package signin lets people in: password, second step, passkey, invitation, a new account, and the proofs asked for again.
package signin

import (
	"github.com/pehchan/pehchan/server/web"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct{ *web.Site }
