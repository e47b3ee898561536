package operator_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// The pulse is that of what waits the longest, and nothing where nothing waits.
func TestPulse(t *testing.T) {
	t.Parallel()
	db, ctx := testdb.New(t).DB, context.Background()
	feel := func() (p operator.Pulse) {
		t.Helper()
		if err := db.System(ctx, func(tx *tenants.Tx) (err error) {
			p, err = operator.Feel(ctx, tx)
			return err
		}); err != nil {
			t.Fatal(err)
		}

		return p
	}
	if p := feel(); p != (operator.Pulse{}) {
		t.Errorf("with nothing waiting: got %+v, want nothing", p)
	}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO mails (id, key, sealed, run_at) VALUES ($1, 'one', '\x00', now() - interval '1 hour'), ($2, 'two', '\x00', now() + interval '1 hour')`,
			uuid.New(), uuid.New())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := feel(); p.Mail < 59*time.Minute || p.Mail > 61*time.Minute || p.Taken != 0 || p.Resolved != 0 {
		t.Errorf("got %+v, want a mail that waits for an hour", p)
	}
}
