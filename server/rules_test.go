package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	ashaPhone = "919800000480"
	ashaID    = "IN.77044188200355"
)

// asha wrote from her phone, and later, hiding it, shared it on request.
func (s *shop) asha() {
	s.t.Helper()
	s.writes(0, ashaPhone, "", "Asha Verma", "hello")
	s.shares(1, ashaPhone, ashaID, "Asha")
}

// watched makes a rule look as if it had watched for so many days.
func (s *shop) watched(evidence string, days int) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO link_rules (tenant_id, evidence, mode, since) VALUES ($1, $2, 'shadow', now() - $3 * interval '1 day')
			ON CONFLICT (tenant_id, evidence) DO UPDATE SET mode = 'shadow', since = excluded.since`, tx.Tenant, evidence, days)
		return err
	})
}

// relink does the work that switching a rule leaves to the background.
func (s *shop) relink(evidence string) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error {
		for after := uuid.Nil; ; {
			last, _, err := identity.Relink(s.t.Context(), tx, evidence, after, 100)
			if after = last; err != nil || after == uuid.Nil {
				return err
			}
		}
	})
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET state = 'done' WHERE kind = 'relink' AND tenant_id = $1`, tx.Tenant)
		return err
	})
}

func TestARuleWatchesLinksAndIsTakenBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	s.asha()
	b := st.signedIn(t, "asha")
	const rule = "/settings/links/card_request"

	b.has(b.get("/settings/links"), http.StatusOK, "Nothing has been linked by itself yet", "It can be switched on from", "1 who waits", `href="`+rule+`"`)
	b.has(b.get(rule), http.StatusOK, "would be linked to", "Asha Verma", `href="/resolve/`)
	b.has(b.post(rule, url.Values{"mode": {"on"}}), http.StatusConflict, "seven days first")

	s.watched("card_request", 8)
	b.has(b.get("/settings/links"), http.StatusOK, `data-testid="to-on"`)
	b.has(b.get(rule+"?to=on"), http.StatusOK, `data-testid="do-switch"`, "1 who waits now is linked")
	b.want(b.post(rule, url.Values{"mode": {"on"}}), http.StatusSeeOther, "/settings/links")
	b.has(b.get("/settings/links"), http.StatusOK, `data-testid="running"`, `data-live="3"`, `data-testid="toast"`)
	s.relink("card_request")

	page := b.get("/settings/links")
	b.has(page, http.StatusOK, "was linked to", "Asha Verma", "they shared +91 98000 00480", "1, of them 0 taken back")
	b.lacks(page, `data-testid="running"`)
	b.has(b.get("/home"), http.StatusOK, `data-testid="digest"`, "1 customer was linked by itself")
	b.has(b.get("/audit"), http.StatusOK, "Customer linked automatically", "They share their number on request", "<bdi>Asha Verma")

	// An agent sees it on the contact, opens what it rests on, and takes it back.
	meera := st.signedIn(t, "meera")
	contact := "/contacts/" + s.whois(whatsapp.KindPhone, ashaPhone).ID.String()
	history := meera.get(contact)
	meera.has(history, http.StatusOK, "linked to this contact automatically", "they shared ••0480", `data-testid="undo-link"`)
	meera.lacks(history, ashaPhone)
	receipt := "/merges/" + history.body[strings.Index(history.body, `/merges/`)+8:][:36]
	shown := meera.get(receipt)
	meera.has(shown, http.StatusOK, "Linked automatically", "Pehchan itself", "they shared ••0480", `data-testid="undo-merge"`, `data-testid="event"`)
	meera.lacks(shown, ashaPhone)
	meera.want(meera.post(receipt+"/undo", url.Values{"next": {contact}}), http.StatusSeeOther, contact)
	meera.has(meera.get(receipt), http.StatusOK, `data-testid="undone"`)
	b.has(b.get("/settings/links"), http.StatusOK, "1, of them 1 taken back", "taken back")
	b.lacks(b.get("/home"), `data-testid="digest"`)
}

func TestSwitchingOffSaysWhatIsTakenBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.asha()
	b := st.signedIn(t, "asha")
	s.watched("card_request", 8)
	b.post("/settings/links/card_request", url.Values{"mode": {"on"}})
	s.relink("card_request")

	b.has(b.get("/settings/links/card_request?to=off"), http.StatusOK, "1 link that it made is taken back")
	b.want(b.post("/settings/links/card_request", url.Values{"mode": {"off"}}), http.StatusSeeOther, "/settings/links")
	s.relink("card_request")
	if s.whois(whatsapp.KindPhone, ashaPhone).ID == s.whois(whatsapp.KindBSUID, ashaID).ID {
		t.Error("switched off, the link stands")
	}
	b.has(b.post("/settings/links/card_request", url.Values{"mode": {"sometimes"}}), http.StatusUnprocessableEntity)
	b.has(b.post("/settings/links/names", url.Values{"mode": {"on"}}), http.StatusNotFound)
}

