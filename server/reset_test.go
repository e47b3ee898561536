package server_test

import (
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var resetLink = regexp.MustCompile(`https://pehchan\.example(/reset/[A-Za-z0-9_-]+)`)

// linkIn is the link to a new password in a mail.
func linkIn(t *testing.T, l letter) string {
	t.Helper()

	_, part, _ := strings.Cut(l.whole, "text/plain")
	_, part, _ = strings.Cut(part, "\r\n\r\n")
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(part)))
	found := resetLink.FindSubmatch(text)
	if found == nil {
		t.Fatalf("no link in the mail (%v): %s", err, l.whole)
	}

	return string(found[1])
}

func (st *site) asks(t *testing.T, b *browser, email string) answer {
	t.Helper()

	b.get("/forgot")

	return b.post("/forgot", url.Values{"email": {email}})
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	there := st.signedIn(t, "asha")
	b := st.browser(t)

	// One answer for all, and a mail to whoever it is.
	known, unknown := st.asks(t, b, "ASHA@pehchan.example"), st.asks(t, b, "nobody@pehchan.example")
	hidden := regexp.MustCompile(`(value|nonce)="[^"]*"`)
	if known.status != http.StatusOK || hidden.ReplaceAllString(known.body, "") != hidden.ReplaceAllString(unknown.body, "") {
		t.Errorf("want one answer for both: %d %s", known.status, known.body)
	}
	got := st.letters(t, 1)
	if len(got) != 1 || !strings.Contains(got[0].to, "asha@pehchan.example") {
		t.Fatalf("got %+v, want one mail", got)
	}
	first := linkIn(t, got[0])
	if again := st.asks(t, b, "asha@pehchan.example"); again.status != http.StatusOK {
		t.Fatalf("asked again: %d", again.status)
	}
	second := linkIn(t, st.letters(t, 1)[0])

	// The older link is good no more, and what cannot be a password leaves the newer one good.
	if r := b.get(first); r.status != http.StatusGone {
		t.Errorf("the older link: got %d, want 410", r.status)
	}
	r := b.get(second)
	if r.status != http.StatusOK || !strings.Contains(r.body, "asha@pehchan.example") || r.header.Get("Referrer-Policy") != "same-origin" {
		t.Fatalf("the link: %d %s", r.status, r.body)
	}
	if r := b.post(second, url.Values{"password": {"short"}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-password"`) {
		t.Errorf("a password that is none: %d %s", r.status, r.body)
	}

	// Of many at once one sets the password.
	const fresh = "correct-horse-battery-7"
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		done = map[int]int{}
	)
	for range 20 {
		one := st.browser(t)
		one.get(second)
		all.Go(func() {
			r := one.post(second, url.Values{"password": {fresh}})
			mu.Lock()
			defer mu.Unlock()
			done[r.status]++
		})
	}
	all.Wait()
	if done[http.StatusSeeOther] != 1 || done[http.StatusGone] != 19 {
		t.Errorf("twenty at once: got %v, want one to set it and the others to be too late", done)
	}
	if r := there.get("/home"); r.status != http.StatusSeeOther {
		t.Errorf("a session of before: got %d, want it ended", r.status)
	}
	b.get("/login")
	if r := b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}}); r.status != http.StatusUnauthorized {
		t.Errorf("the old password: got %d", r.status)
	}
	look := "/settings/security?new=1"
	b.want(b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {fresh}, "next": {look}}), http.StatusSeeOther, look)
	if r := b.get(look); !strings.Contains(r.body, `data-testid="look-through"`) {
		t.Error("want the other ways in looked through after a new password")
	}
	st.quiet(t)
	if got := st.letters(t, 1); len(got) != 1 || !strings.Contains(got[0].subject, "password was changed") {
		t.Errorf("got %+v, want word of it", got)
	}
}

