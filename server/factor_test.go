package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

var (
	secretInPage = regexp.MustCompile(`name="secret" value="([A-Z2-7]+)"`)
	codeInPage   = regexp.MustCompile(`data-testid="recovery-code">([a-z2-7-]+)<`)
)

// enrol sets an authenticator app up, and returns its secret and the recovery codes.
func (b *browser) enrol() (secret string, codes []string) {
	b.t.Helper()
	b.get("/settings/security")
	page := b.post("/settings/security/app", nil)
	found := secretInPage.FindStringSubmatch(page.body)
	if page.status != http.StatusOK || found == nil || !strings.Contains(page.body, `data-testid="qr"`) {
		b.t.Fatalf("want a picture and a secret, got %d %.300s", page.status, page.body)
	}
	if wrong := b.post("/settings/security/app/code", url.Values{"secret": {found[1]}, "code": {"000000"}}); wrong.status != http.StatusUnprocessableEntity || !strings.Contains(wrong.body, found[1]) {
		b.t.Errorf("a wrong code: want the same secret again, got %d", wrong.status)
	}
	page = b.post("/settings/security/app/code", url.Values{"secret": {found[1]}, "code": {appCode(b.t, found[1], -1)}})
	for _, m := range codeInPage.FindAllStringSubmatch(page.body, -1) {
		codes = append(codes, m[1])
	}
	if page.status != http.StatusOK || len(codes) != 10 {
		b.t.Fatalf("want ten recovery codes, got %d %.300s", page.status, page.body)
	}

	return found[1], codes
}

func appCode(t *testing.T, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}

	return code
}

// password gives the password, and stands before the second step.
func (st *site) password(t *testing.T, name, next string) *browser {
	t.Helper()
	b := st.browser(t)
	b.get("/login")
	r := b.post("/login", url.Values{"email": {name + "@pehchan.example"}, "password": {password}, "next": {next}})
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/login/step?next=") || b.cookies[sessionCookie] != "" {
		t.Fatalf("want the second step asked for, and no session, got %d %s", r.status, r.location)
	}
	if page := b.get(r.location); page.status != http.StatusOK || !strings.Contains(page.body, `data-testid="second-step"`) {
		t.Fatalf("the second step: %d %.300s", page.status, page.body)
	}

	return b
}

// quiet forgets that people were to be told of sign-ins, and tells them of none.
func (st *site) quiet(t *testing.T) {
	t.Helper()
	st.exec(t, `UPDATE people SET sign_in_mails = false`)
	st.exec(t, `DELETE FROM jobs WHERE kind = 'sign_in_new'`)
}

