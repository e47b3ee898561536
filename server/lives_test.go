package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// nisha is an operator as the packages below know her.
var nisha = access.Member{Person: access.Person{OperatorRole: "admin"}, Actor: tenants.Actor{Kind: "operator", Name: "Nisha"}}

// put puts a business into another state, as an operator does.
func (st *site) put(t *testing.T, tenant tenants.Tenant, was, state, reason string) {
	t.Helper()
	err := st.DB.As(context.Background(), tenant.ID, func(tx *tenants.Tx) error {
		return access.SetState(context.Background(), tx, nisha, was, state, reason)
	})
	if err != nil {
		t.Fatalf("put %s: %v", state, err)
	}
}

// Attack case 16: everything of a stopped business is dead within five seconds, and another's is not.
func TestSuspensionBitesEverywhere(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	address, stop := st.listen(t, config.Config{})
	st.member(t, st.clinic, "meera", access.Agent)
	asha, meera, ravi := st.signedIn(t, "asha"), st.signedIn(t, "meera"), st.signedIn(t, "ravi")
	key, other := st.client(t, st.clinic, "read", "write"), st.client(t, st.motors, "read")
	_, stream := st.listener(t, address, "asha")
	_, raviStream := st.listener(t, address, "ravi")
	if !hear(t, stream, ": beat") {
		t.Fatal("want the stream open")
	}
	key.want(key.get("/ingest"), http.StatusOK, "")

	began := time.Now()
	st.put(t, st.clinic, tenants.Active, tenants.Suspended, "बिल तीन महीने से बाकी है।")
	for _, b := range []*browser{asha, meera} {
		b.want(b.get("/contacts"), http.StatusSeeOther, "/choose")
		if r := b.post("/settings/business", url.Values{"name": {"x"}}); r.status != http.StatusForbidden {
			t.Errorf("a form: want 403, got %d", r.status)
		}
	}
	page := meera.get("/choose")
	if page.status != http.StatusOK || !strings.Contains(page.body, "बिल तीन महीने से बाकी है।") || !strings.Contains(page.body, `data-testid="shut"`) {
		t.Errorf("want to be told why, got %d", page.status)
	}
	// Who signs in anew is told too, in their language.
	again := st.browser(t)
	again.get("/login")
	again.post("/language", url.Values{"lang": {"hi"}, "next": {"/login"}})
	again.get("/login")
	again.want(again.post("/login", url.Values{"email": {"meera@pehchan.example"}, "password": {password}}), http.StatusSeeOther, "/")
	again.want(again.get("/"), http.StatusSeeOther, "/choose")
	if page := again.get("/choose"); !strings.Contains(page.body, "रोका गया") {
		t.Error("want it said in Hindi")
	}

	key.want(key.get("/ingest"), http.StatusForbidden, "business_suspended")
	if hear(t, stream, "never said") || time.Since(began) > 5*time.Second {
		t.Errorf("the stream ended after %s, want within five seconds", time.Since(began))
	}
	if r := ravi.get("/contacts"); r.status != http.StatusOK {
		t.Errorf("another business: want 200, got %d", r.status)
	}
	other.want(other.get("/ingest"), http.StatusOK, "")
	if !hear(t, raviStream, ": beat") {
		t.Error("want another business's stream to stay")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}

	// The owners hear of it, beside the three who are told that they signed in anew.
	var told []string
	for _, l := range st.letters(t, 4) {
		if strings.Contains(l.subject, "asha-clinic") {
			told = append(told, l.to)
		}
	}
	if len(told) != 1 || told[0] != "<asha@pehchan.example>" {
		t.Errorf("%v were told, want Asha", told)
	}

	st.put(t, st.clinic, tenants.Suspended, tenants.Active, "")
	if r := asha.get("/contacts"); r.status != http.StatusOK {
		t.Errorf("after it was lifted: want the same session to work, got %d", r.status)
	}
}

func TestOwnerClosesAndKeepsOpen(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", access.Agent)
	asha, meera := st.signedIn(t, "asha"), st.signedIn(t, "meera")

	if r := asha.get("/settings"); !strings.Contains(r.body, `href="/closing"`) {
		t.Error("want the way there in the settings")
	}
	if r := meera.get("/settings"); strings.Contains(r.body, `href="/closing"`) {
		t.Error("want no way there for an agent")
	}
	asha.get("/closing")
	if r := asha.post("/closing", url.Values{"confirm": {"something else"}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("another name: want 422, got %d", r.status)
	}
	asha.want(asha.post("/closing", url.Values{"confirm": {"asha-clinic"}}), http.StatusSeeOther, "/closing")

	asha.want(asha.get("/"), http.StatusSeeOther, "/closing")
	asha.want(asha.get("/home"), http.StatusSeeOther, "/closing")
	if r := asha.get("/closing"); r.status != http.StatusOK || !strings.Contains(r.body, `data-testid="keep-open"`) || !strings.Contains(r.body, `href="/contacts/export"`) {
		t.Errorf("want to keep it open or to export, got %d", r.status)
	}
	if r := asha.get("/contacts/export"); r.status != http.StatusOK {
		t.Errorf("export while closing: want 200, got %d", r.status)
	}
	meera.want(meera.get("/home"), http.StatusSeeOther, "/choose")
	if r := meera.get("/choose"); !strings.Contains(r.body, `data-testid="shut"`) {
		t.Error("want an agent told that it closes")
	}

	asha.get("/closing")
	asha.want(asha.post("/closing/cancel", nil), http.StatusSeeOther, "/closing")
	for _, b := range []*browser{asha, meera} {
		if r := b.get("/home"); r.status != http.StatusOK {
			t.Errorf("after it was taken back: want 200, got %d", r.status)
		}
	}

	// What an operator closes is not theirs to take back, neither on the page nor by its form.
	st.put(t, st.clinic, tenants.Active, tenants.Closing, "Fraud")
	if r := asha.get("/closing"); r.status != http.StatusOK || strings.Contains(r.body, `data-testid="keep-open"`) || !strings.Contains(r.body, "only they can take that back") {
		t.Errorf("closed by an operator: want it said and no button, got %d", r.status)
	}
	if r := asha.post("/closing/cancel", nil); r.status != http.StatusConflict {
		t.Errorf("take back what an operator closed: want 409, got %d", r.status)
	}
}
