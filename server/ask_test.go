package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const savitrisID = "IN.77044188200355"

func TestAskSaysWhereItGoesAndWhatTheyRead(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "arjun", "auditor")
	s := st.shop(t, st.clinic)
	s.writes(30, "", savitrisID, "Savitri", "नमस्ते, ऑर्डर कहाँ है?")
	savitri := s.whois(whatsapp.KindBSUID, savitrisID).ID
	kase := s.openCase(savitri)
	agent := st.signedIn(t, "meera")

	agent.has(agent.get(kase), http.StatusOK, `href="`+kase+`/ask"`, `data-testid="to-ask"`)
	agent.has(agent.get("/contacts/"+savitri.String()), http.StatusOK, `/contacts/`+savitri.String()+`/ask"`)
	agent.has(agent.get("/inbox/"+savitri.String()), http.StatusOK, `/contacts/`+savitri.String()+`/ask?`)
	page := agent.get(kase + "/ask")
	agent.has(page, http.StatusOK, `data-testid="goes-to"`, "IN.7704…0355", "Asha Clinic", "हम आपका ही खाता खोलें", `data-testid="preview"`, "Share contact info", `data-testid="window"`)
	agent.has(agent.get(kase+"/ask?lang=en&purpose=order"), http.StatusOK, "So that we can find your order")
	agent.has(agent.get(kase+"/ask?lang=xx&purpose=%22"), http.StatusOK, "हम आपका ही खाता खोलें")

	form := composed(page, "क्या हमें आपका <b>नंबर मिल सकता है?")
	form.Set("purpose", "record")
	form.Set("lang", "hi")
	if r := agent.post(kase+"/ask", form); r.status != http.StatusSeeOther || r.location != kase {
		t.Fatalf("ask: %d to %q %s", r.status, r.location, r.body)
	}
	form.Del("_csrf")
	agent.post(kase+"/ask", form) // the same press once more
	if got := s.messages(savitri); len(got) != 2 {
		t.Errorf("messages are %q, want the question once", got)
	}
	agent.has(agent.get(kase), http.StatusOK, `data-testid="asked-waiting"`, "No answer yet.", "meera")
	agent.has(agent.get("/resolve?tab=new"), http.StatusOK, `data-testid="asked"`, "asked for the number on ")
	agent.has(agent.get("/inbox/"+savitri.String()), http.StatusOK, "Asked for the phone number", "&lt;b&gt;नंबर", `data-testid="asked-waiting"`)

	// They type a number: a claim, masked for an agent.
	s.writes(30, "", savitrisID, "Savitri", "98000 00480")
	r := agent.get("/contacts/" + savitri.String())
	agent.has(r, http.StatusOK, `data-testid="asked-typed"`, "••0480")
	agent.lacks(r, "9800000480", "98000 00480")
	agent.has(agent.get("/audit"), http.StatusOK, "Asked for the phone number")
	agent.lacks(r, `data-testid="prove"`) // nobody is known by it
	s.writes(20, "919800000480", "", "Rajesh", "hello")
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID
	for _, page := range []string{"/contacts/" + savitri.String(), kase} {
		agent.has(agent.get(page), http.StatusOK, `href="/contacts/`+rajesh.String()+`/code"`, `data-testid="prove"`, `href="/inbox/`+rajesh.String()+`"`)
	}

	// Twice is enough, and the page says until when.
	if r := agent.post(kase+"/ask", composed(agent.get(kase+"/ask"), "once more?")); r.status != http.StatusSeeOther {
		t.Fatalf("ask again: %d %s", r.status, r.body)
	}
	page = agent.get(kase + "/ask")
	agent.has(page, http.StatusOK, `data-testid="ask-refused"`, "They were asked twice in the last 60 days.", "They can be asked again from")
	agent.lacks(page, `data-testid="ask"`)

	auditor := st.signedIn(t, "arjun")
	auditor.lacks(auditor.get(kase), `data-testid="to-ask"`)
	auditor.lacks(auditor.get("/contacts/"+savitri.String()), `data-testid="to-ask"`)
	auditor.lacks(auditor.get("/inbox/"+savitri.String()), `data-testid="to-ask"`)

	ravi := st.signedIn(t, "ravi")
	for _, path := range []string{kase + "/ask", "/contacts/" + savitri.String() + "/ask", "/contacts/" + uuid.NewString() + "/ask", "/contacts/x/ask"} {
		if r := ravi.get(path); r.status != http.StatusNotFound {
			t.Errorf("GET %s of another business: %d", path, r.status)
		}
		if r := ravi.post(path, url.Values{"text": {"number?"}}); r.status != http.StatusNotFound {
			t.Errorf("POST %s of another business: %d", path, r.status)
		}
	}
}

