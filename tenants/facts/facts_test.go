package facts_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/testdb"
)

var (
	omar = tenants.Actor{Kind: "operator", ID: "7a0b5f0e-0000-4000-8000-000000000001", Name: "Omar"}
	now  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

func seed(t *testing.T, d *testdb.Database) {
	t.Helper()
	if err := facts.Seed(t.Context(), d.DB); err != nil {
		t.Fatal(err)
	}
}

func system(t *testing.T, d *testdb.Database, fn func(ctx context.Context, tx *tenants.Tx) error) {
	t.Helper()
	if err := d.DB.System(t.Context(), func(tx *tenants.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func exec(t *testing.T, d *testdb.Database, query string, args ...any) {
	t.Helper()
	system(t, d, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

func current(t *testing.T, d *testdb.Database) (list []facts.Fact) {
	t.Helper()
	system(t, d, func(ctx context.Context, tx *tenants.Tx) (err error) {
		list, err = facts.Current(ctx, tx)
		return err
	})

	return list
}

func get(t *testing.T, d *testdb.Database, key string) (f facts.Fact) {
	t.Helper()
	system(t, d, func(ctx context.Context, tx *tenants.Tx) (err error) {
		f, err = facts.Get(ctx, tx, key)
		return err
	})

	return f
}

func edit(t *testing.T, d *testdb.Database, in facts.Change) (f facts.Fact) {
	t.Helper()
	system(t, d, func(ctx context.Context, tx *tenants.Tx) (err error) {
		f, err = facts.Edit(ctx, tx, omar, in, now)
		return err
	})

	return f
}

// owner is a business and its owner's id.
func owner(t *testing.T, d *testdb.Database, slug string) (tenants.Tenant, uuid.UUID) {
	t.Helper()
	tenant, err := access.AddTenant(t.Context(), d.DB, access.Command("test"), access.NewTenant{
		Slug: slug, Name: slug, Owner: access.NewPerson{Email: slug + "@pehchan.example", Name: slug, Password: "lotus-river-42-monsoon"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var person uuid.UUID
	as(t, d, tenant, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &person, `SELECT person_id FROM memberships WHERE tenant_id = $1`, tx.Tenant)
	})

	return tenant, person
}

func as(t *testing.T, d *testdb.Database, tenant tenants.Tenant, fn func(ctx context.Context, tx *tenants.Tx) error) {
	t.Helper()
	if err := d.DB.As(t.Context(), tenant.ID, func(tx *tenants.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func unread(t *testing.T, d *testdb.Database, tenant tenants.Tenant, person uuid.UUID) (n int) {
	t.Helper()
	as(t, d, tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		n, err = facts.Unread(ctx, tx, person)
		return err
	})

	return n
}

func TestAnEditReachesEveryTenantAtOnce(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	clinic, asha := owner(t, d, "asha-clinic") // older than the ledger
	seed(t, d)
	motors, ravi := owner(t, d, "ravi-motors")
	if n := unread(t, d, clinic, asha); n != 0 {
		t.Errorf("a new member: got %d unread, want nothing from before they came", n)
	}

	india := get(t, d, "usernames.in")
	change := india.Content
	change.Value, change.VerifiedOn = "live", now.Truncate(24*time.Hour)
	change.TextEN, change.TextHI = "Usernames have begun.", "यूज़रनेम शुरू हो गए।"
	f := edit(t, d, facts.Change{Key: india.Key, Version: 1, Content: change})
	if f.Version != 2 || !f.News || f.By != "Omar" || f.Dated.Format(time.DateOnly) != "2026-11-22" {
		t.Errorf("got %+v, want news of today by Omar", f)
	}
	for tenant, person := range map[tenants.Tenant]uuid.UUID{clinic: asha, motors: ravi} {
		if n := unread(t, d, tenant, person); n != 1 {
			t.Errorf("%s: got %d unread, want 1", tenant.Slug, n)
		}
		as(t, d, tenant, func(ctx context.Context, tx *tenants.Tx) error {
			list, _, err := facts.News(ctx, tx, facts.Filter{Country: "IN", Limit: 10})
			if err != nil || len(list) < 2 || list[0].TextEN != "Usernames have begun." || list[0].WasEN != india.TextEN || list[0].Replaced {
				t.Errorf("%s: got %+v %v, want the change first, and what it said before", tenant.Slug, list, err)
			}
			replaced := 0
			for _, e := range list {
				if e.Replaced && e.Key == india.Key {
					replaced++
				}
			}
			if replaced != 1 {
				t.Errorf("%s: got %d replaced entries, want the first version kept", tenant.Slug, replaced)
			}

			return nil
		})
	}

	// Checking the source again is no news, but shows on the entry.
	change.VerifiedOn = now.Truncate(24 * time.Hour)
	change.ExpiresOn = new(now.AddDate(0, 1, 0).Truncate(24 * time.Hour))
	if f := edit(t, d, facts.Change{Key: india.Key, Version: 2, Content: change}); f.News || f.Version != 3 || !f.Dated.Equal(now.Truncate(24*time.Hour)) {
		t.Errorf("got %+v, want a version that is no news", f)
	}
	as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error {
		list, _, err := facts.News(ctx, tx, facts.Filter{After: f.Seq - 1, Limit: 10})
		if err != nil || len(list) != 1 || list[0].ExpiresOn == nil {
			t.Errorf("got %+v %v, want one entry with the newer check", list, err)
		}

		return nil
	})

	// What one has read, the other has not; and nobody reads ahead of the ledger.
	as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, asha, 1<<40) })
	as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, asha, 1) })
	if a, b := unread(t, d, clinic, asha), unread(t, d, motors, ravi); a != 0 || b != 1 {
		t.Errorf("got %d and %d unread, want 0 and 1", a, b)
	}
	change.Value = "paused"
	edit(t, d, facts.Change{Key: india.Key, Version: 3, Content: change})
	if n := unread(t, d, clinic, asha); n != 1 {
		t.Errorf("after another edit: got %d unread, want 1", n)
	}
}

// How far somebody has read in one business is nothing to another.
func TestReadingIsOfOneTenant(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	clinic, asha := owner(t, d, "asha-clinic")
	motors, _ := owner(t, d, "ravi-motors")
	as(t, d, clinic, func(ctx context.Context, tx *tenants.Tx) error { return facts.MarkRead(ctx, tx, asha, 5) })
	as(t, d, motors, func(ctx context.Context, tx *tenants.Tx) error {
		seq, err := facts.ReadTo(ctx, tx, asha)
		if seq != 0 {
			t.Errorf("got %d, want nothing known of Asha there", seq)
		}

		return err
	})
	err := d.DB.As(t.Context(), motors.ID, func(tx *tenants.Tx) error {
		_, err := facts.Edit(t.Context(), tx, omar, facts.Change{Key: "a.b", Content: good()}, now)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("a fact from a tenant: got %v, want it refused", err)
	}
}

func good() facts.Content {
	return facts.Content{
		Topic: facts.Rollout, Kind: facts.KindText, TextEN: "Said.", TextHI: "कहा गया।", VerifiedOn: now.AddDate(0, 0, -1), Confidence: "press",
		Sources: facts.Sources{{Name: "A paper", URL: "https://paper.example/1"}},
	}
}

func TestEditRefuses(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	try := func(change func(*facts.Change)) error {
		in := facts.Change{Key: "rollout.test", Content: good()}
		change(&in)

		return d.DB.System(t.Context(), func(tx *tenants.Tx) error {
			_, err := facts.Edit(t.Context(), tx, omar, in, now)
			return err
		})
	}
	for field, change := range map[string]func(*facts.Change){
		"key":         func(c *facts.Change) { c.Key = "Nonsense" },
		"topic":       func(c *facts.Change) { c.Topic = "weather" },
		"text_hi":     func(c *facts.Change) { c.TextHI = " " },
		"title_hi":    func(c *facts.Change) { c.TitleEN = "Only English" },
		"doubt_hi":    func(c *facts.Change) { c.DoubtEN = "Only English" },
		"country":     func(c *facts.Change) { c.Country = "QQ" },
		"value":       func(c *facts.Change) { c.Kind, c.Value = facts.KindDate, "soon" },
		"verified_on": func(c *facts.Change) { c.VerifiedOn = now.AddDate(0, 0, 1) },
		"expires_on":  func(c *facts.Change) { c.ExpiresOn = new(now.AddDate(-1, 0, 0)) },
		"sources":     func(c *facts.Change) { c.Sources[0].URL = "javascript:alert(1)" },
		"title_en":    func(c *facts.Change) { c.Aspect, c.Kind, c.Value = facts.Usernames, facts.KindStatus, "live" },
		"confidence":  func(c *facts.Change) { c.Confidence = "" },
		"text_en":     func(c *facts.Change) { c.TextEN = strings.Repeat("x", 2001) },
	} {
		var invalid *tenants.Invalid
		if err := try(change); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: got %v, want it refused", field, err)
		}
	}
	if err := try(func(c *facts.Change) { c.Key = "usernames.in" }); tenants.ConflictCode(err) != "fact_exists" {
		t.Errorf("a key that is taken: got %v", err)
	}
	if err := try(func(c *facts.Change) { c.Key, c.Version = "usernames.in", 7 }); tenants.ConflictCode(err) != "fact_changed" {
		t.Errorf("an edit of another version: got %v", err)
	}
	if err := try(func(c *facts.Change) { c.Version = 1 }); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("an edit of a fact that is none: got %v", err)
	}
	if err := try(func(*facts.Change) {}); err != nil {
		t.Errorf("a new fact: %v", err)
	}
	var audited int
	system(t, d, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &audited, `SELECT count(*) FROM platform_audit WHERE action = 'fact.edit' AND object_id = 'rollout.test' AND actor_id = $1`, omar.ID)
	})
	if audited != 1 {
		t.Errorf("got %d audit entries, want 1", audited)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	verified := time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now     string
		expires string
		want    bool
	}{
		{"2026-10-23T09:00:00Z", "", false},
		{"2026-11-22T23:59:59Z", "", false}, // thirty days on
		{"2026-11-23T00:00:01Z", "", true},
		{"2026-10-30T00:00:00Z", "2026-10-31", false},
		{"2026-10-31T00:00:00Z", "2026-10-31", true},
	} {
		at, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		content := facts.Content{VerifiedOn: verified}
		if c.expires != "" {
			day, err := time.Parse(time.DateOnly, c.expires)
			if err != nil {
				t.Fatal(err)
			}
			content.ExpiresOn = &day
		}
		if got := content.Stale(at); got != c.want {
			t.Errorf("at %s, expires %q: got %v, want %v", c.now, c.expires, got, c.want)
		}
	}
}

