package forward

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
)

const (
	leaseLife = time.Minute
	turnLimit = 30 * time.Second // no call of a turn begins later; each ends well before the lease does
	keepLimit = 20 * time.Second
	notYet    = time.Second
)

// turn is a target while it is served.
type turn struct {
	lane
	lease    uuid.UUID
	gen      int64
	failures int
	address  string
	number   uuid.NullUUID
	secrets  []string
	failing  *time.Time
	host     string
	waiting  []waiting
	most     int
}

type waiting struct {
	ID      uuid.UUID     `db:"id"`
	Kind    string        `db:"kind"`
	Event   sql.NullInt64 `db:"event_id"`
	Contact uuid.NullUUID `db:"contact_id"`
	Tries   int           `db:"tries"`
	MadeAt  time.Time     `db:"made_at"`
}

// serve gives a target its turn.
func (s *Sender) serve(ctx context.Context, l lane) error {
	t, ok, err := s.claim(ctx, l)
	if err != nil {
		return errors.Join(err, s.rest(ctx, l))
	}
	if !ok {
		return nil
	}
	s.step("claimed")

	var sent, failed atomic.Int64
	group := errgroup.Group{}
	group.SetLimit(atOnce)
	began := time.Now()
	for _, w := range t.waiting {
		if ctx.Err() != nil || failed.Load() > 0 || time.Since(began) > turnLimit {
			break // a target that fails is asked no more in this turn
		}
		group.Go(func() error {
			o, err := s.one(ctx, t, w)
			switch {
			case err != nil:
				return err
			case o == nil:
			case o.reason == "":
				sent.Add(1)
			default:
				failed.Add(1)
			}

			return nil
		})
	}
	err = group.Wait()

	// Also where ctx has ended: else nobody may serve the target until the lease runs out.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	if sent.Load()+failed.Load() > 0 {
		s.log.Info("passed on", "tenant", t.Tenant, "target", t.Target, "host", t.host, "sent", sent.Load(), "failed", failed.Load())
	}

	rest := time.Duration(0)
	if err != nil {
		rest = longRest // it is we who fail: not the target's doing, and not mended by trying at once
	}

	return errors.Join(err, s.release(keeping, t, int(sent.Load()), int(failed.Load()), rest))
}

