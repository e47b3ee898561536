package lives_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// place is a database with asha-clinic and its owner Asha, and a worker that nobody runs but the test.
type place struct {
	*testdb.Database
	worker *lives.Worker
	clinic tenants.Tenant
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{Database: testdb.New(t)}
	p.worker = lives.NewWorker(p.DB, slog.New(slog.DiscardHandler))
	clinic, err := access.AddTenant(t.Context(), p.DB, access.Command("test"), access.NewTenant{
		Slug: "asha-clinic", Name: "Asha Clinic", Owner: access.NewPerson{Email: "asha@pehchan.example", Name: "Asha", Password: "lotus-river-42-monsoon"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.clinic = clinic

	return p
}

func (p *place) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := p.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func (p *place) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := p.DB.System(t.Context(), func(tx *tenants.Tx) error { return tx.GetContext(t.Context(), &n, query, args...) }); err != nil {
		t.Fatal(err)
	}

	return n
}

func (p *place) step(t *testing.T) {
	t.Helper()
	if err := p.worker.Step(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// A job planned for a business that was taken back since then is dropped, and nothing of the business is touched.
func TestBusinessTakenBackIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec(t, `INSERT INTO apps (id, tenant_id, name, meta_app_id, app_secret, verify_token) VALUES ($1, $2, 'own', '4000000000000001', 'sealed', 'sealed')`,
		uuid.New(), p.clinic.ID)
	for _, state := range []string{tenants.Active, tenants.Limited, tenants.Suspended, tenants.Closing} {
		p.exec(t, `UPDATE tenants SET state = $2, erase_after = CASE WHEN $2 = 'closing' THEN now() + interval '1 day' END WHERE id = $1`, p.clinic.ID, state)
		p.exec(t, `INSERT INTO jobs (id, kind, args) VALUES ($1, $2, jsonb_build_object('tenant_id', $3::uuid, 'rows', '{}'::jsonb, 'people', '[]'::jsonb))`,
			uuid.New(), lives.KindErase, p.clinic.ID)
		p.step(t)
		if n := p.count(t, `SELECT count(*) FROM apps WHERE app_secret = 'sealed'`); n != 1 {
			t.Fatalf("%s: want the secrets of the business's app to stay", state)
		}
		if n := p.count(t, `SELECT count(*) FROM jobs WHERE kind = $1`, lives.KindErase); n != 0 {
			t.Errorf("%s: %d jobs to erase it, want none", state, n)
		}
		if n := p.count(t, `SELECT count(*) FROM tenants WHERE state = $1`, state); n != 1 {
			t.Errorf("want the business to stay %s", state)
		}
	}

	// But one that was erased before, and that a backup brought back, goes at once.
	command := tenants.Actor{Kind: "command", Name: "privacy replay-erasures"}
	for want := 1; want >= 0; want-- {
		n, err := p.worker.Again(t.Context(), command, []uuid.UUID{uuid.New(), p.clinic.ID})
		if err != nil || n != want {
			t.Fatalf("%d businesses erased again (%v), want %d", n, err, want)
		}
	}
	var gone []lives.Gone
	if err := p.DB.System(t.Context(), func(tx *tenants.Tx) (err error) {
		gone, err = lives.Erased(t.Context(), tx)
		return err
	}); err != nil || len(gone) != 1 || gone[0].Tenant != p.clinic.ID {
		t.Errorf("erased: %v (%v), want the clinic", gone, err)
	}
	if n := p.count(t, `SELECT (SELECT count(*) FROM people) + (SELECT count(*) FROM apps) + (SELECT count(*) FROM jobs WHERE kind = $1)`, lives.KindErased); n != 0 {
		t.Errorf("%d accounts, apps and receipts are left, want none", n)
	}
}

// What the process knows of the people is gone when it dies right after the business is erased: the job knows them too.
func TestErasingGoesOnWithThePeople(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	owner, err := sqlx.Connect("postgres", p.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close() })
	for _, statement := range []string{
		`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the process is gone'; END $$`,
		`CREATE TRIGGER die BEFORE UPDATE ON numbers FOR EACH STATEMENT EXECUTE FUNCTION die()`,
	} {
		owner.MustExec(statement)
	}
	p.exec(t, `UPDATE tenants SET state = 'closing', erase_after = now() WHERE id = $1`, p.clinic.ID)
	p.step(t)
	if n := p.count(t, `SELECT count(*) FROM tenants WHERE state = 'erased' AND erased IS NULL`); n != 1 {
		t.Fatal("want the erasing begun and broken off")
	}

	owner.MustExec(`DROP TRIGGER die ON numbers`)
	p.exec(t, `UPDATE jobs SET run_at = now() WHERE kind = $1`, lives.KindErase)
	p.step(t)
	if n := p.count(t, `SELECT count(*) FROM tenants WHERE (erased->>'people')::int = 1`); n != 1 {
		t.Error("want the account counted in the tombstone")
	}
	if n := p.count(t, `SELECT count(*) FROM people`); n != 0 {
		t.Errorf("%d accounts are left, want none", n)
	}
}
