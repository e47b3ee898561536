package server_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// hidden reads a hidden field of a page.
func hidden(r answer, name string) string {
	found := regexp.MustCompile(`name="`+name+`" value="([^"]*)"`).FindAllStringSubmatch(r.body, -1)
	if len(found) == 0 {
		return ""
	}

	return found[len(found)-1][1]
}

// composed is the form of a conversation's page, with words in it.
func composed(r answer, text string) url.Values {
	return url.Values{"version": {hidden(r, "version")}, "key": {hidden(r, "key")}, "text": {text}}
}

func (s *shop) messages(contact uuid.UUID) []string {
	s.t.Helper()
	var texts []string
	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Messages(context.Background(), tx, contact, identity.Page{})
		for _, m := range list {
			texts = append(texts, m.Text)
		}
		return err
	})

	return texts
}

func TestReplyGoesWhereThePageSaid(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "arjun", "auditor")
	s := st.shop(t, st.clinic)
	s.writes(30, "919800000480", "", "Rajesh", "is it ready?")
	s.writes(29, "", "IN.77044188200355", "Raju", "hello")
	rajesh, raju := s.whois(whatsapp.KindPhone, "919800000480").ID, s.whois(whatsapp.KindBSUID, "IN.77044188200355").ID
	agent := st.signedIn(t, "meera")
	path := "/inbox/" + rajesh.String()

	page := agent.get(path)
	agent.has(page, http.StatusOK, `data-testid="goes-to"`, "•••••• 0480", "Asha Clinic", `data-testid="window"`)
	agent.lacks(page, "9800000480", "98000 00480")
	form := composed(page, "Yes <b>today")
	if r := agent.post(path, form); r.status != http.StatusSeeOther || r.location != path {
		t.Fatalf("send: %d %s", r.status, r.body)
	}
	form.Del("_csrf")
	agent.post(path, form) // the same press once more
	if got := s.messages(rajesh); len(got) != 2 || got[0] != "Yes <b>today" {
		t.Errorf("messages are %q, want the answer once", got)
	}
	sent := agent.get(path)
	agent.has(sent, http.StatusOK, "Yes &lt;b&gt;today", `data-testid="sending"`, `data-testid="cancel"`, ">meera<")
	agent.lacks(agent.get("/inbox?state=waiting"), "Rajesh")
	if r := agent.post(path+"/cancel", url.Values{"message": {button(sent, "message")}}); r.status != http.StatusSeeOther {
		t.Errorf("cancel: %d %s", r.status, r.body)
	}
	if got := s.messages(rajesh); len(got) != 1 {
		t.Errorf("messages are %q after the answer was taken back", got)
	}
	agent.has(agent.get("/inbox?state=waiting"), http.StatusOK, "Rajesh")

	// Somebody merges while the next words are written.
	page = agent.get(path)
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(context.Background(), tx, tenants.SystemActor, identity.MergeInput{Keep: raju, Lose: rajesh, MayRisk: true, Reason: "same"})
		return err
	})
	r := agent.post(path, composed(page, "my words"))
	agent.has(r, http.StatusConflict, `data-testid="changed"`, "my words", "Raju", `data-testid="other-account"`)
	if got := s.messages(raju); len(got) != 2 {
		t.Errorf("messages are %q, want nothing sent", got)
	}
	if r := agent.post(path, composed(r, "my words")); r.status != http.StatusSeeOther {
		t.Errorf("send what was looked at again: %d %s", r.status, r.body)
	}

	for text, status := range map[string]int{"": http.StatusUnprocessableEntity, "\x01": http.StatusUnprocessableEntity} {
		if r := agent.post("/inbox/"+raju.String(), composed(agent.get("/inbox/"+raju.String()), text)); r.status != status {
			t.Errorf("%q: %d, want %d", text, r.status, status)
		}
	}
	auditor := st.signedIn(t, "arjun")
	auditor.lacks(auditor.get("/inbox/"+raju.String()), `data-testid="goes-to"`, `data-testid="send"`, `data-testid="cancel"`)
}

// button is the value of the last button of a name on a page.
func button(r answer, name string) string {
	found := regexp.MustCompile(`<button[^>]*name="`+name+`" value="([^"]*)"`).FindAllStringSubmatch(r.body, -1)
	if len(found) == 0 {
		return ""
	}

	return found[len(found)-1][1]
}

