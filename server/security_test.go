package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/static"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// Every write refuses what did not come from a page of this session, and changes nothing.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, again, ravi := st.signedIn(t, "asha"), st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	visitor := st.browser(t)
	visitor.get("/login")
	form := url.Values{"name": {"Forged"}, "lang": {"en"}, "timezone": {"Asia/Kolkata"}, "density": {"shop"}}

	for name, forge := range map[string]func(url.Values, map[string]string){
		"no token":                   func(f url.Values, _ map[string]string) { f.Set("_csrf", "") },
		"nonsense":                   func(f url.Values, _ map[string]string) { f.Set("_csrf", "AAAA") },
		"somebody else's token":      func(f url.Values, _ map[string]string) { f.Set("_csrf", ravi.csrf) },
		"a token of another session": func(f url.Values, _ map[string]string) { f.Set("_csrf", again.csrf) },
		"a token from before login":  func(f url.Values, _ map[string]string) { f.Set("_csrf", visitor.csrf) },
		"a changed token":            func(f url.Values, _ map[string]string) { f.Set("_csrf", "A"+asha.csrf[1:]+"A") },
		"Origin null":                func(_ url.Values, h map[string]string) { h["Origin"] = "null" },
		"Origin evil":                func(_ url.Values, h map[string]string) { h["Origin"] = "https://evil.example" },
		"Origin plain http":          func(_ url.Values, h map[string]string) { h["Origin"] = "http://pehchan.example" },
		"Origin with a port":         func(_ url.Values, h map[string]string) { h["Origin"] = "https://pehchan.example:8443" },
		"Origin of a subdomain":      func(_ url.Values, h map[string]string) { h["Origin"] = "https://x.pehchan.example" },
		"Origin as the Host it sends": func(_ url.Values, h map[string]string) {
			h["Origin"], h["Host"], h["X-Forwarded-Host"] = "https://evil.example", "evil.example", "evil.example"
		},
		"another site": func(_ url.Values, h map[string]string) { h["Sec-Fetch-Site"] = "cross-site" },
		"a sibling":    func(_ url.Values, h map[string]string) { h["Sec-Fetch-Site"] = "same-site" },
	} {
		f, h := url.Values{"_csrf": {asha.csrf}}, map[string]string{}
		for k, v := range form {
			f[k] = v
		}
		forge(f, h)
		asha.headers = h
		if r := asha.post("/settings/business", f); r.status != http.StatusForbidden {
			t.Errorf("%s: want 403, got %d", name, r.status)
		}
	}

	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x", ""} {
		asha.headers = map[string]string{"Content-Type": kind, "X-CSRF-Token": asha.csrf}
		if r := asha.post("/settings/business", form); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("content type %q: want 415, got %d", kind, r.status)
		}
	}
	asha.headers = map[string]string{"Content-Encoding": "gzip"}
	if r := asha.post("/settings/business", form); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("compressed body: want 415, got %d", r.status)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		if r := asha.do(method, "/settings/business?"+form.Encode(), nil); r.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: want 405, got %d", method, r.status)
		}
	}
	if r := asha.post("/settings/business?_csrf="+url.QueryEscape(asha.csrf), url.Values{"_csrf": {""}}); r.status != http.StatusForbidden {
		t.Errorf("token in the address: want 403, got %d", r.status)
	}
	if r := asha.get("/settings"); strings.Contains(r.body, "Forged") {
		t.Error("want nothing changed by all that")
	}

	// The honest form works, with the token in the form or, from a script of ours, in a header.
	asha.headers = map[string]string{"Sec-Fetch-Site": "same-origin"}
	asha.want(asha.post("/settings/business", form), http.StatusSeeOther, "/settings")
	asha.headers = map[string]string{"X-CSRF-Token": asha.csrf}
	asha.want(asha.post("/settings/business", url.Values{"_csrf": {""}, "name": {"Asha Clinic"}, "lang": {"en"}, "timezone": {"UTC"}, "density": {"shop"}}), http.StatusSeeOther, "/settings")
}

func TestSignInAndOutCannotBeForged(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	victim, evil := st.browser(t), st.browser(t)
	victim.get("/login")
	evil.get("/login")
	in := url.Values{"email": {"ravi@pehchan.example"}, "password": {password}, "_csrf": {evil.csrf}}
	if r := victim.post("/login", in); r.status != http.StatusForbidden || victim.cookies[sessionCookie] != "" {
		t.Errorf("want a sign-in with another browser's token refused, got %d", r.status)
	}

	asha := st.signedIn(t, "asha")
	if r := asha.post("/logout", url.Values{"_csrf": {evil.csrf}}); r.status != http.StatusForbidden {
		t.Errorf("want a forged sign-out refused, got %d", r.status)
	}
	if r := asha.get("/team"); r.status != http.StatusOK {
		t.Errorf("want Asha still signed in, got %d", r.status)
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.signedIn(t, "asha")

	nonces := map[string]bool{}
	for _, path := range []string{"/login", "/team", "/nowhere", "/TEAM", "/healthz", "/static/x/y", static.URL("app.css"), "/api/v1/nothing", "/hooks/whatsapp/none"} {
		r := b.get(path)
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Frame-Options": "DENY",
		} {
			if got := r.header.Get(header); got != want {
				t.Errorf("%s: want %s %q, got %q", path, header, want, got)
			}
		}
		csp := r.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: want %s in the policy, got %q", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || nonces[csp] {
			t.Errorf("%s: want a strict policy with a nonce of its own, got %q", path, csp)
		}
		nonces[csp] = true
		if r.header.Get("X-Request-Id") == "" || r.header.Get("Access-Control-Allow-Origin") != "" || r.header.Get("Server") != "" {
			t.Errorf("%s: want a request id, no cross-origin leave and no server name, got %v", path, r.header)
		}
		wantCache := "no-store"
		if path == static.URL("app.css") {
			wantCache = "public, max-age=31536000, immutable"
		}
		if got := r.header.Get("Cache-Control"); got != wantCache {
			t.Errorf("%s: want %s, got %s", path, wantCache, got)
		}
	}
}

