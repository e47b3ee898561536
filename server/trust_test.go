package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/static"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/trust"
)

const trustAt = "/t/asha-clinic"

var stampIn = regexp.MustCompile(`name="stamp" value="([^"]+)"`)

// stamped waits until a form is old enough to have been filled in by a person.
func stamped(t *testing.T, page answer) string {
	t.Helper()
	stamp := stampIn.FindStringSubmatch(page.body)
	if stamp == nil {
		t.Fatalf("no form on the page: %s", page.body)
	}

	return stamp[1]
}

// asked is how many requests the clinic has.
func (st *site) asked(t *testing.T) (n int) {
	t.Helper()
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&n, `SELECT count(*) FROM trust_requests WHERE tenant_id = $1`, tx.Tenant)
	})
	if err != nil {
		t.Fatal(err)
	}

	return n
}

func TestTrustPage(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	asha := st.signedIn(t, "asha")
	asha.get("/numbers/new/manual")
	number := strings.TrimPrefix(st.named(t, asha), "/usernames/")
	stranger := st.browser(t)

	for _, path := range []string{trustAt, "/t/nobody-at-all", "/t/Asha-Clinic"} {
		if r := stranger.get(path); r.status != http.StatusNotFound {
			t.Errorf("%s while it is off: %d, want 404", path, r.status)
		}
	}
	asha.get("/usernames/trust")
	if r := asha.post("/usernames/trust", url.Values{"on": {"yes"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("on without a text: %d", r.status)
	}
	asha.want(asha.post("/usernames/trust", url.Values{"on": {"yes"}, "asks": {"yes"}, "numbers": {number}, "use_en": {"We answer & <nothing> else."}, "use_hi": {"हम जवाब देते हैं।"}}),
		http.StatusSeeOther, "/usernames/trust")
	asha.want(asha.post("/usernames/"+number+"/claim", url.Values{"name": {"asha.clinic"}}), http.StatusSeeOther, "/usernames/"+number)

	r := stranger.get(trustAt)
	if r.status != http.StatusOK || !strings.Contains(r.body, "@asha.clinic") || !strings.Contains(r.body, "We answer &amp; &lt;nothing&gt; else.") {
		t.Fatalf("the page: %d %s", r.status, r.body)
	}
	for _, want := range []string{"within 30 days, complaints within 90 days", `<option value="grievance"`} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	css, _, _, ok := static.Lookup(static.URL("trust.css"))
	icon, _, _, iconOK := static.Lookup(static.URL("favicon.svg"))
	hindi := stranger.get(trustAt + "?lang=hi")
	for lang, body := range map[string]string{"en": r.body, "hi": hindi.body} {
		if all := len(body) + len(css) + len(icon); !ok || !iconOK || all > 15<<10 {
			t.Errorf("%s: the page and all it loads weigh %d bytes, want at most 15 KB", lang, all)
		}
	}
	if strings.Contains(r.body, "<script") || strings.Contains(r.body, "style=") {
		t.Error("the page needs a script, or a style that is not allowed")
	}
	if !strings.Contains(hindi.body, `lang="hi"`) || !strings.Contains(hindi.body, "हम जवाब देते हैं।") {
		t.Error("no Hindi on the Hindi page")
	}

	page := stranger.get(trustAt)
	send := func(b *browser, change url.Values) answer {
		form := url.Values{"kind": {"erase"}, "name": {"Lata"}, "reach": {"@lata"}, "body": {"Please delete what you have."}, "stamp": {stamped(t, page)}, "website": {""}}
		for k, v := range change {
			form[k] = v
		}
		return b.post(trustAt, form)
	}
	if r := send(stranger, nil); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "press Send again") || !strings.Contains(r.body, "Please delete what you have.") {
		t.Errorf("sent at once: %d, want the form back with what was typed", r.status)
	}
	if r := send(stranger, url.Values{"stamp": {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a stamp of one's own: %d", r.status)
	}
	if r := send(stranger, url.Values{"website": {"https://spam.example"}}); r.status != http.StatusSeeOther || st.asked(t) != 0 {
		t.Errorf("a program: %d and %d kept, want it told that all is well and nothing kept", r.status, st.asked(t))
	}
	csrf := stranger.csrf
	stranger.csrf = "forged"
	if r := send(stranger, nil); r.status != http.StatusForbidden {
		t.Errorf("from another site: %d", r.status)
	}
	stranger.csrf = csrf

	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if r = send(stranger, nil); r.status == http.StatusSeeOther || time.Now().After(deadline) {
			break
		}
	}
	if r.status != http.StatusSeeOther || r.location != trustAt+"?lang=en&sent=1" || st.asked(t) != 1 {
		t.Fatalf("sent in time: %d %q, %d kept", r.status, r.location, st.asked(t))
	}
	if letters := st.letters(t, 1); len(letters) != 1 || strings.Contains(letters[0].whole, "Lata") || strings.Contains(letters[0].whole, "delete what") {
		t.Errorf("the owner's mail holds what a stranger typed, or did not come: %d", len(letters))
	}
	if r := send(stranger, url.Values{"reach": {""}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-reach"`) {
		t.Errorf("without a way to answer: %d", r.status)
	}
	for range 6 {
		r = send(stranger, nil)
	}
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "quarter of an hour") || st.asked(t) > 5 {
		t.Errorf("again and again: %d, %d kept; want it refused after five", r.status, st.asked(t))
	}

	// A quarter of an hour later it may write again, until its day is used up. What is kept of its address says nothing of it.
	st.exec(t, `UPDATE sign_in_failures SET at = at - interval '20 minutes'`)
	st.exec(t, `INSERT INTO sign_in_failures (bucket, at) SELECT DISTINCT bucket, now() - interval '1 hour' - n * interval '1 minute' FROM sign_in_failures, generate_series(1, 20) n WHERE bucket LIKE 'day %'`)
	before := st.asked(t)
	if r = send(stranger, nil); r.status != http.StatusTooManyRequests || !strings.Contains(r.body, "try again tomorrow") || st.asked(t) != before {
		t.Errorf("past an address's day: %d, %d kept; want it refused until tomorrow", r.status, st.asked(t))
	}

	// The owner sees it, and ends it; nobody else of the team does.
	id := regexp.MustCompile(`action="(/usernames/trust/requests/[0-9a-f-]{36})"`).FindStringSubmatch(asha.get("/usernames/trust").body)
	if id == nil {
		t.Fatal("no request on the owner's page")
	}
	ravi := st.signedIn(t, "ravi")
	ravi.get("/usernames/trust")
	if r := ravi.post(id[1], nil); r.status != http.StatusNotFound {
		t.Errorf("another business ends it: %d", r.status)
	}
	asha.want(asha.post(id[1], nil), http.StatusSeeOther, "/usernames/trust#requests")

	// Off again it is nowhere, and so is that of a business that is suspended.
	st.exec(t, `UPDATE tenants SET state = 'suspended' WHERE slug = 'asha-clinic'`)
	if r := stranger.get(trustAt); r.status != http.StatusNotFound {
		t.Errorf("suspended: %d", r.status)
	}
}

// TestComplaintsOfThePage: a complaint on the public page is taken over as one, with the time it may take.
func TestComplaintsOfThePage(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	var made trust.Request
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) (err error) {
		if err = trust.Set(t.Context(), tx, tenants.SystemActor, trust.Page{On: true, Asks: true, UseEN: "We answer."}); err != nil {
			return err
		}
		made, err = trust.Ask(t.Context(), tx, trust.Request{Kind: "grievance", Reach: "@lata", Body: "I was called at night.", Lang: "en"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	asha := st.signedIn(t, "asha")
	if page := asha.get("/privacy").body; !strings.Contains(page, "I was called at night.") {
		t.Error("the complaint does not wait on the page of requests")
	}
	taken := asha.post("/privacy/requests/take", url.Values{"asked": {made.ID.String()}})
	var days int
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&days, `SELECT round(extract(epoch FROM due_at - opened_at) / 86400)::int FROM privacy_requests WHERE tenant_id = $1 AND kind = 'grievance'`, tx.Tenant)
	}); err != nil || days != 90 || taken.status != http.StatusSeeOther {
		t.Errorf("taken over: %d, due in %d days (%v), want a complaint due in 90", taken.status, days, err)
	}
}
