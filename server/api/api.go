// Package api is the public JSON API v1: handlers that turn HTTP into calls of the domain and back, and the OpenAPI document
// that describes them. server/routes.go lists every call with the scope it asks for, and server/web/errors.go answers what goes
// wrong; by the time a handler runs, the key has been checked.
package api

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Deps is what the API works with. Origin is this installation as the outside reaches it, known once it listens.
type Deps struct {
	DB     *tenants.DB
	Keys   *secrets.Keyring
	Graph  whatsapp.Graph
	Origin func() string
}

// API answers the calls of the JSON API, one exported method each.
type API struct {
	Deps
	cursorKey []byte
}

// New builds the API.
func New(d Deps) *API {
	return &API{Deps: d, cursorKey: d.Keys.Derive("api cursor")}
}

// Problem is a refusal in the API's own words; server/web/errors.go writes it as application/problem+json. Where Field names what
// was wrong, Code says why and goes out as the reason of code "invalid". Retry is in seconds, 0 for not said. More is added to
// the document.
type Problem struct {
	Status int
	Code   string
	Field  string
	Retry  int
	More   map[string]any
}

func (p *Problem) Error() string { return "api: " + p.Code + " " + p.Field }

// caller is whose key a request carries.
func caller(c *fiber.Ctx) access.Member {
	m, _ := access.From(c.UserContext())

	return m
}

// read runs fn on one moment of the caller's tenant.
func (a *API) read(c *fiber.Ctx, fn func(tx *tenants.Tx) error) error {
	return a.DB.AsSnapshot(c.UserContext(), caller(c).Tenant.ID, fn)
}

// saw notes that the caller's key saw contacts, for who asks who saw whom. What was read stands whether or not this line outlives a crash
// of the machine, so it does not wait for the disk.
func (a *API) saw(c *fiber.Ctx, contacts ...uuid.UUID) error {
	ctx, m := c.UserContext(), caller(c)

	return a.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return fmt.Errorf("note who looked: %w", err)
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.ByProgram, contacts...)
	})
}

// answer sends what was asked for as JSON.
func answer(c *fiber.Ctx, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}

	return send(c, fiber.StatusOK, raw)
}

func send(c *fiber.Ctx, status int, raw []byte) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)

	return c.Status(status).Send(raw)
}

// list is how every list is answered. NextCursor is "" on the last page.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// each writes every row of a list with one function; no rows are [] and never null.
func each[In, Out any](rows []In, one func(In) Out) []Out {
	out := make([]Out, len(rows))
	for i, r := range rows {
		out[i] = one(r)
	}

	return out
}

// utc is a time as the API writes it, nil where there is none.
func utc(t *time.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	u := t.UTC()

	return &u
}

// known is v, or nil for what is not known: ids and codes are null then, texts are "".
func known[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}

	return &v
}
