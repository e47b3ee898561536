package reports_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/reports"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func tenant(t *testing.T, d *testdb.Database, slug string) uuid.UUID {
	t.Helper()
	made, err := access.AddTenant(t.Context(), d.DB, access.Command("test"), access.NewTenant{
		Slug: slug, Name: slug, Owner: access.NewPerson{Email: slug + "@pehchan.example", Name: slug, Password: "lotus-river-42-monsoon"},
	})
	if err != nil {
		t.Fatal(err)
	}

	return made.ID
}

func in(t *testing.T, d *testdb.Database, tenant uuid.UUID, fn func(ctx context.Context, tx *tenants.Tx) error) {
	t.Helper()
	if err := d.DB.As(t.Context(), tenant, func(tx *tenants.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// fill gives a business four accounts heard from around the turn of a month, four links and three cases.
func fill(t *testing.T, d *testdb.Database, tenant uuid.UUID) {
	t.Helper()
	app, number := uuid.New(), uuid.New()
	if err := d.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO apps (id, name, meta_app_id, app_secret, verify_token) VALUES ($1, $2, '1', '', '')`, app, "app-"+app.String()[:8])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	in(t, d, tenant, func(ctx context.Context, tx *tenants.Tx) error {
		exec := func(query string, args ...any) {
			t.Helper()
			if _, err := tx.ExecContext(ctx, query, append([]any{tx.Tenant}, args...)...); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
		exec(`INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, scope, state)
			VALUES ($1, $2, $3, '1', $4, '919800000000', 'waba:1', 'connected')`, number, app, fmt.Sprint(number.ID()))
		// The week from Monday 29 June is June's and July's.
		heard := func(bsuid bool, phonedOn map[string]bool) {
			t.Helper()
			account, identifier, tenure := uuid.New(), uuid.New(), uuid.New()
			exec(`INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen)
				VALUES ($1, $2, 'waba:1', 'parent_bsuid', $3, '', now(), now())`, identifier, fmt.Sprint("IN.ENT.", identifier.ID()))
			exec(`INSERT INTO identities (tenant_id, id, scope, anchor_id) VALUES ($1, $2, 'waba:1', $3)`, account, identifier)
			for day, phoned := range phonedOn {
				at, err := time.Parse(time.DateOnly, day)
				if err != nil {
					t.Fatal(err)
				}
				sign := adoption.Sign{Identity: account, Tenure: tenure, Number: number, Scope: "waba:1", At: at, BSUID: bsuid, Phoned: phoned}
				if err := adoption.Record(ctx, tx, []adoption.Sign{sign}); err != nil {
					t.Fatal(err)
				}
			}
		}
		heard(true, map[string]bool{"2026-06-29": false})
		heard(true, map[string]bool{"2026-06-30": true, "2026-07-01": false, "2026-07-20": false}) // the phone shown in June only
		heard(true, map[string]bool{"2026-07-01": true, "2026-07-08": false})
		heard(false, map[string]bool{"2026-07-02": false}) // nothing known of it

		contact := func() uuid.UUID {
			id := uuid.New()
			exec(`INSERT INTO contacts (tenant_id, id) VALUES ($1, $2)`, id)
			return id
		}
		keep, lost := contact(), contact()
		link := func(kind, actor, at string, lose *uuid.UUID, undone bool) {
			t.Helper()
			exec(`INSERT INTO links (tenant_id, id, kind, at, actor_kind, keep_contact, lose_contact, undone_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 THEN now() END)`, uuid.New(), kind, at, actor, keep, lose, undone)
		}
		link("merged", "person", "2026-07-03T10:00:00Z", &lost, false)
		link("attested", "system", "2026-07-04T10:00:00Z", &lost, false)
		link("attested", "system", "2026-07-31T23:59:00Z", nil, true)
		link("merged", "system", "2026-08-01T00:00:00Z", nil, false)

		for _, k := range []struct{ outcome, by, at string }{
			{"same", "Meera", "2026-07-02T00:00:00Z"}, {"proved", "system", "2026-07-02T00:00:00Z"}, {"new", "Meera", "2026-06-30T23:00:00Z"},
		} {
			exec(`INSERT INTO cases (tenant_id, id, kind, state, key, waiting_since, outcome, closed_at, closed_by)
				VALUES ($1, $2, 'unresolved', 'done', $3, $4, $5, $4, $6)`, uuid.New(), number.String()+k.outcome, k.at, k.outcome, k.by)
		}
		_, err := adoption.Rebuild(ctx, tx)

		return err
	})
}

func TestAMonthIsCountedToTheDay(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, motors := tenant(t, d, "asha-clinic"), tenant(t, d, "ravi-motors")
	fill(t, d, clinic)
	at := func(month time.Month) time.Time { return time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		tenant uuid.UUID
		month  time.Month
		want   reports.Month
	}{
		{clinic, 7, reports.Month{Heard: 3, Reached: 1, Auto: 1, Joined: 1, Undone: 1, Decided: 1}},
		{clinic, 6, reports.Month{Heard: 2, Reached: 1, Decided: 1}},
		{clinic, 8, reports.Month{Auto: 1}},
		{motors, 7, reports.Month{}},
	} {
		in(t, d, c.tenant, func(ctx context.Context, tx *tenants.Tx) error {
			got, err := reports.Sum(ctx, tx, at(c.month), at(c.month+1))
			if got != c.want {
				t.Errorf("month %d: got %+v, want %+v", c.month, got, c.want)
			}

			return err
		})
	}
	if got := (reports.Month{Auto: 90}).Saved(); got != 90*time.Minute {
		t.Errorf("got %s saved, want a minute for each", got)
	}
}
