package server_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var codeShown = regexp.MustCompile(`<code>([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4})</code>`)

func TestCodeIsShownOnceAndRecognised(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "arjun", "auditor")
	s := st.shop(t, st.clinic)
	s.writes(29, "919800000480", "", "Rajesh", "hello")
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID
	path := "/contacts/" + rajesh.String() + "/code"
	agent := st.signedIn(t, "meera")
	agent.has(agent.get("/contacts/"+rajesh.String()), http.StatusOK, `href="`+path+`"`)

	page := agent.get(path)
	agent.has(page, http.StatusOK, `data-testid="make-code"`, "It alone is never enough to hand out or erase")
	agent.lacks(page, "9800000480", "98000 00480", `data-testid="fresh-code"`)
	phone := regexp.MustCompile(`name="phone"[\s\S]*?value="([^"]+)"`).FindStringSubmatch(page.body)[1]
	made := agent.post(path, url.Values{"phone": {phone}, "number": {s.number.String()}, "kind": {"once"}})
	agent.has(made, http.StatusOK, `data-testid="fresh-code"`, `data-testid="qr"`, "https://wa.me/15550199042?text=", "हम जान सकें", "••0480", `data-testid="code-live"`)
	agent.lacks(made, "9800000480")
	shown := codeShown.FindStringSubmatch(made.body)
	if shown == nil {
		t.Fatal("no code on the page")
	}
	if again := agent.get(path); strings.Contains(again.body, shown[1]) {
		t.Error("the code is shown a second time")
	}
	agent.has(agent.get("/audit"), http.StatusOK, "Code made")
	if r := agent.get("/audit"); strings.Contains(r.body, shown[1]) {
		t.Error("the audit holds the code")
	}

	// It comes back from somebody whose number is hidden.
	s.code = identity.NewCodeKey(st.keys, st.clinic.ID)
	s.writes(30, "", savitrisID, "Raju", "hello, "+shown[1])
	raju := s.whois(whatsapp.KindBSUID, savitrisID).ID
	kase := s.openCase(raju)
	agent.has(agent.get(kase), http.StatusOK, "You made a code for ••0480", `href="`+path+`"`)
	agent.has(agent.get(path), http.StatusOK, `data-testid="code-used"`, `href="/contacts/`+raju.String()+`"`)

	// Once more it says nothing, and the page says so.
	s.writes(30, "", savitrisID, "Raju", shown[1])
	agent.has(agent.get(kase), http.StatusOK, `data-testid="wrong-codes"`)

	// One that has not come back can be taken back.
	agent.post(path, url.Values{"phone": {phone}, "kind": {"printed"}})
	page = agent.get(path)
	revoke := regexp.MustCompile(`action="(` + path + `/[^"]+/revoke)"`).FindStringSubmatch(page.body)
	if revoke == nil {
		t.Fatal("nothing to take back")
	}
	if r := agent.post(revoke[1], url.Values{}); r.status != http.StatusSeeOther {
		t.Errorf("take back: %d %s", r.status, r.body)
	}
	agent.has(agent.get(path), http.StatusOK, `data-testid="code-revoked"`)

	for _, form := range []url.Values{{"phone": {phone}, "kind": {"forever"}}, {"phone": {phone}}} {
		if r := agent.post(path, form); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d, want 422", form, r.status)
		}
	}
	if r := agent.post(path, url.Values{"phone": {uuid.NewString()}, "kind": {"once"}}); r.status != http.StatusNotFound {
		t.Errorf("another's phone: %d, want 404", r.status)
	}
	agent.has(agent.get("/contacts/"+raju.String()+"/code"), http.StatusOK, `data-testid="no-phone"`)

	auditor := st.signedIn(t, "arjun")
	auditor.lacks(auditor.get("/contacts/"+rajesh.String()), `data-testid="to-code"`)
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get(path); r.status != http.StatusNotFound {
		t.Errorf("of another business: %d", r.status)
	}
	for _, p := range []string{path, revoke[1]} {
		if r := ravi.post(p, url.Values{"phone": {phone}, "kind": {"once"}}); r.status != http.StatusNotFound {
			t.Errorf("POST %s of another business: %d", p, r.status)
		}
	}
	s.as(func(tx *tenants.Tx) error {
		var n int
		err := tx.GetContext(context.Background(), &n, `SELECT count(*) FROM link_codes WHERE tenant_id = $1`, tx.Tenant)
		if n != 2 {
			t.Errorf("%d codes, want 2", n)
		}
		return err
	})
}
