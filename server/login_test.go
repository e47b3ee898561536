package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

const sessionCookie = "__Host-pehchan"

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)

	b.want(b.get("/team?x=1&y=2"), http.StatusSeeOther, "/login?next=%2Fteam%3Fx%3D1%26y%3D2")
	b.get("/login?next=%2Fteam%3Fx%3D1")
	b.want(b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}, "next": {"/team?x=1"}}), http.StatusSeeOther, "/team?x=1")
	if r := b.get("/team"); r.status != http.StatusOK || !strings.Contains(r.body, "asha@pehchan.example") || strings.Contains(r.body, "ravi") {
		t.Errorf("want the clinic's team, and nobody of ravi-motors, got %d %s", r.status, r.body)
	}
	b.want(b.get("/login"), http.StatusSeeOther, "/home")

	old := b.cookies[sessionCookie]
	b.want(b.post("/logout", nil), http.StatusSeeOther, "/login")
	if _, kept := b.cookies[sessionCookie]; kept {
		t.Error("want the cookie gone after signing out")
	}
	// The token itself is dead, not only forgotten, on every server.
	b.cookies[sessionCookie] = old
	b.want(b.get("/team"), http.StatusSeeOther, "/login?ended=1&next=%2Fteam")
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.cookies[sessionCookie] = "planted"
	b.get("/login")
	b.cookies[sessionCookie] = "planted"
	b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}})

	for _, c := range b.set {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("want a cookie for this host over https alone, got %v", c)
		}
	}
	token := b.cookies[sessionCookie]
	if token == "planted" || strings.Count(token, ".") != 2 {
		t.Fatalf("want a session of our own making, got %q", token)
	}
	var claims struct {
		ID string `json:"sid"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if id, e := base64.RawURLEncoding.DecodeString(claims.ID); err != nil || e != nil || len(id) < 32 {
		t.Errorf("want an id of 256 bits, got %d bytes (%v, %v)", len(id), err, e)
	}
}

func TestTwoSessionCookiesAreNone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.signedIn(t, "asha")
	b.headers = map[string]string{"Cookie": sessionCookie + "=planted; " + sessionCookie + "=" + b.cookies[sessionCookie]}
	b.cookies = map[string]string{}
	if r := b.get("/team"); r.status != http.StatusSeeOther {
		t.Errorf("want neither cookie believed, got %d", r.status)
	}
}

// An unknown account, a wrong password and a disabled person get the same answer to the byte, but for what is fresh each time.
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	st.exec(t, `UPDATE people SET disabled_at = now() WHERE email_key = 'meera@pehchan.example'`)

	fresh := regexp.MustCompile(`(name="_(csrf|once)" value|nonce)="[^"]*"|[a-z]+@pehchan\.example`)
	var first string
	for _, name := range []string{"asha", "nosuch", "meera"} {
		b := st.browser(t)
		b.get("/login")
		r := b.post("/login", url.Values{"email": {name + "@pehchan.example"}, "password": {"not the password"}})
		body := fresh.ReplaceAllString(r.body, "")
		if first == "" {
			first = body
		}
		if r.status != http.StatusUnauthorized || body != first {
			t.Errorf("%s: want the same page as for anybody, got %d", name, r.status)
		}
		if len(b.cookies) != 1 {
			t.Errorf("%s: want no new cookie, got %v", name, b.cookies)
		}
	}
}

func TestSignInLimitAnswers429(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.get("/login")
	var last answer
	for range 5 {
		last = b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {"wrong"}})
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("want 429 with Retry-After, got %d", last.status)
	}
}

// What an owner or an operator does bites at the next request, also on another server.
func TestRevocationBitesAtOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	id := st.member(t, st.clinic, "meera", "lead")
	meera, asha := st.signedIn(t, "meera"), st.signedIn(t, "asha")

	if r := meera.get("/team"); r.status != http.StatusOK {
		t.Fatalf("want a lead let in, got %d", r.status)
	}
	asha.want(asha.post("/team/"+id.String()+"/role", url.Values{"role": {"marketing"}}), http.StatusSeeOther, "/team")
	if r := meera.get("/team"); r.status != http.StatusForbidden {
		t.Errorf("want the new role at once, got %d", r.status)
	}
	asha.has(asha.get("/team"), http.StatusOK, `action="/team/`+id.String()+`/role"`, `data-testid="undo"`, `name="role" value="lead"`)

	// An owner is not made with one touch.
	sure := "/team/" + id.String() + "/leave?role=owner"
	asha.want(asha.post("/team/"+id.String()+"/role", url.Values{"role": {"owner"}}), http.StatusSeeOther, sure)
	asha.has(asha.get(sure), http.StatusOK, "An owner may do everything")

	asha.get("/team")
	asha.want(asha.post("/team/"+id.String()+"/remove", nil), http.StatusSeeOther, "/team")
	meera.want(meera.get("/help"), http.StatusOK, "")
	meera.want(meera.get("/audit"), http.StatusSeeOther, "/login?next=%2Faudit")

	st.exec(t, `UPDATE tenants SET state = 'suspended' WHERE id = $1`, st.clinic.ID)
	asha.want(asha.get("/team"), http.StatusSeeOther, "/choose")
}

