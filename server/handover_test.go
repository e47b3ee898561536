package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// looksAfter gives somebody of asha-clinic conversations to look after.
func (st *site) looksAfter(t *testing.T, person uuid.UUID, n int) {
	t.Helper()
	if err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO assignments (tenant_id, identity_id, person_id) SELECT $1, gen_random_uuid(), $2 FROM generate_series(1, $3)`, tx.Tenant, person, n)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// held counts the conversations of asha-clinic that somebody looks after.
func (st *site) held(t *testing.T, person uuid.UUID) (n int) {
	t.Helper()
	if err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&n, `SELECT count(*) FROM assignments WHERE tenant_id = $1 AND person_id = $2`, tx.Tenant, person)
	}); err != nil {
		t.Fatal(err)
	}

	return n
}

func TestWhoeverGoesLeavesTheirWork(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	meera, joseph := st.member(t, st.clinic, "meera", "agent"), st.member(t, st.clinic, "joseph", "lead")
	st.looksAfter(t, meera, 2)
	st.looksAfter(t, joseph, 1)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	path := "/team/" + meera.String()

	if r := asha.get(path); !strings.Contains(r.body, "2 customers whose conversations they look after") || !strings.Contains(r.body, path+"/leave") {
		t.Errorf("want it said what is theirs, got %d", r.status)
	}
	// Without a word on who carries on nothing happens: it is asked.
	for form, to := range map[string]string{"/remove": path + "/leave", "/role": path + "/leave?role=auditor"} {
		asha.get("/team")
		asha.want(asha.post(path+form, url.Values{"role": {"auditor"}}), http.StatusSeeOther, to)
		r := asha.get(to)
		if r.status != http.StatusOK || !strings.Contains(r.body, `value="`+joseph.String()+`"`) || strings.Contains(r.body, `value="`+meera.String()+`"`) {
			t.Errorf("%s: want Joseph to choose, and not Meera, got %d", to, r.status)
		}
	}
	if r := asha.post(path+"/remove", url.Values{"work": {"1"}, "conversations": {uuid.NewString()}}); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `data-testid="wrong-conversations"`) {
		t.Errorf("to nobody we know: got %d", r.status)
	}
	for _, to := range []string{path + "/leave", "/team/x/leave"} {
		if r := ravi.get(to); r.status != http.StatusNotFound {
			t.Errorf("%s from another business: got %d", to, r.status)
		}
	}
	if got := st.held(t, meera); got != 2 {
		t.Fatalf("Meera looks after %d, want nothing done yet", got)
	}

	asha.get(path + "/leave")
	asha.want(asha.post(path+"/remove", url.Values{"work": {"1"}, "conversations": {joseph.String()}}), http.StatusSeeOther, "/team")
	if r := asha.get("/team"); !strings.Contains(r.body, "is passed on") || strings.Contains(r.body, "meera@") {
		t.Errorf("want Meera gone and it said where her work went, got %d", r.status)
	}
	if r := asha.get("/audit"); !strings.Contains(r.body, "Conversations of a colleague passed on") || !strings.Contains(r.body, "joseph") {
		t.Error("want it in the audit, with whom it went to")
	}
	if m, j := st.held(t, meera), st.held(t, joseph); m != 0 || j != 3 {
		t.Errorf("Meera looks after %d and Joseph after %d, want none and 3", m, j)
	}

	// A role that cannot go on leaves it, here to the team; a lead may not do that to a lead.
	asha.want(asha.post("/team/"+joseph.String()+"/role", url.Values{"role": {"auditor"}, "work": {"1"}}), http.StatusSeeOther, "/team")
	if got := st.held(t, joseph); got != 0 {
		t.Errorf("Joseph the auditor looks after %d, want none", got)
	}
	other := st.member(t, st.clinic, "kamla", "lead")
	lead := st.signedIn(t, "kamla")
	if r := lead.get("/team/" + joseph.String() + "/leave"); r.status != http.StatusForbidden {
		t.Errorf("a lead removes an auditor: got %d", r.status)
	}
	if r := asha.get("/team/" + other.String() + "/leave"); !strings.Contains(r.body, `data-testid="nothing-in-hand"`) {
		t.Error("want it said that nothing is theirs")
	}
}
