package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestDecideSameAndUndo(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	k := s.rajesh()
	keep, lose := k.Candidates[0].Contact.ID.String(), k.ContactID.String()
	b := st.signedIn(t, "meera")

	b.want(b.get("/resolve/next?tab=suggested"), http.StatusSeeOther, "/resolve/"+k.ID.String()+"?tab=suggested")
	page := b.get("/resolve/" + k.ID.String() + "?tab=suggested")
	b.has(page, http.StatusOK, `data-testid="decide-same"`, "••0480", "Rajesh Kumar")
	b.lacks(page, "98000 00480", "919800000480")

	b.want(b.post("/resolve/"+k.ID.String(), decision(k, "same")), http.StatusSeeOther, "/resolve")
	b.has(b.get("/resolve"), http.StatusOK, `data-testid="undo"`)
	moved := b.get("/contacts/" + lose)
	b.want(moved, http.StatusSeeOther, "/contacts/"+keep+"?merged=1")
	b.has(b.get(moved.location), http.StatusOK, `data-testid="merged-note"`, "hello", "my number is ••0480")

	link := s.cases(identity.TabDone)[0].LinkID.String()
	s.writes(2, "", "IN.77044188200355", "राजेश", "again")
	b.has(b.get("/merges/"+link), http.StatusOK, `data-testid="undo-merge"`, "New messages since then: 1")
	b.want(b.post("/merges/"+link+"/undo", url.Values{"next": {"/contacts/" + lose}}), http.StatusSeeOther, "/contacts/"+lose)
	b.has(b.get("/contacts/"+lose), http.StatusOK, "again")
	b.has(b.post("/merges/"+link+"/undo", nil), http.StatusConflict, `data-testid="undone"`)
	b.has(b.get("/merges/"+link), http.StatusOK, `href="/contacts/`+lose+`" data-testid="restored"><bdi>राजेश</bdi>`)
	if len(s.cases(identity.TabSuggested)) != 1 {
		t.Error("the case is not asked again")
	}
}

func TestOtherDecisionsAndTheirWayBack(t *testing.T) {
	t.Parallel()
	for kind, tab := range map[string]string{"not_same": identity.TabNew, "new": identity.TabDone, "hold": identity.TabWaiting, "unsure": identity.TabApprovals} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := newSite(t)
			s := st.shop(t, st.clinic)
			k := s.rajesh()
			b := st.signedIn(t, "asha")
			if r := b.post("/resolve/"+k.ID.String(), decision(k, kind, "days", "1")); r.status != http.StatusSeeOther {
				t.Fatalf("got %d: %.300s", r.status, r.body)
			}
			if len(s.cases(tab)) != 1 {
				t.Errorf("the case is not in the tab %s", tab)
			}
			b.get("/resolve")
			b.has(b.get("/resolve"), http.StatusOK, `data-testid="undo-last"`)
			b.want(b.post("/resolve/"+k.ID.String()+"/undo", nil), http.StatusSeeOther, "/resolve/"+k.ID.String())
			if len(s.cases(identity.TabSuggested)) != 1 {
				t.Error("taken back, the case is not suggested again")
			}
			b.has(b.post("/resolve/"+k.ID.String()+"/undo", nil), http.StatusConflict, "nothing of yours")
		})
	}
}

func TestCaseChangedOrLeasedMeanwhile(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	k := s.rajesh()
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")

	asha.has(asha.get("/resolve/"+k.ID.String()), http.StatusOK, `data-testid="lease"`)
	leased := meera.get("/resolve/" + k.ID.String())
	meera.has(leased, http.StatusConflict, `data-testid="leased"`, "asha")
	meera.lacks(leased, `data-testid="decide-same"`)
	meera.has(meera.get("/resolve"), http.StatusOK, "asha</bdi> has this")
	meera.want(meera.get("/resolve/next?tab=suggested"), http.StatusSeeOther, "/resolve")
	meera.has(meera.post("/resolve/"+k.ID.String(), decision(k, "new")), http.StatusConflict)

	s.writes(5, "", "IN.99", "Farida", "hello")
	asha.get("/resolve/" + s.cases(identity.TabNew)[0].ID.String())
	if by := s.cases(identity.TabSuggested)[0].LeaseBy; by != "" {
		t.Errorf("who went on to another case still has the last: %q", by)
	}

	s.writes(3, "919800000777", "", "Gopal", "hi")
	s.writes(4, "", "IN.77044188200355", "राजेश", "or 98000 00777")
	changed := asha.post("/resolve/"+k.ID.String(), decision(k, "same"))
	asha.has(changed, http.StatusConflict, `data-testid="changed"`, "New suggestion: Gopal.")

	now := s.cases(identity.TabSuggested)[0]
	asha.want(asha.post("/resolve/"+k.ID.String(), decision(now, "new")), http.StatusSeeOther, "/resolve")
	done := asha.post("/resolve/"+k.ID.String(), decision(now, "same"))
	asha.has(done, http.StatusConflict, "It is decided: Somebody new (asha).")
}

