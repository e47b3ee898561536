package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var (
	meera  = tenants.Actor{Kind: "person", ID: "0198c0de-0000-7000-8000-000000000001", Name: "Meera"}
	joseph = tenants.Actor{Kind: "person", ID: "0198c0de-0000-7000-8000-000000000002", Name: "Joseph"}
)

// whois is the contact that holds an identifier.
func (w *world) whois(kind whatsapp.Kind, value string) identity.Contact {
	w.t.Helper()

	var c identity.Contact
	w.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(w.t.Context(), tx, kind, value, "")
		if err != nil {
			return err
		}
		if r.Contact == nil {
			w.t.Fatalf("%s %s has no contact", kind, value)
		}
		c = *r.Contact
		return nil
	})

	return c
}

func (w *world) merge(keep, lose identity.Contact) uuid.UUID {
	w.t.Helper()

	var link uuid.UUID
	w.as(func(tx *tenants.Tx) error {
		var err error
		link, err = identity.Merge(w.t.Context(), tx, meera, identity.MergeInput{Keep: keep.ID, Lose: lose.ID, Reason: "same order", MayRisk: true})
		return err
	})

	return link
}

func (w *world) undo(link uuid.UUID) error {
	return w.db.As(w.t.Context(), w.tenant, func(tx *tenants.Tx) error {
		_, err := identity.Undo(w.t.Context(), tx, meera, link, true)
		return err
	})
}

func TestMergeAndUndoRestoreEverything(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha Verma"},
		event{at: 40, wamid: "b", bsuid: "IN.2", name: "Asha", username: "asha.v"},
		event{at: 41, wamid: "c", bsuid: "CO.3", name: "Mateo"},
	)
	before := w.picture()

	asha, stranger := w.whois(whatsapp.KindPhone, "919800000101"), w.whois(whatsapp.KindBSUID, "IN.2")
	link := w.merge(asha, stranger)
	if got := w.whois(whatsapp.KindBSUID, "IN.2").ID; got != asha.ID {
		t.Errorf("after the merge IN.2 belongs to %s, want %s", got, asha.ID)
	}
	w.as(func(tx *tenants.Tx) error {
		c, err := identity.Get(t.Context(), tx, stranger.ID)
		if err != nil {
			return err
		}
		if c.ID != asha.ID || c.RequestedID != stranger.ID {
			t.Errorf("the old id answers with %s (asked for %s), want the survivor %s", c.ID, c.RequestedID, asha.ID)
		}
		return nil
	})

	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.picture()); diff != "" {
		t.Errorf("undo did not restore (-before +after):\n%s", diff)
	}
	if err := w.undo(link); tenants.ConflictCode(err) != "already_undone" {
		t.Errorf("second undo: %v, want already_undone", err)
	}
}

func TestUndoAfterNewMessagesLeavesThemWhereTheyCameIn(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{at: 1, wamid: "b", bsuid: "IN.2"})
	link := w.merge(w.whois(whatsapp.KindPhone, "919800000101"), w.whois(whatsapp.KindBSUID, "IN.2"))
	w.feed(event{at: 2, wamid: "c", bsuid: "IN.2"}, event{at: 2, wamid: "d", bsuid: "IN.1"})
	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}

	// The same events without any merge.
	plain := newWorld(t, w.db, "ravi-motors")
	plain.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{at: 1, wamid: "b", bsuid: "IN.2"},
		event{at: 2, wamid: "c", bsuid: "IN.2"}, event{at: 2, wamid: "d", bsuid: "IN.1"})
	if diff := cmp.Diff(plain.picture(), w.picture()); diff != "" {
		t.Errorf("merged and undone differs from never merged (-never +undone):\n%s", diff)
	}
}

func TestUndoOneLinkOutOfAChain(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{at: 1, wamid: "b", bsuid: "IN.2"}, event{at: 2, wamid: "c", bsuid: "IN.3"})
	a, b, c := w.whois(whatsapp.KindBSUID, "IN.1"), w.whois(whatsapp.KindBSUID, "IN.2"), w.whois(whatsapp.KindBSUID, "IN.3")
	first := w.merge(b, c)  // c into b
	second := w.merge(a, b) // b, with c, into a

	if err := w.undo(first); err != nil {
		t.Fatal(err)
	}
	if got := w.whois(whatsapp.KindBSUID, "IN.3").ID; got != c.ID {
		t.Errorf("IN.3 belongs to %s, want its own contact %s", got, c.ID)
	}
	if got := w.whois(whatsapp.KindBSUID, "IN.2").ID; got != a.ID {
		t.Errorf("IN.2 belongs to %s, want the survivor %s", got, a.ID)
	}
	if err := w.undo(second); err != nil {
		t.Fatal(err)
	}
	if got := w.whois(whatsapp.KindBSUID, "IN.2").ID; got != b.ID {
		t.Errorf("IN.2 belongs to %s, want its own contact %s", got, b.ID)
	}
}

