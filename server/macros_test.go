package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// ownMacro is a macro of a business's own, as its form sends it.
var ownMacro = url.Values{
	"version": {"0"}, "guard": {""}, "title_en": {"Red balloons"}, "title_hi": {"लाल गुब्बारे"}, "when_en": {"Somebody asks for red ones"}, "when_hi": {"जब कोई लाल माँगे"},
	"text_en": {"Hi {first}, red ones come on Friday."}, "text_hi": {"नमस्ते {first} जी, लाल गुब्बारे शुक्रवार को आएँगे।"},
	"text_hinglish": {"Namaste {first} ji, laal gubbare shukravaar ko aayenge."},
}

// A business words macros for itself: it adds one, puts its words in place of a built-in one, goes back, and keeps what was written.
func TestABusinessWritesMacros(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	asha, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")
	const page = "/prep/macros"
	asha.has(asha.get(page+"/new"), http.StatusOK, `data-testid="macro-form"`, "What the customer reads")
	meera.lacks(meera.get(page), `data-testid="edit-macro"`, `data-testid="new-macro"`)
	if r := meera.get(page + "/m01/edit"); r.status != http.StatusForbidden {
		t.Errorf("an agent: got %d, want 403", r.status)
	}

	for field, wrong := range map[string]string{
		"text_hi": "", "text_en": "Hi {secret}!", "text_hinglish": "Kripya OTP bhej dijiye.", "title_hi": " ", "guard": "nobody",
	} {
		asha.has(asha.post(page, withChange(ownMacro, field, wrong)), http.StatusUnprocessableEntity, `data-testid="wrong-`+field+`"`)
	}
	asha.has(asha.post(page, withChange(ownMacro, "text_hi", "Laal gubbare")), http.StatusUnprocessableEntity, "write this in Hindi letters")
	asha.has(asha.post(page, withChange(ownMacro, "text_en", "Please send me the OTP.")), http.StatusUnprocessableEntity, "asks the customer for an OTP")
	asha.has(asha.post(page, withChange(ownMacro, "text_en", "See {fact:no.such}.")), http.StatusUnprocessableEntity, "a fact that the ledger does not have")

	made := asha.post(page, withChange(ownMacro))
	key := regexp.MustCompile(`#macro-(own-[0-9a-f]+)`).FindStringSubmatch(made.location)
	if made.status != http.StatusSeeOther || key == nil {
		t.Fatalf("add: %d %s", made.status, made.location)
	}
	meera.has(meera.get(page+"?lang=en"), http.StatusOK, `data-testid="macro-`+key[1]+`"`, "red ones come on Friday", "Your own words")
	ravi.lacks(ravi.get(page), key[1], "Red balloons")
	if r := ravi.get(page + "/" + key[1] + "/edit"); r.status != http.StatusNotFound {
		t.Errorf("another business: got %d, want 404", r.status)
	}

	// The built-in one keeps its guard, whatever is sent; who comes late is told so.
	over := withChange(ownMacro, "guard", "")
	asha.want(asha.post(page+"/m13", over), http.StatusSeeOther, page+"#macro-m13")
	asha.has(asha.post(page+"/m13", over), http.StatusConflict, "A colleague has changed this answer meanwhile", "red ones come on Friday")
	edit := asha.get(page + "/m13/edit")
	asha.has(edit, http.StatusOK, `data-testid="compare"`, "Version 1", "Only a lead sends this", `data-testid="restore"`)
	meera.has(meera.get(page+"?lang=en"), http.StatusOK, "Only a lead may send this.")
	asha.want(asha.post(page+"/m13", withChange(over, "version", "1", "text_en", "Second thoughts, {first}.")), http.StatusSeeOther, page+"#macro-m13")
	asha.has(asha.get(page+"/m13/edit?from=1"), http.StatusOK, "red ones come on Friday", `name="version" value="2"`)
	asha.has(asha.post(page+"/m13/restore", url.Values{"version": {"1"}}), http.StatusConflict, `data-testid="history"`)
	asha.want(asha.post(page+"/m13/restore", url.Values{"version": {"2"}}), http.StatusSeeOther, page)
	asha.lacks(asha.get(page+"?lang=en"), "Second thoughts")
	asha.has(asha.get(page+"/m13/edit"), http.StatusOK, "Version 3", "Version 1")
	asha.want(asha.post(page+"/"+key[1]+"/restore", url.Values{"version": {"1"}}), http.StatusSeeOther, page)
	asha.lacks(asha.get(page), key[1])
	if r := asha.post(page+"/m01/restore", url.Values{"version": {"0"}}); r.status != http.StatusNotFound {
		t.Errorf("restore of what was never changed: got %d, want 404", r.status)
	}
	asha.has(asha.get("/audit?about=answers"), http.StatusOK, "Macro written", "Own macro taken back")
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {page}})
	asha.has(asha.get(page+"/m01/edit"), http.StatusOK, "ग्राहक क्या पढ़ेंगे")
	if body := asha.get(page).body; strings.Contains(body, "macros.") {
		t.Error("a text lacks its words")
	}
}
