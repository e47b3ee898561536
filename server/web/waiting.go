package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Secrets are the fields of forms that are kept nowhere, also not while a form waits for a proof of who sent it; the value is what a field
// is called where it can be typed again, "" where it cannot.
var Secrets = map[string]string{
	"access_token": "manual.token", "app_secret": "apps.secret", "verify_token": "apps.verify",
	"code": "", "old": "", "passkey": "", "password": "", "secret": "",
}

// Waiting is a form that was sent when the proof of who sends it had grown old. It is carried out once they have proved it, and press again.
type Waiting struct {
	Path   string     `json:"p"` // where it was sent
	May    string     `json:"m"` // the permission that it takes
	Fields url.Values `json:"f"` // without secrets
	Again  []string   `json:"a"` // secrets to be typed again
}

const (
	waitingLife = 15 * time.Minute
	waitingMost = 2800 // bytes, as a browser keeps a cookie of 4096 and sealing adds a third
)

// Wait keeps the form of a request until its sender has proved who they are. A form too large for a cookie, or one with a secret that nobody
// can type again, is not kept: kept is false.
func (s *Site) Wait(c *fiber.Ctx, permission string) (kept bool, err error) {
	w := Waiting{Path: string([]byte(c.Path())), May: permission, Fields: url.Values{}}
	able := true
	c.Request().PostArgs().VisitAll(func(k, v []byte) {
		name := string(k)
		label, secret := Secrets[name]
		switch {
		case name == formField || name == onceField:
		case secret && label == "":
			able = false
		case secret:
			w.Again = append(w.Again, name)
		default:
			w.Fields.Add(name, string(v))
		}
	})
	raw, err := json.Marshal(w)
	if err != nil {
		return false, fmt.Errorf("write waiting form: %w", err)
	}
	if !able || len(raw) > waitingMost {
		s.DropWaiting(c)
		return false, nil
	}

	return true, s.setSealed(c, waitingCookie, Member(c), raw, waitingLife)
}

// WaitingForm is the form that waits for a proof in this session, nil for none.
func (s *Site) WaitingForm(c *fiber.Ctx) *Waiting {
	raw, _ := s.sealed(c, waitingCookie, Member(c))
	var w Waiting
	if raw == nil || json.Unmarshal(raw, &w) != nil {
		return nil
	}

	return &w
}

// DropWaiting lets the waiting form go.
func (s *Site) DropWaiting(c *fiber.Ctx) {
	if s.Cookie(c, waitingCookie) != "" {
		s.DropCookie(c, waitingCookie)
	}
}

// Names are the fields in a fixed order.
func (w Waiting) Names() []string { return slices.Sorted(maps.Keys(w.Fields)) }
