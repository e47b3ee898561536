package access_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

func (h *house) put(t *testing.T, tenant tenants.Tenant, was, state, reason string) {
	t.Helper()
	h.as(t, tenant, func(ctx context.Context, tx *tenants.Tx) error {
		return access.SetState(ctx, tx, access.Member{Person: access.Person{OperatorRole: "admin"}, Actor: tenants.Actor{Kind: "operator", Name: "Nisha"}}, was, state, reason)
	})
}

// ownerOf is who an owner's session says they are.
func (h *house) member(t *testing.T, token string) access.Member {
	t.Helper()
	m, err := h.check(t, token)
	if err != nil {
		t.Fatalf("check session: %v", err)
	}

	return m
}

func TestStatesLetIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	asha, meera, ravi := h.signIn(t, "asha").Token, h.signIn(t, "meera").Token, h.signIn(t, "ravi").Token
	_, key := h.key(t, h.clinic, "read")

	was := tenants.Active
	for _, c := range []struct {
		state                  string
		owner, agent, keyWorks bool
		ownerReadsHome         bool
	}{
		{tenants.Limited, true, true, true, true},
		{tenants.Suspended, false, false, false, false},
		{tenants.Closing, true, false, false, false},
		{tenants.Active, true, true, true, true},
	} {
		reason := "Bills are not paid"
		if c.state == tenants.Active {
			reason = ""
		}
		h.put(t, h.clinic, was, c.state, reason)
		was = c.state

		m := h.member(t, asha)
		if m.HasTenant() != c.owner || m.Can("home:read") != c.ownerReadsHome || m.Can("business:close") != c.owner || m.Can("contacts:export") != c.owner {
			t.Errorf("%s: owner stands in %q, reads home %v", c.state, m.Tenant.Slug, m.Can("home:read"))
		}
		if m.HasTenant() && m.Tenant.StateReason != reason {
			t.Errorf("%s: reason %q, want %q", c.state, m.Tenant.StateReason, reason)
		}
		if m := h.member(t, meera); m.HasTenant() != c.agent || m.Can("home:read") != c.agent {
			t.Errorf("%s: agent stands in %q", c.state, m.Tenant.Slug)
		}
		if _, err := h.checkKey(key); (err == nil) != c.keyWorks {
			t.Errorf("%s: key: got %v, want it to work: %v", c.state, err, c.keyWorks)
		}
		if m := h.member(t, ravi); !m.Can("home:read") {
			t.Errorf("%s: want another business untouched", c.state)
		}
	}
}

func TestWhoIsShutOutIsToldWhy(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put(t, h.clinic, tenants.Active, tenants.Suspended, "बिल बाकी है")

	in := h.signIn(t, "meera")
	m := h.member(t, in.Token)
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		shut, err := access.ShutPlaces(ctx, tx, m)
		if len(shut) != 1 || shut[0].State != tenants.Suspended || shut[0].Reason != "बिल बाकी है" || len(m.Places) != 0 {
			t.Errorf("got %+v and %v, want the one business with its reason", shut, m.Places)
		}
		return err
	})
}

func TestClosing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	token := h.signIn(t, "asha").Token
	owner := h.member(t, token)

	try := func(as access.Member, typed string) error {
		return h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.Close(ctx, tx, as, typed) })
	}
	wantIs(t, try(h.member(t, h.signIn(t, "meera").Token), "asha-clinic"), tenants.ErrForbidden)
	wantInvalid(t, try(owner, "asha clinic"), "confirm", "confirm")
	if err := try(owner, " asha-clinic "); err != nil {
		t.Fatalf("close: %v", err)
	}
	wantConflict(t, try(owner, "asha-clinic"), "changed")
	m := h.member(t, token)
	if m.Tenant.EraseAfter == nil || m.Tenant.EraseAfter.Sub(m.Tenant.StateSince) != access.Grace || m.Tenant.StateBy != "asha" {
		t.Errorf("closing until %v by %q, want a week of grace", m.Tenant.EraseAfter, m.Tenant.StateBy)
	}
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.KeepOpen(ctx, tx, m) })
	if m := h.member(t, token); m.Tenant.State != tenants.Active || m.Tenant.EraseAfter != nil || !m.Can("home:read") {
		t.Errorf("after it was taken back: %s until %v", m.Tenant.State, m.Tenant.EraseAfter)
	}
	if m := h.member(t, h.signIn(t, "ravi").Token); m.Tenant.State != tenants.Active {
		t.Errorf("want the other business untouched, got %s", m.Tenant.State)
	}
}

