package identity_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func (w *world) chooses(in identity.BulkInput) uuid.UUID {
	w.t.Helper()
	var id uuid.UUID
	w.as(func(tx *tenants.Tx) (err error) {
		id, err = identity.StartBulk(w.t.Context(), tx, meera, in)
		return err
	})

	return id
}

// bulk takes step after step until there is no more, and tells how it stands.
func (w *world) bulk(id uuid.UUID, step func(tx *tenants.Tx) (bool, error)) identity.Bulk {
	w.t.Helper()
	for more := true; more; {
		w.as(func(tx *tenants.Tx) (err error) {
			more, err = step(tx)
			return err
		})
	}
	var b identity.Bulk
	w.as(func(tx *tenants.Tx) (err error) {
		b, err = identity.GetBulk(w.t.Context(), tx, id)
		return err
	})

	return b
}

func (w *world) runs(id uuid.UUID) identity.Bulk {
	w.t.Helper()
	return w.bulk(id, func(tx *tenants.Tx) (bool, error) { return identity.RunBulk(w.t.Context(), tx, meera, id) })
}

func (w *world) takesBack(id uuid.UUID) identity.Bulk {
	w.t.Helper()
	return w.bulk(id, func(tx *tenants.Tx) (bool, error) { return identity.UndoBulk(w.t.Context(), tx, meera, id, false) })
}

// fates is what became of each case, by who wrote, with why.
func (w *world) fates(id uuid.UUID) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	w.as(func(tx *tenants.Tx) error {
		items, _, err := identity.BulkItems(w.t.Context(), tx, id, "", 0, 100)
		for _, i := range items {
			out[i.Case.Contact.Name()] = i.State + " " + i.Why
		}
		return err
	})

	return out
}

func TestManyNewPeopleAtOnce(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "k", phone: "919800000102", name: "Rajesh"})
	var story []event
	for i := range 6 {
		story = append(story, event{at: 1, wamid: fmt.Sprint("n", i), bsuid: fmt.Sprint("IN.", i), name: fmt.Sprint("New ", i)})
	}
	story[4].text = "my number is 98000 00102"
	w.feed(story...)
	before := w.picture()

	id := w.chooses(identity.BulkInput{Decision: "new", All: &identity.CaseFilter{}})
	if diff := cmp.Diff(before, w.picture()); diff != "" {
		t.Errorf("choosing changed something (-before +after):\n%s", diff)
	}
	w.as(func(tx *tenants.Tx) error {
		if _, err := identity.RunBulk(t.Context(), tx, joseph, id); !errors.Is(err, tenants.ErrForbidden) {
			t.Errorf("somebody else's choice carried out: %v, want it refused", err)
		}
		return nil
	})
	w.feed(event{at: 2, wamid: "p", bsuid: "IN.0", phone: "919800000500"}) // settled since the choice

	b := w.runs(id)
	if b.State != identity.BulkDone || b.Total != 6 || b.Done != 4 || b.Skipped != 2 {
		t.Fatalf("%s: %d of %d done, %d skipped; want 4 of 6, 2 skipped", b.State, b.Done, b.Total, b.Skipped)
	}
	want := map[string]string{
		"New 0": "skipped decided", "New 1": "done ", "New 2": "done ", "New 3": "done ", "New 4": "skipped suggested", "New 5": "done ",
	}
	if diff := cmp.Diff(want, w.fates(id)); diff != "" {
		t.Errorf("fates (-want +got):\n%s", diff)
	}
	if got := w.openKinds(); got["unresolved"] != 0 || got["suggested"] != 1 {
		t.Errorf("left open %v, want the suggested one", got)
	}
	w.feed(event{at: 3, wamid: "again", bsuid: "IN.1"})
	if got := w.openKinds(); got["unresolved"] != 0 {
		t.Error("who is known to be new is asked about again")
	}
	var entries []string
	w.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(t.Context(), &entries, `SELECT action FROM audit_entries WHERE action LIKE 'case.%' ORDER BY seq`)
	})
	if diff := cmp.Diff([]string{"case.decide_many"}, entries); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}

	w.feed(event{at: 4, wamid: "q", bsuid: "IN.2", phone: "919800000502"}) // WhatsApp tells who this is
	w.as(func(tx *tenants.Tx) error {
		last, ok, err := identity.Last(t.Context(), tx, meera)
		if !ok || last.Bulk != id || last.Count != 5 {
			t.Errorf("last decision %+v, want the five", last)
		}
		return err
	})
	b = w.takesBack(id)
	if b.State != identity.BulkUndone || b.Undone != 3 || b.Kept != 1 {
		t.Errorf("%s: %d taken back, %d kept; want 3 and 1", b.State, b.Undone, b.Kept)
	}
	if got := w.fates(id)["New 2"]; got != "kept proved_since" {
		t.Errorf("whom WhatsApp proved since: %q", got)
	}
	if got := w.openKinds(); got["unresolved"] != 3 {
		t.Errorf("open %v, want the three asked again", got)
	}
	w.checkHeard(t)
	w.as(func(tx *tenants.Tx) error {
		if _, err := identity.UndoBulk(t.Context(), tx, meera, id, true); tenants.ConflictCode(err) != "already_undone" {
			t.Errorf("second undo: %v, want already_undone", err)
		}
		return nil
	})
}

