package forward

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Test queues a delivery made up for a target: of a customer that does not exist. It goes as all others do, and what comes of it is in the log.
func Test(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
	t, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	if t.State != On {
		return &tenants.Conflict{Code: "forward_off"}
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaForwardTests); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO forwards (tenant_id, id, target_id, kind) VALUES ($1, gen_random_uuid(), $2, 'test')`, tx.Tenant, id); err != nil {
		return fmt.Errorf("queue test: %w", err)
	}
	if err := wakeLane(ctx, tx, id); err != nil {
		return err
	}

	return audit(ctx, tx, by, "forward.test", t)
}

// Again queues a forward anew that failed or was sent, with its id, so that who took it already knows it. One that waits goes at once.
func Again(ctx context.Context, tx *tenants.Tx, by tenants.Actor, target, id uuid.UUID) error {
	t, err := locked(ctx, tx, target)
	if err != nil {
		return err
	}
	if t.State != On {
		return &tenants.Conflict{Code: "forward_off"}
	}
	result, err := tx.ExecContext(ctx, `
		UPDATE forwards SET state = 'waiting', tries = CASE state WHEN 'waiting' THEN tries ELSE 0 END, not_before = now(), done_at = NULL
		WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND state <> 'dropped'`, tx.Tenant, target, id)
	if err != nil {
		return fmt.Errorf("pass on again: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}
	if err := wakeLane(ctx, tx, target); err != nil {
		return err
	}

	return audit(ctx, tx, by, "forward.again", t)
}

// AllAgain queues all that failed of a target, and tells how many that is.
func AllAgain(ctx context.Context, tx *tenants.Tx, by tenants.Actor, target uuid.UUID) (n int64, err error) {
	t, err := locked(ctx, tx, target)
	if err != nil {
		return 0, err
	}
	if t.State != On {
		return 0, &tenants.Conflict{Code: "forward_off"}
	}
	result, err := tx.ExecContext(ctx, `
		UPDATE forwards SET state = 'waiting', tries = 0, not_before = now(), done_at = NULL
		WHERE tenant_id = $1 AND target_id = $2 AND state = 'failed'`, tx.Tenant, target)
	if err != nil {
		return 0, fmt.Errorf("pass on again what failed: %w", err)
	}
	if n, err = result.RowsAffected(); err != nil || n == 0 {
		return 0, err //nolint:wrapcheck // nothing to do
	}
	if err := wakeLane(ctx, tx, target); err != nil {
		return 0, err
	}

	return n, audit(ctx, tx, by, "forward.again", t)
}

// wakeLane has a lane that rests after failures tried at once.
func wakeLane(ctx context.Context, tx *tenants.Tx, target uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE forward_lanes SET ready = true, gen = gen + 1, not_before = now(), rest_until = now() WHERE tenant_id = $1 AND target_id = $2`, tx.Tenant, target); err != nil {
		return fmt.Errorf("wake lane of forward target: %w", err)
	}

	return nil
}

// Erased queues word of somebody's erasure for all targets, as what they hold of the contacts is to go, too; and forgets what targets answered,
// which may quote customers.
func Erased(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `UPDATE forward_tries SET answer = '' WHERE tenant_id = $1 AND answer <> ''`, tx.Tenant); err != nil {
		return fmt.Errorf("forget what targets answered: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO forwards (tenant_id, id, target_id, kind, contact_id)
		SELECT $1, gen_random_uuid(), t.id, 'erased', c FROM forward_targets t, unnest($2::uuid[]) AS c
		WHERE t.tenant_id = $1 AND t.state <> 'removed'
		  AND NOT EXISTS (SELECT 1 FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = t.id AND f.contact_id = c)`, tx.Tenant, pq.Array(contacts)); err != nil {
		return fmt.Errorf("queue word of an erasure: %w", err)
	}

	if _, err := tx.ExecContext(ctx, `
		UPDATE forward_lanes l SET ready = true, gen = gen + 1, not_before = now()
		WHERE tenant_id = $1 AND EXISTS (SELECT 1 FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = l.target_id AND f.state = 'waiting')`, tx.Tenant); err != nil {
		return fmt.Errorf("make forward targets ready: %w", err)
	}

	return nil
}

// Page asks for a page of the log: of one state, "" for any, after the place of the page before.
type Page struct {
	State  string
	Before Forward // MadeAt and ID are set; the zero one for the first page
	Limit  int     // 1 to 100
}

// Log lists what was passed on to a target, the newest first.
func Log(ctx context.Context, tx *tenants.Tx, target uuid.UUID, p Page) ([]Forward, error) {
	switch p.State {
	case "", Waiting, Sent, Failed, Dropped:
	default:
		return nil, &tenants.Invalid{Field: "state", Key: "choice"}
	}
	list := []Forward{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, kind, state, reason, status, tries, not_before, made_at, done_at FROM forwards
		WHERE tenant_id = $1 AND target_id = $2 AND ($3 = '' OR state = $3) AND ($4 OR (made_at, id) < ($5, $6))
		ORDER BY made_at DESC, id DESC LIMIT $7`, tx.Tenant, target, p.State, p.Before.ID == uuid.Nil, p.Before.MadeAt, p.Before.ID, min(max(p.Limit, 1), 100)); err != nil {
		return nil, fmt.Errorf("list forwards: %w", err)
	}

	return list, nil
}

// TriesOf lists the tries of forwards that failed, by forward, each in order.
func TriesOf(ctx context.Context, tx *tenants.Tx, list []Forward) (map[uuid.UUID][]Try, error) {
	ids := make([]uuid.UUID, len(list))
	for i, f := range list {
		ids[i] = f.ID
	}
	var rows []struct {
		Forward uuid.UUID `db:"forward_id"`
		Try
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT forward_id, n, at, reason, status, answer FROM forward_tries
		WHERE tenant_id = $1 AND forward_id = ANY($2) ORDER BY forward_id, n`, tx.Tenant, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("list tries of forwards: %w", err)
	}
	tries := map[uuid.UUID][]Try{}
	for _, r := range rows {
		tries[r.Forward] = append(tries[r.Forward], r.Try)
	}

	return tries, nil
}
