package testdb_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/testdb"
)

func TestNewGivesEachTestItsOwn(t *testing.T) {
	t.Parallel()
	a, b := testdb.New(t), testdb.New(t)
	if a.AppDSN == b.AppDSN {
		t.Fatalf("two tests share %s", a.AppDSN)
	}

	if _, err := a.DB.SQL().ExecContext(t.Context(), `INSERT INTO tenants (id, slug, name) VALUES (gen_random_uuid(), 'asha-clinic', 'Asha')`); err != nil {
		t.Fatal(err)
	}
	var got int
	if err := b.DB.SQL().QueryRowContext(t.Context(), `SELECT count(*) FROM tenants`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != 0 {
		t.Errorf("tenants in the other database: got %d, want 0", got)
	}
}