func TestAfterTheWindowOnlyTemplates(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(1, "919800000480", "", "Rajesh", "long ago")
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID.String()
	owner := st.signedIn(t, "asha")
	page := owner.get("/inbox/" + rajesh)
	owner.has(page, http.StatusOK, `data-testid="templates-unknown"`, "Only an approved template")
	owner.lacks(page, `data-testid="field-text"`, `data-testid="no-templates"`) // nobody could ask Meta
	s.as(func(tx *tenants.Tx) error {
		return conversations.KeepTemplates(context.Background(), tx, "700", []whatsapp.Template{})
	})
	page = owner.get("/inbox/" + rajesh)
	owner.has(page, http.StatusOK, `data-testid="no-templates"`)
	owner.lacks(page, `data-testid="templates-unknown"`)

	// A form from before the window closed.
	var version string
	s.as(func(tx *tenants.Tx) error {
		r, err := conversations.ReplyTo(context.Background(), tx, conversations.Thread{Contact: uuid.MustParse(rajesh)})
		version = r.Version
		return err
	})
	r := owner.post("/inbox/"+rajesh, url.Values{"version": {version}, "key": {"k1"}, "text": {"late words"}})
	owner.has(r, http.StatusConflict, "The 24 hours after their last message are over")
	r = owner.post("/inbox/"+rajesh, url.Values{"version": {version}, "key": {"k2"}, "template": {"gone|en"}})
	owner.has(r, http.StatusConflict, "Meta does not list this template")
}

// Whatever is done in the composer of another account than the one that wrote last, it stays that account's.
func TestTheChosenAccountStaysChosen(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(30, "919800000480", "", "Rajesh", "is it ready?")
	s.writes(30, "", "IN.77044188200355", "Raju", "hello again")
	rajesh, raju := s.whois(whatsapp.KindPhone, "919800000480"), s.whois(whatsapp.KindBSUID, "IN.77044188200355")
	s.as(func(tx *tenants.Tx) error {
		ctx := context.Background()
		if _, err := identity.Merge(ctx, tx, tenants.SystemActor, identity.MergeInput{Keep: rajesh.ID, Lose: raju.ID, MayRisk: true, Reason: "same"}); err != nil {
			return err
		}
		return conversations.KeepTemplates(ctx, tx, "700", []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: []whatsapp.TemplateComponent{{Type: "BODY", Text: "It is ready, {{1}}."}}},
		})
	})
	owner := st.signedIn(t, "asha")
	path := "/inbox/" + rajesh.ID.String()
	kept := "account=" + rajesh.Identities[0].ID.String() + "&amp;number=" + s.number.String()
	owner.lacks(owner.get(path), kept) // the other one wrote last

	page := owner.get(path + "?account=" + rajesh.Identities[0].ID.String())
	owner.has(page, http.StatusOK, kept+`"`, kept+"&amp;template=pick#write", `action="`+path+"?"+kept+`"`)
	if to := goesTo(page); !strings.Contains(to, "98000 00480") {
		t.Errorf("the chosen account's composer goes to %q", to)
	}
	chosen := path + "?" + strings.ReplaceAll(kept, "&amp;", "&")
	picked := owner.get(chosen + "&template=ready%7Cen")
	owner.has(picked, http.StatusOK, `data-testid="preview"`, kept+`#write`, `name="account" value="`+rajesh.Identities[0].ID.String(), `name="number" value="`+s.number.String())
	empty := owner.post(chosen, composed(page, ""))
	unfilled := composed(picked, "")
	unfilled.Set("template", "ready|en")
	unfilled.Set("p0", "")
	for what, r := range map[string]answer{"picked": picked, "an empty text": empty, "an unfilled template": owner.post(chosen, unfilled)} {
		if to := goesTo(r); !strings.Contains(to, "98000 00480") {
			t.Errorf("%s: the composer goes to %q, want the chosen account", what, to)
		}
	}

	filled := composed(picked, "")
	filled.Set("template", "ready|en")
	filled.Set("p0", "Rajesh")
	if r := owner.post(chosen, filled); r.status != http.StatusSeeOther {
		t.Errorf("send: %d %s", r.status, r.body)
	}
	s.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Messages(context.Background(), tx, rajesh.ID, identity.Page{})
		list = slices.DeleteFunc(list, func(m conversations.Message) bool { return m.Direction != whatsapp.DirectionOut })
		if err == nil && (len(list) != 1 || list[0].Text != "It is ready, Rajesh." || list[0].IdentityID != rajesh.Identities[0].ID) {
			t.Errorf("sent %+v, want the template to the chosen account", list)
		}
		return err
	})
}