func TestOnlyOperatorsPutStates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	admin := access.Member{Person: access.Person{OperatorRole: "admin"}, Actor: tenants.Actor{Kind: "operator", Name: "Nisha"}}
	try := func(by access.Member, was, state, reason string) error {
		return h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			return access.SetState(ctx, tx, by, was, state, reason)
		})
	}
	wantIs(t, try(as(access.Owner), tenants.Active, tenants.Limited, "x"), tenants.ErrForbidden)
	wantIs(t, try(access.Member{Person: access.Person{OperatorRole: "support"}}, tenants.Active, tenants.Limited, "x"), tenants.ErrForbidden)
	wantInvalid(t, try(admin, tenants.Active, tenants.Suspended, " "), "reason", "needed")
	wantInvalid(t, try(admin, tenants.Active, tenants.Suspended, strings.Repeat("न", 1001)), "reason", "too_long")
	wantInvalid(t, try(admin, tenants.Active, tenants.Erased, "now"), "state", "choice")
	wantConflict(t, try(admin, tenants.Limited, tenants.Suspended, "late"), "changed")
	if err := try(admin, tenants.Active, tenants.Suspended, "late"); err != nil {
		t.Fatal(err)
	}
	if got := access.Moves(tenants.Erased); len(got) != 0 {
		t.Errorf("from erased: got %v, want no way back", got)
	}
	var told int
	h.system(t, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &told, `SELECT count(*) FROM jobs WHERE kind = $1 AND tenant_id = $2`, access.KindLife, h.clinic.ID)
	})
	if told != 1 {
		t.Errorf("%d jobs to tell the owners, want one", told)
	}
	if access.Grace != 7*24*time.Hour {
		t.Errorf("grace is %s", access.Grace)
	}
}

func TestTakingBackLeadsWhereItWas(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	token := h.signIn(t, "asha").Token
	closeIt := func(t *testing.T) {
		t.Helper()
		owner := h.member(t, token)
		h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.Close(ctx, tx, owner, "asha-clinic") })
	}
	keep := func() error {
		owner := access.Member{Role: access.Owner, Actor: tenants.Actor{Kind: "person", Name: "asha"}}
		return h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.KeepOpen(ctx, tx, owner) })
	}

	// A limit outlives a closing, and so does what the owners were told of it.
	h.put(t, h.clinic, tenants.Active, tenants.Limited, "Bills are not paid")
	closeIt(t)
	if err := keep(); err != nil {
		t.Fatal(err)
	}
	if m := h.member(t, token); m.Tenant.State != tenants.Limited || m.Tenant.StateReason != "Bills are not paid" || m.Tenant.StateBefore != "" {
		t.Errorf("got %s because of %q, want it limited as before", m.Tenant.State, m.Tenant.StateReason)
	}

	// What an operator closes, only an operator opens, also after an owner closed and kept it.
	for _, from := range []string{tenants.Limited, tenants.Suspended, tenants.Active} {
		if from != tenants.Limited {
			h.exec(t, `UPDATE tenants SET state = $2 WHERE id = $1`, h.clinic.ID, from)
		}
		h.put(t, h.clinic, from, tenants.Closing, "Fraud")
		wantConflict(t, keep(), "changed")
		h.put(t, h.clinic, tenants.Closing, tenants.Limited, "Under watch")
	}
}

// When the grace is over the erasing may have begun: nothing is taken back any more.
func TestNothingIsTakenBackAfterTheGrace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.member(t, h.signIn(t, "asha").Token)
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.Close(ctx, tx, owner, "asha-clinic") })
	h.exec(t, `UPDATE tenants SET erase_after = now() WHERE id = $1`, h.clinic.ID)

	wantConflict(t, h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.KeepOpen(ctx, tx, owner) }), "changed")
	admin := access.Member{Person: access.Person{OperatorRole: "admin"}, Actor: tenants.Actor{Kind: "operator", Name: "Nisha"}}
	ctx := context.Background()
	wantConflict(t, h.DB.System(ctx, func(tx *tenants.Tx) error {
		return access.PutState(ctx, tx, admin, h.clinic.ID, tenants.Closing, tenants.Active, "")
	}), "changed")
}
