package server_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Cases 25 to 27 over HTTP: what the parser of tokens is told about keys and algorithms by the token itself counts for nothing, and nobody
// is asked for a key.
func TestTokensAreNotBelieved(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	var asked atomic.Int64
	hostile := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(hostile.Close)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	key := st.keys.Derive("session")

	good, theirs := jwt.MapClaims{}, jwt.MapClaims{}
	for token, c := range map[string]jwt.MapClaims{asha.cookies[sessionCookie]: good, ravi.cookies[sessionCookie]: theirs} {
		if _, err := jwt.ParseWithClaims(token, c, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			t.Fatalf("read token: %v", err)
		}
	}
	forge := func(head map[string]any, claims map[string]any) string {
		c := jwt.MapClaims{}
		for k, v := range good {
			c[k] = v
		}
		for k, v := range claims {
			if c[k] = v; v == nil {
				delete(c, k)
			}
		}
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
		for k, v := range head {
			token.Header[k] = v
		}
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatalf("forge: %v", err)
		}

		return signed
	}
	enters := func(token string) bool {
		b := st.browser(t)
		b.cookies[sessionCookie] = token
		r := b.get("/team")
		if r.status != http.StatusOK && (r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/login")) {
			t.Errorf("a forged token: want the way to the login, got %d %s", r.status, r.location)
		}

		return r.status == http.StatusOK
	}
	if !enters(forge(nil, nil)) {
		t.Fatal("the forge itself: want the copy let in")
	}

	whole := asha.cookies[sessionCookie]
	parts := strings.Split(whole, ".")
	headed := func(head string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + parts[1] + "." + parts[2]
	}
	for what, token := range map[string]string{
		"alg None":              forge(map[string]any{"alg": "None"}, nil),
		"alg NONE":              forge(map[string]any{"alg": "NONE"}, nil),
		"alg none":              forge(map[string]any{"alg": "none"}, nil),
		"alg RS256, HMAC":       forge(map[string]any{"alg": "RS256"}, nil),
		"alg HS512":             forge(map[string]any{"alg": "HS512"}, nil),
		"alg empty":             forge(map[string]any{"alg": ""}, nil),
		"alg a list":            forge(map[string]any{"alg": []string{"HS256"}}, nil),
		"head changed":          headed(`{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}`),
		"head no JSON":          headed(`{`),
		"a fourth part":         whole + "." + parts[2],
		"padding":               parts[0] + "." + parts[1] + "." + parts[2] + "=",
		"a space":               " " + whole[:20] + " " + whole[20:],
		"no signature":          parts[0] + "." + parts[1] + ".",
		"signature of another":  parts[0] + "." + parts[1] + "." + strings.Split(ravi.cookies[sessionCookie], ".")[2],
		"JSON form":             base64.RawURLEncoding.EncodeToString([]byte(`{"payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`)),
		"exp a text":            forge(nil, map[string]any{"exp": "tomorrow"}),
		"exp negative":          forge(nil, map[string]any{"exp": -1}),
		"exp a list":            forge(nil, map[string]any{"exp": []int{1 << 40}}),
		"exp null":              forge(nil, map[string]any{"exp": nil}),
		"exp long past":         forge(nil, map[string]any{"exp": 1, "nbf": 0}),
		"nbf to come":           forge(nil, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"aud of a device":       forge(nil, map[string]any{"aud": []string{"device"}}),
		"two aud":               forge(nil, map[string]any{"aud": []any{good["typ"], "device"}}),
		"typ in capitals":       forge(nil, map[string]any{"typ": "SESSION"}),
		"iss of another house":  forge(nil, map[string]any{"iss": "pehchan-staging"}),
		"Ravi's person":         forge(nil, map[string]any{"sub": theirs["sub"]}),
		"Ravi's session":        forge(nil, map[string]any{"sid": theirs["sid"]}),
		"a path for a session":  forge(nil, map[string]any{"sid": "../../dev/null"}),
		"SQL for a session":     forge(nil, map[string]any{"sid": "' OR 1=1--"}),
		"the first step's":      forge(nil, map[string]any{"typ": "step", "aud": []string{"step"}}),
		"ten kilobytes of head": forge(map[string]any{"kid": strings.Repeat("k", 4<<10)}, nil),
	} {
		if enters(token) {
			t.Errorf("%s: want it refused", what)
		}
	}
	// What else stands in a token that is ours in signature chooses no key, no tenant and no role, and has nobody asked.
	for what, token := range map[string]string{
		"kid":    forge(map[string]any{"kid": "../../dev/null"}, nil),
		"jku":    forge(map[string]any{"jku": hostile.URL, "x5u": hostile.URL}, nil),
		"jwk":    forge(map[string]any{"jwk": map[string]string{"kty": "oct", "k": "AAAA"}}, nil),
		"tenant": forge(nil, map[string]any{"tid": st.motors.ID.String(), "tenant_id": st.motors.ID.String(), "role": "owner", "is_operator": true}),
	} {
		b := st.browser(t)
		b.cookies[sessionCookie] = token
		if r := b.get("/team"); strings.Contains(r.body, "ravi@") {
			t.Errorf("%s: want nothing of the other business", what)
		}
		if r := b.get("/op"); r.status == http.StatusOK {
			t.Errorf("%s: want no operator's page", what)
		}
	}
	// And with another key nothing of all that helps.
	for what, head := range map[string]map[string]any{"kid": {"kid": "../../dev/null"}, "jku": {"jku": hostile.URL, "x5u": hostile.URL}, "jwk": {"jwk": map[string]string{"kty": "oct", "k": "AAAA"}}} {
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, good)
		for k, v := range head {
			token.Header[k] = v
		}
		for _, with := range [][]byte{{}, {0, 0, 0}, []byte("pehchan")} {
			signed, err := token.SignedString(with)
			if err != nil {
				t.Fatal(err)
			}
			if enters(signed) {
				t.Errorf("%s with a key of its own: want it refused", what)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

// Case 31: every cookie that any page sets is for this host alone; of two of a name neither counts.
func TestEveryCookieIsOurs(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b, set := st.browser(t), map[string]bool{}
	look := func() {
		for _, c := range b.set {
			set[c.Name] = true
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("want a cookie for this host over https alone, got %v", c)
			}
		}
	}
	for _, step := range []func() answer{
		func() answer { return b.get("/login") },
		func() answer { return b.post("/language", url.Values{"lang": {"hi"}}) },
		func() answer { return b.post("/theme", url.Values{"theme": {"dark"}}) },
		func() answer {
			return b.post("/login", url.Values{"email": {"asha@pehchan.example"}, "password": {password}})
		},
		func() answer { return b.get("/settings") },
		func() answer { return b.post("/settings/me", url.Values{"theme": {"dark"}, "lang": {"en"}}) },
		func() answer { return b.get("/settings") },
		func() answer { return b.post("/logout", nil) },
	} {
		if r := step(); r.status >= http.StatusBadRequest {
			t.Errorf("want it answered, got %d %.200s", r.status, r.body)
		}
		look()
	}
	if len(set) < 5 {
		t.Errorf("saw only %v, the walk is broken", set)
	}

	// What ties a form to a browser cannot be planted beside the true one.
	evil, victim := st.browser(t), st.browser(t)
	evil.get("/login")
	victim.get("/login")
	const visitor = "__Host-pehchan-visitor"
	if evil.cookies[visitor] == "" {
		t.Fatalf("want a cookie %s, got %v", visitor, evil.cookies)
	}
	victim.headers = map[string]string{"Cookie": visitor + "=" + evil.cookies[visitor]}
	if r := victim.post("/theme", url.Values{"theme": {"dark"}, "_csrf": {evil.csrf}}); r.status != http.StatusForbidden {
		t.Errorf("a planted cookie beside the true one: want 403, got %d", r.status)
	}
}

// Case 35: neither headers nor spellings begin the count anew. Asking for a new password is counted as signing in is.
func TestLimitsCannotBeWalkedAround(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	spellings := []string{"asha@pehchan.example", " ASHA@Pehchan.Example ", "a.s.h.a@pehchan.example", "asha+x@pehchan.example", "Asha+y@PEHCHAN.example", "as.ha@pehchan.example"}
	refused := 0
	for i, email := range spellings {
		b := st.browser(t)
		b.get("/forgot")
		address := "203.0.113." + string(rune('1'+i))
		b.headers = map[string]string{"X-Forwarded-For": address, "X-Real-Ip": address, "Forwarded": "for=" + address, "Cf-Connecting-Ip": address, "True-Client-Ip": address, "User-Agent": address}
		if r := b.post("/forgot", url.Values{"email": {email}}); r.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < len(spellings)-3 {
		t.Errorf("%d of %d askings were refused, want all but three", refused, len(spellings))
	}
	// What only looks like the address is another's, and has no mail sent to her.
	b := st.browser(t)
	for _, email := range []string{"ａsha@pehchan.example", "аsha@pehchan.example", "asha@pehchan.example\u200b", "asha@pehchan.example."} {
		b.get("/forgot")
		if r := b.post("/forgot", url.Values{"email": {email}}); r.status >= http.StatusInternalServerError {
			t.Errorf("%q: %d", email, r.status)
		}
	}
	if got := st.letters(t, 0); len(got) > 3 {
		t.Errorf("%d mails went out, want three at most", len(got))
	}
}

// Cases 38 and 39: however the address stands in a form, and whatever host is asked, one mail at most goes out, to whom it is about, and
// leads to the configured origin.
func TestAskedTwiceMailsOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	for _, raw := range []string{"email=asha%40pehchan.example&email=evil%40example.com", "email=evil%40example.com&email=asha%40pehchan.example"} {
		b.get("/forgot")
		b.headers = map[string]string{"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Host": "evil.example", "Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
		r := b.do(http.MethodPost, "/forgot?email=evil%40example.com", strings.NewReader(raw+"&_csrf="+url.QueryEscape(b.csrf)))
		if r.status != http.StatusOK && r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d", raw, r.status)
		}
	}
	for kind, raw := range map[string]string{
		"application/json": `{"email":["asha@pehchan.example","evil@example.com"]}`, "application/xml": `<email>asha@pehchan.example</email>`, "text/plain": "email=asha@pehchan.example",
	} {
		b.get("/forgot")
		b.headers = map[string]string{"Content-Type": kind, "Origin": origin, "X-CSRF-Token": b.csrf}
		if r := b.do(http.MethodPost, "/forgot", strings.NewReader(raw)); r.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: want 415, got %d", kind, r.status)
		}
	}
	b.get("/forgot")
	for _, email := range []string{"asha@pehchan.example%0d%0aBcc:evil@example.com", "asha@pehchan.example evil@example.com", "asha@pehchan.example;evil@example.com", `"asha@pehchan.example"@example.com,`} {
		if r := b.post("/forgot", url.Values{"email": {email}}); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: want 422, got %d", email, r.status)
		}
	}
	got := st.letters(t, 1)
	if len(got) != 1 || got[0].to != "<asha@pehchan.example>" || strings.Contains(got[0].whole, "evil") {
		t.Fatalf("want one mail to Asha that names no other host, got %+v", got)
	}
	linkIn(t, got[0])
}

