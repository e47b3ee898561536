package server_test

import (
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestHomeOfATeam(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]
	at := asha.connect(number)
	st.send(t, delivery(number, textMessage("one")))
	asha.until(at+"/live", "first-arrived")
	st.exec(t, `UPDATE people SET density = 'team'`)

	r := asha.get("/home")
	for _, want := range []string{`data-testid="stat-coverage"`, "1 of 1 customers", `data-testid="stat-lost"`, "of 1 received"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("want %q at home: %s", want, r.body)
		}
	}
	st.member(t, st.clinic, "tara", "marketing")
	st.exec(t, `UPDATE people SET density = 'team'`)
	if r := st.signedIn(t, "tara").get("/home"); strings.Contains(r.body, `href="/resolve"`) || strings.Contains(r.body, `href="/numbers"`) || !strings.Contains(r.body, "stat-coverage") {
		t.Errorf("want figures without ways that are shut: %s", r.body)
	}
	if r := st.signedIn(t, "ravi").get("/home"); !strings.Contains(r.body, "0 of 0 customers") || strings.Contains(r.body, "Priya") {
		t.Errorf("want nothing of another business: %s", r.body)
	}
}
