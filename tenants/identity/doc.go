// Package identity decides who is who: identifiers WhatsApp sends, the accounts (identities) that hold them, the people
// (contacts) a business knows them as, and the journal of every link between them.
//
// What WhatsApp attests is a pure function of the evidence and of people's decisions (derive.go, timeline.go): when an event
// brings new evidence, the component of identifiers it touches is derived again and the difference applied (apply.go). So
// the order and number of deliveries do not change the outcome. What people and names suggest only makes a case (cases.go).
//
// All writing for one tenant happens under Lock, so that a lane and an agent's merge never interleave.
package identity

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
)

// Lock makes tx the only transaction that changes identities of its tenant, until it ends. Lanes, merges, undos and decisions
// take it first. It costs a waiting merge at most one lane batch (tens of milliseconds) and rules out a whole class of races.
//
// The transaction then plans for any tenant, not for what PostgreSQL's statistics say of this one: of a tenant younger than they
// are they say that it has no rows, and joins of a few hundred contacts would take minutes. Even so it may take the index of values for
// an identifier given by its id, and read all of a kind: beside an id the kind is written d.kind || ”, which no index answers.
func Lock(ctx context.Context, tx *tenants.Tx) error {
	if tx.Holds(ownLock) {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		SELECT set_config('plan_cache_mode', 'force_generic_plan', true), pg_advisory_xact_lock(hashtextextended('identity ' || $1, 0))`, tx.Tenant.String()); err != nil {
		return fmt.Errorf("lock identities: %w", err)
	}
	tx.Hold(ownLock)

	return nil
}

const ownLock = "identity"

// TryLock is Lock for workers: false where somebody else holds it.
func TryLock(ctx context.Context, tx *tenants.Tx) (bool, error) {
	var got bool
	if err := tx.GetContext(ctx, &got, `
		SELECT pg_try_advisory_xact_lock(hashtextextended('identity ' || $1, 0)) AND set_config('plan_cache_mode', 'force_generic_plan', true) <> ''`, tx.Tenant.String()); err != nil {
		return false, fmt.Errorf("try to lock identities: %w", err)
	}
	if got {
		tx.Hold(ownLock)
	}

	return got, nil
}
