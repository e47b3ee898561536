package trust

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Kinds are what people ask for: what is kept of them, to put it right, to delete it, to be left in peace, to complain of how their data
// was handled, to tell of somebody who pretends to be the business, anything else.
var Kinds = []string{"access", "correct", "erase", "stop", "grievance", "fake", "question"}

const (
	maxName  = 100
	maxReach = 200
	maxBody  = 2000
	maxList  = 200
)

// Request is what somebody asked on a trust page. All of it is what they typed: it proves nothing.
type Request struct {
	ID     uuid.UUID  `db:"id"`
	Kind   string     `db:"kind"` // one of Kinds
	Name   string     `db:"name"` // may be empty
	Reach  string     `db:"reach"`
	Body   string     `db:"body"`
	Lang   string     `db:"lang"` // of the page they used: en or hi
	MadeAt time.Time  `db:"made_at"`
	DoneAt *time.Time `db:"done_at"` // nil while it waits
	DoneBy string     `db:"done_by"`
}

// Ask keeps a request for tx's tenant. Past the day's measure it is Conflict "trust_full", and while the page is off, or takes no
// requests, ErrNotFound.
func Ask(ctx context.Context, tx *tenants.Tx, r Request) (Request, error) {
	r.Name, r.Reach, r.Body = strings.TrimSpace(r.Name), strings.TrimSpace(r.Reach), strings.TrimSpace(r.Body)
	switch {
	case !slices.Contains(Kinds, r.Kind):
		return Request{}, &tenants.Invalid{Field: "kind", Key: "trust_kind"}
	case utf8.RuneCountInString(r.Name) > maxName:
		return Request{}, &tenants.Invalid{Field: "name", Key: "trust_long"}
	case r.Reach == "":
		return Request{}, &tenants.Invalid{Field: "reach", Key: "trust_reach"}
	case utf8.RuneCountInString(r.Reach) > maxReach:
		return Request{}, &tenants.Invalid{Field: "reach", Key: "trust_long"}
	case r.Body == "":
		return Request{}, &tenants.Invalid{Field: "body", Key: "trust_body"}
	case utf8.RuneCountInString(r.Body) > maxBody:
		return Request{}, &tenants.Invalid{Field: "body", Key: "trust_long"}
	}
	page, err := Get(ctx, tx)
	if err != nil {
		return Request{}, err
	}
	if !page.On || !page.Asks {
		return Request{}, tenants.ErrNotFound
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaTrust); err != nil {
		return Request{}, err
	}
	if r.ID, err = uuid.NewV7(); err != nil {
		return Request{}, fmt.Errorf("make request id: %w", err)
	}
	if err := tx.GetContext(ctx, &r.MadeAt, `
		INSERT INTO trust_requests (tenant_id, id, kind, name, reach, body, lang) VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING made_at`, tx.Tenant, r.ID, r.Kind, r.Name, r.Reach, r.Body, r.Lang); err != nil {
		return Request{}, fmt.Errorf("keep request: %w", err)
	}

	return r, tenants.Audit(ctx, tx, tenants.Act{
		Actor: tenants.SystemActor, Action: "trust.ask", ObjectKind: "request", ObjectID: r.ID.String(), Detail: map[string]any{"kind": r.Kind},
	})
}

// Requests lists what people asked: first what waits, from the oldest on, then what was answered, the newest first. limit is 1 to 200;
// anything else means 200.
func Requests(ctx context.Context, tx *tenants.Tx, limit int) ([]Request, error) {
	if limit < 1 || limit > maxList {
		limit = maxList
	}
	list := []Request{}
	// Ids are made in order of time.
	if err := tx.SelectContext(ctx, &list, `
		(SELECT id, kind, name, reach, body, lang, made_at, done_at, done_by FROM trust_requests
		 WHERE tenant_id = $1 AND done_at IS NULL ORDER BY id LIMIT $2)
		UNION ALL
		(SELECT id, kind, name, reach, body, lang, made_at, done_at, done_by FROM trust_requests
		 WHERE tenant_id = $1 AND done_at IS NOT NULL ORDER BY id DESC LIMIT $2)
		LIMIT $2`, tx.Tenant, limit); err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}

	return list, nil
}

// Asked is one request. ErrNotFound where tx's tenant has none such.
func Asked(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (r Request, err error) {
	err = tx.GetContext(ctx, &r, `
		SELECT id, kind, name, reach, body, lang, made_at, done_at, done_by FROM trust_requests WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Request{}, tenants.ErrNotFound
	}
	if err != nil {
		return Request{}, fmt.Errorf("read request: %w", err)
	}

	return r, nil
}

// Waiting is how many requests nobody has answered.
func Waiting(ctx context.Context, tx *tenants.Tx) (int, error) {
	var n int
	if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM trust_requests WHERE tenant_id = $1 AND done_at IS NULL`, tx.Tenant); err != nil {
		return 0, fmt.Errorf("count waiting requests: %w", err)
	}

	return n, nil
}

// Answered notes that somebody has answered a request. One that was answered before stays as it was.
func Answered(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	var waits []bool
	if err := tx.SelectContext(ctx, &waits, `SELECT done_at IS NULL FROM trust_requests WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id); err != nil {
		return fmt.Errorf("look for request: %w", err)
	}
	if len(waits) == 0 {
		return tenants.ErrNotFound
	}
	if !waits[0] {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE trust_requests SET done_at = now(), done_by = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, actor.Name); err != nil {
		return fmt.Errorf("end request: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "trust.answered", ObjectKind: "request", ObjectID: id.String()})
}