func TestParentIDsNeedTheOwnersWord(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.watched("same_parent", 8)
	b := st.signedIn(t, "asha")
	const rule = "/settings/links/same_parent"

	b.has(b.get(rule+"?to=on"), http.StatusOK, "our business portfolios are linked at Meta")
	b.has(b.post(rule, url.Values{"mode": {"on"}}), http.StatusUnprocessableEntity, `data-testid="wrong-confirm"`, `data-testid="do-switch"`)
	b.want(b.post(rule, url.Values{"mode": {"on"}, "confirm": {"linked"}}), http.StatusSeeOther, "/settings/links")
}

func TestARuleThatTurnedItselfOffIsTold(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "lata", "lead")
	s := st.shop(t, st.clinic)
	s.as(func(tx *tenants.Tx) error {
		if _, err := tx.Exec(`INSERT INTO link_rules (tenant_id, evidence, mode, tripped) VALUES ($1, 'tapped', 'off', true)`, tx.Tenant); err != nil {
			return err
		}
		_, err := tx.Exec(`
			INSERT INTO links (tenant_id, id, kind, actor_kind, rule, evidence, undone_at, undone_by)
			SELECT $1, gen_random_uuid(), 'merged', 'system', 'tapped', '{}', now(), CASE WHEN k < 3 THEN 'Meera' ELSE 'system' END FROM generate_series(1, 25) k`, tx.Tenant)
		return err
	})

	b := st.signedIn(t, "asha")
	b.has(b.get("/home"), http.StatusOK, `data-testid="tripped"`, "2 of 25 links were wrong")
	b.has(b.get("/settings/links"), http.StatusOK, `data-testid="tripped"`, "This turned itself off: 2 of 25 links were wrong.", "Load more")
	lead := st.signedIn(t, "lata")
	lead.lacks(lead.get("/home"), `data-testid="tripped"`)
	page := lead.get("/settings/links")
	lead.has(page, http.StatusOK, `data-testid="tripped"`, `data-testid="ask-owner"`)
	lead.lacks(page, `data-testid="to-shadow"`, `data-testid="leave-off"`)
	b.want(b.post("/settings/links/tapped", url.Values{"mode": {"off"}}), http.StatusSeeOther, "/settings/links")
	b.lacks(b.get("/home"), `data-testid="tripped"`)

	ravi := st.signedIn(t, "ravi")
	ravi.lacks(ravi.get("/home"), `data-testid="tripped"`)
	ravi.has(ravi.get("/settings/links"), http.StatusOK, "Nothing has been linked by itself yet")
}

func TestASharedPhoneIsToldAndUndone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	s := st.shop(t, st.clinic)
	s.writes(0, ashaPhone, "", "Asha Verma", "hello")
	s.writes(1, "", ashaID, "Sunil", "hello")
	holder, other := s.whois(whatsapp.KindPhone, ashaPhone), s.whois(whatsapp.KindBSUID, ashaID).ID.String()
	id, phone := holder.ID.String(), holder.Identities[0].Identifiers[0].ID.String()
	meera := st.signedIn(t, "meera")

	page := meera.get("/contacts/" + id)
	meera.has(page, http.StatusOK, `data-testid="set-shared"`, phone)
	meera.lacks(page, ashaPhone, `data-testid="shared"`)
	meera.want(meera.post("/contacts/"+id+"/shared", url.Values{"identifier": {phone}, "shared": {"yes"}}), http.StatusSeeOther, "/contacts/"+id)
	meera.has(meera.get("/contacts/"+id), http.StatusOK, `data-testid="shared"`, `data-testid="unset-shared"`, `data-testid="undo"`)
	meera.has(meera.get("/merges/preview?keep="+id+"&lose="+other), http.StatusOK, "Several people use ••0480", `data-testid="not-you"`)

	for _, wrong := range []string{uuid.NewString(), ""} {
		meera.has(meera.post("/contacts/"+id+"/shared", url.Values{"identifier": {wrong}, "shared": {"yes"}}), http.StatusNotFound)
	}
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.post("/contacts/"+id+"/shared", url.Values{"identifier": {phone}, "shared": {"no"}}), http.StatusNotFound)

	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/audit"), http.StatusOK, "Shared phone noted", "Asha Verma", "Several people use the number")
	asha.want(asha.post("/contacts/"+id+"/shared", url.Values{"identifier": {phone}, "shared": {"no"}}), http.StatusSeeOther, "/contacts/"+id)
	asha.lacks(asha.get("/contacts/"+id), `data-testid="shared"`)
}

func TestAShopWithoutANumberIsToldToConnectOne(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.signedIn(t, "ravi")
	page := b.get("/resolve")
	b.has(page, http.StatusOK, "No number is connected yet", `href="/numbers/new"`)
	b.lacks(page, "The queue is clear")
}
