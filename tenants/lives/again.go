package lives

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Gone is a business that was erased, and when.
type Gone struct {
	Tenant uuid.UUID `db:"id"`
	At     time.Time `db:"state_since"`
}

// Erased lists the businesses that were erased, for a ledger kept outside the database.
func Erased(ctx context.Context, tx *tenants.Tx) ([]Gone, error) {
	var list []Gone
	if err := tx.SelectContext(ctx, &list, `SELECT id, state_since FROM tenants WHERE state = 'erased' AND erased IS NOT NULL ORDER BY id`); err != nil {
		return nil, fmt.Errorf("list erased businesses: %w", err)
	}

	return list, nil
}

// Again erases businesses that were erased before and that a backup from before that has brought back; n is how many it were. Nobody gets
// another receipt. One that cannot be brought to its end now is gone on with by and by, like any other.
func (w *Worker) Again(ctx context.Context, actor tenants.Actor, businesses []uuid.UUID) (n int, err error) {
	for _, id := range businesses {
		j := job{Tenant: id, Rows: map[string]int64{}, People: []uuid.UUID{}, Again: true}
		err := w.db.System(ctx, func(tx *tenants.Tx) error { return begin(ctx, tx, actor, &j) })
		if errors.Is(err, tenants.ErrNotFound) {
			continue
		}
		if err != nil {
			return n, err
		}
		if err := w.erase(ctx, &j); err != nil {
			return n, errors.Join(fmt.Errorf("erase business %s again: %w", id, err), w.putOff(context.WithoutCancel(ctx), j))
		}
		n++
	}

	return n, nil
}

// begin has the grace of a business be over at once. tenants.ErrNotFound where it is not there, or is erased.
func begin(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, j *job) error {
	done, err := tx.ExecContext(ctx, `
		UPDATE tenants SET state = 'closing', state_since = now(), state_by = $2, erase_after = now() WHERE id = $1 AND state <> 'erased'`, j.Tenant, actor.Name)
	if err != nil {
		return fmt.Errorf("end grace of a business: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(tenants.ErrNotFound, err)
	}
	if err := tx.GetContext(ctx, &j.ID, `
		INSERT INTO jobs (id, kind, args, state, run_at) VALUES (md5($1::text || ' ' || $2::uuid)::uuid, $1, '{}', 'running', now() + make_interval(secs => $3))
		ON CONFLICT (id) DO UPDATE SET state = 'running', run_at = excluded.run_at, tries = 0, problem = '', finished_at = NULL
		RETURNING id`, KindErase, j.Tenant, workLimit.Seconds()); err != nil {
		return fmt.Errorf("plan erasing: %w", err)
	}
	if err := note(ctx, tx, j); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "tenant.erase_again", ObjectKind: "tenant", ObjectID: j.Tenant.String()})
}
