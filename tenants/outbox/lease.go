package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	// leaseLife is how long a number is left to a sender that says nothing. It is prolonged before each call, which ends within ten
	// seconds, so a lease that has run out belongs to a process that is dead or was asleep for longer than that.
	leaseLife = 45 * time.Second

	firstRest = 5 * time.Second // between two tries of a number in trouble, doubled each time
	longRest  = time.Minute
	tokenRest = 10 * time.Second // between two looks whether the token is another; Graph is not asked
)

// errLost says that the lease has run out and somebody else may be serving the number, or that nobody may.
var errLost = errors.New("the lease of the number was lost")

// turn is a number while it is served.
type turn struct {
	lane
	lease    uuid.UUID
	gen      int64
	failures int
	trouble  string // what kept it from sending the last time
	number   numbers.Number
	token    string
	waiting  []waiting
}

type waiting struct {
	ID       uuid.UUID `db:"id"`
	Identity uuid.UUID `db:"identity_id"`
	Tries    int       `db:"tries"`
	Reason   string    `db:"reason"` // why it waits, where it was tried before
}

// claim takes the lease of a number, gives up on what a dead sender was calling, and reads what is to be sent. ok is false where
// somebody else was quicker. A number that may not send has trouble "token" and nothing to send.
func (s *Sender) claim(ctx context.Context, l lane) (t turn, ok bool, err error) {
	t = turn{lane: l, lease: uuid.New()}
	err = s.db.As(ctx, l.Tenant, func(tx *tenants.Tx) error {
		err := tx.QueryRowxContext(ctx, `
			UPDATE outbox_lanes SET lease = $3, leased_until = now() + $4 * interval '1 second', served_at = now()
			WHERE tenant_id = $1 AND number_id = $2 AND ready AND not_before <= now() AND leased_until <= now()
			  AND EXISTS (SELECT 1 FROM tenants WHERE id = $1 AND state = ANY($5))
			RETURNING gen, failures, trouble`, l.Tenant, l.Number, t.lease, leaseLife.Seconds(), pq.Array(tenants.StatesOf(tenants.Sending))).Scan(&t.gen, &t.failures, &t.trouble)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lease number: %w", err)
		}
		ok = true

		lost, err := conversations.Orphans(ctx, tx, l.Number, t.lease)
		if err != nil {
			return err
		}
		if lost > 0 {
			s.log.Warn("messages whose answer was not heard", "tenant", l.Tenant, "number", l.Number, "messages", lost)
		}
		t.number, t.token, err = numbers.Sender(ctx, tx, s.keys, l.Number, time.Now())
		switch code := tenants.ConflictCode(err); {
		case code != "" && t.number.State != numbers.Disconnected:
			t.trouble = whatsapp.TroubleToken
			return nil
		case err != nil && code == "":
			return err
		}
		if t.trouble == whatsapp.TroubleToken {
			t.trouble = ""
		}

		return t.read(ctx, tx)
	})

	return t, ok, err
}

// read takes what is to be sent next. Of one account nothing overtakes what was written to it before. A number that was in trouble
// begins with one message, the one that was tried least, as it may have been a message that was the trouble.
func (t *turn) read(ctx context.Context, tx *tenants.Tx) error {
	limit, holdsUp, order := batch, `p.not_before > now()`, `o.n`
	if t.trouble != "" {
		limit, holdsUp, order = 1, `true`, `o.tries, o.n`
	}
	err := tx.SelectContext(ctx, &t.waiting, `
		SELECT o.id, o.identity_id, o.tries, o.reason FROM outbox o
		WHERE o.tenant_id = $1 AND o.number_id = $2 AND o.state = 'waiting' AND o.not_before <= now()
		  AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.tenant_id = $1 AND p.number_id = $2 AND p.state = 'waiting'
		                  AND p.identity_id = o.identity_id AND p.n < o.n AND `+holdsUp+`)
		ORDER BY `+order+` LIMIT $3`, t.Tenant, t.Number, limit)
	if err != nil {
		return fmt.Errorf("read waiting messages: %w", err)
	}

	return nil
}

// prolong keeps the lease for another call, in the transaction that begins it. A business that may send no more loses it.
func (t *turn) prolong(ctx context.Context, tx *tenants.Tx) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE outbox_lanes SET leased_until = now() + $4 * interval '1 second'
		WHERE tenant_id = $1 AND number_id = $2 AND lease = $3 AND leased_until > now()
		  AND EXISTS (SELECT 1 FROM tenants WHERE id = $1 AND state = ANY($5))`,
		t.Tenant, t.Number, t.lease, leaseLife.Seconds(), pq.Array(tenants.StatesOf(tenants.Sending)))
	if err != nil {
		return fmt.Errorf("prolong lease: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errLost, err)
	}

	return nil
}

// release gives the number back: to rest for a while where something keeps it from sending, else until more is to be sent. A turn that
// found nothing to do though something waits looks for the first time at which an account's next message may go. What could not be
// settled is left to the next turn, which gives up on it.
func (s *Sender) release(ctx context.Context, t turn, trouble string) error {
	failures, rest := 0, time.Duration(0)
	if trouble != "" {
		failures = t.failures + 1
		rest = restFor(trouble, failures)
	}

	return s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE outbox_lanes l
			SET lease = NULL, leased_until = now(), trouble = $4, failures = $5,
			    trouble_since = CASE WHEN $4 = '' THEN NULL ELSE coalesce(l.trouble_since, now()) END,
			    ready = l.gen <> $6 OR EXISTS (SELECT 1 FROM outbox WHERE tenant_id = $1 AND number_id = $2 AND state = 'waiting')
			            OR EXISTS (SELECT 1 FROM outbox WHERE tenant_id = $1 AND number_id = $2 AND state = 'sending'),
			    not_before = greatest(now() + $7 * interval '1 second', CASE WHEN $8 AND l.gen = $6 THEN (
			        SELECT min(h.not_before) FROM (
			            SELECT DISTINCT ON (identity_id) not_before FROM outbox
			            WHERE tenant_id = $1 AND number_id = $2 AND state = 'waiting' ORDER BY identity_id, n) h) END)
			WHERE l.tenant_id = $1 AND l.number_id = $2 AND l.lease = $3`,
			t.Tenant, t.Number, t.lease, trouble, failures, t.gen, rest.Seconds(), len(t.waiting) == 0)
		if err != nil {
			return fmt.Errorf("release number: %w", err)
		}

		return nil
	})
}

// restFor is how long a number rests before it tries again, with a part left to chance so that not all come back at once.
func restFor(trouble string, failures int) time.Duration {
	if trouble == whatsapp.TroubleToken {
		return tokenRest
	}
	rest := min(firstRest<<min(failures-1, 8), longRest)

	return rest + rand.N(rest/4)
}
