package handover_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/handover"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/training"
)

// house is asha-clinic with its owner Asha, its lead Joseph and its agent Meera, beside ravi-motors with its owner Ravi.
type house struct {
	*testdb.Database
	t                         *testing.T
	clinic, motors            uuid.UUID
	asha, joseph, meera, ravi uuid.UUID
	owner                     access.Member
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Database: testdb.New(t), t: t}
	ctx, command := context.Background(), access.Command("test")
	person := func(name string) access.NewPerson {
		p := access.NewPerson{Email: name + "@pehchan.example", Name: name, Password: "lotus-river-42-monsoon"}
		h.Person(t, p.Email, p.Name, p.Password)
		return p
	}
	add := func(slug, owner string) uuid.UUID {
		tenant, err := access.AddTenant(ctx, h.DB, command, access.NewTenant{Slug: slug, Name: slug, Owner: person(owner)})
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ID
	}
	h.clinic, h.motors = add("asha-clinic", "asha"), add("ravi-motors", "ravi")
	join := func(name, role string) uuid.UUID {
		id, err := access.AddMember(ctx, h.DB, h.clinic, command, person(name), role)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	h.joseph, h.meera = join("joseph", access.Lead), join("meera", access.Agent)
	first := func(tenant uuid.UUID, of *uuid.UUID) {
		h.as(tenant, func(tx *tenants.Tx) error {
			return tx.Get(of, `SELECT person_id FROM memberships WHERE tenant_id = $1 AND role = 'owner'`, tx.Tenant)
		})
	}
	first(h.clinic, &h.asha)
	first(h.motors, &h.ravi)
	h.owner = access.Member{Role: access.Owner, Actor: tenants.Actor{Kind: "person", ID: h.asha.String(), Name: "asha"}}

	return h
}

func (h *house) try(tenant uuid.UUID, fn func(*tenants.Tx) error) error {
	return h.DB.As(h.t.Context(), tenant, fn)
}

func (h *house) as(tenant uuid.UUID, fn func(*tenants.Tx) error) {
	h.t.Helper()
	if err := h.try(tenant, fn); err != nil {
		h.t.Fatal(err)
	}
}

