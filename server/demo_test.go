package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// visited is a site whose clinic is the demo that visitors enter.
func visited(t *testing.T) *site {
	t.Helper()
	st := newSite(t)
	st.exec(t, `UPDATE tenants SET demo = true WHERE id = $1`, st.clinic.ID)
	deps := st.deps(t)
	deps.Demo = func() uuid.UUID { return st.clinic.ID }
	s, err := server.New(config.Config{PublicURL: origin, Listen: "127.0.0.1:0", Data: t.TempDir()}, deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	st.Server = s

	return st
}

func (st *site) visitor(t *testing.T) *browser {
	t.Helper()
	b := st.browser(t)
	b.has(b.get("/demo"), http.StatusOK, `data-testid="visit"`)
	b.want(b.post("/demo", nil), http.StatusSeeOther, "/home")

	return b
}

// A visitor of the demo comes in without a password, sees it all and decides, and can let nobody in, take nothing out and write nothing that
// another visitor would read.
func TestVisitTheDemo(t *testing.T) {
	t.Parallel()
	st := visited(t)
	b := st.visitor(t)

	b.has(b.get("/home"), http.StatusOK, `data-testid="visit-bar"`, "other visitors see what you decide")
	for _, open := range []string{"/resolve", "/contacts", "/overview", "/inbox", "/changes", "/prep", "/numbers", "/reports/monthly"} {
		b.has(b.get(open), http.StatusOK, `data-testid="visit-bar"`)
	}
	for _, shut := range []string{
		"/settings", "/settings/security", "/team", "/audit", "/apps", "/dev/keys", "/dev/docs", "/contacts/import", "/contacts/export", "/privacy",
		"/numbers/new", "/usernames/trust", "/prep/briefing", "/closing", "/support-access", "/op", "/start",
	} {
		if r := b.get(shut); r.status != http.StatusForbidden {
			t.Errorf("%s: want a visitor refused, got %d", shut, r.status)
		}
	}
	for path, form := range map[string]url.Values{
		"/team":                         {"email": {"thief@pehchan.example"}, "role": {"agent"}},
		"/dev/keys":                     {"name": {"k"}, "scopes": {"read"}},
		"/contacts/export":              {"purpose": {"all"}},
		"/prep/questions":               {"question": {"a rude word"}},
		"/prep/faq":                     {"question_en": {"a rude word"}},
		"/settings/password":            {"password": {"another-one-47"}},
		"/settings/security/email":      {"email": {"thief@pehchan.example"}},
		"/inbox/" + uuid.NewString():    {"text": {"a rude word"}},
		"/contacts/" + uuid.NewString(): {"notes": {"a rude word"}},
	} {
		if r := b.post(path, form); r.status != http.StatusForbidden {
			t.Errorf("POST %s: want a visitor refused, got %d", path, r.status)
		}
	}

	other := st.visitor(t)
	var people int
	if err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		return tx.Get(&people, `
			SELECT count(DISTINCT person_id) FROM sessions WHERE tenant_id = $1 AND expires_at < now() + interval '61 minutes'`, st.clinic.ID)
	}); err != nil || people != 2 {
		t.Errorf("got %d people (%v), want two visitors of an hour each", people, err)
	}

	// The hour over, they are out, and their places are free.
	st.exec(t, `UPDATE sessions SET expires_at = now() - interval '1 second' WHERE tenant_id = $1`, st.clinic.ID)
	other.want(other.get("/home"), http.StatusSeeOther, "/login?ended=1&next=%2Fhome")
	st.exec(t, `UPDATE memberships SET created_at = now() - interval '2 hours' WHERE tenant_id = $1 AND role = 'auditor'`, st.clinic.ID)
	if err := st.DB.System(context.Background(), func(tx *tenants.Tx) error {
		if _, err := access.Sweep(context.Background(), tx); err != nil {
			return err
		}
		return tx.Get(&people, `SELECT count(*) FROM memberships WHERE tenant_id = $1`, st.clinic.ID)
	}); err != nil || people != 1 {
		t.Errorf("got %d members (%v), want the owner alone", people, err)
	}
}

// Nobody comes into a business that is no demo, whoever is signed in stays who they are, and too many wait.
func TestVisitsAreForTheDemoAlone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.has(b.get("/demo"), http.StatusOK, `data-testid="no-demo"`, `href="/check"`)
	b.get("/login")
	b.has(b.post("/demo", nil), http.StatusOK, `data-testid="no-demo"`)
	sessions := access.NewSessions(make([]byte, 32))
	if _, err := sessions.Visit(context.Background(), st.DB, st.clinic.ID, "Visitor", access.Origin{}); err == nil {
		t.Error("somebody came into a business that is no demo")
	}

	st = visited(t)
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/demo"), http.StatusOK, `data-testid="go-home"`)
	asha.want(asha.post("/demo", nil), http.StatusSeeOther, "/home")
	asha.has(asha.get("/team"), http.StatusOK, "asha@pehchan.example")

	// From one address five come in within a quarter of an hour.
	for range 5 {
		st.visitor(t)
	}
	b = st.browser(t)
	b.get("/demo")
	began := time.Now()
	r := b.post("/demo", nil)
	b.has(r, http.StatusTooManyRequests, `data-testid="full"`)
	if r.header.Get("Retry-After") == "" || strings.Contains(r.header.Get("Set-Cookie"), "pehchan=") || time.Since(began) > time.Minute {
		t.Error("want to be told how long to wait, and no session")
	}
}