func TestManySameAtOnceAndBack(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	// Those without a live account of their own are safe; Twin has one, two name Shared, one is known by a card instead.
	w.feed(
		event{wamid: "a", phone: "919800000101", name: "Asha"}, event{wamid: "b", phone: "919800000102", name: "Bina"},
		event{wamid: "c", phone: "919800000103", bsuid: "IN.103", name: "Twin"}, event{wamid: "d", phone: "919800000104", name: "Shared"},
		event{wamid: "e", phone: "919800000105", name: "Card"},
	)
	typed := func(n int, phone, name string) event {
		return event{at: 1, wamid: "t" + name, bsuid: fmt.Sprint("IN.", n), name: name, text: "my number is " + phone}
	}
	w.feed(typed(1, "98000 00101", "A"), typed(2, "98000 00102", "B"), typed(3, "98000 00103", "C"), typed(4, "98000 00104", "D"), typed(5, "98000 00104", "E"),
		event{at: 1, wamid: "f", bsuid: "IN.6", name: "F", card: "919800000105"}, event{at: 1, wamid: "g", bsuid: "IN.7", name: "G"})
	before := w.picture()

	w.as(func(tx *tenants.Tx) error {
		signs, err := identity.Signs(t.Context(), tx, identity.CaseFilter{Tab: identity.TabSuggested})
		if diff := cmp.Diff(map[string]int{"typed_number": 5, "card_request": 1}, signs); diff != "" {
			t.Errorf("signs (-want +got):\n%s", diff)
		}
		return err
	})
	id := w.chooses(identity.BulkInput{Decision: "same", Evidence: "typed_number", All: &identity.CaseFilter{}})
	want := map[string]string{
		"A": "chosen ", "B": "chosen ", "C": "skipped warning", "D": "skipped named_twice", "E": "skipped named_twice", "F": "skipped other_sign", "G": "skipped no_sign",
	}
	if diff := cmp.Diff(want, w.fates(id)); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}

	b := w.runs(id)
	if b.Done != 2 || b.Skipped != 5 {
		t.Fatalf("%d done, %d skipped; want 2 and 5", b.Done, b.Skipped)
	}
	if w.whois(whatsapp.KindBSUID, "IN.1").ID != w.whois(whatsapp.KindPhone, "919800000101").ID {
		t.Error("A was not linked")
	}
	w.feed(event{at: 2, wamid: "z", bsuid: "IN.2", phone: "919800000102"}) // WhatsApp proves B
	proved := w.whois(whatsapp.KindBSUID, "IN.2").ID

	b = w.takesBack(id)
	if b.State != identity.BulkUndone || b.Undone != 1 || b.Kept != 1 {
		t.Errorf("%s: %d taken back, %d kept; want 1 and 1", b.State, b.Undone, b.Kept)
	}
	w.checkHeard(t)
	if w.whois(whatsapp.KindPhone, "919800000102").ID != proved {
		t.Error("what WhatsApp proved was taken back")
	}

	plain := newWorld(t, w.db, "ravi-motors")
	plain.feed(
		event{wamid: "a", phone: "919800000101", name: "Asha"}, event{wamid: "b", phone: "919800000102", name: "Bina"},
		event{wamid: "c", phone: "919800000103", bsuid: "IN.103", name: "Twin"}, event{wamid: "d", phone: "919800000104", name: "Shared"},
		event{wamid: "e", phone: "919800000105", name: "Card"},
	)
	plain.feed(typed(1, "98000 00101", "A"), typed(2, "98000 00102", "B"), typed(3, "98000 00103", "C"), typed(4, "98000 00104", "D"), typed(5, "98000 00104", "E"),
		event{at: 1, wamid: "f", bsuid: "IN.6", name: "F", card: "919800000105"}, event{at: 1, wamid: "g", bsuid: "IN.7", name: "G"})
	if diff := cmp.Diff(before, plain.picture()); diff != "" {
		t.Fatalf("the two stories differ:\n%s", diff)
	}
	plain.feed(event{at: 2, wamid: "z", bsuid: "IN.2", phone: "919800000102"})
	if diff := cmp.Diff(plain.picture(), w.picture()); diff != "" {
		t.Errorf("linked and taken back differs from never linked (-never +back):\n%s", diff)
	}
}

