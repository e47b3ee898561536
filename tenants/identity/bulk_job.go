package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// KindBulk is the kind of the jobs that carry on with many cases where whoever decided them has left off. A Bulk has one, which bears
// its id and is written with its first step, so that nothing depends on a page that stays open.
const KindBulk = "bulk"

// attended is how long a job waits after each step that somebody waited for.
const attended = 3 // seconds

type bulkArgs struct {
	Kind string `json:"actor_kind"`
	By   string `json:"actor_id"`
	Name string `json:"actor_name"`
	Back bool   `json:"back"` // takes back
	Any  bool   `json:"any"`  // may take back what others decided
}

// leave has a job carry on from here a little later.
func (b Bulk) leave(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, back, mayAny bool, done int) error {
	args, err := json.Marshal(bulkArgs{Kind: actor.Kind, By: actor.ID, Name: actor.Name, Back: back, Any: mayAny})
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args, total, done, run_at) VALUES ($2, $1, $3, $4, $5, $6, now() + $7 * interval '1 second')
		ON CONFLICT (id) DO UPDATE
		SET args = excluded.args, state = 'running', done = excluded.done, run_at = excluded.run_at, tries = 0, problem = '', finished_at = NULL`,
		tx.Tenant, b.ID, KindBulk, string(args), b.Total, done, attended); err != nil {
		return fmt.Errorf("leave bulk to a job: %w", err)
	}

	return nil
}

// finish ends the job, where there is one.
func (b Bulk) finish(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'done', done = total, finished_at = now() WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND state <> 'done'`,
		tx.Tenant, b.ID, KindBulk); err != nil {
		return fmt.Errorf("finish job of bulk: %w", err)
	}

	return nil
}

// ContinueBulk does the next step of the job of a Bulk, if it is due, for whoever decided. A decision that has become another's, or
// was taken back, ends the job.
func ContinueBulk(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	// First the tenant, then the job, as whoever decides does.
	if err := Lock(ctx, tx); err != nil {
		return err
	}
	var raw []byte
	err := tx.GetContext(ctx, &raw, `
		SELECT args FROM jobs
		WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND state IN ('waiting', 'running') AND run_at <= now() FOR UPDATE`, tx.Tenant, id, KindBulk)
	if noRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim job: %w", err)
	}
	var args bulkArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return fmt.Errorf("read job: %w", err)
	}

	var more bool
	actor := tenants.Actor{Kind: args.Kind, ID: args.By, Name: args.Name}
	if args.Back {
		more, err = UndoBulk(ctx, tx, actor, id, args.Any)
	} else {
		more, err = RunBulk(ctx, tx, actor, id)
	}
	switch {
	case tenants.ConflictCode(err) != "", errors.Is(err, tenants.ErrForbidden), errors.Is(err, tenants.ErrNotFound):
		return Bulk{ID: id}.finish(ctx, tx)
	case err != nil:
		return err
	case !more:
		return nil
	}
	// Lanes ask for the tenant's lock rather than wait for it, so between two steps they get a moment.
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET run_at = clock_timestamp() + interval '100 milliseconds' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("keep job going: %w", err)
	}

	return nil
}
