package identity_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Who moved off a phone and came back has not moved off it when somebody else is seen with it (edge case 34).
func TestMovedOffAndBackIsNotMovedOff(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		event{at: 1, wamid: "b", system: "user_changed_number", phone: "919800000101", newPhone: "919800000102", newBSUID: "IN.2", oldBSUID: "IN.1"},
		event{at: 3, wamid: "c", phone: "919800000101", bsuid: "IN.2"},
		event{at: 5, wamid: "d", phone: "919800000101", bsuid: "IN.3"},
	)
	if got := w.openKinds(); got["conflict"] != 1 {
		t.Errorf("open %v, want one conflict: one phone, two accounts\n%s", got, w.picture())
	}
}

// What accounts known by phones alone turn out to be does not hang on how their phones sort.
func TestPhoneOnlyAccountsDoNotHangOnHowPhonesSort(t *testing.T) {
	t.Parallel()
	for _, p := range [][2]string{{"919800000105", "919800000106"}, {"919800000106", "919800000105"}} {
		w := freshWorld(t)
		w.feed(
			event{at: 1, wamid: "a", system: "user_changed_number", phone: "919800000101", newPhone: p[0]},
			event{at: 2, wamid: "b", system: "user_changed_number", phone: "919800000102", newPhone: p[0]},
			event{at: 3, wamid: "c", system: "user_changed_number", phone: p[0], newPhone: p[1]},
			event{at: 4, wamid: "d", phone: p[1], bsuid: "IN.1"},
		)
		if got := strings.Count(w.picture(), "["); got != 1 {
			t.Errorf("%v: %d accounts named, want one account and no case\n%s", p, got, w.picture())
		}
	}
}

// A cut of an account known by a phone alone from the one that absorbed it holds.
func TestACutOfAPhoneOnlyAccountHolds(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{at: 1, wamid: "a", system: "user_changed_number", phone: "919800000101", newPhone: "919800000102"}, event{wamid: "b", phone: "919800000101"})
	w.feed(event{at: 2, wamid: "c", phone: "919800000102", bsuid: "IN.1"})
	c, before := w.whois(whatsapp.KindBSUID, "IN.1"), w.picture()
	var links []identity.Link
	w.as(func(tx *tenants.Tx) (err error) {
		links, err = identity.Links(t.Context(), tx, c.ID)
		return err
	})
	for _, l := range links {
		if err := w.undo(l.ID); err != nil {
			t.Fatal(err)
		}
	}
	if w.picture() == before {
		t.Errorf("%d links undone and nothing changed\n%s", len(links), before)
	}
}

// A contact goes with its messages also where an account that had none of its own had absorbed it.
func TestAContactGoesWithItsMessagesFromAnAbsorbed(t *testing.T) {
	t.Parallel()
	story := []event{
		{at: 100, wamid: "a", system: "user_changed_number", phone: "919800000103", newBSUID: "IN.3"},
		{at: 2, wamid: "b", phone: "919800000101"},
		{wamid: "c", bsuid: "IN.2"},
		{at: 100, minute: 7, wamid: "d", system: "user_changed_number", phone: "919800000101", oldBSUID: "IN.3"},
		{at: 2, minute: 10, wamid: "e", status: "delivered", phone: "919800000101", bsuid: "IN.2"},
	}
	w, other := freshWorld(t), freshWorld(t)
	for i := range story {
		w.feed(story[i])
		other.feed(story[len(story)-1-i])
	}
	if w.picture() != other.picture() {
		t.Errorf("another order ends elsewhere:\n%s\n\n%s", w.picture(), other.picture())
	}
}

// Whom a person called new stays so, also where the one they might have been is nobody's contact.
func TestNewIsRememberedAgainstWhoIsNoContact(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "s", status: "delivered", phone: "919800000101", bsuid: "IN.1"}, event{at: 3, wamid: "a", phone: "919800000101", bsuid: "IN.2"})
	c := w.onlyCase()
	if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "new"}); err != nil {
		t.Fatal(err)
	}
	w.feed(event{at: 4, wamid: "b", phone: "919800000103", bsuid: "IN.2"})
	if got := w.openKinds(); len(got) != 0 {
		t.Errorf("open %v, want none\n%s", got, w.picture())
	}
}

// Saying of who wrote between two holders that it is not one of them says nothing of the two.
func TestDecidingOneCaseLeavesTheOtherOpen(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{at: 3, wamid: "b", phone: "919800000101"},
		event{at: 6, wamid: "c", phone: "919800000101", bsuid: "IN.2"},
	)
	w.decideGap("new")
	if got := w.openKinds(); got["conflict"] != 1 {
		t.Errorf("open %v, want the recycled number still in conflict\n%s", got, w.picture())
	}
}

// Saying of who writes from a phone now that it is not who had moved off it takes the phone from nobody's past.
func TestDecidingWhoHasAPhoneNowLeavesThePast(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		event{at: 1, wamid: "b", system: "user_changed_number", phone: "919800000101", newPhone: "919800000102", newBSUID: "IN.2", oldBSUID: "IN.1"},
		event{wamid: "c", minute: 30, phone: "919800000101"},
		event{at: 3, wamid: "d", phone: "919800000101"},
	)
	w.decideGap("new")
	if !strings.Contains(w.picture(), "phone 919800000101 past") || !strings.Contains(w.picture(), "| a c]") {
		t.Errorf("IN.1 has lost the phone it had, or what it said by it:\n%s", w.picture())
	}
}

// decideGap decides the case about an account that is known by a phone alone.
func (w *world) decideGap(kind string) {
	w.t.Helper()
	var list []identity.Case
	w.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.Cases(w.t.Context(), tx, identity.CaseFilter{State: "open"})
		return err
	})
	for _, c := range list {
		if c.Kind == identity.CaseConflict && c.Identity != nil && currentOf(*c.Identity) == "" {
			if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: kind}); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("no such case\n%s", w.picture())
}

func currentOf(i identity.Identity) string {
	for _, d := range i.Identifiers {
		if d.Kind == whatsapp.KindBSUID {
			return d.Value
		}
	}

	return ""
}
