// Package numbers knows the Meta apps whose secrets sign webhooks and the WhatsApp numbers that businesses connect through
// them: proving with a token that a number is theirs, where its events belong, and letting it go again.
package numbers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// The states of a number. A number is waiting from its connection to its first inbound event, which makes it connected;
// unconfirmed was taken without asking Graph, and routes like any other.
const (
	Waiting      = "waiting"
	Connected    = "connected"
	Unconfirmed  = "unconfirmed"
	Disconnected = "disconnected"
)

// Number is one of a business's own WhatsApp numbers. Its token is never part of it.
type Number struct {
	ID             uuid.UUID  `db:"id"`
	AppID          uuid.UUID  `db:"app_id"`
	App            string     `db:"app"` // the app's name
	WABAID         string     `db:"waba_id"`
	PhoneNumberID  string     `db:"phone_number_id"`
	DisplayPhone   string     `db:"display_phone"` // digits
	Name           string     `db:"name"`          // verified name, as Graph gave it
	PortfolioID    string     `db:"portfolio_id"`  // "" while not known
	Scope          string     `db:"scope"`         // portfolio:<id>, or waba:<id> while the portfolio is not known
	HasToken       bool       `db:"has_token"`
	TokenExpiresAt *time.Time `db:"token_expires_at"` // nil: never, or not known
	TokenProblem   string     `db:"token_problem"`    // reason of a failed check, or ""
	State          string     `db:"state"`
	PhoneFree      bool       `db:"phone_free"`     // no customer's phone is kept of what comes or goes by it
	PhoneCleaning  bool       `db:"phone_cleaning"` // phones are still being taken out of what was stored before
	Checks         Checks     `db:"checks"`         // of the last time Graph was asked; empty when it never was
	CreatedAt      time.Time  `db:"created_at"`
	FirstEventAt   *time.Time `db:"first_event_at"`
	LastEventAt    *time.Time `db:"last_event_at"`
	TestedAt       *time.Time `db:"tested_at"` // last press of the test button in Meta's dashboard
	DisconnectedAt *time.Time `db:"disconnected_at"`
	GraceUntil     *time.Time `db:"grace_until"`      // disconnected, and comes back by Reconnect until then; else nil
	OnApp          bool       `db:"on_app"`           // used in the WhatsApp Business app as well (coexistence)
	OnboardedAt    *time.Time `db:"onboarded_at"`     // when Meta's window last connected it; nil where it was connected by hand
	RegisteredAt   *time.Time `db:"registered_at"`    // when we registered it for sending; nil where that was not ours to do
	TokenCheckedAt *time.Time `db:"token_checked_at"` // last daily look at the token
	QuietSince     *time.Time `db:"quiet_since"`      // nothing has come since, which is out of the ordinary; else nil
}

const selectNumber = `
	SELECT n.phone_free, n.phone_cleaning IS NOT NULL AS phone_cleaning, n.id, n.app_id, coalesce(a.name, '') AS app, n.waba_id, n.phone_number_id, n.display_phone, n.name,
	       coalesce(n.portfolio_id, '') AS portfolio_id, n.scope, n.access_token IS NOT NULL AS has_token, n.token_expires_at,
	       n.token_problem, n.state, n.checks, n.created_at, n.first_event_at, n.last_event_at, n.tested_at, n.disconnected_at,
	       n.grace_until, n.on_app, n.onboarded_at, n.registered_at, n.token_checked_at,
	       CASE WHEN n.state <> 'disconnected' AND n.last_event_at <= n.quiet_since THEN n.quiet_since END AS quiet_since
	FROM numbers n LEFT JOIN apps a ON a.id = n.app_id`

// maxList is the most rows one list answers with.
const maxList = 200

// Get returns a number of tx's tenant, disconnected ones included, or tenants.ErrNotFound.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Number, error) {
	var n Number
	err := tx.GetContext(ctx, &n, selectNumber+`
		WHERE n.tenant_id = $1 AND n.id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Number{}, tenants.ErrNotFound
	}
	if err != nil {
		return Number{}, fmt.Errorf("get number %s: %w", id, err)
	}

	return n, nil
}

// List returns numbers of tx's tenant in the order they were connected, disconnected ones included, from the one after the
// given id on (uuid.Nil: from the start). limit is 1 to 200; anything else means 200.
func List(ctx context.Context, tx *tenants.Tx, after uuid.UUID, limit int) ([]Number, error) {
	if limit < 1 || limit > maxList {
		limit = maxList
	}

	list := []Number{}
	// Ids are made in order of time, so the id alone is the key of the page.
	err := tx.SelectContext(ctx, &list, selectNumber+`
		WHERE n.tenant_id = $1 AND n.id > $2
		ORDER BY n.id LIMIT $3`, tx.Tenant, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list numbers: %w", err)
	}

	return list, nil
}

// Checks are check results as the numbers table keeps them.
type Checks []CheckResult

// Scan reads the jsonb column.
func (c *Checks) Scan(src any) error {
	raw, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("scan checks: got %T", src)
	}

	return json.Unmarshal(raw, c)
}