func TestSignInWithSecondStep(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	secret, codes := asha.enrol()
	asha.want(asha.get("/login/step"), http.StatusSeeOther, "/home")

	b := st.password(t, "asha", "/team?x=1")
	// The step is skipped by going on, or by showing what the first gave as a session: neither works.
	if r := b.get("/team"); r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/login") {
		t.Errorf("want to be asked to sign in, got %d %s", r.status, r.location)
	}
	step := b.cookies["__Host-pehchan-step"]
	b.cookies[sessionCookie] = step
	if r := b.get("/team"); r.status != http.StatusSeeOther {
		t.Errorf("the first step as a session: %d", r.status)
	}
	delete(b.cookies, sessionCookie)
	b.get("/login/step?next=%2Fteam%3Fx%3D1")
	if r := b.post("/login/step", url.Values{"code": {"123456"}, "next": {"/team?x=1"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", r.status)
	}
	b.want(b.post("/login/step", url.Values{"code": {appCode(t, secret, 0)}, "next": {"/team?x=1"}}), http.StatusSeeOther, "/team?x=1")
	if r := b.get("/team"); r.status != http.StatusOK {
		t.Errorf("want in, got %d", r.status)
	}

	// Another browser has nothing of the step; nor has anybody once it was used.
	other := st.browser(t)
	other.get("/login")
	other.cookies["__Host-pehchan-step"] = step
	other.want(other.post("/login/step", url.Values{"code": {codes[0]}}), http.StatusSeeOther, "/login?over=1")
	if r := other.get("/login?over=1"); !strings.Contains(r.body, "Please begin again") {
		t.Error("want it said that it begins anew")
	}

	// A recovery code gets in once, and its owner is told, as they are of the app.
	third := st.password(t, "asha", "//evil.example")
	third.want(third.post("/login/step", url.Values{"code": {codes[1]}, "next": {"//evil.example"}}), http.StatusSeeOther, "/")
	third = st.password(t, "asha", "/")
	if r := third.post("/login/step", url.Values{"code": {codes[1]}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a recovery code for the second time: %d", r.status)
	}
	st.exec(t, `UPDATE people SET sign_in_mails = false`)
	subjects := ""
	for _, l := range st.letters(t, 4) {
		subjects += l.subject + "\n"
	}
	for _, want := range []string{"A second step was added", "A recovery code of yours was used", "A new sign-in to Pehchan as you"} {
		if !strings.Contains(subjects, want) {
			t.Errorf("want a mail %q among\n%s", want, subjects)
		}
	}
}

// Whoever is new to a browser is told, but not at the very first sign-in, not where the browser is known, and not who does not want it.
func TestToldOfNewSignIns(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	jobs := func() (n int) {
		if err := st.DB.SQL().QueryRow(`SELECT count(*) FROM jobs WHERE kind = 'sign_in_new'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	asha := st.signedIn(t, "asha")
	if jobs() != 0 {
		t.Error("told of the first sign-in")
	}
	asha.post("/logout", nil)
	asha.get("/login")
	asha.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}})
	if jobs() != 0 {
		t.Error("told of a browser that is known")
	}
	there := st.signedIn(t, "asha")
	if jobs() != 1 {
		t.Errorf("a new browser: %d told, want 1", jobs())
	}
	there.get("/settings/security")
	there.want(there.post("/settings/security/mails", nil), http.StatusSeeOther, "/settings/security")
	st.signedIn(t, "asha")
	if jobs() != 1 {
		t.Error("told though it is not wanted")
	}
	if got := st.letters(t, 1); !strings.Contains(got[0].subject, "A new sign-in") || !strings.Contains(got[0].whole, "192.0.2") && !strings.Contains(got[0].whole, "0.0.0.0") {
		t.Errorf("want where it was from, got %s", got[0].whole)
	}
}

func TestOwnersMustAddASecondStep(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "olga", "admin")
	for _, name := range []string{"asha", "olga"} {
		b := st.signedIn(t, name)
		start := b.get("/")
		if page := b.get(start.location); !strings.Contains(page.body, `data-testid="add-factor"`) || !strings.Contains(page.body, "7 days left") {
			t.Errorf("%s: want to be told how long is left, got %.300s", name, page.body)
		}
		if page := b.get("/help"); strings.Contains(page.body, `data-testid="add-factor"`) {
			t.Errorf("%s: want it said only where one begins while there is time", name)
		}
		st.exec(t, `UPDATE people SET factor_from = now() - interval '8 days'`)
		for _, path := range []string{"/settings", start.location, "/more"} {
			b.want(b.get(path), http.StatusSeeOther, "/settings/security")
		}
		b.headers = map[string]string{"HX-Request": "true"}
		if r := b.get("/more"); r.header.Get("HX-Redirect") != "/settings/security" {
			t.Errorf("%s by htmx: %d", name, r.status)
		}
		if page := b.get("/settings/security"); !strings.Contains(page.body, `data-testid="must-add"`) {
			t.Errorf("%s: want it said why, got %d", name, page.status)
		}
		b.enrol()
		if page := b.get(start.location); page.status != http.StatusOK || strings.Contains(page.body, `data-testid="add-factor"`) {
			t.Errorf("%s: want in once it is added, got %d", name, page.status)
		}
		if r := b.post("/settings/security/app/remove", nil); r.status != http.StatusConflict {
			t.Errorf("%s: want it kept, got %d", name, r.status)
		}
		st.exec(t, `UPDATE people SET factor_from = now()`)
	}
}

// Adding another second step, new codes and taking one away ask who it is; what is known of the app proves it as the password does.
func TestSecondStepChangesAskAgain(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	b := st.signedIn(t, "meera")
	secret, codes := b.enrol()
	st.stale(t)
	for _, path := range []string{"/app", "/app/code", "/app/remove", "/codes"} {
		if r := b.post("/settings/security"+path, nil); !strings.HasPrefix(r.location, "/confirm?") {
			t.Errorf("%s: want to be asked, got %d", path, r.status)
		}
	}
	b.get("/confirm")
	if r := b.post("/confirm", url.Values{"code": {codes[0] + "x"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", r.status)
	}
	b.want(b.post("/confirm", url.Values{"code": {appCode(t, secret, 0)}, "next": {"/settings/security"}}), http.StatusSeeOther, "/settings/security")
	fresh := codeInPage.FindAllString(b.post("/settings/security/codes", nil).body, -1)
	if len(fresh) != 10 {
		t.Errorf("%d new codes, want 10", len(fresh))
	}
	b.want(b.post("/settings/security/app/remove", nil), http.StatusSeeOther, "/settings/security")
	if r := st.signedIn(t, "meera").get("/home"); r.status != http.StatusOK {
		t.Errorf("without a second step: %d", r.status)
	}
}

func TestResetOfSecondStep(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	id := st.member(t, st.clinic, "meera", "agent")
	meera, asha, ravi := st.signedIn(t, "meera"), st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	meera.enrol()
	path := "/team/" + id.String() + "/factor"
	if r := ravi.post(path, nil); r.status != http.StatusNotFound {
		t.Errorf("another business: %d", r.status)
	}
	if r := meera.post(path, nil); r.status != http.StatusForbidden {
		t.Errorf("one's own: %d", r.status)
	}
	asha.want(asha.post(path, nil), http.StatusSeeOther, "/team")
	if r := meera.get("/home"); r.status != http.StatusSeeOther {
		t.Errorf("want every session over, got %d", r.status)
	}
	st.signedIn(t, "meera")
}
