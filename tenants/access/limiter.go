package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	limitWindow   = 15 * time.Minute
	accountLimit  = 10 // failures in the window
	addressLimit  = 60 // failures in the window, from one address of possibly many people
	freeTries     = 3  // failures before one has to wait between two
	firstDelay    = time.Second
	bucketAccount = "account"
	bucketDevice  = "device"
	bucketAddress = "address"
	bucketDay     = "day"
)

// TooMany is the refusal of a sign-in after too many failures, or of anything else past its measure; it says when the next try counts.
type TooMany struct {
	RetryAfter time.Duration
	Code       string // what there was too much of, where that has a sentence of its own: conflict.<code>
}

func (t *TooMany) Error() string { return "too many sign-ins failed; wait " + t.RetryAfter.String() }

// bucket names a limit without keeping the e-mail or address it is for.
func bucket(kind, key string) string {
	sum := sha256.Sum256([]byte(kind + " " + key))

	return kind + " " + hex.EncodeToString(sum[:16])
}

// addressKey is the address, or for IPv6 its /64, which is what one customer gets.
func addressKey(addr netip.Addr) string {
	addr = addr.Unmap()
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}

	return addr.String()
}

// reserve counts a try as failed before it is made, so that many at once, on any number of web servers, cannot slip past the
// limit together; forgive takes it back. It returns TooMany without counting where the limit is reached or, from the fourth
// failure of an account on, the growing delay since the last one is not over. There is no lock-out: a limit empties by itself.
func reserve(ctx context.Context, tx *tenants.Tx, name string, limit int, growing bool) (time.Time, error) {
	return reserveIn(ctx, tx, name, limit, limitWindow, growing)
}

// reserveIn is reserve with another window than the usual quarter of an hour, a day at most: see Sweep.
func reserveIn(ctx context.Context, tx *tenants.Tx, name string, limit int, window time.Duration, growing bool) (time.Time, error) {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('sign-in ' || $1, 0))`, name); err != nil {
		return time.Time{}, fmt.Errorf("lock sign-in limit: %w", err)
	}

	var past struct {
		Failures  int     `db:"failures"`
		SinceLast float64 `db:"since_last"` // seconds
		Age       float64 `db:"age"`        // seconds since the oldest that counts
	}
	err := tx.GetContext(ctx, &past, `
		SELECT count(*) AS failures,
		       coalesce(extract(epoch FROM clock_timestamp() - max(at)), 0) AS since_last,
		       coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0) AS age
		FROM sign_in_failures WHERE bucket = $1 AND at > clock_timestamp() - $2 * interval '1 second'`, name, window.Seconds())
	if err != nil {
		return time.Time{}, fmt.Errorf("count failed sign-ins: %w", err)
	}

	wait := time.Duration(0)
	switch {
	case past.Failures >= limit:
		wait = window - seconds(past.Age)
	case growing && past.Failures >= freeTries:
		wait = firstDelay<<(past.Failures-freeTries) - seconds(past.SinceLast)
	}
	if wait > 0 {
		return time.Time{}, &TooMany{RetryAfter: wait}
	}

	var at time.Time
	if err := tx.GetContext(ctx, &at, `INSERT INTO sign_in_failures (bucket, at) VALUES ($1, clock_timestamp()) RETURNING at`, name); err != nil {
		return time.Time{}, fmt.Errorf("count sign-in: %w", err)
	}

	return at, nil
}

// Ration counts one use of something that anybody may do without signing in, and refuses it with TooMany once what has been used up to
// limit times within a quarter of an hour, from one address or, with an address that is not valid, by all together.
func Ration(ctx context.Context, db *tenants.DB, what string, from netip.Addr, limit int) error {
	key := "all"
	if from.IsValid() {
		key = addressKey(from)
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		_, err := reserve(ctx, tx, bucket(what, key), limit, false)
		return err
	})
}

// RationDay counts one use by an address of something that anybody may do without signing in, and refuses it with TooMany once the address
// has used it limit times within a day. All that is kept of the address is a hash under key, which tells nothing to whoever lacks the key, and
// Sweep drops it when the day is over.
func RationDay(ctx context.Context, db *tenants.DB, key []byte, what string, from netip.Addr, limit int) error {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(what + " " + addressKey(from)))
	name := bucketDay + " " + hex.EncodeToString(mac.Sum(nil)[:16])

	return db.System(ctx, func(tx *tenants.Tx) error {
		_, err := reserveIn(ctx, tx, name, limit, 24*time.Hour, false)
		return err
	})
}

// ExportsADay is how many files a business may take out within a day, all its people together.
const ExportsADay = 50

// RationExport counts a file that a business takes out, and refuses it with TooMany once there were ExportsADay within a day.
func RationExport(ctx context.Context, db *tenants.DB, tenant uuid.UUID) error {
	err := db.System(ctx, func(tx *tenants.Tx) error {
		_, err := reserveIn(ctx, tx, bucketDay+" export "+tenant.String(), ExportsADay, 24*time.Hour, false)
		return err
	})
	var tooMany *TooMany
	if errors.As(err, &tooMany) {
		tooMany.Code = "export_limit"
	}

	return err
}

// forgive takes back the one try made at at; a zero time is no try.
func forgive(ctx context.Context, tx *tenants.Tx, name string, at time.Time) error {
	if at.IsZero() {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_failures WHERE bucket = $1 AND at = $2`, name, at); err != nil {
		return fmt.Errorf("forgive a failed sign-in: %w", err)
	}

	return nil
}

// forgiveAll empties a bucket: whoever it guards has shown that they know the password.
func forgiveAll(ctx context.Context, tx *tenants.Tx, name string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_failures WHERE bucket = $1`, name); err != nil {
		return fmt.Errorf("forgive failed sign-ins: %w", err)
	}

	return nil
}

// Sweep deletes what no sign-in or session needs any more, in a System transaction: failures out of every window, and sessions a
// week after their end. It returns the number of rows.
func Sweep(ctx context.Context, tx *tenants.Tx) (int64, error) {
	var total int64
	for _, query := range []string{
		`DELETE FROM sign_in_failures WHERE at < now() - interval '1 day'`,
		`DELETE FROM sign_in_steps WHERE expires_at < now()`,
		`DELETE FROM signups WHERE expires_at < now() - interval '7 days'`,
		`DELETE FROM email_changes WHERE expires_at < now() - interval '30 days'`,
		`DELETE FROM sessions WHERE expires_at < now() - interval '7 days'`,
		endVisits,
	} {
		result, err := tx.ExecContext(ctx, query)
		if err != nil {
			return total, fmt.Errorf("sweep sign-ins: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return total, fmt.Errorf("count swept rows: %w", err)
		}
		total += n
	}

	return total, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
