package server_test

import (
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
)

// startsOver are the forms behind a recent proof that do not wait for it, with the reason.
var startsOver = map[string]string{
	"/settings/security/app/code": "its code is good for half a minute, and what it sets up is a secret",
	"/settings/security/passkeys": "what the device made answers a question of a minute ago",
}

// secretsOf are the secrets that forms behind a proof ask for.
var secretsOf = map[string][]string{
	"/numbers": {"access_token"}, "/numbers/:id/token": {"access_token"}, "/apps": {"app_secret", "verify_token"}, "/apps/:name/rotate": {"app_secret", "verify_token"},
	"/settings/security/app/code": {"code", "secret"}, "/settings/security/passkeys": {"passkey"},
}

// Every form behind a recent proof waits for it with what was typed, but for secrets: those are asked for again, and are nowhere meanwhile.
func TestFormsWaitForTheProof(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	const typed, secret = `ash's "typed" <b>`, "a-secret-of-ours"

	seen := 0
	for _, r := range st.Routes() {
		if !strings.HasSuffix(r.Permission, " fresh") || strings.HasPrefix(r.Path, "/op/") {
			continue
		}
		seen++
		path := strings.NewReplacer(":id", uuid.NewString(), ":name", "main", ":key", "k").Replace(r.Path)
		form := url.Values{"name": {typed}, "reason": {"one", "two"}, "confirm": {"1234"}, "_once": {"a"}}
		for _, name := range secretsOf[r.Path] {
			form.Set(name, secret)
		}
		st.stale(t)
		asked := asha.post(path, form)
		if kept, err := base64.RawURLEncoding.DecodeString(asha.cookies["__Host-pehchan-wait"]); err != nil || strings.Contains(string(kept), "typed") {
			t.Errorf("%s: want what waits sealed, got %q, %v", r.Path, kept, err)
		}
		asha.get(asked.location)
		next := asha.post("/confirm", url.Values{"next": {"/team"}, "again": {"1"}, "password": {password}})
		if startsOver[r.Path] != "" {
			asha.want(next, http.StatusSeeOther, "/team")
			continue
		}
		asha.want(next, http.StatusSeeOther, "/confirm?again=1&next=%2Fteam")
		page := asha.get(next.location)
		for _, want := range []string{`<form method="post" action="` + path + `"`, html.EscapeString(typed), `name="reason" value="two"`, `name="confirm" value="1234"`, `data-testid="go-on-now"`} {
			if !strings.Contains(page.body, want) {
				t.Errorf("%s: the page lacks %s", r.Path, want)
			}
		}
		for _, name := range secretsOf[r.Path] {
			if !strings.Contains(page.body, `type="password" value=""`) || !strings.Contains(page.body, `name="`+name+`"`) || strings.Contains(page.body, secret) {
				t.Errorf("%s: want %s typed again, and not kept", r.Path, name)
			}
		}
		asha.get("/help")
		asha.post("/theme", url.Values{"theme": {"dark"}})
		if page := asha.get(next.location); strings.Contains(page.body, "go-on-now") {
			t.Errorf("%s: want what waited gone once they do something else", r.Path)
		}
	}
	if seen < 20 {
		t.Errorf("got %d forms behind a proof, want all", seen)
	}
}

// Whatever is typed as a password on a page that signed-in people see is known as a secret.
func TestSecretsAreKnown(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.app(t, "platform", demoSecret, "verify-me")
	asha := st.signedIn(t, "asha")
	field := regexp.MustCompile(`type="password"[^>]*name="([^"]*)"|name="([^"]*)"[^>]*type="password"`)
	found := 0
	for _, path := range []string{"/apps", "/numbers/new/manual", "/settings", "/settings/security", "/confirm"} {
		for _, input := range regexp.MustCompile(`<input[^>]*type="password"[^>]*>`).FindAllString(asha.get(path).body, -1) {
			found++
			name := slices.Max(field.FindStringSubmatch(input)[1:])
			if _, known := web.Secrets[name]; !known {
				t.Errorf("%s: the field %q is no secret", path, name)
			}
		}
	}
	if found < 5 {
		t.Errorf("found %d fields for secrets", found)
	}
}

// What waits is the session's own, small enough for a cookie, and done once by whoever presses again.
func TestWaitingFormIsDone(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	meera := st.member(t, st.clinic, "meera", "agent")
	asha := st.signedIn(t, "asha")
	st.stale(t)
	asha.post("/team/"+meera.String()+"/role", url.Values{"role": {"lead"}})
	other := st.signedIn(t, "asha")
	other.cookies["__Host-pehchan-wait"] = asha.cookies["__Host-pehchan-wait"]
	if page := other.get("/confirm?again=1&next=%2Fteam"); strings.Contains(page.body, "go-on-now") {
		t.Error("another session sees what waits in this one")
	}
	r := asha.post("/confirm", url.Values{"next": {"/team"}, "again": {"1"}, "password": {password}})
	page := asha.get(r.location)
	if !strings.Contains(page.body, `name="role" value="lead"`) || !strings.Contains(page.body, "team") {
		t.Fatalf("want what waits shown, got %s", page.body)
	}
	asha.want(asha.post("/team/"+meera.String()+"/role", url.Values{"role": {"lead"}}), http.StatusSeeOther, "/team")
	if asha.cookies["__Host-pehchan-wait"] != "" {
		t.Error("want nothing waiting after it is done")
	}

	// Said on the page, and sealed on the way there: nobody reads Meera's name in the cookie.
	asha.want(asha.post("/team/"+meera.String()+"/role", url.Values{"role": {"agent"}}), http.StatusSeeOther, "/team")
	kept, err := base64.RawURLEncoding.DecodeString(asha.cookies["__Host-pehchan-flash"])
	if err != nil || len(kept) == 0 || strings.Contains(strings.ToLower(string(kept)), "meera") {
		t.Errorf("want the toast sealed, got %q, %v", kept, err)
	}
	planted := asha.cookies["__Host-pehchan-flash"]
	if page := asha.get("/team"); !strings.Contains(page.body, "has a new role") {
		t.Error("want the toast shown")
	}
	stranger := st.signedIn(t, "ravi")
	stranger.cookies["__Host-pehchan-flash"] = planted
	if page := stranger.get("/home"); strings.Contains(page.body, "has a new role") {
		t.Error("a toast of another session is shown")
	}

	st.stale(t)
	long := asha.post("/privacy/hold", url.Values{"reason": {strings.Repeat("क", 1200)}})
	asha.want(asha.post("/confirm", url.Values{"next": {"/privacy"}, "again": {"1"}, "password": {password}}), http.StatusSeeOther, "/privacy")
	if !strings.HasPrefix(long.location, "/confirm?again=1") {
		t.Errorf("a form too large to wait: %s", long.location)
	}
}
