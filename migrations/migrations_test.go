package migrations_test

import (
	"database/sql"
	"testing"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func TestUpOnEmpty(t *testing.T) {
	t.Parallel()
	empty := testdb.NewEmpty(t)
	db, err := sql.Open("postgres", empty.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	if pending, err := migrations.Pending(t.Context(), db); err != nil || !pending {
		t.Errorf("Pending before Up: got %v, %v; want true", pending, err)
	}
	// Two at once, as when two processes start on a new database, and again.
	errs := make(chan error)
	for range 2 {
		go func() { errs <- migrations.Up(t.Context(), empty.OwnerDSN, empty.AppRole) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Errorf("Up: %v", err)
		}
	}
	if err := migrations.Up(t.Context(), empty.OwnerDSN, empty.AppRole); err != nil {
		t.Errorf("Up again: %v", err)
	}

	app, err := sql.Open("postgres", empty.AppDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	if pending, err := migrations.Pending(t.Context(), app); err != nil || pending {
		t.Errorf("Pending after Up, as the application: got %v, %v; want false", pending, err)
	}
}

// Two branches may bring their steps in any order: one that is missing below the newest is pending, and the next Up applies it.
func TestALowerStepThatIsMissingIsPending(t *testing.T) {
	t.Parallel()
	database := testdb.New(t)
	owner, err := sql.Open("postgres", database.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if pending, err := migrations.Pending(t.Context(), owner); err != nil || pending {
		t.Fatalf("Pending of a whole schema: got %v, %v; want false", pending, err)
	}
	if _, err := owner.ExecContext(t.Context(), `
		ALTER TABLE privacy_requests DROP COLUMN proved_of; DELETE FROM goose_db_version WHERE version_id = 40`); err != nil {
		t.Fatal(err)
	}
	if pending, err := migrations.Pending(t.Context(), owner); err != nil || !pending {
		t.Errorf("Pending without step 40: got %v, %v; want true", pending, err)
	}
	if err := migrations.Up(t.Context(), database.OwnerDSN, database.AppRole); err != nil {
		t.Fatal(err)
	}
	if pending, err := migrations.Pending(t.Context(), owner); err != nil || pending {
		t.Errorf("Pending after Up: got %v, %v; want false", pending, err)
	}
	if _, err := owner.ExecContext(t.Context(), `SELECT proved_of FROM privacy_requests`); err != nil {
		t.Errorf("step 40 was not applied: %v", err)
	}
}

func TestUpSaysHowToMakeTheRole(t *testing.T) {
	t.Parallel()
	empty := testdb.NewEmpty(t)

	err := migrations.Up(t.Context(), empty.OwnerDSN, "nobody_made_me")
	if err == nil {
		t.Fatal("Up for a role that is missing: got none, want an error")
	}
}
