package identity_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// When somebody was last heard from is part of what comes back: the keeper has it of both while they are one, and a message written in
// between goes back with whoever wrote it.
func TestUndoTellsAnewWhoWroteLast(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{minute: 4000, wamid: "b", bsuid: "IN.2"})
	last := func(id string) time.Time {
		c := w.whois(whatsapp.KindBSUID, id)
		return c.LastAt
	}
	asha, stranger := last("IN.1"), last("IN.2")
	link := w.merge(w.whois(whatsapp.KindBSUID, "IN.1"), w.whois(whatsapp.KindBSUID, "IN.2"))
	if got := last("IN.1"); !got.Equal(stranger) {
		t.Errorf("merged, last heard from at %s, want %s", got, stranger)
	}
	w.feed(event{minute: 8000, wamid: "c", bsuid: "IN.2"})
	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}
	if got := last("IN.1"); !got.Equal(asha) {
		t.Errorf("taken apart, the one was last heard from at %s, want %s as before", got, asha)
	}
	if got := last("IN.2"); !got.Equal(stranger.Add(4000 * time.Minute)) {
		t.Errorf("taken apart, the other was last heard from at %s, want when they wrote since, %s", got, stranger.Add(4000*time.Minute))
	}
}

// A name that one merge filled in goes with it, also where a later merge has carried it on.
func TestUndoInAChainTakesTheNameBack(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", bsuid: "IN.1"}, event{wamid: "b", bsuid: "IN.2"}, event{wamid: "c", bsuid: "IN.3"})
	named := func(id string) string { return w.whois(whatsapp.KindBSUID, id).DisplayName }
	name, of := "Asha", w.whois(whatsapp.KindBSUID, "IN.1")
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.Edit{Contact: of.ID, Version: of.Version, DisplayName: &name}.Apply(t.Context(), tx, meera)
		return err
	})
	first := w.merge(w.whois(whatsapp.KindBSUID, "IN.2"), w.whois(whatsapp.KindBSUID, "IN.1"))
	w.merge(w.whois(whatsapp.KindBSUID, "IN.3"), w.whois(whatsapp.KindBSUID, "IN.2"))
	if got := named("IN.3"); got != name {
		t.Fatalf("three in one are called %q, want %q", got, name)
	}
	if err := w.undo(first); err != nil {
		t.Fatal(err)
	}
	if named("IN.1") != name || named("IN.2") != "" || named("IN.3") != "" {
		t.Errorf("taken apart they are called %q, %q, %q; want the name with the first alone", named("IN.1"), named("IN.2"), named("IN.3"))
	}
}
