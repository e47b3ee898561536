package access_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/testdb"
)

const password = "lotus-river-42-monsoon"

var command = access.Command("test")

// house is a database with asha-clinic (owner Asha, agent Meera) and ravi-motors (owner Ravi, agent Joseph).
type house struct {
	*testdb.Database
	sessions                  *access.Sessions
	clinic, motors            tenants.Tenant
	asha, meera, ravi, joseph uuid.UUID
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Database: testdb.New(t), sessions: access.NewSessions(make([]byte, 32))}
	h.clinic, h.asha = h.tenant(t, "asha-clinic", "asha")
	h.motors, h.ravi = h.tenant(t, "ravi-motors", "ravi")
	h.meera = h.add(t, h.clinic, "meera", access.Agent)
	h.joseph = h.add(t, h.motors, "joseph", access.Agent)

	return h
}

func (h *house) tenant(t *testing.T, slug, owner string) (tenants.Tenant, uuid.UUID) {
	t.Helper()
	tenant, err := access.AddTenant(context.Background(), h.DB, command, access.NewTenant{
		Slug: slug, Name: slug, Owner: h.known(t, owner),
	})
	if err != nil {
		t.Fatalf("add tenant: %v", err)
	}

	return tenant, h.team(t, tenant)[0].ID
}

func (h *house) add(t *testing.T, tenant tenants.Tenant, name, role string) uuid.UUID {
	t.Helper()
	id, err := access.AddMember(context.Background(), h.DB, tenant.ID, command, h.known(t, name), role)
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}

	return id
}

// known is somebody who has an account that costs little to sign in to.
func (h *house) known(t *testing.T, name string) access.NewPerson {
	t.Helper()
	p := person(name)
	h.Person(t, p.Email, p.Name, p.Password)

	return p
}

func (h *house) team(t *testing.T, tenant tenants.Tenant) (team []access.Colleague) {
	t.Helper()
	h.as(t, tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		team, err = access.Team(ctx, tx)
		return err
	})

	return team
}

// as and system run fn in a transaction that must succeed.
func (h *house) as(t *testing.T, tenant tenants.Tenant, fn func(context.Context, *tenants.Tx) error) {
	t.Helper()
	if err := h.try(tenant, fn); err != nil {
		t.Fatalf("as %s: %v", tenant.Slug, err)
	}
}

func (h *house) try(tenant tenants.Tenant, fn func(context.Context, *tenants.Tx) error) error {
	ctx := context.Background()
	return h.DB.As(ctx, tenant.ID, func(tx *tenants.Tx) error { return fn(ctx, tx) })
}

func (h *house) system(t *testing.T, fn func(context.Context, *tenants.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := h.DB.System(ctx, func(tx *tenants.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatalf("system: %v", err)
	}
}

func (h *house) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

func (h *house) signIn(t *testing.T, name string) access.SignedIn {
	t.Helper()
	in, err := h.trySignIn(credentials(name))
	if err != nil {
		t.Fatalf("sign in %s: %v", name, err)
	}

	return in
}

func (h *house) trySignIn(c access.Credentials) (access.SignedIn, error) {
	return h.sessions.SignIn(context.Background(), h.DB, c)
}

func (h *house) check(t *testing.T, token string) (m access.Member, err error) {
	t.Helper()
	ctx := context.Background()
	err = h.DB.System(ctx, func(tx *tenants.Tx) error {
		m, err = h.sessions.Check(ctx, tx, token)
		return err
	})

	return m, err
}

func credentials(name string) access.Credentials {
	return access.Credentials{Email: mailOf(name), Password: password, Address: netip.MustParseAddr("192.0.2.7"), Agent: "test"}
}

func person(name string) access.NewPerson {
	return access.NewPerson{Email: mailOf(name), Name: name, Password: password}
}

func mailOf(name string) string { return name + "@pehchan.example" }

func as(role string) access.Member {
	return access.Member{Role: role, Actor: tenants.Actor{Kind: "person", ID: uuid.NewString(), Name: role}}
}

func wantInvalid(t *testing.T, err error, field, key string) {
	t.Helper()
	var invalid *tenants.Invalid
	if !errors.As(err, &invalid) || invalid.Field != field || invalid.Key != key {
		t.Errorf("want %s refused as %s, got %v", field, key, err)
	}
}

func wantIs(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}

func wantConflict(t *testing.T, err error, code string) {
	t.Helper()
	if got := tenants.ConflictCode(err); got != code {
		t.Errorf("want conflict %s, got %v", code, err)
	}
}

func second[T any](_ T, err error) error { return err }
