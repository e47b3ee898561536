package trust_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/trust"
)

var owner = tenants.Actor{Kind: "person", ID: "a", Name: "Asha"}

func newHouse(t *testing.T) (db *testdb.Database, asha, ravi uuid.UUID) {
	t.Helper()
	db = testdb.New(t)
	add := func(slug string) uuid.UUID {
		tenant, err := access.AddTenant(context.Background(), db.DB, access.Command("test"), access.NewTenant{
			Slug: slug, Name: slug, Owner: access.NewPerson{Email: "owner@" + slug + ".example", Name: slug, Password: "brass-lantern-monsoon-47"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ID
	}

	return db, add("asha-clinic"), add("ravi-motors")
}

func TestPageAndRequests(t *testing.T) {
	t.Parallel()
	db, asha, ravi := newHouse(t)
	ctx := context.Background()
	as := func(tenant uuid.UUID, do func(*tenants.Tx) error) error { return db.DB.As(ctx, tenant, do) }
	ask := func(tenant uuid.UUID, r trust.Request) (made trust.Request, err error) {
		err = as(tenant, func(tx *tenants.Tx) error {
			made, err = trust.Ask(ctx, tx, r)
			return err
		})
		return made, err
	}
	good := trust.Request{Kind: "erase", Name: " Lata ", Reach: "@lata", Body: "Please delete what you have.", Lang: "en"}

	if _, err := ask(asha, good); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("while it is off: got %v", err)
	}
	var invalid *tenants.Invalid
	for what, page := range map[string]trust.Page{
		"use_en": {On: true, UseEN: "  "}, "use_hi": {UseHI: strings.Repeat("क", trust.MaxUse+1)}, "numbers": {Numbers: []string{"x"}},
	} {
		err := as(asha, func(tx *tenants.Tx) error { return trust.Set(ctx, tx, owner, page) })
		if !errors.As(err, &invalid) || invalid.Field != what {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := as(asha, func(tx *tenants.Tx) error {
		return trust.Set(ctx, tx, owner, trust.Page{On: true, UseEN: "x", Numbers: []string{uuid.NewString()}})
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("a number that is not ours: got %v", err)
	}

	set := func(p trust.Page) {
		t.Helper()
		if err := as(asha, func(tx *tenants.Tx) error { return trust.Set(ctx, tx, owner, p) }); err != nil {
			t.Fatal(err)
		}
	}
	set(trust.Page{On: true, UseHI: "हम आपका नंबर जवाब देने के लिए रखते हैं।", Asks: true})
	if err := as(asha, func(tx *tenants.Tx) error {
		page, err := trust.Get(ctx, tx)
		if err != nil {
			return err
		}
		if text, lang := page.Use("en"); lang != "hi" || text == "" || page.ChangedBy != "Asha" {
			t.Errorf("got %+v", page)
		}
		path, ok, err := trust.Path(ctx, tx)
		if path != "/t/asha-clinic" || !ok {
			t.Errorf("path: got %q, %v", path, ok)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}

	made, err := ask(asha, good)
	if err != nil || made.ID == uuid.Nil || made.Name != "Lata" {
		t.Fatalf("got %+v, %v", made, err)
	}
	for what, change := range map[string]func(*trust.Request){
		"kind":  func(r *trust.Request) { r.Kind = "x" },
		"reach": func(r *trust.Request) { r.Reach = " " },
		"body":  func(r *trust.Request) { r.Body = strings.Repeat("x", 2001) },
		"name":  func(r *trust.Request) { r.Name = strings.Repeat("x", 101) },
	} {
		r := good
		change(&r)
		if _, err := ask(asha, r); !errors.As(err, &invalid) || invalid.Field != what {
			t.Errorf("%s: got %v", what, err)
		}
	}

	// Another business sees none of it, and cannot end it.
	if err := as(ravi, func(tx *tenants.Tx) error { return trust.Answered(ctx, tx, owner, made.ID) }); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another's: got %v", err)
	}
	if err := as(ravi, func(tx *tenants.Tx) error { _, err := trust.Asked(ctx, tx, made.ID); return err }); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another's: got %v", err)
	}
	if err := as(ravi, func(tx *tenants.Tx) error {
		list, err := trust.Requests(ctx, tx, 0)
		if err != nil {
			return err
		}
		waiting, err := trust.Waiting(ctx, tx)
		if err != nil {
			return err
		}
		page, err := trust.Get(ctx, tx)
		_, ok, perr := trust.Path(ctx, tx)
		if len(list) != 0 || waiting != 0 || page.On || ok {
			t.Errorf("another business sees %v, %d, %+v", list, waiting, page)
		}
		return errors.Join(err, perr)
	}); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the second time changes nothing
		if err := as(asha, func(tx *tenants.Tx) error { return trust.Answered(ctx, tx, owner, made.ID) }); err != nil {
			t.Fatal(err)
		}
	}
	later := [2]trust.Request{}
	for i := range later {
		r := good
		r.Reach = []string{"@second", "@third"}[i]
		var err error
		if later[i], err = ask(asha, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := as(asha, func(tx *tenants.Tx) error {
		list, err := trust.Requests(ctx, tx, 0)
		if len(list) != 3 || list[0].ID != later[0].ID || list[1].ID != later[1].ID || list[2].ID != made.ID {
			t.Errorf("got %+v, want what waits first, the oldest of it before", list)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := as(asha, func(tx *tenants.Tx) error {
		list, err := trust.Requests(ctx, tx, 10)
		list = list[len(list)-1:]
		if len(list) != 1 || list[0].DoneBy != "Asha" || list[0].DoneAt == nil || list[0].Reach != "@lata" {
			t.Errorf("got %+v", list)
		}
		if err != nil {
			return err
		}
		var entries int
		if err := tx.Get(&entries, `SELECT count(*) FROM audit_entries WHERE tenant_id = $1 AND action = 'trust.answered'`, tx.Tenant); err != nil {
			return err
		}
		if entries != 1 {
			t.Errorf("audited %d times, want once", entries)
		}

		// What anybody typed is never in the audit, which nobody can delete.
		var details []string
		err = tx.Select(&details, `SELECT detail FROM audit_entries WHERE tenant_id = $1`, tx.Tenant)
		if all := strings.Join(details, " "); strings.Contains(all, "lata") || strings.Contains(all, "Lata") || strings.Contains(all, "Please") {
			t.Errorf("the audit holds what was typed: %s", all)
		}

		return err
	}); err != nil {
		t.Fatal(err)
	}

	// A business takes so many a day and no more.
	if err := as(asha, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO trust_requests (tenant_id, id, kind, name, reach, body, lang)
			SELECT $1, gen_random_uuid(), 'question', '', 'x', 'x', 'en' FROM generate_series(1, 199)`, tx.Tenant)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(asha, good); tenants.ConflictCode(err) != "trust_full" {
		t.Errorf("past the measure of a day: got %v", err)
	}
	set(trust.Page{On: true, UseEN: "We keep it to answer you."})
	if _, err := ask(asha, good); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("where it takes no requests: got %v", err)
	}
}
