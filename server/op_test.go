package server_test

import (
	"net/http"
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

	// Connecting the number adopts what was held.
	ravi := st.signedIn(t, "ravi")
	ravi.get("/numbers/new/manual")
	ravi.connect(known[3])
	omar.until("/op/held", `data-testid="empty"`)
}
