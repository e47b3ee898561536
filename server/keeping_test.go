package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
)

// TestKeepingIsConfirmed: whoever has things kept shorter sees first how much would go, and types digits. A hold says on the page that
// nothing goes.
func TestKeepingIsConfirmed(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	kept := func() (days int) {
		if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
			was, err := privacy.Kept(t.Context(), tx)
			days = was[privacy.Looks]
			return err
		}); err != nil {
			t.Fatal(err)
		}

		return days
	}
	if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO contact_views (tenant_id, contact_id, day, viewer, how, name)
			SELECT $1, gen_random_uuid(), now() - interval '3 years', 'person:x', 'page', 'Meera' FROM generate_series(1, 7)`, st.clinic.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	choice := func(days, confirm string) url.Values {
		return url.Values{"raw": {"0"}, "messages": {"0"}, "aside": {"0"}, "lists": {"0"}, "views": {days}, "confirm": {confirm}}
	}

	// What is kept for good is offered the usual times, which stand in the form before anything is saved.
	asha.has(asha.get("/privacy"), http.StatusOK, `data-testid="to-usual"`, "Messages: 730 days", "What was set aside: 90 days")
	asha.has(asha.get("/privacy?usual=1"), http.StatusOK, `<option value="730" selected`, "Nothing has been changed yet")
	if kept() != 0 {
		t.Fatalf("kept %d days by looking", kept())
	}
	r := asha.post("/privacy/keeping", choice("365", ""))
	digits := regexp.MustCompile(`data-confirm-word="(\d{4})"`).FindStringSubmatch(r.body)
	if r.status != http.StatusOK || digits == nil || !strings.Contains(r.body, "7, the oldest of") || strings.Contains(r.body, "<script>") || kept() != 0 {
		t.Fatalf("kept shorter: %d, kept %d days, want a page that says what would go", r.status, kept())
	}
	if r := asha.post("/privacy/keeping", choice("365", "no")); r.status != http.StatusUnprocessableEntity || kept() != 0 {
		t.Errorf("with other digits: %d, kept %d days", r.status, kept())
	}
	if r := asha.post("/privacy/keeping", choice("1", "")); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, `id="keeping"`) {
		t.Errorf("too short: %d, want the form again", r.status)
	}
	asha.want(asha.post("/privacy/keeping", choice("365", digits[1])), http.StatusSeeOther, "/privacy#keeping")
	if kept() != 365 {
		t.Errorf("after the digits: kept %d days", kept())
	}
	asha.want(asha.post("/privacy/keeping", choice("730", "")), http.StatusSeeOther, "/privacy#keeping") // longer asks for nothing

	if r := asha.post("/privacy/hold", url.Values{"reason": {""}}); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a hold without a reason: %d", r.status)
	}
	asha.want(asha.post("/privacy/hold", url.Values{"reason": {"summons, ask 9812345601"}}), http.StatusSeeOther, "/privacy#keeping")
	if page := asha.get("/privacy").body; !strings.Contains(page, "Legal hold since") || !strings.Contains(page, "summons") || strings.Contains(page, "9812345601") {
		t.Error("the page does not say that a hold stands, and why, without a phone")
	}
	if page := asha.get("/audit").body; !strings.Contains(page, "Legal hold set") {
		t.Error("the hold is not in the audit")
	}
	asha.want(asha.post("/privacy/hold", url.Values{"end": {"yes"}}), http.StatusSeeOther, "/privacy#keeping")
	if page := asha.get("/privacy").body; strings.Contains(page, "Legal hold since") {
		t.Error("the hold stands after its end")
	}
}
