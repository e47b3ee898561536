package migrations_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/tenants/testdb"
)

// platform are the tables that are not one tenant's: what is known before or apart from any tenant. Each has a policy that shows a
// tenant its own rows at most.
var platform = []string{
	"announcements",
	"answer_counts", "answer_overrides", "api_keys", "app_counters", "app_refusals", "apps", "briefings", "drift", "facts", "inbox_counters", "inbox_events", "inbox_fields", "inbox_items", "inbox_rates", "inbox_repeats", "invitations", "item_acts", "jobs", "lanes", "library_versions", "mails", "memberships",
	"number_directory", "operator_notes", "outbox_lanes", "password_resets", "people", "platform_audit", "privacy_clocks", "sessions", "sign_in_failures", "support_grants", "support_views", "tenants", "usage_months",
	"email_changes", "forward_lanes", "passkeys", "recovery_codes", "sign_in_steps", "signups", "totps",
}

type table struct {
	Name     string         `db:"name"`
	Enabled  bool           `db:"enabled"`
	Forced   bool           `db:"forced"`
	Policies int            `db:"policies"`
	Using    sql.NullString `db:"using"`
	Check    sql.NullString `db:"check"`
}

func owner(t *testing.T) *sqlx.DB {
	t.Helper()

	db, err := sqlx.Connect("postgres", testdb.New(t).OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })

	return db
}

func TestEveryTableHasItsWall(t *testing.T) {
	t.Parallel()

	var tables []table
	err := owner(t).Select(&tables, `
		SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
		       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,
		       (SELECT min(pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p WHERE p.polrelid = c.oid) AS using,
		       (SELECT min(pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p WHERE p.polrelid = c.oid) AS check
		FROM pg_class c
		WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'goose_db_version'
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}

	const own = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
	for _, c := range tables {
		policies := 1
		if c.Name == "apps" {
			policies = 2 // one more to read the platform's
		}
		if !c.Enabled || !c.Forced || c.Policies != policies {
			t.Errorf("%s: row security enabled %v, forced %v, %d policies; want true, true, %d", c.Name, c.Enabled, c.Forced, c.Policies, policies)
		}
		if !slices.Contains(platform, c.Name) && (c.Using.String != own || c.Check.String != own) {
			t.Errorf("%s: policy USING %s CHECK %s, want %s in both", c.Name, c.Using.String, c.Check.String, own)
		}
	}
}

func TestTenantLeadsEveryKey(t *testing.T) {
	t.Parallel()
	db := owner(t)

	var keys []struct {
		Table string `db:"relname"`
		Key   string `db:"key"`
		First string `db:"first"`
	}
	err := db.Select(&keys, `
		SELECT c.relname, i.indexrelid::regclass::text AS key, a.attname AS first
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		WHERE c.relkind = 'r'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if !slices.Contains(platform, k.Table) && k.Table != "goose_db_version" && k.First != "tenant_id" {
			t.Errorf("%s: index %s begins with %s, want tenant_id", k.Table, k.Key, k.First)
		}
	}

	var foreign []struct {
		Table string `db:"relname"`
		Key   string `db:"conname"`
		To    string `db:"to"`
		First string `db:"first"`
	}
	err = db.Select(&foreign, `
		SELECT c.relname, k.conname, k.confrelid::regclass::text AS to, a.attname AS first
		FROM pg_constraint k
		JOIN pg_class c ON c.oid = k.conrelid
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
		WHERE k.contype = 'f'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range foreign {
		if !slices.Contains(platform, k.Table) && k.First != "tenant_id" {
			t.Errorf("%s: foreign key %s to %s begins with %s, want tenant_id", k.Table, k.Key, k.To, k.First)
		}
	}

	var triggers []string
	if err := db.Select(&triggers, `SELECT tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal`); err != nil {
		t.Fatal(err)
	}
	if len(triggers) > 0 {
		t.Errorf("triggers %v: tenant tables have none, so that they can be distributed", triggers)
	}
}