// rest keeps a target that cannot be served, as its secret does not open, from being served again at once.
func (s *Sender) rest(ctx context.Context, l lane) error {
	return s.db.As(ctx, l.Tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE forward_lanes SET rest_until = now() + $3 * interval '1 second' WHERE tenant_id = $1 AND target_id = $2`,
			l.Tenant, l.Target, longRest.Seconds()); err != nil {
			return fmt.Errorf("let target rest: %w", err)
		}

		return nil
	})
}

// claim takes the lease of a target and reads what is to be passed on to it. ok is false where somebody else was quicker, or it is not on.
func (s *Sender) claim(ctx context.Context, l lane) (t turn, ok bool, err error) {
	t = turn{lane: l, lease: uuid.New(), most: s.most}
	err = s.db.As(ctx, l.Tenant, func(tx *tenants.Tx) error {
		err := tx.QueryRowxContext(ctx, `
			UPDATE forward_lanes SET lease = $3, leased_until = now() + $4 * interval '1 second', served_at = now()
			WHERE tenant_id = $1 AND target_id = $2 AND ready AND not_before <= now() AND rest_until <= now() AND leased_until <= now()
			  AND EXISTS (SELECT 1 FROM tenants WHERE id = $1 AND state = ANY($5))
			RETURNING gen, failures`, l.Tenant, l.Target, t.lease, leaseLife.Seconds(), pq.Array(tenants.StatesOf(tenants.Working))).Scan(&t.gen, &t.failures)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lease target: %w", err)
		}
		ok = true

		return s.read(ctx, tx, &t)
	})

	return t, ok, err
}

// read opens a target and takes what is to be passed on next. One that is ill gets one thing, that was tried least.
func (s *Sender) read(ctx context.Context, tx *tenants.Tx, t *turn) error {
	var row struct {
		State   string        `db:"state"`
		Host    string        `db:"host"`
		Address []byte        `db:"address"`
		Number  uuid.NullUUID `db:"number_id"`
		Secret  []byte        `db:"secret"`
		Old     []byte        `db:"old_secret"`
		Failing *time.Time    `db:"failing_since"`
	}
	if err := tx.GetContext(ctx, &row, `
		SELECT state, host, address, number_id, secret, CASE WHEN old_until > now() THEN old_secret END AS old_secret, failing_since
		FROM forward_targets WHERE tenant_id = $1 AND id = $2`, t.Tenant, t.Target); err != nil {
		return fmt.Errorf("read target: %w", err)
	}
	if row.State != On {
		return nil // it has nothing to pass on, and goes to rest
	}
	t.host, t.number, t.failing = row.Host, row.Number, row.Failing
	address, err := s.keys.Open(t.Tenant, sealAddress, row.Address)
	if err != nil {
		return fmt.Errorf("open address: %w", err)
	}
	t.address = string(address)
	for _, sealed := range [][]byte{row.Secret, row.Old} {
		if sealed == nil {
			continue
		}
		secret, err := s.keys.Open(t.Tenant, sealSecret, sealed)
		if err != nil {
			return fmt.Errorf("open secret: %w", err)
		}
		t.secrets = append(t.secrets, string(secret))
	}

	limit, order := batch, `not_before`
	if t.failures >= breakAfter {
		limit, order = 1, `kind <> 'test', tries, not_before` // somebody waits for a test
	}
	if err := tx.SelectContext(ctx, &t.waiting, `
		SELECT id, kind, event_id, contact_id, tries, made_at FROM forwards
		WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND not_before <= now()
		ORDER BY `+order+`, event_id LIMIT $3`, t.Tenant, t.Target, limit); err != nil {
		return fmt.Errorf("read what waits: %w", err)
	}

	return nil
}

// one passes one thing on, and keeps what came of it. Without an outcome it was not tried.
func (s *Sender) one(ctx context.Context, t turn, w waiting) (*outcome, error) {
	p, err := s.pack(ctx, t, w)
	// From here on it may be out, so what comes of it is kept even where ctx ends.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout+keepLimit)
	defer cancel()
	var none *nothing
	switch {
	case errors.As(err, &none):
		return nil, s.settle(keeping, t, w, `state = 'dropped', reason = $4, done_at = now()`, none.reason)
	case errors.Is(err, errNotYet):
		return nil, s.settle(keeping, t, w, `not_before = now() + $4 * interval '1 second'`, notYet.Seconds())
	case err != nil:
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, nil //nolint:nilnil // it stays where it is
	}

	o := s.caller.call(keeping, t.address, p)
	s.step("called")
	if o.reason == "" {
		err = s.settle(keeping, t, w, `state = 'sent', reason = '', status = $4, tries = tries + 1, done_at = now()`, o.status)
	} else {
		err = s.fail(keeping, t, w, o)
	}
	s.step("settled")

	return &o, err
}

// settle changes a forward that waits.
func (s *Sender) settle(ctx context.Context, t turn, w waiting, set string, args ...any) error {
	return s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE forwards SET `+set+` WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND state = 'waiting'`,
			append([]any{t.Tenant, t.Target, w.ID}, args...)...)
		if err != nil {
			return fmt.Errorf("keep what came of forward %s: %w", w.ID, err)
		}

		return nil
	})
}

// fail notes a try that failed, and when the next one is.
func (s *Sender) fail(ctx context.Context, t turn, w waiting, o outcome) error {
	set, rest := `state = 'failed', done_at = now(), not_before = now() + $6 * interval '1 second'`, time.Duration(0)
	if w.Tries < len(plan) {
		set, rest = `not_before = now() + $6 * interval '1 second'`, plan[w.Tries]
		rest += rand.N(rest / 10)
	}

	return s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE forwards SET reason = $4, status = $5, tries = tries + 1, `+set+`
			WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND state = 'waiting'`,
			t.Tenant, t.Target, w.ID, o.reason, o.status, rest.Seconds()); err != nil {
			return fmt.Errorf("keep that forward %s failed: %w", w.ID, err)
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO forward_tries (tenant_id, forward_id, n, reason, status, answer)
			SELECT $1, $2, 1 + coalesce(max(n), 0), $3, $4, $5 FROM forward_tries WHERE tenant_id = $1 AND forward_id = $2`,
			t.Tenant, w.ID, o.reason, o.status, o.answer); err != nil {
			return fmt.Errorf("log try of forward %s: %w", w.ID, err)
		}

		return nil
	})
}

