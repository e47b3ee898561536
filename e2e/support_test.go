package e2e_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/access"
)

// An operator asks to be let in, the owner allows it on a phone in Hindi, a bar stands on every page meanwhile, and it ends by the owner's
// word, which the open page is told, and by itself. All of it stands in the business's own audit.
func TestOperatorIsLetIn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.number(t, 0)
	if _, err := access.AddOperator(t.Context(), st.DB, byTest, st.person(t, "Olga"), "support"); err != nil {
		t.Fatal(err)
	}
	olga, owner := st.tab(t, wide), st.tab(t, phone)
	ask := func() {
		t.Helper()
		olga.open("/op/access")
		olga.fill("field-slug", "asha-clinic")
		olga.fill("field-reason", "The queue does not open for her")
		olga.fill("field-ticket", "T-4711")
		olga.submit("ask-access")
	}
	olga.signIn("Olga")
	ask()
	if olga.has("enter") {
		t.Error("the operator may enter before the owner has answered")
	}

	owner.signIn("Asha")
	owner.speak("hi")
	owner.open("/support-access")
	owner.says("leave", "T-4711")
	owner.judgeHere("hi")
	owner.submit("allow")

	olga.open("/op/access")
	olga.submit("enter")
	olga.at("/home")
	for _, path := range []string{"/contacts", "/more", "/numbers"} {
		olga.see("support-bar")
		olga.open(path)
	}
	olga.judgeHere("en")
	olga.open("/numbers/" + olga.attr("number-*", "data-testid")[len("number-"):])
	olga.see("support-bar")

	owner.open("/support-access")
	owner.submit("end")
	olga.see("ended-moved")
	olga.open("/contacts")
	olga.at("/op/access")
	olga.see("over")

	// By standing leave at once, until it runs out.
	owner.click("choice-standing-read")
	owner.submit("save-standing")
	ask()
	olga.submit("enter")
	olga.see("support-bar")
	if _, err := st.DB.SQL().Exec(`UPDATE support_grants SET expires_at = now()`); err != nil {
		t.Fatal(err)
	}
	olga.open("/contacts")
	olga.at("/op/access")
	olga.see("over")

	owner.speak("en")
	owner.open("/audit")
	for _, did := range []string{"Olga", "Operator let in", "Operator came in", "Operator's access ended", "Standing leave for operators changed"} {
		if !eval[bool](owner, `document.querySelector("main").innerText.includes(`+quote(did)+`)`) {
			t.Errorf("the business's audit does not speak of %s", did)
		}
	}
}