// Case 42 for every form that leads on, not the login alone, which TestNextStaysHere tries.
func TestNoFormLeadsElsewhere(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	for _, next := range []string{
		"//evil.example", `/\evil.example`, `\/evil.example`, "///evil.example", "https:evil.example", "https:/evil.example", "https://evil.example", "HTTPS://evil.example", "/%09/evil.example", "/%2f%2fevil.example",
		"javascript:alert(1)", "data:text/html,x", "/@evil.example", "//evil.example/%2e%2e", "https://pehchan.example@evil.example", "https://pehchan.example.evil.example", "/\t/evil.example", "\x01//evil.example",
		"/%0d%0aSet-Cookie:x=y", "/\u010aSet-Cookie:x", "%2f%2fevil.example", "evil.example", "?next=//evil.example", "/。/evil.example", "//evil.example#/home",
	} {
		for _, path := range []string{"/language", "/theme"} {
			r := asha.post(path, url.Values{"lang": {"en"}, "theme": {"dark"}, "next": {next}})
			leads(t, path, next, r)
		}
		if r := asha.get("/confirm?" + url.Values{"next": {next}}.Encode()); strings.Contains(r.body, `value="//`) || strings.Contains(r.body, `href="//`) || strings.Contains(r.body, "javascript:") || strings.Contains(r.body, `"https://evil`) {
			t.Errorf("/confirm with %q leads away", next)
		}
	}
}

