package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestOperatorSeesCountsAndNobody(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, known := st.signedIn(t, "asha"), sandbox.Known().Numbers
	at := asha.connect(known[0])
	st.send(t, delivery(known[0], textMessage("one")))
	st.send(t, delivery(known[3], textMessage("two"), textMessage("three")))
	asha.until(at+"/live", "first-arrived")

	st.operator(t, "omar", "support")
	omar := st.signedIn(t, "omar")
	held := omar.until("/op/held", `data-testid="held-row"`)
	for _, want := range []string{known[3].PhoneNumberID, "Nobody has connected this number.", "demo", "2 events are held"} {
		if !strings.Contains(held.body, want) {
			t.Errorf("want %q among the held: %s", want, held.body)
		}
	}
	op := omar.get("/op")
	for _, want := range []string{"asha-clinic", "ravi-motors", "See the 2 held events"} {
		if !strings.Contains(op.body, want) {
			t.Errorf("want %q on the operator's page: %s", want, op.body)
		}
	}
	for _, r := range []answer{held, op} {
		if r.status != http.StatusOK || strings.Contains(r.body, "9800000101") || strings.Contains(r.body, "Priya") || strings.Contains(r.body, "IN.1001") || strings.Contains(r.body, "parcel") {
			t.Errorf("want nobody's customer on an operator's page, got %d %s", r.status, r.body)
		}
	}
	if n := strings.Count(held.body[:strings.Index(held.body, "<main")], `aria-current="page"`); n != strings.Count(op.body[:strings.Index(op.body, "<main")], `aria-current="page"`) {
		t.Errorf("want held alone to be current there, got %d places", n)
	}
	for _, path := range []string{"/home", "/numbers", at} {
		if r := omar.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s: want an operator refused, got %d", path, r.status)
		}
	}
	if r := omar.get("/op?after=x"); r.status != http.StatusNotFound {
		t.Errorf("a made-up place in the list: want 404, got %d", r.status)
	}

	// What cannot be read and names nobody is told of, and not shown.
	st.send(t, `{"object": "whatsapp_business_account", "entry": [{"words of": "Priya"`)
	torn := omar.until("/op/held", `data-testid="unowned-row"`)
	omar.has(torn, http.StatusOK, "1 event could not be read and names no business", "The whole delivery could not be read.", "70 bytes", "demo")
	omar.lacks(torn, "Priya", "words of")
	omar.has(omar.get("/op"), http.StatusOK, `href="/op/held#unowned-title"`)
	if r := omar.get("/op/held?before=x"); r.status != http.StatusNotFound {
		t.Errorf("a made-up place in the list: want 404, got %d", r.status)
	}

	// Connecting the number adopts what was held.
	ravi := st.signedIn(t, "ravi")
	ravi.get("/numbers/new/manual")
	ravi.connect(known[3])
	omar.until("/op/held", `data-testid="empty"`)
}

// Somebody of a business who is an operator too wears one hat at a time.
func TestOperatorOfABusinessWearsOneHat(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "omar", "admin")
	st.member(t, st.clinic, "omar", "agent")
	omar := st.signedIn(t, "omar")

	home := omar.get("/home")
	omar.has(home, http.StatusOK, `data-testid="to-operator"`)
	omar.lacks(home, `href="/op"`)
	for _, path := range []string{"/op", "/op/held"} {
		if r := omar.get(path); r.status != http.StatusForbidden {
			t.Errorf("%s from inside a business: got %d, want it refused", path, r.status)
		}
	}

	omar.get("/home")
	omar.want(omar.post("/tenant", url.Values{"tenant": {"operator"}}), http.StatusSeeOther, "/")
	omar.want(omar.get("/"), http.StatusSeeOther, "/op")
	op := omar.get("/op")
	omar.has(op, http.StatusOK, st.clinic.ID.String(), `data-testid="to-operator"`)
	omar.lacks(op, `href="/home"`)
	if r := omar.get("/home"); r.status != http.StatusForbidden {
		t.Errorf("/home from the operator's pages: got %d, want it refused", r.status)
	}

	omar.get("/op")
	omar.want(omar.post("/tenant", url.Values{"tenant": {st.clinic.ID.String()}}), http.StatusSeeOther, "/")
	omar.has(omar.get("/home"), http.StatusOK)

	asha := st.signedIn(t, "asha")
	for _, to := range []string{"operator", "00000000-0000-0000-0000-000000000000"} {
		asha.get("/home")
		if r := asha.post("/tenant", url.Values{"tenant": {to}}); r.status != http.StatusNotFound {
			t.Errorf("an owner goes to %q: got %d, want 404", to, r.status)
		}
	}
}
