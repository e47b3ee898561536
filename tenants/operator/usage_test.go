package operator_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// A business whose row is held is left for the next time, and no other waits for it.
func TestCountingCallsWaitsForNobody(t *testing.T) {
	t.Parallel()
	db, ctx := testdb.New(t).DB, context.Background()
	held, free := uuid.New(), uuid.New()
	for id, slug := range map[uuid.UUID]string{held: "asha-clinic", free: "ravi-motors"} {
		if _, err := db.SQL().Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, id, slug); err != nil {
			t.Fatal(err)
		}
	}
	count := func(want int) {
		t.Helper()
		left, err := operator.CountCalls(ctx, db, map[uuid.UUID]int64{held: 2, free: 3})
		if len(left) != want || (err == nil) != (want == 0) {
			t.Errorf("left %v (%v), want %d businesses", left, err, want)
		}
		if want == 1 && left[held] != 2 {
			t.Errorf("left %v, want the two requests of the one that is held", left)
		}
	}
	count(0)
	if err := db.As(ctx, held, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE usage_months SET heard = heard + 1 WHERE tenant_id = $1`, tx.Tenant); err != nil {
			return err
		}
		count(1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	count(0)

	for id, want := range map[uuid.UUID]int64{held: 4, free: 9} {
		if err := db.System(ctx, func(tx *tenants.Tx) error {
			list, err := operator.UsageBy(ctx, tx, id)
			if err == nil && (len(list) != 1 || list[0].API != want) {
				t.Errorf("got %+v, want %d requests", list, want)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
