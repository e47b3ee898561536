package main_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// causeless counts, by table, a demo tenant's rows that neither a webhook item nor an audit entry accounts for.
var causeless = map[string]string{
	"messages": `SELECT count(*) FROM messages r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id AND i.number_id = r.number_id)`,
	"statuses": `SELECT count(*) FROM statuses r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id AND i.number_id = r.number_id)`,
	"pairings": `SELECT count(*) FROM pairings r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.first_item)`,
	"rotations": `SELECT count(*) FROM rotations r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id)`,
	"sightings": `SELECT count(*) FROM sightings r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id)`,
	"hints": `SELECT count(*) FROM hints r WHERE NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id)`,
	"identities": `SELECT count(*) FROM identities r WHERE NOT EXISTS (
		SELECT 1 FROM identifiers h WHERE h.tenant_id = r.tenant_id AND h.id = r.anchor_id)`,
	"contacts": `SELECT count(*) FROM contacts r WHERE r.merged_into IS NULL AND NOT EXISTS (
		SELECT 1 FROM identities h WHERE h.tenant_id = r.tenant_id AND h.contact_id = r.id)`,
	"cases": `SELECT count(*) FROM cases r WHERE r.identity_id IS NULL AND NOT EXISTS (
		SELECT 1 FROM inbox_items i WHERE i.tenant_id = r.tenant_id AND i.id = r.item_id)`,
	"numbers": `SELECT count(*) FROM numbers r WHERE NOT EXISTS (
		SELECT 1 FROM audit_entries a WHERE a.tenant_id = r.tenant_id AND a.action = 'number.connect' AND a.object_id = r.id::text)`,
	"memberships": `SELECT count(*) FROM memberships r WHERE NOT EXISTS (
		SELECT 1 FROM audit_entries a WHERE a.tenant_id = r.tenant_id AND a.action = 'member.add' AND a.object_id = r.person_id::text)`,
}

// causelessOnPlatform is the same for the rows above tenants.
var causelessOnPlatform = map[string]string{
	"tenants": `SELECT count(*) FROM tenants r WHERE NOT EXISTS (
		SELECT 1 FROM platform_audit a WHERE a.action = 'tenant.add' AND a.object_id = r.id::text)`,
	"apps": `SELECT count(*) FROM apps r WHERE NOT EXISTS (
		SELECT 1 FROM platform_audit a WHERE a.action = 'app.add' AND a.object_id = r.id::text)`,
	"people": `SELECT count(*) FROM people r WHERE r.operator_role IS NOT NULL AND NOT EXISTS (
		SELECT 1 FROM platform_audit a WHERE a.action = 'operator.add' AND a.object_id = r.id::text)`,
}

func TestEveryDemoRowHasItsCause(t *testing.T) {
	t.Parallel()
	database := testdb.New(t)
	m := newEmbedded(t, "DATABASE_URL="+database.AppDSN)

	run := m.start(t, "run")
	run.line(t, "The demo's logins")
	m.told(t, run)
	until(t, func() bool {
		return count(t, database, uuid.Nil, `SELECT count(*) FROM inbox_events WHERE split_at IS NULL`)+
			count(t, database, uuid.Nil, `SELECT count(*) FROM inbox_items WHERE state = 'waiting'`) == 0
	}, run)
	if code := run.stop(t, syscall.SIGINT); code != 0 {
		t.Errorf("run after an interrupt: exit %d: %s", code, run.errOut)
	}

	for table, query := range causelessOnPlatform {
		if n := count(t, database, uuid.Nil, query); n != 0 {
			t.Errorf("%d demo rows of %s have no audit entry", n, table)
		}
	}
	for _, tenant := range tenantsOf(t, database) {
		for table, query := range causeless {
			if n := count(t, database, tenant.ID, query); n != 0 {
				t.Errorf("%s: %d demo rows of %s have neither a webhook item nor an audit entry", tenant.Slug, n, table)
			}
		}
		for _, table := range []string{"contacts", "messages", "cases", "statuses", "rotations", "numbers"} {
			if count(t, database, tenant.ID, `SELECT count(*) FROM `+table) == 0 {
				t.Errorf("%s: the demo has no %s to show", tenant.Slug, table)
			}
		}
	}
}

func tenantsOf(t *testing.T, d *testdb.Database) (list []tenants.Tenant) {
	t.Helper()

	err := d.DB.System(context.Background(), func(tx *tenants.Tx) (err error) {
		list, err = access.Tenants(context.Background(), tx, uuid.Nil)
		return err
	})
	if err != nil || len(list) != 2 {
		t.Fatalf("the demo has %d businesses (%v), want 2", len(list), err)
	}

	return list
}

// count runs a query as a tenant, or as nobody's for uuid.Nil.
func count(t *testing.T, d *testdb.Database, tenant uuid.UUID, query string) (n int) {
	t.Helper()

	ctx := context.Background()
	enter := d.DB.System
	if tenant != uuid.Nil {
		enter = func(ctx context.Context, fn func(*tenants.Tx) error) error { return d.DB.As(ctx, tenant, fn) }
	}
	if err := enter(ctx, func(tx *tenants.Tx) error { return tx.GetContext(ctx, &n, query) }); err != nil {
		t.Fatalf("%s: %v", query, err)
	}

	return n
}
