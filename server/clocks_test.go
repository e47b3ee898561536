package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/trust"
)

// Operators see how many requests wait and since when, and nothing of who asks. A business sees nothing of the sort.
func TestPrivacyClocks(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "nisha", "support")
	nisha := st.signedIn(t, "nisha")
	nisha.has(nisha.get("/op/privacy"), http.StatusOK, "No business has a privacy request waiting.", "No requests yet")

	ctx, actor := context.Background(), access.Command("test").Actor
	inClinic := func(do func(tx *tenants.Tx) error) {
		t.Helper()
		if err := st.DB.As(ctx, st.clinic.ID, do); err != nil {
			t.Fatal(err)
		}
	}
	add := func(kind string) (id uuid.UUID) {
		t.Helper()
		inClinic(func(tx *tenants.Tx) (err error) {
			id, err = privacy.Add(ctx, tx, st.keys, actor, privacy.New{Kind: kind, Subject: "@lata.secret", Note: "said at the counter"})
			return err
		})

		return id
	}
	add(privacy.Access)
	late := add(privacy.Erase)
	inClinic(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			UPDATE privacy_requests SET opened_at = now() - interval '40 days', due_at = now() - interval '10 days' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, late)
		return err
	})
	complaint := add(privacy.Grievance)
	inClinic(func(tx *tenants.Tx) error {
		if err := privacy.Close(ctx, tx, actor, complaint, privacy.Refused, "not ours"); err != nil {
			return err
		}
		if err := trust.Set(ctx, tx, actor, trust.Page{On: true, Asks: true, UseEN: "We answer."}); err != nil {
			return err
		}
		if _, err := trust.Ask(ctx, tx, trust.Request{Kind: "access", Reach: "@lata.secret", Body: "Show me.", Lang: "en"}); err != nil {
			return err
		}

		return privacy.CountClocks(ctx, tx)
	})

	page := nisha.get("/op/privacy")
	nisha.has(page, http.StatusOK, "1 request has waited longer than it may.", `data-testid="clock-asha-clinic"`, `data-testid="kind-erase"`,
		`data-testid="kind-access"`, `data-testid="asked"`, "1 of 1", "100%")
	for _, never := range []string{"lata", "counter", `data-testid="kind-grievance"`, `data-testid="clock-ravi-motors"`} {
		if strings.Contains(page.body, never) {
			t.Errorf("the operators' page says %q", never)
		}
	}
	nisha.has(nisha.get("/op"), http.StatusOK, `href="/op/privacy"`)

	asha := st.signedIn(t, "asha")
	asha.get("/usernames/trust")
	if r := asha.get("/op/privacy"); r.status != http.StatusForbidden {
		t.Errorf("want an owner refused, got %d", r.status)
	}
	var asked string
	inClinic(func(tx *tenants.Tx) error {
		return tx.Get(&asked, `SELECT id FROM trust_requests WHERE tenant_id = $1`, tx.Tenant)
	})
	asha.post("/usernames/trust/requests/"+asked, url.Values{})
	if page := nisha.get("/op/privacy"); strings.Contains(page.body, `data-testid="asked"`) {
		t.Error("want what was answered on the public page counted no more")
	}
}

// What one business counts, no other sees.
func TestPrivacyClocksNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	ctx := context.Background()
	if err := st.DB.As(ctx, st.clinic.ID, func(tx *tenants.Tx) error { return privacy.CountClocks(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	for tenant, want := range map[uuid.UUID]int{st.clinic.ID: 1, st.motors.ID: 0} {
		var n int
		if err := st.DB.As(ctx, tenant, func(tx *tenants.Tx) error { return tx.Get(&n, `SELECT count(*) FROM privacy_clocks`) }); err != nil || n != want {
			t.Errorf("got %d rows (%v), want %d", n, err, want)
		}
	}
}
