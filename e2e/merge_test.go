package e2e_test

import (
	"strings"
	"testing"
)

// What two customers of the past wrote, and nobody else.
const (
	sunita, sunitaWrote = "Sunita Yadav", "Report aa gayi kya?"
	fatima, fatimaWrote = "Fatima", "Thank you for the quick help"
	fatimaLater         = "I am at the gate"
)

// clinicWithPast is a site whose asha-clinic has connected a number and been written to.
func clinicWithPast(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	st.past(t, st.number(t, 0))

	return st
}

// Two contacts are merged, read as one thread, and separated again as they were.
func TestMergeAndUndo(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, wide)
	b.signIn("Asha")

	lost := b.findContact(fatima)
	b.says("thread", fatimaWrote)
	kept := b.findContact(sunita)
	b.says("thread", sunitaWrote)
	replies := b.text("replies")

	b.mergeWith(fatima)
	b.says("replies-after", replies)
	b.merge()
	receipt := b.path()

	b.open("/contacts/" + kept)
	b.says("thread", sunitaWrote)
	b.says("thread", fatimaWrote)
	b.says("replies", replies)
	b.open("/contacts/" + lost)
	b.at("/contacts/" + kept)
	b.see("merged-note")

	// What is written after the merge goes back to who wrote it.
	st.deliver(t, st.later(t, fatimaWrote, fatimaLater))
	b.open("/contacts/" + kept)
	b.says("thread", fatimaLater)
	b.open(receipt)
	b.see("new-messages")
	b.see("undo-preview")
	b.submit("undo-merge")
	b.see("toast")
	b.open("/contacts/" + lost)
	b.at("/contacts/" + lost)
	b.says("thread", fatimaWrote)
	b.says("thread", fatimaLater)
	b.when("the other's words are gone", `!document.body.innerText.includes(`+quote(sunitaWrote)+`)`)
	b.open("/contacts/" + kept)
	b.says("thread", sunitaWrote)
	b.when("the other's words are gone", `!document.body.innerText.includes(`+quote(fatimaWrote)+`)`)
	if got := b.text("replies"); got != replies {
		t.Errorf("after merge and undo replies go to %q, want %q", got, replies)
	}
}

// findContact searches for a name on the contacts page and opens the one it finds; its id is returned.
func (b *tab) findContact(name string) string {
	b.t.Helper()
	b.open("/contacts")
	b.fill("contact-search", name)
	b.strike(enter)
	id := strings.TrimPrefix(b.attr("contacts>"+name, "data-testid"), "contact-")
	b.submit("contacts>" + name)
	b.at("/contacts/" + id)

	return id
}

// mergeWith goes from a contact's page to the preview of merging another into it.
func (b *tab) mergeWith(name string) {
	b.t.Helper()
	b.submit("merge-with")
	b.fill("contact-search", name)
	b.strike(enter)
	b.submit("contacts>" + name)
	b.at("/merges/preview")
	b.see("side-keep", "side-lose", "into", "replies-after")
}

// merge merges the two of the preview and stays at the receipt.
func (b *tab) merge() {
	b.t.Helper()
	b.fill("field-reason", "Same family, they told us at the desk")
	b.submit("merge")
	b.at("/merges/*")
	b.see("receipt", "undo-merge")
}
