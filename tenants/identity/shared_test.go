package identity_test

import (
	"errors"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestASharedPhoneNeverLinks(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.turnOn("card_request")
	w.feed(somebodyKnown, sharesIt)
	if !w.together(ashaPhone, ashaID) {
		t.Fatal("not linked before the phone was flagged")
	}
	share := func(tx *tenants.Tx, shared bool) error {
		return identity.SetShared(t.Context(), tx, meera, w.whois(whatsapp.KindPhone, ashaPhone).ID, ashaPhone, shared)
	}

	w.as(func(tx *tenants.Tx) error { return share(tx, true) })
	if w.together(ashaPhone, ashaID) {
		t.Error("a shared phone links still")
	}
	w.as(func(tx *tenants.Tx) error {
		cases, _, err := identity.Cases(t.Context(), tx, identity.CaseFilter{})
		if err != nil {
			return err
		}
		if len(cases) != 1 || len(cases[0].Candidates) != 1 || cases[0].Candidates[0].Tier != "B" {
			t.Fatalf("cases %+v, want one with one candidate of tier B", cases)
		}
		if against := cases[0].Candidates[0].Against; len(against) != 1 || against[0].Code != "shared_phone" {
			t.Errorf("against it speaks %+v, want shared_phone", against)
		}
		return nil
	})

	w.as(func(tx *tenants.Tx) error { return share(tx, false) })
	if !w.together(ashaPhone, ashaID) {
		t.Error("no longer shared, and not linked")
	}

	stranger := newWorld(t, w.db, "ravi-motors")
	err := stranger.db.As(t.Context(), stranger.tenant, func(tx *tenants.Tx) error { return share(tx, true) })
	if !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant may flag it: %v", err)
	}
}
