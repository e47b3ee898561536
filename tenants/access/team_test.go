package access_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

func TestTeam(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	var names []string
	for _, c := range h.team(t, h.clinic) {
		names = append(names, c.Name+" "+c.Role)
	}
	if want := []string{"asha owner", "meera agent"}; !slices.Equal(names, want) {
		t.Errorf("want %v, and nobody of ravi-motors, got %v", want, names)
	}
}

func TestAddTenantRefusesASlugTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	_, err := access.AddTenant(context.Background(), h.DB, command, access.NewTenant{Slug: "asha-clinic", Name: "Other", Owner: person("newcomer")})
	wantConflict(t, err, "slug_taken")
	_, err = access.AddTenant(context.Background(), h.DB, command, access.NewTenant{Slug: "Asha Clinic", Name: "Other", Owner: person("newcomer")})
	wantInvalid(t, err, "slug", "slug")

	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		var n int
		err := tx.GetContext(ctx, &n, `SELECT count(*) FROM people WHERE email_key = $1`, mailOf("newcomer"))
		if n != 0 {
			t.Error("want nobody left behind by a refused business")
		}
		return err
	})
}

func TestAddMember(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	owner := as(access.Owner)

	// Joseph has an account: his password stays his, however the clinic's owner wrote the address.
	again := access.NewPerson{Email: " Joseph@Pehchan.example ", Name: "J", Password: "another-good-one-77-tea"}
	id, err := access.AddMember(ctx, h.DB, h.clinic.ID, owner, again, access.Lead)
	if err != nil || id != h.joseph {
		t.Errorf("want Joseph's own account %s, got %s, %v", h.joseph, id, err)
	}
	h.signIn(t, "joseph")

	_, err = access.AddMember(ctx, h.DB, h.clinic.ID, owner, again, access.Agent)
	wantConflict(t, err, "already_member")

	// The answer to a bad password does not tell whether the address has an account.
	for _, name := range []string{"ravi", "stranger"} {
		in := person(name)
		in.Password = "short"
		_, err = access.AddMember(ctx, h.DB, h.clinic.ID, owner, in, access.Agent)
		wantInvalid(t, err, "password", "password_short")
	}

	// On the command line a password of somebody who exists is not asked for.
	in := person("ravi")
	in.Password = ""
	if _, err := access.AddMember(ctx, h.DB, h.clinic.ID, command, in, access.Agent); err != nil {
		t.Errorf("want Ravi added without a password, got %v", err)
	}

	_, err = access.AddMember(ctx, h.DB, h.clinic.ID, owner, person("x"), "operator_admin")
	wantInvalid(t, err, "role", "role")
}

func TestALeadManagesAgentsOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	lead := as(access.Lead)
	dev := h.add(t, h.clinic, "dev", access.Developer)

	if _, err := access.AddMember(ctx, h.DB, h.clinic.ID, lead, person("new-agent"), access.Agent); err != nil {
		t.Errorf("want a lead to add an agent, got %v", err)
	}
	for _, role := range access.Roles() {
		if role == access.Agent {
			continue
		}
		_, err := access.AddMember(ctx, h.DB, h.clinic.ID, lead, person("x"), role)
		wantIs(t, err, tenants.ErrForbidden)
		err = h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			return second(access.ChangeRole(ctx, tx, lead, h.meera, role))
		})
		wantIs(t, err, tenants.ErrForbidden)
	}
	for _, person := range []uuid.UUID{h.asha, dev} {
		err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			return second(access.RemoveMember(ctx, tx, lead, person))
		})
		wantIs(t, err, tenants.ErrForbidden)
	}
	for _, role := range []string{access.Agent, access.Marketing, access.Developer, access.Auditor, ""} {
		err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			return second(access.RemoveMember(ctx, tx, as(role), h.meera))
		})
		wantIs(t, err, tenants.ErrForbidden)
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := as(access.Owner)

	err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RemoveMember(ctx, tx, owner, h.asha))
	})
	wantConflict(t, err, "last_owner")
	err = h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.ChangeRole(ctx, tx, owner, h.asha, access.Lead))
	})
	wantConflict(t, err, "last_owner")

	// Two owners who demote each other at once: one is refused.
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.ChangeRole(ctx, tx, owner, h.meera, access.Owner))
	})
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, person := range []uuid.UUID{h.asha, h.meera} {
		wg.Go(func() {
			errs[i] = h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
				return second(access.ChangeRole(ctx, tx, owner, person, access.Agent))
			})
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || tenants.ConflictCode(errors.Join(errs...)) != "last_owner" {
		t.Errorf("want exactly one owner to stay, got %v", errs)
	}
}

func TestRolesNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := as(access.Owner)

	err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.ChangeRole(ctx, tx, owner, h.joseph, access.Lead))
	})
	wantIs(t, err, tenants.ErrNotFound)
	err = h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RemoveMember(ctx, tx, owner, h.joseph))
	})
	wantIs(t, err, tenants.ErrNotFound)

	for _, c := range h.team(t, h.motors) {
		if c.ID == h.joseph && c.Role != access.Agent {
			t.Errorf("want Joseph still an agent, got %s", c.Role)
		}
	}
}