func TestBulkRefusals(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", bsuid: "IN.1", name: "A"})
	c := w.onlyCase()
	other := newWorld(t, w.db, "ravi-motors")

	for name, in := range map[string]identity.BulkInput{
		"nothing":        {Decision: "new"},
		"another tenant": {Decision: "new", Cases: []uuid.UUID{newCaseOf(other)}},
		"beside one's":   {Decision: "new", Cases: []uuid.UUID{c.ID, newCaseOf(other)}},
		"no sign":        {Decision: "same", Cases: []uuid.UUID{c.ID}},
		"no decision":    {Decision: "hold", Cases: []uuid.UUID{c.ID}},
		"too many":       {Decision: "new", Cases: make([]uuid.UUID, identity.MaxBulk+1)},
	} {
		var invalid *tenants.Invalid
		err := w.db.As(t.Context(), w.tenant, func(tx *tenants.Tx) error {
			_, err := identity.StartBulk(t.Context(), tx, meera, in)
			return err
		})
		if others := name == "another tenant" || name == "beside one's"; others != errors.Is(err, tenants.ErrNotFound) || !others && !errors.As(err, &invalid) {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}

	id := w.chooses(identity.BulkInput{Decision: "new", Cases: []uuid.UUID{c.ID, c.ID}})
	err := w.db.As(t.Context(), other.tenant, func(tx *tenants.Tx) error {
		_, err := identity.RunBulk(t.Context(), tx, meera, id)
		return err
	})
	if !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant's: %v, want not found", err)
	}
	w.as(func(tx *tenants.Tx) error {
		if _, err := identity.UndoBulk(t.Context(), tx, meera, id, false); tenants.ConflictCode(err) != "nothing_to_take_back" {
			t.Errorf("undoing what was not done: %v", err)
		}
		return nil
	})
	if b := w.runs(id); b.Total != 1 || b.Done != 1 {
		t.Errorf("%d of %d done, want one of one", b.Done, b.Total)
	}
}

func newCaseOf(w *world) uuid.UUID {
	w.feed(event{wamid: "o", bsuid: "IN.9", name: "Other"})
	return w.onlyCase().ID
}