func TestUndoIsRefusedOnceWhatsAppProvedIt(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101"}, event{at: 1, wamid: "b", bsuid: "IN.2"})
	link := w.merge(w.whois(whatsapp.KindPhone, "919800000101"), w.whois(whatsapp.KindBSUID, "IN.2"))
	w.feed(event{at: 2, wamid: "c", phone: "919800000101", bsuid: "IN.2"})
	if err := w.undo(link); tenants.ConflictCode(err) != "attested_since" {
		t.Errorf("undo: %v, want attested_since", err)
	}
}

func TestACutHoldsUntilNewProof(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101", name: "Asha"}, event{at: 1, wamid: "b", bsuid: "IN.2"})
	before := w.picture()
	w.feed(event{at: 2, wamid: "s", status: "delivered", phone: "919800000101", bsuid: "IN.2"})

	var link uuid.UUID
	contact := w.whois(whatsapp.KindBSUID, "IN.2")
	w.as(func(tx *tenants.Tx) error {
		links, err := identity.Links(t.Context(), tx, contact.ID)
		if err != nil {
			return err
		}
		if len(links) != 1 || links[0].Kind != "attested" {
			t.Fatalf("links %+v, want one attested", links)
		}
		link = links[0].ID
		return nil
	})
	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}
	if a, b := w.whois(whatsapp.KindPhone, "919800000101").ID, w.whois(whatsapp.KindBSUID, "IN.2").ID; a == b {
		t.Fatalf("the cut left both at %s\n%s\nwas\n%s", a, w.picture(), before)
	}

	w.feed(event{at: 1, minute: 9, wamid: "d", bsuid: "IN.2"}, event{at: 2, wamid: "s", status: "delivered", phone: "919800000101", bsuid: "IN.2"})
	if got := w.openKinds(); got["conflict"] != 0 {
		t.Errorf("open cases %v, want no conflict from proof known at the time", got)
	}
	w.feed(event{at: 3, wamid: "e", phone: "919800000101", bsuid: "IN.2"})
	if got := w.openKinds(); got["conflict"] != 1 {
		t.Errorf("open cases %v, want one conflict from new proof\n%s", got, w.picture())
	}
	if a, b := w.whois(whatsapp.KindPhone, "919800000101").ID, w.whois(whatsapp.KindBSUID, "IN.2").ID; a == b {
		t.Error("new proof joined by itself what a person held apart")
	}
}

func (w *world) openKinds() map[string]int {
	w.t.Helper()

	out := map[string]int{}
	w.as(func(tx *tenants.Tx) error {
		cases, _, err := identity.Cases(w.t.Context(), tx, identity.CaseFilter{State: "open"})
		for _, c := range cases {
			out[c.Kind]++
		}
		return err
	})

	return out
}

func (w *world) onlyCase() identity.Case {
	w.t.Helper()

	var out identity.Case
	w.as(func(tx *tenants.Tx) error {
		cases, _, err := identity.Cases(w.t.Context(), tx, identity.CaseFilter{State: "open"})
		if err != nil {
			return err
		}
		if len(cases) != 1 {
			w.t.Fatalf("%d open cases, want 1\n%s", len(cases), w.picture())
		}
		out = cases[0]
		return nil
	})

	return out
}