func TestTeamChangesAreAudited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := as(access.Owner)
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.ChangeRole(ctx, tx, owner, h.meera, access.Lead))
	})
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RemoveMember(ctx, tx, owner, h.meera))
	})

	want := []string{"member.add", "member.add", "member.change_role", "member.remove"}
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		var got []string
		err := tx.SelectContext(ctx, &got, `SELECT action FROM audit_entries ORDER BY seq`)
		if !slices.Equal(got, want) {
			t.Errorf("want %v, got %v", want, got)
		}
		if _, fault, err := tenants.VerifyAudit(ctx, tx); fault != nil || err != nil {
			t.Errorf("want the chain whole, got %v, %v", fault, err)
		}
		return err
	})
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		if _, fault, err := tenants.VerifyAudit(ctx, tx); fault != nil || err != nil {
			t.Errorf("want the platform's chain whole, got %v, %v", fault, err)
		}
		return nil
	})
}

func TestOperator(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()

	if _, err := access.AddOperator(ctx, h.DB, command, person("olga"), "support"); err != nil {
		t.Fatalf("add operator: %v", err)
	}
	_, err := access.AddOperator(ctx, h.DB, command, person("olga"), "owner")
	wantInvalid(t, err, "role", "role")

	m, err := h.check(t, h.signIn(t, "olga").Token)
	if err != nil || m.HasTenant() || m.Actor.Kind != "operator" || !m.Can("op:read") || m.Can("op:write") || m.Can("contacts:read") {
		t.Errorf("want an operator of no tenant who reads the platform only, got %+v, %v", m, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := access.TenantSettings{Name: "Asha Clinic", Lang: "hi", Timezone: "Asia/Dubai", Density: "team"}

	err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return access.ChangeTenant(ctx, tx, as(access.Lead), in)
	})
	wantIs(t, err, tenants.ErrForbidden)
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return access.ChangeTenant(ctx, tx, as(access.Owner), in)
	})

	m, err := h.check(t, h.signIn(t, "asha").Token)
	if err != nil || m.Tenant.Lang != "hi" || m.Tenant.Name != "Asha Clinic" || m.Tenant.Location().String() != "Asia/Dubai" {
		t.Errorf("want the new settings, got %+v, %v", m.Tenant, err)
	}
	if m, err = h.check(t, h.signIn(t, "ravi").Token); err != nil || m.Tenant.Name != "ravi-motors" {
		t.Errorf("want ravi-motors untouched, got %+v, %v", m.Tenant, err)
	}

	bad := in
	bad.Timezone = "Mars/Olympus"
	err = h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return access.ChangeTenant(ctx, tx, as(access.Owner), bad)
	})
	wantInvalid(t, err, "timezone", "timezone")

	own := access.Preferences{Lang: "hi", Theme: "dark", Density: "shop", Shortcuts: false}
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error { return access.SetPreferences(ctx, tx, h.meera, own) })
	if m, err = h.check(t, h.signIn(t, "meera").Token); err != nil || m.Person.Preferences() != own {
		t.Errorf("want %+v, got %+v, %v", own, m.Person.Preferences(), err)
	}
}

// Somebody's own quiet hours are theirs in one business, and reach whoever writes them a mail from there.
func TestOwnQuietHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	meera := as(access.Agent)
	meera.Person.ID = h.meera
	night := tenants.Quiet{From: 22 * 60, Until: 7 * 60}
	set := func(tenant tenants.Tenant, q tenants.Quiet) error {
		return h.try(tenant, func(ctx context.Context, tx *tenants.Tx) error { return access.SetOwnQuiet(ctx, tx, meera, q) })
	}
	if err := set(h.clinic, night); err != nil {
		t.Fatal(err)
	}
	wantIs(t, set(h.motors, night), tenants.ErrNotFound)
	wantInvalid(t, set(h.clinic, tenants.Quiet{From: 60, Until: 24 * 60}), "until", "clock")

	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		to, err := access.ReaderIn(ctx, tx, h.meera)
		if to.Quiet != night {
			t.Errorf("want a mail to Meera to know of %v, got %v", night, to.Quiet)
		}

		return err
	})
	err := h.try(h.motors, func(ctx context.Context, tx *tenants.Tx) error { return second(access.OwnQuiet(ctx, tx, h.meera)) })
	wantIs(t, err, tenants.ErrNotFound)
}

// The last place in a team is taken once, and who comes too late is told why.
func TestTeamLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	h.exec(t, `UPDATE tenants SET most_people = 3 WHERE id = $1`, h.clinic.ID)
	token := ""
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
		_, token, err = access.Invite(ctx, tx, command, mailOf("kiran"), access.Agent)
		return err
	})
	join := func(name string) func() error {
		return func() error {
			return second(access.AddMember(ctx, h.DB, h.clinic.ID, command, person(name), access.Agent))
		}
	}
	full := 0
	for _, err := range h.amid(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `LOCK TABLE memberships IN SHARE MODE`)
		return err
	}, join("farah"), join("dev")) {
		if err != nil {
			wantConflict(t, err, "too_many_people")
			full++
		}
	}
	if got := len(h.team(t, h.clinic)); full != 1 || got != 3 {
		t.Errorf("want one of two in and a team of 3, got %d refused and %d", full, got)
	}
	_, err := access.Accept(ctx, h.DB, token, access.Member{}, "Kiran", "four-mangoes-in-a-boat-9")
	wantConflict(t, err, "too_many_people")
	wantConflict(t, join("meera")(), "already_member")

	h.exec(t, `UPDATE tenants SET most_people = 4 WHERE id = $1`, h.clinic.ID)
	if _, err := access.Accept(ctx, h.DB, token, access.Member{}, "Kiran", "four-mangoes-in-a-boat-9"); err != nil {
		t.Errorf("want the invitation good once there is a place, got %v", err)
	}
}