func TestPlainHTTPOnLoopback(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.Server = st.open(t, config.Config{})
	b := st.browser(t)
	r := b.get("/login")
	if r.header.Get("Strict-Transport-Security") != "" {
		t.Error("want no HSTS on plain http")
	}

	for _, host := range []string{"localhost:8080", "127.0.0.1:8080"} {
		b.headers = map[string]string{"Origin": "http://" + host, "Host": host}
		r = b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}})
		b.want(r, http.StatusSeeOther, "/")
		if b.cookies["pehchan"] == "" || strings.Contains(r.header.Get("Set-Cookie"), "secure") {
			t.Errorf("want a cookie that works on plain http, got %v", r.header["Set-Cookie"])
		}
		delete(b.cookies, "pehchan")
		b.get("/login")
	}
	b.headers = map[string]string{"Origin": "http://evil.example", "Host": "evil.example"}
	if r := b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}}); r.status != http.StatusForbidden {
		t.Errorf("want a name that is not this machine's refused, got %d", r.status)
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	fail := func(path string, err error) {
		st.App().Get(path, func(*fiber.Ctx) error { return err })
	}
	fail("/oops", errors.New("pq: secret-detail"))
	fail("/api/v1/oops", errors.New("pq: secret-detail"))
	st.App().Get("/panic", func(*fiber.Ctx) error { panic("secret-detail") })
	for path, err := range map[string]error{
		"/404": tenants.ErrNotFound, "/403": tenants.ErrForbidden, "/409": &tenants.Conflict{Code: "last_owner"}, "/422": &tenants.Invalid{Field: "x", Key: "name"},
		"/503": tenants.ErrUnavailable, "/429": &access.TooMany{RetryAfter: 1500e6},
	} {
		fail(path, fmt.Errorf("do something: %w", err))
		fail("/api/v1"+path, fmt.Errorf("do something: %w", err))
	}
	fail("/deadline", fmt.Errorf("read: %w", context.DeadlineExceeded))
	fail("/api/v1/away", fmt.Errorf("read: %w", &pq.Error{Code: "57P01"}))
	fail("/hooks/away", fmt.Errorf("begin: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}))

	b := st.browser(t)
	for _, path := range []string{"/oops", "/api/v1/oops", "/panic"} {
		r := b.get(path)
		id := r.header.Get("X-Request-Id")
		if r.status != http.StatusInternalServerError || strings.Contains(r.body, "secret-detail") || !strings.Contains(r.body, id) {
			t.Errorf("%s: want 500 with a reference and no cause, got %d %s", path, r.status, r.body)
		}
		if !strings.Contains(st.log.String(), id) || !strings.Contains(st.log.String(), "secret-detail") {
			t.Errorf("%s: want the cause in the log", path)
		}
	}
	for _, status := range []int{403, 404, 409, 422, 429, 503} {
		path := fmt.Sprintf("/%d", status)
		if r := b.get(path); r.status != status || !strings.Contains(r.body, `data-testid="error"`) || !strings.Contains(r.body, `lang="hi"`) {
			t.Errorf("%s: want a page in both languages, got %d", path, r.status)
		}
		r := b.get("/api/v1" + path)
		if r.status != status || r.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(r.body, `"code":"`) {
			t.Errorf("%s: want a problem, got %d %s", path, r.status, r.body)
		}
		b.headers = map[string]string{"HX-Request": "true"}
		if r := b.get(path); r.status != status || strings.Contains(r.body, "<html") || r.header.Get("HX-Retarget") != "#form-errors" {
			t.Errorf("%s: want a fragment for htmx, got %d %s", path, r.status, r.body)
		}
	}
	if r := b.get("/429"); r.header.Get("Retry-After") != "2" {
		t.Errorf("want Retry-After 2, got %q", r.header.Get("Retry-After"))
	}
	for _, path := range []string{"/deadline", "/api/v1/away", "/hooks/away"} {
		if r := b.get(path); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: want 503 with Retry-After, got %d", path, r.status)
		}
	}
}

// A second press of a button does nothing twice, however close it follows, and leads to the same place.
func TestDoubleSubmit(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	form := url.Values{"_once": {"press-1"}, "name": {"CRM"}, "scopes": {"read"}, "_csrf": {asha.csrf}}
	asha.get("/dev/keys")

	bodies := make([]answer, 6)
	var wg sync.WaitGroup
	for i := range bodies {
		b := &browser{t: t, s: st.Server, cookies: map[string]string{sessionCookie: asha.cookies[sessionCookie]}}
		wg.Go(func() { bodies[i] = b.post("/dev/keys", url.Values(http.Header(form).Clone())) })
	}
	wg.Wait()

	made, led := 0, 0
	for _, r := range bodies {
		switch {
		case r.status == http.StatusOK && strings.Contains(r.body, `data-testid="fresh-key"`):
			made++
		case r.status == http.StatusSeeOther && r.location == "/dev/keys":
			led++
		}
	}
	if made != 1 || led != len(bodies)-1 {
		t.Errorf("want one key made and the others led to the list, got %d and %d", made, led)
	}
	if r := asha.get("/dev/keys"); strings.Count(r.body, `data-testid="key-0`) != 1 {
		t.Errorf("want one key, got %s", r.body)
	}

	// A refused form may be sent again with the same key.
	bad := url.Values{"_once": {"press-2"}, "name": {""}, "scopes": {"read"}}
	if r := asha.post("/dev/keys", bad); r.status != http.StatusUnprocessableEntity {
		t.Errorf("want the form back, got %d", r.status)
	}
	bad.Set("name", "Second")
	if r := asha.post("/dev/keys", bad); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="fresh-key"`) {
		t.Errorf("want the corrected form taken, got %d", r.status)
	}
	// The key that was shown is nowhere in the database.
	err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		var n int
		err := tx.Get(&n, `SELECT count(*) FROM idempotency_keys WHERE position('pk_'::bytea IN body) > 0`)
		if n != 0 {
			t.Errorf("want no secret kept for repeats, got %d", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	want, gz, kind, _ := static.Lookup(static.URL("app.css"))

	b.headers = map[string]string{"Accept-Encoding": "gzip"}
	if r := b.get(static.URL("app.css")); r.body != string(want) || r.header.Get("Content-Encoding") != "gzip" || r.header.Get("Content-Type") != kind || len(gz) == 0 {
		t.Errorf("want the style sheet, shortened, got %d %v", r.status, r.header)
	}
	if r := b.get(static.URL("app.css")); r.body != string(want) || r.header.Get("Content-Encoding") != "" {
		t.Errorf("want it plain for who does not unpack, got %v", r.header)
	}
	for _, path := range []string{"/static/x/app.css", "/static/../go.mod", "/static/%2e%2e/go.mod", static.URL("app.css") + "/", "/static/"} {
		if r := b.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: want 404, got %d", path, r.status)
		}
	}
}

func TestPagesAreCompressed(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	plain := b.get("/login")
	b.headers = map[string]string{"Accept-Encoding": "gzip, br"}
	short := b.get("/login")
	if short.header.Get("Content-Encoding") != "gzip" || short.header.Get("Vary") == "" || len(short.body) != len(plain.body) {
		t.Errorf("want the same page shortened, got %v", short.header)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	lang := func(path string) string {
		_, rest, _ := strings.Cut(b.get(path).body, `<html lang="`)
		return rest[:2]
	}
	if got := lang("/login"); got != "en" {
		t.Errorf("want English for who says nothing, got %s", got)
	}
	b.headers = map[string]string{"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.8"}
	if got := lang("/login"); got != "hi" {
		t.Errorf("want the browser's language, got %s", got)
	}
	b.want(b.post("/language", url.Values{"lang": {"hi"}, "next": {"/login?next=%2Fteam"}}), http.StatusSeeOther, "/login?next=%2Fteam")
	if got := lang("/login"); got != "hi" {
		t.Errorf("want the language chosen before signing in, got %s", got)
	}
	if r := b.post("/language", url.Values{"lang": {"xx"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("want an unknown language refused, got %d", r.status)
	}

	b = st.signedIn(t, "asha")
	b.want(b.post("/language", url.Values{"lang": {"hi"}, "next": {"/team"}}), http.StatusSeeOther, "/team")
	b = st.signedIn(t, "asha") // in another browser
	if got := lang("/team"); got != "hi" {
		t.Errorf("want the person's language everywhere, got %s", got)
	}
}

func TestLargeAndCompressedBodies(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.get("/login")
	if r := b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {strings.Repeat("x", 1<<20)}}); r.status != http.StatusUnauthorized {
		t.Errorf("want an endless password refused like a wrong one, got %d", r.status)
	}

	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	if _, err := w.Write(make([]byte, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.headers = map[string]string{"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
	if r := b.do(http.MethodPost, "/login", &bomb); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("want a packed body refused unread, got %d", r.status)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	b.want(b.get("/readyz"), http.StatusOK, "")
	if err := st.DB.Close(); err != nil {
		t.Fatal(err)
	}
	b.want(b.get("/readyz"), http.StatusServiceUnavailable, "")
	b.want(b.get("/healthz"), http.StatusOK, "")
}
