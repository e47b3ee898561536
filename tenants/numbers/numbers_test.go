package numbers_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// place is a platform with two businesses.
type place struct {
	*testdb.Database
	keys       *secrets.Keyring
	asha, ravi uuid.UUID
}

var meera = tenants.Actor{Kind: "person", ID: "meera", Name: "Meera"}

func newPlace(t *testing.T) place {
	t.Helper()

	p := place{Database: testdb.New(t)}
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.keys = keys
	p.asha = p.tenant(t, "asha-clinic")
	p.ravi = p.tenant(t, "ravi-motors")

	return p
}

func (p place) tenant(t *testing.T, slug string) uuid.UUID {
	t.Helper()

	tenant, err := access.AddTenant(context.Background(), p.DB, access.Command("test"), access.NewTenant{
		Slug: slug, Name: slug, Owner: access.NewPerson{Email: "owner@" + slug + ".example", Password: "brass-lantern-monsoon-47"},
	})
	if err != nil {
		t.Fatal(err)
	}

	return tenant.ID
}

// as runs fn in a tenant, or in System for uuid.Nil, and returns its error.
func (p place) as(tenant uuid.UUID, fn func(context.Context, *tenants.Tx) error) error {
	ctx := context.Background()
	inner := func(tx *tenants.Tx) error { return fn(ctx, tx) }
	if tenant == uuid.Nil {
		return p.DB.System(ctx, inner)
	}

	return p.DB.As(ctx, tenant, inner)
}
