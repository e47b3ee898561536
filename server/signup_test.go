package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/server/config"
)

// Meta's script and Meta's window are let onto one page, where the platform's app is set up, and onto no other.
func TestOnlyOnePageOpensToMeta(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.app(t, "platform", demoSecret, "verify-me")
	st.Server = st.open(t, config.Config{PublicURL: st.origin, SignupApp: "platform", SignupConfig: "777"})
	asha := st.signedIn(t, "asha")

	const metas = "https://connect.facebook.net"
	page := asha.get("/numbers/new/embedded?way=keep")
	asha.has(page, http.StatusOK, `data-signup="https://connect.facebook.net/en_US/sdk.js"`, `data-config="777"`, `data-origins="https://www.facebook.com https://web.facebook.com"`)
	policy := page.header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "style-src 'self';", " " + metas + ";", "frame-src https://www.facebook.com https://web.facebook.com;",
		"connect-src 'self' https://www.facebook.com https://web.facebook.com;", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the page's policy is %q, want %q in it", policy, want)
		}
	}
	for _, never := range []string{"unsafe", "*", "http:"} {
		if strings.Contains(policy, never) {
			t.Errorf("the page's policy is %q, want no %q in it", policy, never)
		}
	}
	if got := page.header.Get("Cross-Origin-Opener-Policy"); got != "same-origin-allow-popups" {
		t.Errorf("opener policy: got %q, want one that lets the window answer", got)
	}

	for _, path := range []string{"/numbers/new", "/numbers/new/manual", "/numbers", "/home", "/numbers/new/embedded?way=other", "/nowhere"} {
		other := asha.get(path)
		if policy := other.header.Get("Content-Security-Policy"); policy == "" || strings.Contains(policy, "facebook") {
			t.Errorf("%s: policy %q, want nothing of Meta's in it", path, policy)
		}
		if got := other.header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
			t.Errorf("%s: opener policy %q, want same-origin", path, got)
		}
	}
}

func TestShutDoorsLeadToTheThird(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.app(t, "platform", demoSecret, "verify-me")
	for name, cfg := range map[string]config.Config{
		"not set up": {PublicURL: st.origin}, "no such app": {PublicURL: st.origin, SignupApp: "nobody", SignupConfig: "777"},
	} {
		st.Server = st.open(t, cfg)
		asha := st.signedIn(t, "asha")
		doors := asha.get("/numbers/new")
		asha.has(doors, http.StatusOK, "has not been set up", `href="/numbers/new/manual"`)
		asha.lacks(doors, "/numbers/new/embedded")
		for _, answer := range []answer{
			asha.get("/numbers/new/embedded?way=keep"), asha.post("/numbers/new/embedded", url.Values{"way": {"keep"}, "event": {"CANCEL"}}),
		} {
			if answer.status != http.StatusSeeOther || answer.location != "/numbers/new" {
				t.Errorf("%s: got %d %q, want it led back to the doors", name, answer.status, answer.location)
			}
		}
	}
}

func TestWindowWithoutCode(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.app(t, "platform", demoSecret, "verify-me")
	st.Server = st.open(t, config.Config{PublicURL: st.origin, SignupApp: "platform", SignupConfig: "777"})
	asha := st.signedIn(t, "asha")

	for _, c := range []struct {
		said url.Values
		want string
	}{
		{url.Values{}, "closed before it was done"},
		{url.Values{"event": {"CANCEL"}, "step": {"<b>PHONE"}}, "choosing the phone number (&lt;b&gt;PHONE)"},
		{url.Values{"event": {"CANCEL"}, "step": {"NEW_THING"}}, "a step that we have no words for (NEW_THING)"},
		{url.Values{"event": {"ERROR"}, "error_message": {"Gone"}, "error_code": {"36007"}}, "it lives 30 seconds. Try again. (36007)"},
		{url.Values{"event": {"ERROR"}, "error_code": {"524126"}}, "the line below to your developer. (524126)"},
		{url.Values{"event": {"CANCEL"}, "error_message": {"Too many"}, "error_code": {"524126"}}, "Too many (error_code: 524126)"},
		{url.Values{"event": {"ERROR"}}, "Meta reported a problem"},
		{url.Values{"event": {"FINISH"}, "waba_id": {"1"}}, "without the permission"},
		{url.Values{"event": {"NEVER_SEEN_BEFORE"}}, "without the permission"},
		{url.Values{"event": {"ERROR"}, "error_message": {strings.Repeat("x", 4000)}}, strings.Repeat("x", 300) + "<"},
	} {
		c.said.Set("way", "fresh")
		r := asha.post("/numbers/new/embedded", c.said)
		asha.has(r, http.StatusUnprocessableEntity, c.want, `data-testid="open-window"`)
	}
	if r := asha.post("/numbers/new/embedded", url.Values{"way": {"sideways"}}); r.status != http.StatusNotFound {
		t.Errorf("a way there is none of: got %d, want 404", r.status)
	}
}