func TestAHintNeedsAReasonAndShowsItsReceipt(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "", "Rajesh Kumar", "hello")
	s.writes(1, "", "IN.77044188200355", "राजेश", "hello")
	s.writes(2, "919800000481", "IN.88", "Rajesh", "two accounts")
	k := s.cases(identity.TabNew)[0]
	rajesh, twice := s.whois(whatsapp.KindPhone, "919800000480"), s.whois(whatsapp.KindPhone, "919800000481")
	b := st.signedIn(t, "meera")
	path := "/resolve/" + k.ID.String()

	b.has(b.get(path+"?who="+rajesh.ID.String()), http.StatusOK, `name="reason"`)
	form := url.Values{"decision": {"same"}, "contact": {rajesh.ID.String()}, "version": {fmt.Sprint(k.Version)}, "tab": {"new"}}
	b.has(b.post(path, form), http.StatusUnprocessableEntity, `data-testid="wrong-reason"`)

	risky := b.get(path + "?who=" + twice.ID.String())
	b.has(risky, http.StatusOK, `data-testid="against"`, "only a lead or owner")
	b.lacks(risky, `data-testid="decide-same"`)
	form.Set("contact", twice.ID.String())
	form.Set("reason", "I think so")
	b.has(b.post(path, form), http.StatusForbidden)

	form.Set("contact", rajesh.ID.String())
	r := b.post(path, form)
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/merges/") {
		t.Fatalf("after a hint: %d %q, want the receipt", r.status, r.location)
	}
	b.has(b.get(r.location), http.StatusOK, "I think so", `data-testid="next-case"`)
	b.has(b.get(path+"?q=rajesh"), http.StatusOK, `data-testid="outcome"`)
}

func TestMergeByHand(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.member(t, st.clinic, "joseph", "agent")
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh", "hello")
	s.writes(1, "919800000481", "IN.2", "Rajesh", "hello")
	s.writes(2, "919800000482", "", "Rajesh", "hello")
	one, two, three := s.whois(whatsapp.KindBSUID, "IN.1").ID.String(), s.whois(whatsapp.KindBSUID, "IN.2").ID.String(), s.whois(whatsapp.KindPhone, "919800000482").ID.String()
	agent, owner := st.signedIn(t, "meera"), st.signedIn(t, "asha")
	form := url.Values{"keep": {one}, "lose": {two}, "keep_version": {"1"}, "lose_version": {"1"}, "reason": {"called them"}}

	agent.has(agent.get("/contacts?for="+one+"&q=rajesh"), http.StatusOK, "/merges/preview?keep="+one+"&amp;lose="+three)
	risky := agent.get("/merges/preview?keep=" + one + "&lose=" + two)
	agent.has(risky, http.StatusOK, `data-testid="warning"`, `data-testid="not-you"`)
	agent.has(agent.post("/merges", form), http.StatusForbidden, `data-testid="not-you"`)
	agent.has(agent.get("/merges/preview?keep="+one+"&lose="+one), http.StatusOK, `data-testid="blocked"`)

	form.Del("_csrf")
	form.Set("reason", "")
	owner.has(owner.post("/merges", form), http.StatusUnprocessableEntity, `data-testid="wrong-reason"`)
	form.Set("reason", "called them")
	form.Set("lose_version", "7")
	owner.has(owner.post("/merges", form), http.StatusConflict, `data-testid="changed"`, "called them")
	form.Set("lose_version", "1")
	done := owner.post("/merges", form)
	if done.status != http.StatusSeeOther {
		t.Fatalf("merge: %d %.300s", done.status, done.body)
	}
	owner.has(owner.get(done.location), http.StatusOK, "called them", `data-testid="undo-merge"`)
	agent.lacks(agent.get(done.location), `data-testid="undo-merge"`)
	agent.has(agent.post(done.location+"/undo", nil), http.StatusForbidden)
	owner.want(owner.post(done.location+"/undo", nil), http.StatusSeeOther, done.location)

	safe := agent.post("/merges", url.Values{"keep": {one}, "lose": {three}})
	colleague := st.signedIn(t, "joseph")
	colleague.has(colleague.post(safe.location+"/undo", nil), http.StatusForbidden)
	agent.want(agent.post(safe.location+"/undo", nil), http.StatusSeeOther, safe.location)
}

