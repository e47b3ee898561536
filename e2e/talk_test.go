package e2e_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// lakshmi writes again, so that she can be answered freely.
func clinicWithLakshmi(t *testing.T, says string) *site {
	t.Helper()
	st := clinicWithPast(t)
	st.deliver(t, st.later(t, "Can I come on Friday?", says))

	return st
}

// mergeInto makes the contact somebody is found by part of another one, behind the back of whoever has the page open.
func (st *site) mergeInto(t *testing.T, keep, lose string) {
	t.Helper()
	st.as(t, st.clinic, func(tx *tenants.Tx) error {
		var ids [2]uuid.UUID
		for i, name := range []string{keep, lose} {
			list, _, err := identity.List(t.Context(), tx, name, identity.Page{})
			if err != nil {
				return err
			}
			if len(list) != 1 {
				t.Fatalf("%d contacts are called %s, want 1", len(list), name)
			}
			ids[i] = list[0].ID
		}
		_, err := identity.Merge(t.Context(), tx, st.meera, identity.MergeInput{Keep: ids[0], Lose: ids[1], MayRisk: true, Reason: "the same"})

		return err
	})
}

// A message is read and answered without touching the mouse, its status comes by itself, and a merge in between stops the next one
// until it has been looked at.
func TestAnswerByKeyboard(t *testing.T) {
	t.Parallel()
	st := clinicWithLakshmi(t, "May I come today?")
	b := st.tab(t, wide)
	b.signIn("Meera")

	b.open("/inbox")
	b.says("conversations", "May I come today?")
	b.press("j")
	b.when("the first conversation has the focus", `document.activeElement.closest("li")?.innerText.includes("May I come today?")`)
	b.press("j")
	b.press("k")
	b.strike(enter)
	b.at("/inbox/*")
	b.says("goes-to", "Lakshmi Nair")
	b.see("window", "done")
	b.press("r")
	b.when("the message has the focus", find("field-text")+` === document.activeElement`)
	b.write("Yes, at 5.")
	b.press(tabulator)
	b.strike(enter)
	b.says("thread", "Yes, at 5.")
	b.says("thread", "delivered") // by itself
	b.gone("done")

	b.fill("field-text", "And bring the report")
	st.mergeInto(t, "Anita Verma", "Lakshmi Nair")
	b.enterOn("send")
	b.see("changed")
	if got := b.status(); got != 409 {
		t.Errorf("a message to somebody who has changed is answered with %d, want 409", got)
	}
	b.says("goes-to", "Anita Verma")
	if got := eval[string](b, find("field-text")+`.value`); got != "And bring the report" {
		t.Errorf("the field holds %q, want what was typed", got)
	}
	if n := eval[int](b, `[...document.querySelectorAll("[data-testid=said]")].filter(e => e.innerText.includes("And bring the report")).length`); n != 0 {
		t.Error("it was sent although the recipient had changed")
	}
	b.enterOn("send")
	b.says("thread", "And bring the report")
	b.gone("changed")

	b.press("n")
	b.write("prefers evenings")
	b.press(tabulator)
	b.strike(enter)
	b.says("noted", "prefers evenings")
	b.choose("field-person", st.meera.ID)
	b.see("toast")
	b.open("/inbox?who=mine")
	b.says("conversations", "Anita Verma")
}

// The same on a phone in Hindi.
func TestAnswerOnAPhoneInHindi(t *testing.T) {
	t.Parallel()
	st := clinicWithLakshmi(t, "क्या मैं आज आ सकती हूँ?")
	b := st.tab(t, phone)
	b.signIn("Meera")
	b.speak("hi")

	b.submit("nav-inbox")
	b.at("/inbox")
	if sticks := b.overflow(phone); sticks != "" {
		t.Errorf("the list: %s", sticks)
	}
	b.submit("conversations>क्या मैं आज आ सकती हूँ?")
	b.at("/inbox/*")
	b.says("goes-to", "Lakshmi Nair")
	b.fill("field-text", "जी, 5 बजे आ जाइए।")
	b.enterOn("send")
	b.says("thread", "जी, 5 बजे आ जाइए।")
	b.says("thread", "पहुँचा")
	b.fill("field-text", "रिपोर्ट साथ लाएँ")
	st.mergeInto(t, "Anita Verma", "Lakshmi Nair")
	b.enterOn("send")
	b.see("changed")
	if sticks := b.overflow(phone); sticks != "" {
		t.Errorf("the conversation: %s", sticks)
	}
	b.says("goes-to", "Anita Verma")
	b.enterOn("send")
	b.gone("changed")
	b.says("thread", "रिपोर्ट साथ लाएँ")
}

// After 24 hours a template is picked, filled in and seen as the customer will read it. What customers sent is shown, and can run
// nothing.
func TestTemplateAndFiles(t *testing.T) {
	t.Parallel()
	st := clinicWithPast(t)
	b := st.tab(t, wide)
	b.signIn("Meera")

	b.open("/inbox?q=Anita+Verma")
	b.submit("conversations>Anita Verma")
	b.at("/inbox/*")
	b.when("the picture is there", `(e => { e?.scrollIntoView(); return e?.naturalWidth > 0 })(`+find("picture")+`)`)
	for id, want := range map[string]string{"picture": "image/jpeg inline", "file": "application/octet-stream attachment"} {
		attr := map[string]string{"picture": "src", "file": "href"}[id]
		got := eval[string](b, `fetch(`+find(id)+`.getAttribute(`+quote(attr)+`)).then(r => [r.headers.get("content-type"), r.headers.get("content-disposition").split(";")[0]].join(" "))`)
		if got != want {
			t.Errorf("%s comes as %q, want %q", id, got, want)
		}
	}

	b.leave()
	b.choose("field-template", eval[string](b, `[...`+find("field-template")+`.options].find(o => o.value.startsWith("order_ready|en"))?.value ?? "none"`))
	b.when("a new page has come", loaded)
	b.see("preview")
	b.fill("field-p0", "Anita")
	b.says("preview", "Anita")
	for n := 1; b.has("field-p" + string(rune('0'+n))); n++ {
		b.fill("field-p"+string(rune('0'+n)), "11 am")
	}
	b.enterOn("send")
	b.says("thread", "Anita")
	b.says("thread", "delivered")
}
