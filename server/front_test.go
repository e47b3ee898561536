package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/facts"
)

// Whoever is not signed in reads what this is, in the language they ask for, with what the ledger says; whoever is goes on.
func TestFirstPage(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	if err := facts.Seed(t.Context(), st.DB); err != nil {
		t.Fatal(err)
	}
	stranger := st.browser(t)

	r := stranger.get("/")
	stranger.has(r, http.StatusOK, `<html lang="en"`, `href="/check"`, `href="/login"`, `data-testid="country-IN"`,
		`data-testid="country-NP"`, "Source ")
	if strings.Contains(r.body, "<script") || strings.Contains(r.body, "<form") {
		t.Error("want a page that needs no script and no form")
	}
	if len(r.body) > 20<<10 {
		t.Errorf("the page has %d bytes, want at most 20 KB", len(r.body))
	}
	if cookies := r.header.Values("Set-Cookie"); len(cookies) > 0 {
		t.Errorf("want no cookie set, got %q", cookies)
	}

	r = stranger.get("/?lang=hi")
	stranger.has(r, http.StatusOK, `<html lang="hi"`, "मुफ़्त जाँच", `hreflang="en"`)
	if r = stranger.get("/check"); !strings.Contains(r.body, `<html lang="hi"`) {
		t.Error("want the chosen language on the next page")
	}
	hindi := st.browser(t)
	hindi.headers = map[string]string{"Accept-Language": "hi-IN,hi;q=0.9"}
	hindi.has(hindi.get("/"), http.StatusOK, `<html lang="hi"`)

	asha := st.signedIn(t, "asha")
	asha.want(asha.get("/"), http.StatusSeeOther, "/home")
}

// What the first page says of a country is what the ledger says now.
func TestFirstPageFollowsTheLedger(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	if err := facts.Seed(t.Context(), st.DB); err != nil {
		t.Fatal(err)
	}
	st.news(t, "live")
	b := st.browser(t)
	b.has(b.get("/"), http.StatusOK, `data-testid="country-IN"`, "The ministry has spoken: live.")
}

// The check asks eight questions, keeps nothing, and one gate that fails decides.
func TestFreeCheck(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)

	answers := ""
	for _, say := range "ynuyyxyy" {
		r := b.get("/check?a=" + answers)
		answers += string(say)
		b.has(r, http.StatusOK, `href="/check?a=`+answers+`"`)
		if strings.Contains(r.body, `data-testid="result"`) || len(r.header.Values("Set-Cookie")) > 0 {
			t.Fatalf("after %q: want a question and no cookie", answers)
		}
	}
	b.has(b.get("/check?a="+answers), http.StatusOK, `data-level="not_ready"`, `data-testid="gate-place"`, "In order: 5 of 7.", `data-testid="todo"`)
	for answers, level := range map[string]string{
		"yyyyyyyy": "ready", "yyyyyxxy": "ready", "yyynyyyy": "open", "yyyuuuuu": "open",
		"uyyyyyyy": "unproved", "uynyyyyy": "not_ready", "nnnnnnnn": "not_ready",
	} {
		b.has(b.get("/check?a="+answers), http.StatusOK, `data-level="`+level+`"`)
	}
	if r := b.get("/check?a=yyyyyyyy"); strings.Contains(r.body, `data-testid="todo"`) {
		t.Error("want nothing to do where all is in order")
	}
	for _, odd := range []string{"z", "x", "yyyyyyyyy", "yyyyyyyx", "<b>", "Y", "%00", "%ff", "%e0%a4%b9"} {
		if r := b.get("/check?a=" + odd); r.status != http.StatusNotFound {
			t.Errorf("%q: want 404, got %d", odd, r.status)
		}
	}
}

// Somebody who asks for page after page is told to wait, and nobody else is.
func TestPublicPagesHaveAMeasure(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	refused := 0
	for range 400 {
		if r := b.get("/check"); r.status == http.StatusTooManyRequests {
			refused++
			if r.header.Get("Retry-After") == "" {
				t.Fatal("want to be told how long to wait")
			}
		}
	}
	if refused == 0 {
		t.Error("want some of many pages refused")
	}
	if r := b.get("/login"); r.status != http.StatusOK {
		t.Errorf("want the sign-in open still, got %d", r.status)
	}
}

// The status says how it goes without a name or a figure, and what operators announce to everybody.
func TestStatus(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "olga", "admin")
	olga := st.signedIn(t, "olga")
	announce := func(audience, en string) {
		t.Helper()
		olga.get("/op/news")
		form := url.Values{"en": {en}, "hi": {"रविवार को"}, "audience": {audience}, "days": {"7"}}
		olga.want(olga.post("/op/news", form), http.StatusSeeOther, "/op/news")
	}
	announce("everybody", "For the businesses alone")
	announce("public", "Slow on Sunday, <all> of us")

	b := st.browser(t)
	r := b.get("/status")
	for _, part := range []string{"web", "database", "intake", "resolving", "mail"} {
		b.has(r, http.StatusOK, `data-testid="part-`+part+`" data-state="working"`)
	}
	b.has(r, http.StatusOK, `data-testid="part-meta"`, `data-testid="looked"`, "Slow on Sunday, &lt;all&gt; of us")
	for _, never := range []string{"For the businesses alone", "Asha Clinic", "asha-clinic", "Ravi"} {
		if strings.Contains(r.body, never) {
			t.Errorf("the public status says %q", never)
		}
	}
	b.has(b.get("/status?lang=hi"), http.StatusOK, "रविवार को")
	meera := st.signedIn(t, "asha")
	meera.has(meera.get("/home"), http.StatusOK, "Slow on Sunday")
}

// With the database away the status is still answered, and says so.
func TestStatusWithoutADatabase(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	b := st.browser(t)
	if err := st.DB.SQL().Close(); err != nil {
		t.Fatal(err)
	}
	b.has(b.get("/status"), http.StatusOK, `data-testid="whole" data-state="down"`, `data-testid="part-database" data-state="down"`,
		`data-testid="part-resolving" data-state="unknown"`)
	b.has(b.get("/"), http.StatusOK, `data-testid="to-check"`, "cannot be shown just now")
}
