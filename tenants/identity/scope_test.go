package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
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
		return identity.WidenInParts(t.Context(), tx, "waba:318840557712904", late.scopes[otherNumber], 1)
	})
	if diff := cmp.Diff(known.picture(), late.picture()); diff != "" {
		t.Errorf("widened late differs from known at once (-known +late):\n%s", diff)
	}
}

// TestWideningRenamesWhatIsCounted: where nobody is known twice the sums of two scopes are put together as they are.
func TestWideningRenamesWhatIsCounted(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.scopes[mainNumber] = "waba:318840557712904"
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha"},
		event{at: 9, wamid: "b", bsuid: "IN.1"},
		event{at: 1, wamid: "c", number: otherNumber, bsuid: "IN.2", name: "Bela"},
		event{at: 1, wamid: "d", bsuid: "IN.3", name: "Chitra"},
		event{at: 1, wamid: "e", number: otherNumber, bsuid: "IN.4", name: "Dev"},
	)
	other := newWorld(t, w.db, "ravi-motors")
	other.scopes[mainNumber] = "waba:318840557712904"
	other.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha"})
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), `
			INSERT INTO contact_books (tenant_id, scope, state, said_by) VALUES ($1, 'waba:318840557712904', 'on', 'Meera')`, w.tenant)
		if err != nil {
			return err
		}
		return identity.WidenScope(t.Context(), tx, "waba:318840557712904", w.scopes[otherNumber])
	})
	w.as(func(tx *tenants.Tx) error {
		books, err := adoption.Books(t.Context(), tx)
		if len(books) != 1 || books[w.scopes[otherNumber]] != adoption.BookOn {
			t.Errorf("the owner said of contact books %v; want what was said of the old scope under the new one", books)
		}
		return err
	})
	w.checkHeard(t)
	other.checkHeard(t)
	w.as(func(tx *tenants.Tx) error {
		var left, accounts int
		err := tx.QueryRowContext(t.Context(), `
			SELECT (SELECT count(*) FROM adoption_cells WHERE place LIKE 'waba:%') + (SELECT count(*) FROM heard_last WHERE place LIKE 'waba:%'),
			       (SELECT sum(n) FROM adoption_cells WHERE kind = 'last' AND place = $1)`, w.scopes[otherNumber]).Scan(&left, &accounts)
		if err == nil && (left != 0 || accounts != 4) {
			t.Errorf("%d sums of the old scope are left, and %d accounts stand in the new; want none and 4", left, accounts)
		}
		return err
	})
}
