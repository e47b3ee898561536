package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// tab is what a tab of the queue lists.
func (w *world) tab(name string) (list []identity.Case) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.Cases(w.t.Context(), tx, identity.CaseFilter{Tab: name, Page: identity.Page{Limit: 50}})
		return err
	})

	return list
}

// checkTabs holds whatever happens: each tab says as many cases as it lists, the ages come to those that somebody can decide now, and
// another tenant's counts are their own.
func (w *world) checkTabs(other *world) {
	w.t.Helper()
	lengths := func(w *world) identity.QueueCounts {
		return identity.QueueCounts{
			New: len(w.tab(identity.TabNew)), Suggested: len(w.tab(identity.TabSuggested)),
			Conflicts: len(w.tab(identity.TabConflicts)), Waiting: len(w.tab(identity.TabWaiting)),
			Approvals: len(w.tab(identity.TabApprovals)),
		}
	}
	for _, one := range []*world{w, other} {
		want := lengths(one)
		one.as(func(tx *tenants.Tx) error {
			got, err := identity.CountCases(one.t.Context(), tx)
			if err != nil {
				return err
			}
			if (got.Oldest == nil) != (want.Due() == 0) {
				one.t.Errorf("oldest %v with %d to decide", got.Oldest, want.Due())
			}
			got.Oldest = nil
			if diff := cmp.Diff(want, got); diff != "" {
				one.t.Errorf("cases of each tab (-listed +counted):\n%s", diff)
			}
			due, err := identity.CountDue(one.t.Context(), tx)
			if due != want.Due() {
				one.t.Errorf("%d cases due for every page, want %d", due, want.Due())
			}
			if err != nil {
				return err
			}
			ages, err := identity.CaseAges(one.t.Context(), tx)
			if sum := ages.Hour + ages.Day + ages.Week + ages.Older; sum != want.Due() {
				one.t.Errorf("ages %+v, want all %d", ages, want.Due())
			}
			return err
		})
	}
}

func TestTabsCountWhatTheyList(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	w, other := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	w.feed(event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh Kumar"}, event{at: 1, wamid: "b", bsuid: "IN.2", text: "my number is 98000 00102"})
	for i := range 5 {
		w.feed(event{at: int64(i + 2), wamid: fmt.Sprint("n", i), bsuid: fmt.Sprint("IN.5", i)})
	}
	other.feed(event{wamid: "o", bsuid: "IN.9"})
	w.checkTabs(other)

	suggested, unknown := w.tab(identity.TabSuggested)[0], w.tab(identity.TabNew)
	tomorrow := time.Now().Add(24 * time.Hour)
	for _, d := range []identity.Decision{
		{Case: unknown[0].ID, Kind: "hold", Until: &tomorrow},
		{Case: unknown[1].ID, Kind: "unsure"},
		{Case: unknown[2].ID, Kind: "hold", Until: &tomorrow},
		{Case: unknown[3].ID, Kind: "new"},
		{Case: suggested.ID, Kind: "same", Contact: suggested.Candidates[0].Contact.ID, Reason: "same voice"},
	} {
		if _, _, err := w.decide(meera, d); err != nil {
			t.Fatal(err)
		}
		w.checkTabs(other)
	}
	w.as(func(tx *tenants.Tx) error { // its day has come
		_, err := tx.ExecContext(t.Context(), `UPDATE cases SET hold_until = now() - interval '1 second' WHERE tenant_id = $1 AND id = $2`, w.tenant, unknown[2].ID)
		return err
	})
	w.checkTabs(other)
	for _, id := range []uuid.UUID{unknown[0].ID, suggested.ID} {
		w.as(func(tx *tenants.Tx) error {
			_, err := identity.TakeBack(t.Context(), tx, meera, id)
			return err
		})
		w.checkTabs(other)
	}
	w.feed(event{at: 40, wamid: "p", bsuid: "IN.50", phone: "919800000150"}) // proof ends one
	w.checkTabs(other)
	w.checkHeard(t)
}
