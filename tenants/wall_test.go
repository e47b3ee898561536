package tenants_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// Case 12 of the attack list: two connections go from hand to hand between two tenants and nobody's, and are given back after a commit, a
// panic, a statement that took too long and a caller who went away. Whoever has one next sees the own rows alone.
func TestAPooledConnectionRemembersNobody(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	db.SQL().SetMaxOpenConns(2)
	both := []uuid.UUID{uuid.New(), uuid.New()}
	for i, tenant := range both {
		err := db.System(t.Context(), func(tx *tenants.Tx) error {
			_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, tenant, fmt.Sprint("tenant-", i))
			return err
		})
		if err == nil {
			err = db.As(t.Context(), tenant, func(tx *tenants.Tx) error {
				_, err := tx.Exec(`INSERT INTO contacts (tenant_id, id, display_name) VALUES ($1, $1, $2)`, tenant, tenant.String())
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	look := func(i int) (panicked bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		defer func() { panicked = recover() != nil }()
		own := both[i%2]
		see := func(tx *tenants.Tx) error {
			var names []string
			if err := tx.SelectContext(ctx, &names, `SELECT display_name FROM contacts`); err != nil {
				return err
			}
			if tx.Tenant == uuid.Nil && len(names) > 0 || tx.Tenant != uuid.Nil && (len(names) != 1 || names[0] != own.String()) {
				t.Errorf("round %d: %s sees %v", i, tx.Tenant, names)
			}

			return nil
		}
		var err error
		switch i % 20 {
		case 0, 1:
			err = db.System(ctx, see)
		case 2, 3: // who asked goes away in the middle
			time.AfterFunc(time.Millisecond, cancel)
			if err := db.As(ctx, own, func(tx *tenants.Tx) error { _, err := tx.ExecContext(ctx, `SELECT pg_sleep(1)`); return err }); err == nil {
				t.Error("want what was cut off to fail")
			}
		case 4:
			_ = db.As(ctx, own, func(*tenants.Tx) error { panic("on purpose") })
		case 5:
			err := db.As(ctx, own, func(tx *tenants.Tx) error {
				_, err := tx.ExecContext(ctx, `SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)`)
				return err
			})
			if err == nil {
				t.Error("want what takes too long to fail")
			}
		default:
			err = db.As(ctx, own, see)
		}
		if err != nil {
			t.Errorf("round %d: %v", i, err)
		}

		return false
	}
	var (
		all    sync.WaitGroup
		rounds = make(chan int, 1000)
		mu     sync.Mutex
		broken int
	)
	for i := range 1000 {
		rounds <- i
	}
	close(rounds)
	for range 16 {
		all.Go(func() {
			for i := range rounds {
				if look(i) {
					mu.Lock()
					broken++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	if broken != 50 {
		t.Errorf("%d rounds panicked, want fifty", broken)
	}
}

// Compiling takes longer than what runs here, whatever the planner thinks of it.
func TestNothingIsCompiled(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	for name, db := range map[string]*tenants.DB{"pages": db, "intake": db.Intake()} {
		err := db.System(t.Context(), func(tx *tenants.Tx) error {
			var jit string
			if err := tx.Get(&jit, `SHOW jit`); err != nil {
				return err
			}
			if jit != "off" {
				t.Errorf("connections of %s have jit %s, want off", name, jit)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