func TestSignOutEverywhereElse(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	here, there := st.signedIn(t, "asha"), st.signedIn(t, "asha")
	here.want(here.post("/logout/everywhere", nil), http.StatusSeeOther, "/settings")
	if r := here.get("/settings"); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="toast"`) {
		t.Errorf("want to stay signed in here, and be told, got %d", r.status)
	}
	if r := here.get("/settings"); strings.Contains(r.body, `data-testid="toast"`) {
		t.Error("want it said once")
	}
	there.want(there.get("/team"), http.StatusSeeOther, "/login?ended=1&next=%2Fteam")
}

func TestSwitchTenant(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.motors, "asha", access.Auditor)

	b := st.browser(t)
	b.get("/login")
	b.want(b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}, "next": {"/team"}}), http.StatusSeeOther, "/")
	b.want(b.get("/"), http.StatusSeeOther, "/choose")
	b.want(b.get("/team"), http.StatusSeeOther, "/choose")
	if r := b.get("/choose"); !strings.Contains(r.body, st.clinic.ID.String()) || !strings.Contains(r.body, st.motors.ID.String()) {
		t.Errorf("want both businesses offered, got %s", r.body)
	}

	b.want(b.post("/tenant", url.Values{"tenant": {st.clinic.ID.String()}}), http.StatusSeeOther, "/")
	b.get("/team")
	oldPage := b.csrf
	before := b.cookies[sessionCookie]
	again := &browser{t: t, s: b.s, cookies: maps.Clone(b.cookies), csrf: b.csrf, origin: b.origin}
	b.want(b.post("/tenant", url.Values{"tenant": {st.motors.ID.String()}}), http.StatusSeeOther, "/")
	// The second press of the button, sent with the session that the first has ended, does not take the new one away.
	again.post("/tenant", url.Values{"tenant": {st.motors.ID.String()}})
	for _, c := range again.set {
		if c.Name == sessionCookie {
			t.Errorf("want the session cookie left alone, got %s", c)
		}
	}
	if b.cookies[sessionCookie] == before {
		t.Error("want a new session in the other business")
	}
	if r := b.get("/team"); !strings.Contains(r.body, "ravi@pehchan.example") {
		t.Errorf("want the team of ravi-motors, got %s", r.body)
	}
	// A page still open from before the switch changes nothing, in neither business.
	if r := b.post("/settings/me", url.Values{"_csrf": {oldPage}, "theme": {"dark"}}); r.status != http.StatusForbidden {
		t.Errorf("want the old page refused, got %d", r.status)
	}

	ravi := st.signedIn(t, "ravi")
	if r := ravi.post("/tenant", url.Values{"tenant": {st.clinic.ID.String()}}); r.status != http.StatusNotFound {
		t.Errorf("want somebody else's business missing, got %d", r.status)
	}
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	st := newSite(t)

	for _, next := range []string{
		"//evil.example", `/\evil.example`, "https:evil.example", "https://evil.example", "/%09/evil.example", "javascript:alert(1)", "/@evil.example",
		"/\t/evil.example", "/%0d%0aSet-Cookie:x=y", "\\\\evil.example", "/%5cevil.example", "", "evil", "/\u010aSet-Cookie:x", strings.Repeat("/a", 2000),
	} {
		b := st.browser(t)
		b.get("/login")
		r := b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}, "next": {next}})
		if r.status != http.StatusSeeOther || r.location != "/" {
			t.Errorf("%q: want /, got %d %q", next, r.status, r.location)
		}
	}
}

func TestSignInAndSwitchAreAudited(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.signedIn(t, "asha")
	err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		var n int
		err := tx.Get(&n, `SELECT count(*) FROM audit_entries WHERE action = 'session.sign_in' AND actor_name = 'asha'`)
		if n != 1 {
			t.Errorf("want the sign-in in the record, got %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