func TestForgottenPasswordIsNoWayIn(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.get("/forgot")
	for name, form := range map[string]url.Values{
		"two in one":     {"email": {"asha@pehchan.example,evil@example.com"}},
		"a header":       {"email": {"asha@pehchan.example\r\nBcc: evil@example.com"}},
		"none":           {"email": {""}},
		"another field":  {"email[]": {"asha@pehchan.example", "evil@example.com"}},
		"a display name": {"email": {"Asha <asha@pehchan.example>"}},
	} {
		if r := b.post("/forgot", form); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d, want it refused", name, r.status)
		}
	}
	if got := st.letters(t, 0); len(got) != 0 {
		t.Errorf("mails went out: %+v", got)
	}

	// A link leads to the configured origin, whatever host was asked.
	b.headers = map[string]string{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
	st.asks(t, b, "asha@pehchan.example")
	got := st.letters(t, 1)
	if len(got) != 1 || strings.Contains(got[0].whole, "evil.example") {
		t.Fatalf("got %+v, want a link to our own origin", got)
	}
	link := linkIn(t, got[0])
	b.headers = nil

	// Half an hour later, changed by a letter, or another's: nothing.
	st.exec(t, `UPDATE password_resets SET expires_at = now() - interval '1 second'`)
	for _, path := range []string{link, link + "x", "/reset/" + base64.RawURLEncoding.EncodeToString(make([]byte, 32)), "/reset/x"} {
		if r := b.get(path); r.status != http.StatusGone {
			t.Errorf("%s: got %d, want 410", path, r.status)
		}
		if r := b.post(path, url.Values{"password": {"correct-horse-battery-7"}}); r.status != http.StatusGone {
			t.Errorf("post %s: got %d, want 410", path, r.status)
		}
	}

	// Asked too often, for one e-mail however it is written.
	for _, email := range []string{"Asha@pehchan.example", "as.ha@pehchan.example"} {
		st.asks(t, b, email)
	}
	if r := st.asks(t, b, "asha+1@pehchan.example"); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("a fourth time: got %d, want 429", r.status)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	here, there := st.signedIn(t, "asha"), st.signedIn(t, "asha")
	here.get("/settings")
	const fresh = "correct-horse-battery-7"
	if r := here.post("/settings/password", url.Values{"old": {"wrong"}, "password": {fresh}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-old"`) {
		t.Errorf("wrong old one: got %d", r.status)
	}
	if r := here.post("/settings/password", url.Values{"old": {password}, "password": {"asha12345"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("one's own name: got %d", r.status)
	}
	here.want(here.post("/settings/password", url.Values{"old": {password}, "password": {fresh}}), http.StatusSeeOther, "/settings/security?new=1")
	if r := here.get("/home"); r.status != http.StatusOK {
		t.Errorf("here: got %d, want still signed in", r.status)
	}
	if r := there.get("/home"); r.status != http.StatusSeeOther {
		t.Errorf("elsewhere: got %d, want signed out", r.status)
	}
	var entries int
	if err := st.DB.SQL().QueryRow(`SELECT count(*) FROM platform_audit WHERE action = 'person.set_password'`).Scan(&entries); err != nil || entries != 1 {
		t.Errorf("%d entries in the audit (%v), want 1", entries, err)
	}
	st.quiet(t)
	st.exec(t, `INSERT INTO passkeys (id, person_id, name, credential, added_at) SELECT 'k', id, 'clinic desk', '{}', '2026-03-04' FROM people WHERE email_key = 'asha@pehchan.example'`)
	got := st.letters(t, 1)
	if len(got) != 1 || !strings.Contains(strings.ReplaceAll(got[0].whole, "=\r\n", ""), "clinic desk") {
		t.Errorf("got %+v, want word of it, and of the passkey", got)
	}
}

func TestSignOutOneDevice(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	here, there, ravi := st.signedIn(t, "asha"), st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	found := regexp.MustCompile(`action="/logout/devices/([0-9a-f]{32})"`).FindAllStringSubmatch(here.get("/settings").body, -1)
	if len(found) != 1 {
		t.Fatalf("got %v, want the other device alone to be signed out", found)
	}
	path := "/logout/devices/" + found[0][1]
	ravi.get("/settings")
	if r := ravi.post(path, nil); r.status != http.StatusNotFound {
		t.Errorf("another person's device: got %d, want 404", r.status)
	}
	here.want(here.post(path, nil), http.StatusSeeOther, "/settings#devices")
	if r := there.get("/home"); r.status != http.StatusSeeOther {
		t.Errorf("there: got %d, want signed out", r.status)
	}
	if r := here.get("/home"); r.status != http.StatusOK {
		t.Errorf("here: got %d, want signed in", r.status)
	}
	for _, bad := range []string{path, "/logout/devices/x", "/logout/devices/" + strings.Repeat("0", 32)} {
		if r := here.post(bad, nil); r.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", bad, r.status)
		}
	}
}