func TestStatusOfACountry(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	system(t, d, func(ctx context.Context, tx *tenants.Tx) error {
		all, err := facts.Status(ctx, tx, "IN", "NP", "FR", "EG")
		if err != nil {
			return err
		}
		for country, want := range map[string]string{"IN": "paused", "NP": "live", "FR": "planned", "EG": "planned"} {
			status := all[country]
			if got := status[facts.Usernames].Value; got != want {
				t.Errorf("usernames in %s: got %q, want %q", country, got, want)
			}
			if status[facts.IDs].Value != "live" || status[facts.Hidden].Value != "seen" || status[facts.Reservation].Value != "live" {
				t.Errorf("%s: want the world's where a country has none, got %+v", country, status)
			}
		}
		countries, err := facts.Countries(ctx, tx)
		if err != nil || len(countries) != 13 {
			t.Errorf("got %v %v, want the 13 countries of the sheet", countries, err)
		}
		reach, err := facts.Affected(ctx, tx, "IN")
		if err != nil || reach.Businesses != 0 || reach.There != 0 {
			t.Errorf("got %+v %v, want nobody yet", reach, err)
		}

		return nil
	})
}

func TestNewsInPages(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	system(t, d, func(ctx context.Context, tx *tenants.Tx) error {
		seen, last, cursor := map[string]bool{}, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), ""
		for pages := 0; pages < 50; pages++ {
			list, next, err := facts.News(ctx, tx, facts.Filter{Limit: 7, Cursor: cursor})
			if err != nil {
				return err
			}
			for _, e := range list {
				if seen[e.Key] || e.Dated.After(last) {
					t.Errorf("%s of %s stands twice or too late", e.Key, e.Dated)
				}
				seen[e.Key], last = true, e.Dated
			}
			if cursor = next; next == "" {
				break
			}
		}
		if len(seen) != 100 {
			t.Errorf("got %d entries over all pages, want all 100", len(seen))
		}
		if _, _, err := facts.News(ctx, tx, facts.Filter{Cursor: "x"}); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("a made-up cursor: got %v", err)
		}

		return nil
	})
}
