package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// ReplayInput says what to process again: a tenant's items received from From until before To, or those of ItemIDs, 1 to 1,000.
type ReplayInput struct {
	From, To time.Time
	ItemIDs  []int64
}

// replayArgs is a replay as its job remembers it: what to do, and how far it has come.
type replayArgs struct {
	From    time.Time  `json:"from"`
	To      time.Time  `json:"to"`
	ItemIDs []int64    `json:"item_ids,omitempty"`
	AfterAt time.Time  `json:"after_at"` // the last item put back into the lane
	AfterID int64      `json:"after_id"`
	Put     *time.Time `json:"put,omitempty"` // when the last of all was put back
}

// MaxReplayIDs is how many items one replay may name.
const MaxReplayIDs = 1000

const (
	kindReplay     = "replay"
	replayRows     = 500     // items put back in one transaction
	replayBytes    = 8 << 20 // of deliveries read for them
	replayCrowd    = 4000    // items waiting in the tenant's lane at which a replay waits: new ones come first
	replayPause    = 200 * time.Millisecond
	maxReplayTries = 8
)

// Replay has stored bytes processed again, for instance once the code reads better what it set aside: each item is cut anew
// from its delivery and goes through the lane once more. Messages, contacts and cases that exist are not doubled. It returns
// the job to watch with JobByID. An item that is not the tenant's is tenants.ErrNotFound.
func Replay(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in ReplayInput) (uuid.UUID, error) {
	// PostgreSQL refuses some of the zones that people may write, and JSON the years past 9999.
	in.From, in.To = in.From.UTC(), in.To.UTC()
	slices.Sort(in.ItemIDs)
	in.ItemIDs = slices.Compact(in.ItemIDs)
	switch {
	case len(in.ItemIDs) > MaxReplayIDs:
		return uuid.Nil, &tenants.Invalid{Field: "item_ids", Key: "too_many"}
	case len(in.ItemIDs) == 0 && in.From.IsZero():
		return uuid.Nil, &tenants.Invalid{Field: "from", Key: "required"}
	case in.From.Year() < 0 || in.From.Year() > 9999:
		return uuid.Nil, &tenants.Invalid{Field: "from", Key: "bad_time"}
	case in.To.Year() < 0 || in.To.Year() > 9999:
		return uuid.Nil, &tenants.Invalid{Field: "to", Key: "bad_time"}
	case len(in.ItemIDs) == 0 && !in.To.After(in.From):
		return uuid.Nil, &tenants.Invalid{Field: "to", Key: "time_order"}
	}

	var (
		total int
		err   error
	)
	if len(in.ItemIDs) > 0 {
		err = tx.GetContext(ctx, &total, `SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(in.ItemIDs))
	} else {
		err = tx.GetContext(ctx, &total, `
			SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND received_at >= $2 AND received_at < $3`, tx.Tenant, in.From, in.To)
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("count items to replay: %w", err)
	}
	if len(in.ItemIDs) > 0 && total != len(in.ItemIDs) {
		return uuid.Nil, tenants.ErrNotFound
	}

	args, err := json.Marshal(replayArgs{From: in.From, To: in.To, ItemIDs: in.ItemIDs, AfterAt: in.From})
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode replay: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make job id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args, total) VALUES ($1, $2, $3, $4, $5)`, id, tx.Tenant, kindReplay, string(args), total); err != nil {
		return uuid.Nil, fmt.Errorf("write job: %w", err)
	}

	detail := map[string]any{"items": total}
	if len(in.ItemIDs) == 0 {
		detail["from"], detail["to"] = in.From, in.To
	}

	return id, tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "ingest.replay", ObjectKind: "job", ObjectID: id.String(), Detail: detail})
}

// Job is background work of a tenant, to be watched.
type Job struct {
	ID         uuid.UUID  `db:"id" json:"id"`
	Kind       string     `db:"kind" json:"kind"`
	State      string     `db:"state" json:"state"` // waiting, running, done, dead
	Total      int        `db:"total" json:"total"`
	Done       int        `db:"done" json:"done"`
	Problem    string     `db:"problem" json:"problem,omitempty"` // why it is dead
	CreatedAt  time.Time  `db:"created_at" json:"created_at"`
	FinishedAt *time.Time `db:"finished_at" json:"finished_at,omitempty"`
}

