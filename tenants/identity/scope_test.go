package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// TestWideningJoinsWhatWasAlwaysOne: two numbers of one portfolio whose portfolio was not known at first end as if it had been.
func TestWideningJoinsWhatWasAlwaysOne(t *testing.T) {
	t.Parallel()
	story := []event{
		{wamid: "a", phone: "919800000101"},
		{at: 1, wamid: "b", number: otherNumber, phone: "919800000101", bsuid: "IN.1", name: "Asha"},
		{at: 2, wamid: "c", bsuid: "IN.1"},
		{at: 3, wamid: "d", bsuid: "IN.5", name: "Mateo"},
		{at: 4, wamid: "e", system: "user_changed_number", phone: "919800000101", newPhone: "919800000155", newBSUID: "IN.2", oldBSUID: "IN.1"},
		{at: 5, wamid: "f", number: otherNumber, phone: "919800000155"},
	}
	known := freshWorld(t)
	for _, e := range story {
		known.feed(e)
	}

	late := newWorld(t, known.db, "ravi-motors")
	late.scopes[mainNumber] = "waba:318840557712904"
	for _, e := range story {
		late.feed(e)
	}
	if known.picture() == late.picture() {
		t.Fatal("the scopes made no difference to begin with")
	}
	late.as(func(tx *tenants.Tx) error {
		return identity.WidenScope(t.Context(), tx, "waba:318840557712904", late.scopes[otherNumber])
	})
	if diff := cmp.Diff(known.picture(), late.picture()); diff != "" {
		t.Errorf("widened late differs from known at once (-known +late):\n%s", diff)
	}
}