// goesTo is where the composer of a page says that a message goes.
func goesTo(r answer) string {
	_, rest, _ := strings.Cut(r.body, `data-testid="goes-to"`)
	to, _, _ := strings.Cut(rest, "</p>")

	return to
}

func TestNotesAndAssignment(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	meera := st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	s.writes(29, "919800000480", "", "Rajesh", "hello")
	rajesh := s.whois(whatsapp.KindPhone, "919800000480").ID.String()
	agent, ravi := st.signedIn(t, "meera"), st.signedIn(t, "ravi")

	if r := agent.post("/inbox/"+rajesh+"/notes", url.Values{"text": {"pays late <i>always"}}); r.status != http.StatusSeeOther {
		t.Errorf("note: %d %s", r.status, r.body)
	}
	agent.has(agent.get("/inbox/"+rajesh), http.StatusOK, `data-testid="noted"`, "pays late &lt;i&gt;always")
	agent.has(agent.post("/inbox/"+rajesh+"/notes", url.Values{"text": {""}}), http.StatusUnprocessableEntity, `aria-invalid="true"`)

	agent.post("/inbox/"+rajesh+"/assign", url.Values{"person": {meera.String()}})
	agent.has(agent.get("/inbox?who=mine"), http.StatusOK, "Rajesh", "with you")
	agent.post("/inbox/"+rajesh+"/assign", url.Values{"person": {""}})
	agent.lacks(agent.get("/inbox?who=mine"), "Rajesh")
	if r := agent.post("/inbox/"+rajesh+"/assign", url.Values{"person": {uuid.NewString()}}); r.status != http.StatusNotFound {
		t.Errorf("to somebody who is no colleague: %d", r.status)
	}
	looker := st.member(t, st.clinic, "anjali", "auditor").String()
	if r := agent.post("/inbox/"+rajesh+"/assign", url.Values{"person": {looker}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("to a colleague whose role answers nobody: %d", r.status)
	}
	page := agent.get("/inbox/" + rajesh)
	agent.has(page, http.StatusOK, `value="`+meera.String()+`"`)
	agent.lacks(page, looker)

	for _, path := range []string{"", "/notes", "/assign", "/cancel"} {
		form := url.Values{"text": {"x"}, "version": {"x"}, "key": {"k"}, "person": {""}, "message": {uuid.NewString()}}
		if r := ravi.post("/inbox/"+rajesh+path, form); r.status < 400 || r.status == http.StatusInternalServerError {
			t.Errorf("%s of another business: %d", path, r.status)
		}
	}
}

// A business that has no number yet looks after the people of its lists all the same; whom no account is known of nobody can.
func TestNotesAndAssignmentWithoutANumber(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	var ids []uuid.UUID
	bare := uuid.Must(uuid.NewV7())
	err := st.DB.As(context.Background(), st.motors.ID, func(tx *tenants.Tx) (err error) {
		if err := identity.Lock(context.Background(), tx); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO contacts (tenant_id, id, display_name) VALUES ($1, $2, 'Kiran')`, st.motors.ID, bare); err != nil {
			return err
		}
		ids, err = identity.AddClaimed(context.Background(), tx, tenants.SystemActor, "portfolio:900", "list.csv", []identity.Claim{
			{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: "919800000480"}},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ravi := st.signedIn(t, "ravi")
	path := "/inbox/" + ids[0].String()
	page := ravi.get(path)
	ravi.has(page, http.StatusOK, `data-testid="note"`, `data-testid="assigned"`)
	ravi.lacks(page, `data-testid="goes-to"`)
	for of, form := range map[string]url.Values{"/notes": {"text": {"comes on Monday"}}, "/assign": {"person": {""}}} {
		if r := ravi.post(path+of, form); r.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s", of, r.status, r.body)
		}
	}
	ravi.has(ravi.get(path), http.StatusOK, "comes on Monday")

	page = ravi.get("/inbox/" + bare.String())
	ravi.has(page, http.StatusOK, "Kiran")
	ravi.lacks(page, `data-testid="note"`, `data-testid="assigned"`)
}
