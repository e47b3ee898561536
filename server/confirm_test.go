package server_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants"
)

// stale makes every session's proof older than it counts.
func (st *site) stale(t *testing.T) {
	t.Helper()
	st.exec(t, `UPDATE sessions SET proved_at = now() - interval '11 minutes'`)
}

// Every route that asks for a recent proof sends whoever signed in a while ago to give one, and does nothing.
func TestStaleSessionsAreAskedAgain(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.stale(t)

	asked := 0
	for _, r := range st.Routes() {
		if !strings.HasSuffix(r.Permission, " fresh") || strings.HasPrefix(r.Path, "/op/") {
			continue
		}
		asked++
		path := strings.NewReplacer(":id", uuid.NewString(), ":name", "main", ":kind", "x").Replace(r.Path)
		if got := asha.post(path, url.Values{"_once": {"a"}}); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/confirm?again=1&next=%2F") {
			t.Errorf("POST %s: want to be asked who this is, got %d %s", r.Path, got.status, got.location)
		}
		asha.headers = map[string]string{"HX-Request": "true"}
		if got := asha.post(path, nil); got.status != http.StatusUnauthorized || !strings.HasPrefix(got.header.Get("HX-Redirect"), "/confirm?") {
			t.Errorf("POST %s by htmx: want to be led to the question, got %d", r.Path, got.status)
		}
	}
	for _, must := range []string{"/apps", "/privacy/keeping"} {
		if !slices.ContainsFunc(st.Routes(), func(r server.Route) bool {
			return r.Method == http.MethodPost && r.Path == must && strings.HasSuffix(r.Permission, " fresh")
		}) {
			t.Errorf("want POST %s to ask", must)
		}
	}
	if asked < 7 {
		t.Errorf("want tokens, keys, secrets, roles and exports to ask, got %d routes", asked)
	}
	// Asking an agent to join changes nobody's rights much; asking an owner does.
	if got := asha.post("/team", url.Values{"email": {"new@pehchan.example"}, "role": {"owner"}}); !strings.HasPrefix(got.location, "/confirm?") {
		t.Errorf("invite an owner: want to be asked, got %d %s", got.status, got.location)
	}
	asha.want(asha.post("/team", url.Values{"email": {"new@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
}

func TestConfirmLeadsBack(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	meera := st.member(t, st.clinic, "meera", "agent")
	asha := st.signedIn(t, "asha")
	st.stale(t)

	change := url.Values{"role": {"lead"}, "_once": {"one"}}
	asha.get("/team")
	asha.headers = map[string]string{"Referer": "http://pehchan.example/team?x=1"}
	r := asha.post("/team/"+meera.String()+"/role", change)
	asha.want(r, http.StatusSeeOther, "/confirm?again=1&next=%2Fteam%3Fx%3D1")
	if page := asha.get(r.location); !strings.Contains(page.body, `data-testid="again"`) {
		t.Errorf("want it said that nothing was done, got %.200s", page.body)
	}
	wrong := asha.post("/confirm", url.Values{"next": {"/team?x=1"}, "again": {"1"}, "password": {"not it"}})
	if wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, `data-testid="again"`) {
		t.Errorf("wrong password: want the question again, got %d", wrong.status)
	}
	asha.want(asha.post("/team/"+meera.String()+"/role", change), http.StatusSeeOther, "/confirm?again=1&next=%2Fteam%2F"+meera.String())
	asha.want(asha.post("/confirm", url.Values{"next": {"/team?x=1"}, "password": {password}}), http.StatusSeeOther, "/team?x=1") // no form waits where none is asked for
	asha.want(asha.post("/team/"+meera.String()+"/role", change), http.StatusSeeOther, "/team")
	if page := asha.get("/team"); !strings.Contains(page.body, "has a new role") {
		t.Errorf("want the role changed by the same form, got %.300s", page.body)
	}
}

// A proof is the session's own: neither another session of the person nor where the question leads gains by it.
func TestConfirmProvesOneSession(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	here, there := st.signedIn(t, "asha"), st.signedIn(t, "asha")
	st.stale(t)
	there.get("/confirm")
	there.want(there.post("/confirm", url.Values{"next": {"//evil.example"}, "password": {password}}), http.StatusSeeOther, "/")
	if got := here.post("/dev/keys", nil); !strings.HasPrefix(got.location, "/confirm?") {
		t.Errorf("want the other session still asked, got %d", got.status)
	}
	for i := 0; i < 12; i++ {
		here.post("/confirm", url.Values{"password": {"wrong"}})
	}
	if got := here.post("/confirm", url.Values{"password": {password}}); got.status != http.StatusTooManyRequests {
		t.Errorf("after many wrong ones: want to wait, got %d", got.status)
	}
}

// The question to a device keeps nothing: a page that is only looked at writes nothing.
func TestAskingForAPasskeyWritesNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.exec(t, `INSERT INTO passkeys (id, person_id, name, credential) SELECT 'a key', id, 'phone', '{}' FROM people WHERE email = 'asha@pehchan.example'`)
	before := st.rows(t)
	for range 2 {
		if page := asha.get("/confirm"); !strings.Contains(page.body, "data-options=") || !strings.Contains(page.body, "YSBrZXk") {
			t.Fatalf("want her key asked for, got %d", page.status)
		}
	}
	if after := st.rows(t); !maps.Equal(before, after) {
		t.Errorf("GET /confirm wrote: rows were %v and are %v", before, after)
	}
}

// rows counts what stands in the tables of sign-in.
func (st *site) rows(t *testing.T) map[string]int {
	t.Helper()
	n := map[string]int{}
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		for _, table := range []string{"sign_in_steps", "sign_in_failures", "sessions", "passkeys"} {
			var rows int
			if err := tx.Get(&rows, `SELECT count(*) FROM `+table); err != nil {
				return err
			}
			n[table] = rows
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// Moving to another business takes neither a new proof nor a longer session along.
func TestSwitchKeepsProofAndEnd(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.motors, "asha", "lead")
	b := st.browser(t)
	b.get("/login")
	b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}})
	b.get("/choose")
	st.stale(t)
	st.exec(t, `UPDATE sessions SET expires_at = now() + interval '5 minutes'`)
	b.want(b.post("/tenant", url.Values{"tenant": {st.clinic.ID.String()}}), http.StatusSeeOther, "/")
	b.get("/help")
	if got := b.post("/dev/keys", nil); !strings.HasPrefix(got.location, "/confirm?") {
		t.Errorf("want the proof as old as it was, got %d %s", got.status, got.location)
	}
	st.exec(t, `UPDATE sessions SET expires_at = expires_at - interval '5 minutes'`)
	if got := b.get("/home"); got.status != http.StatusSeeOther {
		t.Errorf("want the session to end when the first would have, got %d", got.status)
	}
}

// A secret is looked up and typed: who types it is asked before, for it is not carried over.
func TestWhoTypesASecretIsAskedBefore(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.app(t, "platform", demoSecret, "verify-me")
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/apps"), http.StatusOK, `name="app_secret"`)
	asha.has(asha.get("/numbers/new/manual"), http.StatusOK, `name="access_token"`)
	st.stale(t)

	asha.has(asha.get("/numbers/new/manual"), http.StatusOK, `href="/confirm?next=%2Fnumbers%2Fnew%2Fmanual"`)
	page := asha.get("/apps")
	asha.has(page, http.StatusOK, `data-testid="prove-first"`, `href="/confirm?next=%2Fapps"`)
	asha.lacks(page, `name="app_secret"`)
	asha.want(asha.post("/confirm", url.Values{"next": {"/apps"}, "password": {password}}), http.StatusSeeOther, "/apps")
	asha.has(asha.get("/apps"), http.StatusOK, `name="app_secret"`)
}