// leads checks that an answer leads to a page of ours.
func leads(t *testing.T, path, next string, r answer) {
	t.Helper()
	u, err := url.Parse(r.location)
	if r.status != http.StatusSeeOther || err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(r.location, "/") || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(u.Path, "\\\r\n\t") {
		t.Errorf("%s with next %q leads to %d %q", path, next, r.status, r.location)
	}
}

// Case 22: a name is a name, whatever it looks like to the policy.
func TestNamesGiveNoRights(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "agent")
	meera := st.signedIn(t, "meera")
	for _, name := range []string{"p, owner, *, *", "owner::*", "*", "admin", "g, agent, owner", "agent\ng, agent, owner", "owner"} {
		st.exec(t, `UPDATE people SET name = $1 WHERE email = 'meera@pehchan.example'`, name)
		st.exec(t, `UPDATE tenants SET name = $1 WHERE id = $2`, name, st.clinic.ID)
		for _, path := range []string{"/team", "/dev/keys", "/op", "/apps"} {
			if r := meera.get(path); r.status != http.StatusForbidden {
				t.Errorf("%s for an agent called %q: want 403, got %d", path, name, r.status)
			}
		}
		if r := meera.get("/help"); r.status != http.StatusOK {
			t.Errorf("called %q: want the help page still, got %d", name, r.status)
		}
	}
}
