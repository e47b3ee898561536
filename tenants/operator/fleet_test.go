package operator_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/testdb"
)

func TestBusinesses(t *testing.T) {
	t.Parallel()
	db, ctx := testdb.New(t).DB, context.Background()
	var ids []uuid.UUID
	for _, slug := range []string{"asha-clinic", "ravi-motors", "neem-dental"} {
		owner := access.NewPerson{Email: "owner@" + slug + ".example", Name: "Owner", Password: "brass-lantern-monsoon-47"}
		tenant, err := access.AddTenant(ctx, db, access.Command("test"), access.NewTenant{Slug: slug, Name: slug, Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tenant.ID)
	}
	err := db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO inbox_counters (tenant_id, number_id, slot, received, routed, set_aside, waiting, duplicates)
			VALUES ($1, $2, 0, 5, 0, 0, 5, 0), ($1, $2, 1, 0, 3, 1, -4, 2)`, ids[0], uuid.New())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	first, err := operator.Businesses(ctx, db, uuid.Nil, 2)
	if err != nil || len(first) != 2 {
		t.Fatalf("first page: got %d (%v), want 2", len(first), err)
	}
	asha := first[0]
	if asha.Slug != "asha-clinic" || asha.Members != 1 || asha.Received != 5 || asha.Routed != 3 || asha.SetAside != 1 || asha.Waiting != 1 ||
		asha.Duplicates != 2 || !asha.Balanced() {
		t.Errorf("got %+v, want the counts over both slots", asha)
	}
	if ravi := first[1]; ravi.Received != 0 || ravi.LastItem != nil || ravi.OldestWaiting != 0 {
		t.Errorf("got %+v, want nothing of another business", ravi)
	}
	rest, err := operator.Businesses(ctx, db, first[1].ID, 2)
	if err != nil || len(rest) != 1 || rest[0].Slug != "neem-dental" {
		t.Errorf("second page: got %+v (%v), want the third", rest, err)
	}
}