// What visitors decided is gone in the morning, and what others decided stays.
func TestADemoBeginsAnew(t *testing.T) {
	t.Parallel()
	st := visited(t)
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh", "hello")
	s.writes(1, "919800000482", "", "Rajesh", "hello")
	s.writes(2, "919800000483", "", "Rajesh", "hello")
	one, two := s.whois(whatsapp.KindBSUID, "IN.1").ID.String(), s.whois(whatsapp.KindPhone, "919800000482").ID.String()
	three := s.whois(whatsapp.KindPhone, "919800000483").ID.String()
	visitor, asha := st.visitor(t), st.signedIn(t, "asha")
	for _, b := range []struct {
		*browser
		lose string
	}{{visitor, two}, {asha, three}} {
		b.get("/contacts/" + one)
		if r := b.post("/merges", url.Values{"keep": {one}, "lose": {b.lose}, "reason": {"alike"}}); r.status != http.StatusSeeOther {
			t.Fatalf("merge: %d %.300s", r.status, r.body)
		}
	}

	var visitors []string
	var taken int
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) (err error) {
		visitors, err = access.Visitors(t.Context(), tx)
		return err
	})
	if err == nil {
		err = st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) (err error) {
			taken, err = identity.TakeBackAll(t.Context(), tx, tenants.SystemActor, visitors)
			return err
		})
	}
	if err != nil || len(visitors) != 1 || taken != 1 {
		t.Fatalf("of %d visitors %d was taken back (%v), want one of one", len(visitors), taken, err)
	}
	if alone, joined := s.whois(whatsapp.KindPhone, "919800000482").ID.String(), s.whois(whatsapp.KindPhone, "919800000483").ID.String(); alone != two || joined != one {
		t.Error("want the visitor's merge taken apart, and the owner's left")
	}
}

// Of visitors whose hour is over nothing is left but a row without a name of who did something; who is still there stays.
func TestVisitorsAreForgotten(t *testing.T) {
	t.Parallel()
	st := visited(t)
	s := st.shop(t, st.clinic)
	s.writes(0, "919800000480", "IN.1", "Rajesh", "hello")
	s.writes(1, "919800000482", "", "Rajesh", "hello")
	one, two := s.whois(whatsapp.KindBSUID, "IN.1").ID.String(), s.whois(whatsapp.KindPhone, "919800000482").ID.String()
	st.visitor(t) // who merely looks
	doer := st.visitor(t)
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO fact_reads (tenant_id, person_id, seq) SELECT tenant_id, person_id, 1 FROM memberships WHERE tenant_id = $1 AND role = 'auditor'`, st.clinic.ID)
		return err
	})
	doer.get("/contacts/" + one)
	if r := doer.post("/merges", url.Values{"keep": {one}, "lose": {two}, "reason": {"alike"}}); r.status != http.StatusSeeOther {
		t.Fatalf("merge: %d %.300s", r.status, r.body)
	}
	st.exec(t, `UPDATE sessions SET expires_at = now() - interval '1 second' WHERE tenant_id = $1`, st.clinic.ID)
	st.exec(t, `UPDATE memberships SET created_at = now() - interval '2 hours' WHERE tenant_id = $1 AND role = 'auditor'`, st.clinic.ID)
	there := st.visitor(t)

	forget := func(wantGone, wantNameless int64) {
		t.Helper()
		gone, nameless, err := access.ForgetVisitors(t.Context(), st.DB, st.clinic.ID)
		if err != nil || gone != wantGone || nameless != wantNameless {
			t.Errorf("forgot %d and took the names of %d (%v), want %d and %d", gone, nameless, err, wantGone, wantNameless)
		}
	}
	forget(1, 1)
	forget(0, 0)
	var names []string
	var sessions int
	if err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		if err := tx.Select(&names, `SELECT name FROM people WHERE email_key LIKE '%@visitor.invalid' ORDER BY id`); err != nil {
			return err
		}
		return tx.Get(&sessions, `SELECT count(*) FROM sessions s JOIN people p ON p.id = s.person_id WHERE p.email_key LIKE '%@visitor.invalid'`)
	}); err != nil || len(names) != 2 || names[0] != "–" || !strings.HasPrefix(names[1], "Visitor ") || sessions != 1 {
		t.Errorf("%q with %d sessions (%v), want a nameless row and who is still there", names, sessions, err)
	}
	var reads int
	s.as(func(tx *tenants.Tx) error {
		return tx.Get(&reads, `SELECT count(*) FROM fact_reads f WHERE f.tenant_id = $1`, st.clinic.ID)
	})
	if reads != 0 {
		t.Errorf("%d rows of what visitors read are left", reads)
	}
	there.has(there.get("/home"), http.StatusOK, `data-testid="visit-bar"`)
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/audit"), http.StatusOK, "Visitor ")
	asha.has(asha.get("/contacts/"+one), http.StatusOK)
}
