package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// key is what makes two deliveries the same.
type key struct {
	app    uuid.UUID
	digest [sha256.Size]byte
}

// store writes a group in one transaction and returns which of them were not there yet.
func (r *Receiver) store(ctx context.Context, group []*delivery) (map[key]bool, error) {
	var (
		apps    []uuid.UUID
		app     pq.Int64Array
		digests = make(pq.ByteaArray, len(group))
		bodies  packed
		sealed  = make(pq.BoolArray, len(group))
	)
	for i, d := range group {
		at := slices.Index(apps, d.app)
		if at < 0 {
			at, apps = len(apps), append(apps, d.app)
		}
		app = append(app, int64(at)+1)
		digests[i] = d.digest[:]
		body, quiet, err := r.hush(d.body)
		if err != nil {
			return nil, err
		}
		sealed[i] = quiet
		bodies.add(body)
	}

	var rows []struct {
		App    int    `db:"app"`
		Digest []byte `db:"digest"`
	}
	var fresh map[key]bool
	err := r.db.System(ctx, func(tx *tenants.Tx) error {
		err := tx.SelectContext(ctx, &rows, `
			WITH given AS (
				SELECT ($1::uuid[])[g.app] AS app_id, g.app, g.digest, g.start, g.size, g.sealed
				FROM unnest($2::int[], $3::bytea[], $4::int[], $5::int[], $8::boolean[]) AS g (app, digest, start, size, sealed)
			), added AS (
				INSERT INTO inbox_events (app_id, digest, body, sealed)
				SELECT app_id, digest, substring($6::bytea FROM start FOR size), sealed FROM given
				ON CONFLICT ON CONSTRAINT inbox_events_digest DO NOTHING
				RETURNING app_id, digest
			), counted AS (
				INSERT INTO app_counters AS c (app_id, slot, accepted, duplicate)
				SELECT app_id, $7, coalesce(n, 0), total - coalesce(n, 0)
				FROM (SELECT app_id, count(*) AS total FROM given GROUP BY app_id) g
				LEFT JOIN (SELECT app_id, count(*) AS n FROM added GROUP BY app_id) a USING (app_id)
				ORDER BY app_id
				ON CONFLICT (app_id, slot) DO UPDATE
				SET accepted = c.accepted + excluded.accepted, duplicate = c.duplicate + excluded.duplicate
			)
			SELECT array_position($1::uuid[], app_id) AS app, digest FROM added`,
			pq.Array(apps), app, digests, bodies.start, bodies.size, bodies.bytes(), r.slot, sealed)
		if err != nil {
			return fmt.Errorf("store deliveries: %w", err)
		}

		fresh = make(map[key]bool, len(rows))
		for _, row := range rows {
			fresh[key{apps[row.App-1], [sha256.Size]byte(row.Digest)}] = true
		}
		if len(rows) < len(group) {
			return noteRepeats(ctx, tx, group, fresh)
		}

		return nil
	})

	return fresh, err
}

// noteRepeats leaves word of the deliveries that came again for the splitter, which knows whose they are.
func noteRepeats(ctx context.Context, tx *tenants.Tx, group []*delivery, fresh map[key]bool) error {
	var (
		apps    []uuid.UUID
		digests pq.ByteaArray
		once    = maps.Clone(fresh)
	)
	for _, d := range group {
		k := key{d.app, d.digest}
		if once[k] {
			delete(once, k)
			continue
		}
		apps, digests = append(apps, d.app), append(digests, d.digest[:])
	}

	_, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_repeats (event_id)
		SELECT e.id FROM unnest($1::uuid[], $2::bytea[]) AS g (app_id, digest)
		JOIN inbox_events e ON e.app_id = g.app_id AND e.digest = g.digest`, pq.Array(apps), digests)
	if err != nil {
		return fmt.Errorf("note repeats: %w", err)
	}

	return nil
}

// full tells whether so much waits to be processed that new deliveries must wait with their sender. It is looked up by itself
// every half second while deliveries come; between, the last answer counts.
func (r *Receiver) full(ctx context.Context) bool {
	now := time.Now().UnixNano()
	if now-r.looked.Load() > int64(backlogEvery) && r.looking.CompareAndSwap(false, true) {
		r.looked.Store(now)
		go func() {
			defer r.looking.Store(false)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
			defer cancel()
			if waiting, err := backlog(ctx, r.db, r.opts.Backlog); err == nil {
				r.backlog.Store(waiting > r.opts.Backlog)
			}
			r.learnQuiet(ctx)
		}()
	}

	return r.backlog.Load()
}

// backlog counts deliveries not split yet, up to a little over limit, and items waiting in lanes.
func backlog(ctx context.Context, db *tenants.DB, limit int64) (waiting int64, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &waiting, `
			SELECT (SELECT count(*) FROM (SELECT 1 FROM inbox_events WHERE split_at IS NULL LIMIT $1 + 1) AS unsplit)
			     + (SELECT coalesce(sum(waiting), 0) FROM inbox_counters)`, limit)
	})
	if err != nil {
		return 0, fmt.Errorf("look at the backlog: %w", err)
	}

	return waiting, nil
}

// Refuse counts a delivery of an app that was refused because its signature does not hold. Counts are written once a second,
// so that a flood of them costs the database nothing.
func (r *Receiver) Refuse(app uuid.UUID) {
	r.flusher.Do(func() {
		r.done.Go(func() {
			tick := time.NewTicker(flushEvery)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					r.flush()
				case <-r.ended:
					return
				}
			}
		})
	})

	r.refusing.Lock()
	defer r.refusing.Unlock()
	r.refused[app]++
}

func (r *Receiver) flush() {
	r.refusing.Lock()
	counts := r.refused
	r.refused = map[uuid.UUID]int64{}
	r.refusing.Unlock()
	if len(counts) == 0 {
		return
	}

	var (
		apps []uuid.UUID
		n    pq.Int64Array
	)
	for app, count := range counts {
		apps, n = append(apps, app), append(n, count)
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := r.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO app_counters AS c (app_id, slot, refused, refused_at)
			SELECT g.app_id, $3, g.n, now() FROM unnest($1::uuid[], $2::bigint[]) AS g (app_id, n) ORDER BY g.app_id
			ON CONFLICT (app_id, slot) DO UPDATE SET refused = c.refused + excluded.refused, refused_at = now()`,
			pq.Array(apps), n, r.slot)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO app_refusals AS c (app_id, slot, at, refused)
			SELECT g.app_id, extract(epoch FROM now())::bigint / 3600 % $3, date_trunc('hour', now(), 'UTC'), g.n
			FROM unnest($1::uuid[], $2::bigint[]) AS g (app_id, n) ORDER BY g.app_id
			ON CONFLICT (app_id, slot) DO UPDATE
			SET refused = CASE WHEN c.at = excluded.at THEN c.refused + excluded.refused ELSE excluded.refused END, at = excluded.at`,
			pq.Array(apps), n, refusalHours)
		return err
	})
	if err == nil {
		return
	}

	r.opts.Log.Error("refused deliveries not counted yet", "error", err)
	r.refusing.Lock()
	defer r.refusing.Unlock()
	for app, count := range counts {
		r.refused[app] += count
	}
}