// release gives a target back: to rest where it fails, else until more is to be passed on. One that is well again gets at once what waited for
// it to be.
func (s *Sender) release(ctx context.Context, t turn, sent, failed int, rest time.Duration) error {
	return s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		failures := t.failures
		switch {
		case failed > 0:
			failures += failed
			if failures >= breakAfter {
				rest = max(rest, min(firstRest<<min((failures-breakAfter), 8), longRest))
			}
		case sent > 0:
			failures = 0
			if err := t.well(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE forward_lanes l
			SET lease = NULL, leased_until = now(), failures = $4, ready = on_now AND (l.gen <> $5 OR next IS NOT NULL),
			    not_before = CASE WHEN l.gen = $5 THEN coalesce(next, now()) ELSE now() END, rest_until = now() + $6 * interval '1 second'
			FROM (SELECT (SELECT state = 'on' FROM forward_targets WHERE tenant_id = $1 AND id = $2) AS on_now,
			             (SELECT min(not_before) FROM forwards WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting') AS next) w
			WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.lease = $3`,
			t.Tenant, t.Target, t.lease, failures, t.gen, rest.Seconds())
		if err != nil {
			return fmt.Errorf("release target: %w", err)
		}
		if failed > 0 {
			return t.ill(ctx, tx, time.Now())
		}

		return nil
	})
}

// ill keeps since when a target fails, tells the owners after a while, and stops it after days, or when too much waits for it.
func (t turn) ill(ctx context.Context, tx *tenants.Tx, now time.Time) error {
	var since time.Time
	err := tx.GetContext(ctx, &since, `
		UPDATE forward_targets SET failing_since = coalesce(failing_since, now()) WHERE tenant_id = $1 AND id = $2 AND state = 'on'
		RETURNING failing_since`, t.Tenant, t.Target)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep that a target fails: %w", err)
	}
	tell := notices.Own{Field: notices.FieldForward, Event: notices.ForwardFailing, At: since.UTC(), Facts: notices.Facts{"host": t.host, "target": t.Target.String()}}
	var much bool
	if err := tx.GetContext(ctx, &much, `
		SELECT count(*) > $3 FROM (SELECT 1 FROM forwards WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' LIMIT $3 + 1) w`,
		t.Tenant, t.Target, t.most); err != nil {
		return fmt.Errorf("count what waits for a target: %w", err)
	}
	switch failing := now.Sub(since); {
	case failing >= StopAfter || much:
		if _, err := tx.ExecContext(ctx, `
			UPDATE forward_targets SET state = 'stopped' WHERE tenant_id = $1 AND id = $2 AND state = 'on'`, t.Tenant, t.Target); err != nil {
			return fmt.Errorf("stop target: %w", err)
		}
		tell.Event = notices.ForwardStopped
		if err := notices.Tell(ctx, tx, tell); err != nil {
			return err
		}

		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: tenants.SystemActor, Action: "forward.stop", ObjectKind: "forward", ObjectID: t.Target.String(), Detail: map[string]any{"host": t.host},
		})
	case failing >= tellAfter:
		return notices.Tell(ctx, tx, tell)
	}

	return nil
}

// well ends a target's failing, and has what waits go now rather than when it was put off to.
func (t turn) well(ctx context.Context, tx *tenants.Tx) error {
	if t.failing == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE forward_targets SET failing_since = NULL WHERE tenant_id = $1 AND id = $2`, t.Tenant, t.Target); err != nil {
		return fmt.Errorf("keep that a target is well: %w", err)
	}
	if t.failures < breakAfter {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE forwards SET not_before = now() WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND not_before > now()`, t.Tenant, t.Target); err != nil {
		return fmt.Errorf("have what waited go: %w", err)
	}

	return nil
}
