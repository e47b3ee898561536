package start_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/start"
	"github.com/pehchan/pehchan/tenants/testdb"
)

var asha = tenants.Actor{Kind: "person", ID: uuid.NewString(), Name: "Asha"}

func tenant(t *testing.T, d *testdb.Database, slug string) func(func(context.Context, *tenants.Tx) error) error {
	t.Helper()
	made, err := access.AddTenant(t.Context(), d.DB, access.Command("test"), access.NewTenant{
		Slug: slug, Name: slug, Owner: access.NewPerson{Email: slug + "@pehchan.example", Name: slug, Password: "lotus-river-42-monsoon"},
	})
	if err != nil {
		t.Fatal(err)
	}

	return func(fn func(context.Context, *tenants.Tx) error) error {
		return d.DB.As(t.Context(), made.ID, func(tx *tenants.Tx) error { return fn(t.Context(), tx) })
	}
}

func progress(t *testing.T, as func(func(context.Context, *tenants.Tx) error) error) (p start.Progress) {
	t.Helper()
	err := as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		p, err = start.Of(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return p
}

func TestStepsAreTakenOnceAndCanBeMadeGood(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	if p := progress(t, clinic); p.Begun() || p.Finished() || p.Next() != start.Look {
		t.Errorf("a new business: got %+v", p)
	}
	take := func(step, state string) {
		t.Helper()
		if err := clinic(func(ctx context.Context, tx *tenants.Tx) error { return start.Take(ctx, tx, asha, step, state) }); err != nil {
			t.Errorf("%s %s: %v", step, state, err)
		}
	}
	take(start.Look, start.Done)
	take(start.Connect, start.Skipped)
	take(start.Look, start.Skipped) // stays done
	p := progress(t, clinic)
	if p.Next() != start.Event || p.Steps[start.Look].State != start.Done || p.Steps[start.Look].By != "Asha" || p.Steps[start.Connect].State != start.Skipped {
		t.Errorf("got %+v, want the first done, the second skipped", p)
	}
	for _, step := range start.Steps {
		take(step, start.Done)
	}
	if p := progress(t, clinic); !p.Finished() || p.Steps[start.Connect].State != start.Done {
		t.Errorf("got %+v, want all done", p)
	}
	if p := progress(t, motors); p.Begun() {
		t.Errorf("the other business has begun: %+v", p)
	}

	var entries int
	if err := clinic(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &entries, `SELECT count(*) FROM audit_entries WHERE tenant_id = $1 AND object_kind = 'start'`, tx.Tenant)
	}); err != nil || entries != 6 {
		t.Errorf("got %d audit entries %v, want one for each that changed something", entries, err)
	}
	for _, wrong := range [][2]string{{"nonsense", start.Done}, {start.Look, "nonsense"}} {
		var invalid *tenants.Invalid
		if err := clinic(func(ctx context.Context, tx *tenants.Tx) error { return start.Take(ctx, tx, asha, wrong[0], wrong[1]) }); !errors.As(err, &invalid) {
			t.Errorf("%v: got %v", wrong, err)
		}
	}
}

func TestAnswersAreKeptByPerson(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	person, other := uuid.New(), uuid.New()
	reply := func(given map[string]string) error {
		return clinic(func(ctx context.Context, tx *tenants.Tx) error { return start.Reply(ctx, tx, asha, person, given) })
	}
	var invalid *tenants.Invalid
	if err := reply(map[string]string{"hidden": "by_id"}); !errors.As(err, &invalid) || invalid.Field != "other" {
		t.Errorf("a question left out: got %v", err)
	}
	if err := reply(map[string]string{"hidden": "by_id", "other": "same", "change": "new_id"}); err != nil {
		t.Fatal(err)
	}
	if err := reply(map[string]string{"hidden": "by_id", "other": "different", "change": "new_id"}); err != nil {
		t.Fatal(err)
	}
	said := func(as func(func(context.Context, *tenants.Tx) error) error, who uuid.UUID) (all map[string]start.Answer) {
		if err := as(func(ctx context.Context, tx *tenants.Tx) (err error) {
			all, err = start.Said(ctx, tx, who)
			return err
		}); err != nil {
			t.Fatal(err)
		}

		return all
	}
	if got := said(clinic, person); len(got) != 3 || !got["other"].Correct || got["other"].Tries != 2 || got["other"].Answer != "different" {
		t.Errorf("got %+v, want the last answers and two tries", got)
	}
	if a, b := said(clinic, other), said(motors, person); len(a)+len(b) != 0 {
		t.Errorf("got %v and %v, want nothing of somebody else or elsewhere", a, b)
	}
	if err := motors(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := start.First(ctx, tx)
		return err
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("the first event of a business without any: got %v", err)
	}
}