func (w *world) decide(actor tenants.Actor, d identity.Decision) (identity.Case, uuid.UUID, error) {
	var (
		c    identity.Case
		link uuid.UUID
	)
	err := w.db.As(w.t.Context(), w.tenant, func(tx *tenants.Tx) error {
		var err error
		c, link, err = identity.Decide(w.t.Context(), tx, actor, d)
		return err
	})

	return c, link, err
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	known := event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh Kumar"}
	stranger := event{at: 1, wamid: "b", bsuid: "IN.2", name: "राजेश", text: "my number is 98000 00102"}

	t.Run("same merges and undo asks again", func(t *testing.T) {
		t.Parallel()
		w := freshWorld(t)
		w.feed(known, stranger)
		c := w.onlyCase()
		if c.Kind != identity.CaseSuggested || len(c.Candidates) != 1 || c.Candidates[0].Tier != "B" {
			t.Fatalf("case %s with %+v, want suggested with one candidate of tier B", c.Kind, c.Candidates)
		}
		var invalid *tenants.Invalid
		if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "same", Contact: c.Candidates[0].Contact.ID}); !errors.As(err, &invalid) || invalid.Key != "reason_needed" {
			t.Fatalf("an agent merging two live accounts: %v, want to be asked why", err)
		}
		done, link, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "same", Contact: c.Candidates[0].Contact.ID, MayRisk: true, Reason: "called them"})
		if err != nil || done.State != "done" || done.Outcome != "same" || link == uuid.Nil {
			t.Fatalf("decided %+v, link %s, err %v; want done, same", done.Outcome, link, err)
		}
		if err := w.undo(link); err != nil {
			t.Fatal(err)
		}
		if again := w.onlyCase(); again.ID != c.ID {
			t.Errorf("undo opened case %s, want %s again", again.ID, c.ID)
		}
	})

	t.Run("not the same is remembered", func(t *testing.T) {
		t.Parallel()
		w := freshWorld(t)
		w.feed(known, stranger)
		c := w.onlyCase()
		if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "not_same", Contact: c.Candidates[0].Contact.ID}); err != nil {
			t.Fatal(err)
		}
		w.feed(event{at: 2, wamid: "c", bsuid: "IN.2", text: "again 9800000102"})
		if left := w.onlyCase(); left.Kind != identity.CaseUnresolved || len(left.Candidates) != 0 {
			t.Errorf("left %s with %d candidates, want unresolved with none", left.Kind, len(left.Candidates))
		}
	})

	t.Run("new confirms", func(t *testing.T) {
		t.Parallel()
		w := freshWorld(t)
		w.feed(stranger)
		c := w.onlyCase()
		done, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "new"})
		if err != nil || done.Outcome != "new" {
			t.Fatalf("outcome %q, err %v; want new", done.Outcome, err)
		}
		w.feed(event{at: 2, wamid: "c", bsuid: "IN.2"})
		if got := w.openKinds(); len(got) != 0 {
			t.Errorf("open cases %v, want none", got)
		}
	})

	t.Run("hold and unsure put off", func(t *testing.T) {
		t.Parallel()
		w := freshWorld(t)
		w.feed(stranger)
		c := w.onlyCase()
		until := time.Now().AddDate(0, 0, 3)
		if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "hold", Until: &until}); err != nil {
			t.Fatal(err)
		}
		for i, actor := range []tenants.Actor{meera, joseph} {
			got, _, err := w.decide(actor, identity.Decision{Case: c.ID, Kind: "unsure"})
			if err != nil || len(got.UnsureBy) != i+1 {
				t.Errorf("unsure by %v, err %v; want %d people", got.UnsureBy, err, i+1)
			}
		}
	})

	t.Run("a lease keeps others out", func(t *testing.T) {
		t.Parallel()
		w := freshWorld(t)
		w.feed(stranger)
		c := w.onlyCase()
		w.as(func(tx *tenants.Tx) error {
			_, err := identity.Lease(t.Context(), tx, meera, c.ID)
			return err
		})
		if _, _, err := w.decide(joseph, identity.Decision{Case: c.ID, Kind: "new"}); tenants.ConflictCode(err) != "leased" {
			t.Errorf("deciding a leased case: %v, want leased", err)
		}
	})
}

func TestNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	asha, ravi := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	asha.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{wamid: "b", bsuid: "IN.2"})
	ravi.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"})
	one, two := asha.whois(whatsapp.KindBSUID, "IN.1"), asha.whois(whatsapp.KindBSUID, "IN.2")
	own := ravi.whois(whatsapp.KindBSUID, "IN.1")
	link, c := asha.merge(one, two), uuid.Nil
	if err := asha.undo(link); err != nil {
		t.Fatal(err)
	}
	c = asha.onlyCase().ID

	ctx := t.Context()
	for name, try := range map[string]func(tx *tenants.Tx) error{
		"get":     func(tx *tenants.Tx) error { _, err := identity.Get(ctx, tx, one.ID); return err },
		"preview": func(tx *tenants.Tx) error { _, err := identity.PreviewMerge(ctx, tx, own.ID, one.ID); return err },
		"merge": func(tx *tenants.Tx) error {
			_, err := identity.Merge(ctx, tx, meera, identity.MergeInput{Keep: own.ID, Lose: one.ID, MayRisk: true, Reason: "x"})
			return err
		},
		"undo":  func(tx *tenants.Tx) error { _, err := identity.Undo(ctx, tx, meera, link, true); return err },
		"links": func(tx *tenants.Tx) error { _, err := identity.Links(ctx, tx, one.ID); return err },
		"case":  func(tx *tenants.Tx) error { _, err := identity.GetCase(ctx, tx, c); return err },
		"lease": func(tx *tenants.Tx) error { _, err := identity.Lease(ctx, tx, meera, c); return err },
		"decide": func(tx *tenants.Tx) error {
			_, _, err := identity.Decide(ctx, tx, meera, identity.Decision{Case: c, Kind: "new"})
			return err
		},
		"edit": func(tx *tenants.Tx) error {
			name := "x"
			_, err := identity.Edit{Contact: one.ID, Version: 1, DisplayName: &name}.Apply(ctx, tx, meera)
			return err
		},
		"resolve": func(tx *tenants.Tx) error {
			_, err := identity.Resolve(ctx, tx, whatsapp.KindBSUID, "IN.2", "")
			return err
		},
	} {
		if err := ravi.db.As(ctx, ravi.tenant, try); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s with another tenant's id: %v, want not found", name, err)
		}
	}
	ravi.as(func(tx *tenants.Tx) error {
		found, _, err := identity.List(ctx, tx, "", identity.Page{})
		if len(found) != 1 {
			t.Errorf("%d contacts listed, want 1", len(found))
		}
		return err
	})
}