func TestContactsShowPhonesToWhomTheyMay(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	for _, role := range []string{"agent", "marketing", "auditor"} {
		st.member(t, st.clinic, role, role)
	}
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh", "call 9800000480")
	id := s.whois(whatsapp.KindBSUID, "IN.1").ID.String()

	owner := st.signedIn(t, "asha")
	owner.has(owner.get("/contacts/"+id), http.StatusOK, "+91 98000 00480", "call 9800000480", `data-testid="evidence"`)
	owner.has(owner.get("/contacts?q=0480"), http.StatusOK, "+91 98000 00480")
	for _, role := range []string{"agent", "marketing", "auditor"} {
		b := st.signedIn(t, role)
		for _, path := range []string{"/contacts", "/contacts?q=0480", "/contacts?reach=both", "/contacts/" + id} {
			r := b.get(path)
			b.has(r, http.StatusOK, "0480")
			b.lacks(r, "98000 00480", "9800000480")
		}
	}

	agent := st.signedIn(t, "agent")
	agent.has(agent.get("/contacts/"+id), http.StatusOK, `data-testid="reveal"`)
	agent.has(agent.post("/contacts/"+id+"/reveal", nil), http.StatusOK, "+91 98000 00480", `data-testid="revealed"`)
	agent.lacks(agent.get("/contacts/"+id), "98000 00480")
	var looked int
	s.as(func(tx *tenants.Tx) error {
		return tx.Get(&looked, `SELECT count(*) FROM audit_entries WHERE action = 'phone.reveal' AND object_id = $1`, id)
	})
	if looked != 1 {
		t.Errorf("%d entries of who looked, want 1", looked)
	}
	agent.has(agent.get("/contacts/"+id+"/evidence/"+st.itemID(st.clinic, 99)), http.StatusNotFound)
}

func TestEditShowsWhatAColleagueChanged(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh", "hello")
	id := s.whois(whatsapp.KindBSUID, "IN.1").ID.String()
	b := st.signedIn(t, "asha")
	b.want(b.post("/contacts/"+id, url.Values{"version": {"1"}, "display_name": {"Rajesh K"}, "notes": {"evenings"}}), http.StatusSeeOther, "/contacts/"+id)
	stale := b.post("/contacts/"+id, url.Values{"version": {"1"}, "display_name": {"Raju"}, "notes": {"evenings"}})
	b.has(stale, http.StatusConflict, `data-testid="changed"`, "Rajesh K", `value="Raju"`)
	b.has(b.post("/contacts/"+id, url.Values{"version": {"2"}, "display_name": {strings.Repeat("x", 201)}}), http.StatusUnprocessableEntity, `data-testid="wrong-display_name"`)
	b.has(b.get("/contacts/"+id), http.StatusOK, "Rajesh K", "evenings")
}

func TestPeopleNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	k := s.rajesh()
	asha := st.signedIn(t, "asha")
	asha.post("/resolve/"+k.ID.String(), decision(k, "same"))
	link := s.cases(identity.TabDone)[0].LinkID.String()
	contact, other := k.Candidates[0].Contact.ID.String(), k.ContactID.String()

	ravi := st.signedIn(t, "ravi")
	for _, path := range []string{
		"/resolve/" + k.ID.String(), "/resolve/" + k.ID.String() + "/event", "/contacts/" + contact, "/contacts/" + contact + "/evidence/" + st.itemID(st.motors, 2), "/merges/" + link,
		"/merges/preview?keep=" + contact + "&lose=" + other, "/contacts?for=" + contact,
	} {
		ravi.has(ravi.get(path), http.StatusNotFound)
	}
	for path, form := range map[string]url.Values{
		"/resolve/" + k.ID.String(): decision(k, "new"), "/resolve/" + k.ID.String() + "/undo": nil, "/contacts/" + contact: {"version": {"1"}},
		"/merges": {"keep": {contact}, "lose": {other}}, "/merges/" + link + "/undo": nil,
	} {
		ravi.has(ravi.post(path, form), http.StatusNotFound)
	}
	ravi.lacks(ravi.get("/contacts?q=rajesh"), "Rajesh Kumar")
	ravi.lacks(ravi.get("/resolve?tab=done"), k.ID.String())
}
