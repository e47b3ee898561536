package identity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// A phone known from a change alone turns out to have been somebody's who had left it long before: what was kept of it gives way,
// instead of lying beside the new.
func TestATenureThatNobodyKeepsGoes(t *testing.T) {
	t.Parallel()
	late := event{at: 100, wamid: "a", system: "customer_changed_number", newPhone: "919800000103"}
	early := []event{
		{at: 1, wamid: "b", phone: "919800000103", bsuid: "IN.1"},
		{at: 3, wamid: "c", system: "user_changed_user_id", newBSUID: "IN.2", oldBSUID: "IN.1"},
	}
	db := testdb.New(t).DB
	w, told := newWorld(t, db, "late-first"), newWorld(t, db, "as-told")
	w.feed(late)
	w.feed(early...)
	told.feed(early...)
	told.feed(late)

	var twice int
	w.as(func(tx *tenants.Tx) error {
		return tx.GetContext(t.Context(), &twice, `
			SELECT count(*) FROM tenures a JOIN tenures b ON a.identifier_id = b.identifier_id AND a.id < b.id
			WHERE tstzrange(a.from_at, a.to_at) && tstzrange(b.from_at, b.to_at)`)
	})
	if twice != 0 {
		t.Errorf("%d pairs of tenures hold one identifier at one time, want none", twice)
	}
	if diff := cmp.Diff(told.picture(), w.picture()); diff != "" {
		t.Errorf("another order ends elsewhere (-told +this):\n%s", diff)
	}
}
