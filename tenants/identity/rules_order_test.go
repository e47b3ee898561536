package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// A rule may move an account to another contact in the very batch that opens a case about it. The case is about whoever has the account
// now: deciding it must not join two others.
func TestACaseFollowsTheAccountThatARuleMoved(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.turnOn("same_parent")
	w.feed(event{at: 6, wamid: "a", phone: "919800000101", bsuid: "IN.2", parent: "IN.ENT.9", name: "Asha"})
	w.feed(event{at: 254, wamid: "b", number: farNumber, phone: "919800000101", bsuid: "IN.71", parent: "IN.ENT.9", name: "Far"})
	w.feed(event{at: 1, wamid: "c", phone: "919800000101", bsuid: "IN.3", name: "Bina"})
	var rows []struct {
		Contact uuid.NullUUID `db:"contact_id"`
		Holder  uuid.NullUUID `db:"holder"`
	}
	w.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(t.Context(), &rows, `
			SELECT k.contact_id, i.contact_id AS holder FROM cases k JOIN identities i ON i.tenant_id = $1 AND i.id = k.identity_id
			WHERE k.tenant_id = $1 AND k.kind = 'conflict' AND k.state = 'open'`, w.tenant)
	})
	if len(rows) == 0 {
		t.Error("no conflict is open: the story tells nothing")
	}
	for _, r := range rows {
		if r.Contact != r.Holder {
			t.Errorf("a case about an account of %v is put to %v", r.Holder, r.Contact)
		}
	}
}

// Who said it first is who said it first, whatever is delivered first: of two who shared the same card, and of two who sent a code that
// counts once.
func TestWhoSaidItFirstDoesNotHangOnDelivery(t *testing.T) {
	t.Parallel()
	cards := []event{
		{at: 40, minute: 600, wamid: "b", bsuid: ashaID, card: ashaPhone},
		{at: 40, minute: 660, wamid: "c", bsuid: "IN.3", card: ashaPhone},
		{at: 40, minute: 720, wamid: "d", bsuid: ashaID, card: ashaPhone},
	}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {2, 0, 1}, {1, 2, 0}} {
		w := freshWorld(t)
		w.turnOn("card_request")
		w.feed(somebodyKnown)
		for _, n := range order {
			w.feed(cards[n])
		}
		if !w.together(ashaPhone, ashaID) || w.together(ashaPhone, "IN.3") {
			t.Errorf("cards delivered as %v: linked with the first %v, with the other %v", order, w.together(ashaPhone, ashaID), w.together(ashaPhone, "IN.3"))
		}
	}
	for _, late := range []bool{false, true} {
		w := codedWorld(t)
		w.turnOn("link_code")
		code := w.makes(identity.CodeOnce)
		sends := []func(){
			func() { w.sends(time.Minute, event{bsuid: ashaID, text: code.Text}) },
			func() { w.sends(10*time.Minute, event{bsuid: "IN.3", text: code.Text}) },
		}
		if late {
			slices.Reverse(sends)
		}
		for _, send := range sends {
			send()
		}
		if !w.together(ashaPhone, ashaID) || w.together(ashaPhone, "IN.3") || w.wrong("IN.3") != 1 || w.wrong(ashaID) != 0 {
			t.Errorf("code delivered late %v: linked with the first %v, with the other %v; %d and %d wrong tries", late,
				w.together(ashaPhone, ashaID), w.together(ashaPhone, "IN.3"), w.wrong(ashaID), w.wrong("IN.3"))
		}
	}
}

// What a rule links, it links in whatever order it hears of it: also where somebody writes only after they were linked and something
// then speaks against it, and where the account it linked becomes part of another.
func TestWhatARuleLinksDoesNotHangOnDelivery(t *testing.T) {
	t.Parallel()
	for name, story := range map[string][]event{
		"both write at once, one for the first time": {
			{at: 1, wamid: "a", status: "delivered", bsuid: "IN.3", parent: "IN.ENT.3"},
			{at: 2, wamid: "b", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3"},
			{at: 5, wamid: "c", bsuid: "IN.3", text: "Is it ready?"},
			{at: 5, minute: 3, wamid: "d", number: farNumber, bsuid: "IN.71", text: "Where are you?"},
		},
		"both write at once, one by a later ID": {
			{at: 1, wamid: "a", bsuid: "IN.1", text: "Namaste"},
			{at: 2, wamid: "b", bsuid: "IN.3", parent: "IN.ENT.3", text: "Is it ready?"},
			{at: 2, minute: 3, wamid: "c", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3", text: "Where are you?"},
			{at: 2, wamid: "d", system: "user_changed_user_id", oldBSUID: "IN.1", newBSUID: "IN.3"},
		},
		"one by a later ID, then both at once": {
			{at: 1, wamid: "a", bsuid: "IN.1", text: "Namaste"},
			{at: 2, wamid: "b", bsuid: "IN.3", parent: "IN.ENT.3", text: "Is it ready?"},
			{at: 3, wamid: "c", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3", text: "Where are you?"},
			{at: 1, minute: 5, wamid: "d", system: "user_changed_user_id", oldBSUID: "IN.1", newBSUID: "IN.3"},
			{at: 3, minute: 4, wamid: "e", bsuid: "IN.3", text: "I am here"},
		},
		"a parent ID that changed, as one portfolio has heard": {
			{at: 1, wamid: "a", bsuid: "IN.3", parent: "IN.ENT.3"},
			{at: 2, wamid: "b", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3"},
			{at: 4, wamid: "c", bsuid: "IN.3", parent: "IN.ENT.9"},
			{at: 3, wamid: "d", phone: "919800000101", bsuid: "IN.3"},
		},
		"a parent ID at two accounts of a portfolio": {
			{at: 1, wamid: "a", bsuid: "IN.3", parent: "IN.ENT.3"},
			{at: 2, wamid: "b", number: farNumber, bsuid: "IN.71", parent: "IN.ENT.3"},
			{at: 4, wamid: "c", number: farNumber, bsuid: "IN.72", parent: "IN.ENT.3"},
			{at: 5, wamid: "d", number: farNumber, bsuid: "IN.71"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testdb.New(t).DB
			want := ""
			for i, order := range ordersOf(len(story)) {
				w := newWorld(t, db, fmt.Sprintf("order-%d", i))
				w.turnOn("same_parent")
				for _, n := range order {
					w.feed(story[n])
				}
				if want == "" {
					want = w.picture()
				}
				if diff := cmp.Diff(want, w.picture()); diff != "" {
					t.Fatalf("order %v ends elsewhere (-first +this):\n%s", order, diff)
				}
			}
			if strings.Contains(want, "nobody") {
				t.Errorf("somebody who wrote is nobody:\n%s", want)
			}
		})
	}
}