// JobByID returns a job of tx's tenant, or tenants.ErrNotFound.
func JobByID(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Job, error) {
	var job Job
	err := tx.GetContext(ctx, &job, `
		SELECT id, kind, state, total, done, problem, created_at, finished_at FROM jobs WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if noRows(err) {
		return Job{}, tenants.ErrNotFound
	}
	if err != nil {
		return Job{}, fmt.Errorf("get job %s: %w", id, err)
	}

	return job, nil
}

// replayJob is a job while a step of it is done.
type replayJob struct {
	ID     uuid.UUID `db:"id"`
	Tenant uuid.UUID `db:"tenant_id"`
	Args   []byte    `db:"args"`
	Tries  int       `db:"tries"`
	args   replayArgs
}

// replayStep does one step of the replay that has waited longest, in one transaction with the job's progress, so that a worker
// that dies costs nothing. more tells whether there was one to do.
func (w *Worker) replayStep(ctx context.Context) (more bool, err error) {
	var job replayJob
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		err := tx.GetContext(ctx, &job, `
			SELECT id, tenant_id, args, tries FROM jobs
			WHERE kind = $1 AND state IN ('waiting', 'running') AND run_at <= now()
			ORDER BY run_at LIMIT 1
			FOR UPDATE SKIP LOCKED`, kindReplay)
		if noRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim replay: %w", err)
		}
		if err := json.Unmarshal(job.Args, &job.args); err != nil {
			return fmt.Errorf("read replay: %w", err)
		}
		more = true

		return job.step(ctx, tx, w.keys)
	})
	if err == nil {
		if more {
			signal(w.ready)
			signal(w.arrive)
		}

		return more, nil
	}
	if job.ID == uuid.Nil || ctx.Err() != nil {
		return false, err
	}

	return true, w.postpone(ctx, job, err)
}

// step puts the next items back, or, when all are, waits for the lane to have them processed.
func (j *replayJob) step(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring) error {
	if j.args.Put != nil {
		return j.settle(ctx, tx)
	}

	var waiting int64
	if err := tx.GetContext(ctx, &waiting, `SELECT coalesce(sum(waiting), 0) FROM inbox_counters WHERE tenant_id = $1`, j.Tenant); err != nil {
		return fmt.Errorf("look at the lane: %w", err)
	}
	if waiting > replayCrowd {
		return j.keep(ctx, tx, 0, replayPause)
	}

	items, err := j.next(ctx, tx)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		// The clock of the items' since.
		if err := tx.GetContext(ctx, &j.args.Put, `SELECT now()`); err != nil {
			return fmt.Errorf("read the time: %w", err)
		}

		return j.keep(ctx, tx, 0, 0)
	}
	if err := putBack(ctx, tx, keys, j.Tenant, items); err != nil {
		return err
	}
	last := items[len(items)-1]
	j.args.AfterAt, j.args.AfterID = last.ReceivedAt, last.ID

	return j.keep(ctx, tx, len(items), 0)
}

// settle ends the job once nothing that it put back is waiting any more.
func (j *replayJob) settle(ctx context.Context, tx *tenants.Tx) error {
	var waiting bool
	err := tx.GetContext(ctx, &waiting, `
		SELECT EXISTS (SELECT 1 FROM inbox_items WHERE tenant_id = $1 AND state = 'waiting' AND reason = $3 AND since <= $2)`,
		j.Tenant, j.args.Put, replaying)
	if err != nil {
		return fmt.Errorf("look for replayed items: %w", err)
	}
	if waiting {
		return j.keep(ctx, tx, 0, replayPause)
	}

	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'done', total = greatest(total, done), finished_at = now() WHERE id = $1`, j.ID); err != nil {
		return fmt.Errorf("finish replay: %w", err)
	}

	return nil
}

// keep writes the progress and lets other jobs have their turn.
func (j *replayJob) keep(ctx context.Context, tx *tenants.Tx, done int, pause time.Duration) error {
	args, err := json.Marshal(j.args)
	if err != nil {
		return fmt.Errorf("encode replay: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'running', args = $2, done = done + $3, tries = 0, run_at = now() + $4 * interval '1 second'
		WHERE id = $1`, j.ID, string(args), done, pause.Seconds())
	if err != nil {
		return fmt.Errorf("keep progress of replay: %w", err)
	}

	return nil
}

// postpone has a step that failed tried again later; one that fails for good ends its job.
func (w *Worker) postpone(ctx context.Context, j replayJob, cause error) error {
	w.log.Error("job failed", "job", j.ID, "tenant", j.Tenant, "error", class(cause))
	dead := j.Tries+1 >= maxReplayTries && !transient(cause)

	return w.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs
			SET tries = tries + 1, run_at = now() + least(tries + 1, 30) * interval '1 second',
			    state = CASE WHEN $2 THEN 'dead' ELSE state END, problem = CASE WHEN $2 THEN $3 ELSE problem END,
			    finished_at = CASE WHEN $2 THEN now() END
			WHERE id = $1`, j.ID, dead, class(cause))
		if err != nil {
			return fmt.Errorf("postpone replay: %w", err)
		}

		return nil
	})
}