// busy gives a person of a business two conversations, an escalation of each level that is open and one that is closed, a username to see
// to, and a case they are looking at.
func (h *house) busy(tenant, person uuid.UUID) {
	h.t.Helper()
	h.as(tenant, func(tx *tenants.Tx) error {
		number := uuid.New()
		for _, q := range []string{
			`INSERT INTO assignments (tenant_id, identity_id, person_id) SELECT $1, gen_random_uuid(), $2 FROM generate_series(1, 2)`,
			`INSERT INTO escalations (tenant_id, id, kind, level, reason, opened_by, opener, owner_id, owner_name, due_at, closed_at)
			 SELECT $1, gen_random_uuid(), 'angry', level, 'x', $2, 'x', $2, 'them', now(), CASE WHEN level = 'L3' THEN now() END
			 FROM unnest(ARRAY['L1', 'L2', 'L3']) level`,
			`INSERT INTO cases (tenant_id, id, kind, key, waiting_since, lease_by, lease_until) SELECT $1, gen_random_uuid(), 'unidentifiable', 'k', now(), $2::text, now() + interval '5 minutes'`,
		} {
			if _, err := tx.Exec(q, tx.Tenant, person); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`
			INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, scope, state)
			VALUES ($1, $2, gen_random_uuid(), '1', '2', '919900000001', 'waba:1', 'connected')`, tx.Tenant, number); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO number_usernames (tenant_id, number_id, owner_id) VALUES ($1, $2, $3)`, tx.Tenant, number, person)

		return err
	})
}

// has is what a person of a business has in hand: conversations, escalations, usernames and cases.
func (h *house) has(tenant, person uuid.UUID) string {
	h.t.Helper()
	var n [4]int
	h.as(tenant, func(tx *tenants.Tx) error {
		return tx.QueryRow(`
			SELECT (SELECT count(*) FROM assignments WHERE person_id = $2 AND tenant_id = $1),
			       (SELECT count(*) FROM escalations WHERE owner_id = $2 AND closed_at IS NULL AND tenant_id = $1),
			       (SELECT count(*) FROM number_usernames WHERE owner_id = $2 AND tenant_id = $1),
			       (SELECT count(*) FROM cases WHERE lease_by = $2::text AND tenant_id = $1)`, tx.Tenant, person).Scan(&n[0], &n[1], &n[2], &n[3])
	})

	return fmt.Sprint(n)
}

func (h *house) wantHas(who string, tenant, person uuid.UUID, want string) {
	h.t.Helper()
	if got := h.has(tenant, person); got != want {
		h.t.Errorf("%s has %s in hand, want %s", who, got, want)
	}
}

func (h *house) remove(by access.Member, person uuid.UUID, to handover.To) (int, error) {
	passed := 0
	err := h.try(h.clinic, func(tx *tenants.Tx) (err error) {
		_, passed, err = handover.Remove(h.t.Context(), tx, by, person, to)
		return err
	})

	return passed, err
}

func TestRemoveLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.busy(h.clinic, h.meera)
	h.busy(h.motors, h.ravi)

	// Only who may do the work gets it, and nothing happens where one of them may not.
	for name, heir := range map[string]uuid.UUID{"of another business": h.ravi, "of nobody": uuid.New(), "who leaves": h.meera} {
		var refused *tenants.Invalid
		if _, err := h.remove(h.owner, h.meera, handover.To{handover.Conversations: heir}); !errors.As(err, &refused) || refused.Field != handover.Conversations {
			t.Errorf("to one %s: %v", name, err)
		}
	}
	h.wantHas("Meera", h.clinic, h.meera, "[2 2 1 1]")

	passed, err := h.remove(h.owner, h.meera, handover.To{handover.Conversations: h.joseph, handover.Escalations: h.asha})
	if err != nil || passed != 5 {
		t.Fatalf("passed on %d, %v, want 5", passed, err)
	}
	h.wantHas("Meera", h.clinic, h.meera, "[0 0 0 0]")
	h.wantHas("Joseph", h.clinic, h.joseph, "[2 0 0 0]")
	h.wantHas("Asha", h.clinic, h.asha, "[0 2 0 0]")
	h.wantHas("Ravi of another business", h.motors, h.ravi, "[2 2 1 1]")

	h.as(h.clinic, func(tx *tenants.Tx) error {
		var told []string
		if err := tx.Select(&told, `
			SELECT action || ' ' || (detail::jsonb->>'count') || ' ' || coalesce(p.name, 'team')
			FROM audit_entries a LEFT JOIN people p ON p.id::text = a.detail::jsonb->>'person'
			WHERE a.tenant_id = $1 AND a.action LIKE '%.hand_over' AND a.object_id = $2::text ORDER BY 1`, tx.Tenant, h.meera); err != nil {
			return err
		}
		if got, want := fmt.Sprint(told), "[conversation.hand_over 2 joseph escalation.hand_over 2 asha username.hand_over 1 team]"; got != want {
			t.Errorf("the audit says %s, want %s", got, want)
		}
		var owners []string
		if err := tx.Select(&owners, `SELECT owner_name FROM escalations WHERE tenant_id = $1 ORDER BY level`, tx.Tenant); err != nil {
			return err
		}
		if got := fmt.Sprint(owners); got != "[asha asha them]" {
			t.Errorf("escalations are with %s, want the open ones with Asha", got)
		}

		return nil
	})
}

// A role keeps what it can go on with.
func TestChangeRoleLeavesWhatTheRoleCannotDo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.busy(h.clinic, h.joseph)
	change := func(role string, to handover.To) {
		t.Helper()
		h.as(h.clinic, func(tx *tenants.Tx) error {
			_, _, err := handover.ChangeRole(t.Context(), tx, h.owner, h.joseph, role, to)
			return err
		})
	}
	leaving := func(role string) map[string]int {
		t.Helper()
		got := map[string]int{}
		h.as(h.clinic, func(tx *tenants.Tx) error {
			work, err := handover.Leaving(t.Context(), tx, h.joseph, role)
			for _, w := range work {
				got[w.Kind] = w.Count
			}
			return err
		})
		return got
	}
	for role, want := range map[string]map[string]int{
		access.Owner:     {},
		access.Agent:     {handover.Escalations: 1, handover.Usernames: 1},
		access.Marketing: {handover.Escalations: 2, handover.Conversations: 2},
		"":               {handover.Escalations: 2, handover.Conversations: 2, handover.Usernames: 1},
	} {
		if got := leaving(role); !maps.Equal(got, want) {
			t.Errorf("to become %q Joseph leaves %v, want %v", role, got, want)
		}
	}
	change(access.Agent, handover.To{handover.Escalations: h.asha})
	h.wantHas("Joseph the agent", h.clinic, h.joseph, "[2 1 0 1]")
	h.wantHas("Asha", h.clinic, h.asha, "[0 1 0 0]")
	change(access.Marketing, nil)
	h.wantHas("Joseph of marketing", h.clinic, h.joseph, "[0 0 0 0]")

	if err := h.try(h.motors, func(tx *tenants.Tx) error {
		_, _, err := handover.ChangeRole(t.Context(), tx, h.owner, h.joseph, access.Agent, nil)
		return err
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("somebody of another business: %v, want not found", err)
	}
}

// However work that is given meets the removal of who gets it, nobody who is gone has any.
func TestNothingIsGivenToWhoIsBeingRemoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	open := uuid.New()
	h.as(h.clinic, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO escalations (tenant_id, id, kind, level, reason, opened_by, opener, due_at) VALUES ($1, $2, 'angry', 'L1', 'x', $3, 'x', now())`, tx.Tenant, open, h.asha)
		return err
	})
	var all sync.WaitGroup
	ready := make(chan struct{})
	for range 4 {
		all.Go(func() {
			<-ready
			err := h.try(h.clinic, func(tx *tenants.Tx) error {
				return training.Take(t.Context(), tx, tenants.Actor{Kind: "person", ID: h.meera.String(), Name: "meera"}, open)
			})
			if err != nil && !errors.Is(err, tenants.ErrForbidden) {
				t.Errorf("take: %v", err)
			}
		})
	}
	all.Go(func() {
		<-ready
		if _, err := h.remove(h.owner, h.meera, nil); err != nil {
			t.Errorf("remove: %v", err)
		}
	})
	close(ready)
	all.Wait()
	h.wantHas("Meera", h.clinic, h.meera, "[0 0 0 0]")
}
