package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// shop is a tenant of a site with one number, whose customers write as a lane would take it.
type shop struct {
	*site
	t              *testing.T
	tenant, number uuid.UUID
	items          int64
	began          time.Time
}

func (st *site) shop(t *testing.T, tenant tenants.Tenant) *shop {
	t.Helper()
	s := &shop{site: st, t: t, tenant: tenant.ID, number: uuid.Must(uuid.NewV7()), began: time.Now().AddDate(0, 0, -30)}
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, name, portfolio_id, scope, state)
			VALUES ($1, $2, $3, '700', '800', '15550199042', 'Asha Clinic', '900', 'portfolio:900', 'connected')`, s.tenant, s.number, uuid.Must(uuid.NewV7()))
		return err
	})

	return s
}

func (s *shop) as(fn func(*tenants.Tx) error) {
	s.t.Helper()
	if err := s.DB.As(context.Background(), s.tenant, fn); err != nil {
		s.t.Fatal(err)
	}
}

// writes is a text message of somebody who shows the phone, the WhatsApp ID, or both.
func (s *shop) writes(day int, phone, bsuid, name, text string) {
	s.t.Helper()
	s.sends(day, phone, bsuid, name, map[string]any{"type": "text", "text": map[string]any{"body": text}})
}

// shares is somebody without a phone who sends theirs, asked for by WhatsApp's own button.
func (s *shop) shares(day int, phone, bsuid, name string) {
	s.t.Helper()
	card := map[string]any{"origin": "contact_request", "phones": []any{map[string]any{"phone": "+" + phone, "wa_id": phone}}}
	s.sends(day, "", bsuid, name, map[string]any{"type": "contacts", "contacts": []any{card}})
}

func (s *shop) sends(day int, phone, bsuid, name string, item map[string]any) {
	s.t.Helper()
	s.items++
	item["id"], item["timestamp"] = fmt.Sprint("w-", s.items), fmt.Sprint(s.began.AddDate(0, 0, day).Unix()+s.items)
	contact := map[string]any{"profile": map[string]any{"name": name}}
	if phone != "" {
		item["from"], contact["wa_id"] = phone, phone
	}
	if bsuid != "" {
		item["from_user_id"], contact["user_id"] = bsuid, bsuid
	}
	body, err := json.Marshal(map[string]any{
		"field": "messages", "entry_id": "700", "item": item, "contacts": []any{contact},
		"metadata": map[string]any{"display_phone_number": "15550199042", "phone_number_id": "800"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	event, err := whatsapp.ParseEvent(whatsapp.KindMessage, body)
	if err != nil {
		s.t.Fatal(err)
	}
	seen := []identity.Seen{{ItemID: s.items, NumberID: s.number, Scope: "portfolio:900", ReceivedAt: time.Now(), Event: event}}
	s.as(func(tx *tenants.Tx) error {
		ctx := context.Background()
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		batch, err := identity.Observe(ctx, tx, seen)
		if err != nil {
			return err
		}
		if _, err := conversations.Record(ctx, tx, batch, seen); err != nil {
			return err
		}
		return batch.Settle(ctx)
	})
}

func (s *shop) whois(kind whatsapp.Kind, value string) identity.Contact {
	s.t.Helper()
	var c identity.Contact
	s.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(context.Background(), tx, kind, value, "")
		if err == nil {
			c = *r.Contact
		}
		return err
	})

	return c
}

func (s *shop) cases(tab string) []identity.Case {
	s.t.Helper()
	var list []identity.Case
	s.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.Cases(context.Background(), tx, identity.CaseFilter{Tab: tab})
		return err
	})

	return list
}

// rajesh came back without his phone and typed it; the first he wrote with was a phone alone.
func (s *shop) rajesh() identity.Case {
	s.t.Helper()
	s.writes(0, "919800000480", "", "Rajesh Kumar", "hello")
	s.writes(1, "", "IN.77044188200355", "राजेश", "my number is 98000 00480")
	list := s.cases(identity.TabSuggested)
	if len(list) != 1 {
		s.t.Fatalf("%d suggested cases, want 1", len(list))
	}

	return list[0]
}

func decision(k identity.Case, kind string, more ...string) url.Values {
	f := url.Values{"decision": {kind}, "version": {fmt.Sprint(k.Version)}, "tab": {"suggested"}, "seen": {"suggested"}}
	for _, o := range k.Candidates {
		f.Set("contact", o.Contact.ID.String())
		f.Set("seen", "suggested "+o.Contact.ID.String())
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}

	return f
}

func (b *browser) has(r answer, status int, words ...string) {
	b.t.Helper()
	if r.status != status {
		b.t.Errorf("got %d, want %d: %.300s", r.status, status, r.body)
	}
	for _, w := range words {
		if !strings.Contains(r.body, w) {
			b.t.Errorf("page lacks %q", w)
		}
	}
}

func (b *browser) lacks(r answer, words ...string) {
	b.t.Helper()
	for _, w := range words {
		if strings.Contains(r.body, w) {
			b.t.Errorf("page holds %q", w)
		}
	}
}

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