// openCase is the page of the open case of a contact.
func (s *shop) openCase(contact uuid.UUID) string {
	s.t.Helper()
	path := ""
	s.as(func(tx *tenants.Tx) error {
		id, err := identity.OpenCase(context.Background(), tx, contact)
		path = "/resolve/" + id.String()
		return err
	})

	return path
}

func TestAskIsSentToWhomItWasShown(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(30, "919800000480", "", "Rajesh", "hello")
	s.writes(30, "", savitrisID, "Savitri", "hello")
	savitri, rajesh := s.whois(whatsapp.KindBSUID, savitrisID).ID, s.whois(whatsapp.KindPhone, "919800000480").ID
	owner := st.signedIn(t, "asha")
	path := "/contacts/" + savitri.String() + "/ask"
	page := owner.get(path)
	owner.has(page, http.StatusOK, "So that we open your own record")
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(context.Background(), tx, tenants.SystemActor, identity.MergeInput{Keep: rajesh, Lose: savitri, MayRisk: true, Reason: "same"})
		return err
	})
	r := owner.post(path, composed(page, "my question?"))
	owner.has(r, http.StatusConflict, `data-testid="changed"`, "my question?")
	if got := s.messages(rajesh); len(got) != 2 {
		t.Errorf("messages are %q, want nothing asked", got)
	}
	if r := owner.post(path, composed(r, "my question?")); r.status != http.StatusSeeOther {
		t.Errorf("asked what was looked at again: %d %s", r.status, r.body)
	}
	for text, want := range map[string]int{"": http.StatusUnprocessableEntity, strings.Repeat("a", conversations.MaxAskRunes+1): http.StatusUnprocessableEntity} {
		if r := owner.post(path, composed(owner.get(path), text)); r.status != want {
			t.Errorf("%.10q: %d, want %d", text, r.status, want)
		}
	}

	// To who shows a phone there is nothing to ask.
	known := owner.get("/contacts/" + rajesh.String() + "/ask?account=" + s.account(rajesh, whatsapp.KindPhone).String())
	owner.has(known, http.StatusOK, `data-testid="ask-refused"`, "phone number is known")
	if r := owner.post("/contacts/"+rajesh.String()+"/ask", composed(owner.get("/inbox/"+rajesh.String()+"?account="+s.account(rajesh, whatsapp.KindPhone).String()), "number?")); r.status != http.StatusConflict {
		t.Errorf("asked somebody whose phone is shown: %d", r.status)
	}
}

// account is the account of a contact that is written to by a kind of address.
func (s *shop) account(contact uuid.UUID, kind whatsapp.Kind) (id uuid.UUID) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error {
		c, err := identity.Get(context.Background(), tx, contact)
		for _, i := range c.Identities {
			if k, _ := i.Address(); k == kind {
				id = i.ID
			}
		}
		return err
	})

	return id
}

func TestAskOutsideTheWindow(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(20, "", savitrisID, "Savitri", "hello")
	savitri := s.whois(whatsapp.KindBSUID, savitrisID).ID
	owner := st.signedIn(t, "asha")
	path := "/contacts/" + savitri.String() + "/ask"
	plain := whatsapp.Template{Name: "order_ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: []whatsapp.TemplateComponent{{Type: "BODY", Text: "Ready."}}}
	s.keepTemplates(plain)
	page := owner.get(path)
	owner.has(page, http.StatusOK, `data-testid="no-templates"`)
	owner.lacks(page, `data-testid="ask"`)

	asking := plain
	asking.Name, asking.Components = "your_number", []whatsapp.TemplateComponent{
		{Type: "BODY", Text: "About order {{1}}: may we have your number?"}, {Type: "BUTTONS", Buttons: []whatsapp.TemplateButton{{Type: "REQUEST_CONTACT_INFO"}}},
	}
	s.keepTemplates(plain, asking)
	page = owner.get(path)
	owner.has(page, http.StatusOK, "About order ", `data-slot="0"`, `data-testid="ask"`)
	owner.lacks(page, "order_ready")
	form := url.Values{"version": {hidden(page, "version")}, "key": {hidden(page, "key")}, "template": {"your_number|en"}, "p0": {""}}
	owner.has(owner.post(path, form), http.StatusUnprocessableEntity, `data-testid="ask"`)
	form.Set("p0", "GAS-2291")
	form.Del("_csrf")
	form.Set("key", hidden(owner.get(path), "key"))
	if r := owner.post(path, form); r.status != http.StatusSeeOther {
		t.Fatalf("ask by template: %d %s", r.status, r.body)
	}
	owner.has(owner.get("/inbox/"+savitri.String()), http.StatusOK, "About order GAS-2291", `data-testid="asked-waiting"`)
}

// keepTemplates is what Graph lists for the shop's number.
func (s *shop) keepTemplates(list ...whatsapp.Template) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error { return conversations.KeepTemplates(context.Background(), tx, "700", list) })
}
