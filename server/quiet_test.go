package server_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// In the quiet hours of a business a reminder waits for their end, and an invitation does not.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "meera", "agent")
	asha := st.signedIn(t, "asha")
	zone := st.clinic.Location()
	clock := func(d time.Duration) string { return time.Now().In(zone).Add(d).Format("15:04") }

	asha.has(asha.get("/settings"), http.StatusOK, `data-testid="quiet-hours"`, `value="21:00"`, "By the clock of the business: Asia/Kolkata.")
	for what, form := range map[string]url.Values{
		"until": {"on": {"yes"}, "from": {"21:00"}, "until": {"21:00"}}, "from": {"on": {"yes"}, "from": {"25:00"}, "until": {"08:00"}},
	} {
		asha.has(asha.post("/settings/quiet", form), http.StatusUnprocessableEntity, `data-testid="wrong-`+what+`"`)
	}
	asha.want(asha.post("/settings/quiet", url.Values{"on": {"yes"}, "from": {clock(-2 * time.Hour)}, "until": {clock(2 * time.Hour)}}), http.StatusSeeOther, "/settings#quiet")
	asha.has(asha.get("/settings"), http.StatusOK, `value="`+clock(2 * time.Hour)[:2])
	asha.has(asha.get("/audit"), http.StatusOK, "Quiet hours changed")

	// when is in how many minutes a mail goes out.
	when := func(key string) (minutes float64) {
		t.Helper()
		err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
			return tx.Get(&minutes, `SELECT extract(epoch FROM run_at - now()) / 60 FROM mails WHERE tenant_id = $1 AND key LIKE $2 || '%'`, tx.Tenant, key)
		})
		if err != nil {
			t.Fatal(key, err)
		}
		return minutes
	}
	asha.get("/prep")
	asha.want(asha.post("/prep/nudge/all", nil), http.StatusSeeOther, "/prep")
	if got := when("nudge "); got < 100 || got > 121 {
		t.Errorf("a reminder in quiet hours: in %.0f minutes, want at their end", got)
	}
	asha.get("/team")
	asha.want(asha.post("/team", url.Values{"email": {"new@pehchan.example"}, "role": {"agent"}}), http.StatusSeeOther, "/team")
	if got := when("invitation "); got > 1 {
		t.Errorf("an invitation: in %.0f minutes, want at once", got)
	}

	var others int
	if err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		return tx.Get(&others, `SELECT count(*) FROM tenants WHERE slug <> 'asha-clinic' AND quiet_from <> quiet_until`)
	}); err != nil || others != 0 {
		t.Errorf("%d other businesses have quiet hours, %v", others, err)
	}
	asha.get("/settings")
	asha.want(asha.post("/settings/quiet", url.Values{"from": {"21:00"}, "until": {"08:00"}}), http.StatusSeeOther, "/settings#quiet")
	forget := func() {
		t.Helper()
		if err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
			_, err := tx.Exec(`WITH forgotten AS (DELETE FROM nudges WHERE tenant_id = $1) DELETE FROM mails WHERE tenant_id = $1`, tx.Tenant)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	forget()
	asha.get("/prep")
	asha.want(asha.post("/prep/nudge/all", nil), http.StatusSeeOther, "/prep")
	if got := when("nudge "); got > 1 {
		t.Errorf("a reminder without quiet hours: in %.0f minutes, want at once", got)
	}

	// Meera has hours of her own: hers wait, Asha's would not.
	meera := st.signedIn(t, "meera")
	meera.has(meera.get("/settings"), http.StatusOK, `data-testid="my-quiet-hours"`)
	meera.lacks(meera.get("/settings"), `data-testid="quiet-hours"`)
	meera.has(meera.post("/settings/quiet/mine", url.Values{"on": {"yes"}, "from": {"25:00"}, "until": {"08:00"}}), http.StatusUnprocessableEntity, `data-testid="wrong-from"`)
	meera.want(meera.post("/settings/quiet/mine", url.Values{"on": {"yes"}, "from": {clock(-2 * time.Hour)}, "until": {clock(time.Hour)}}), http.StatusSeeOther, "/settings#quiet-mine")
	forget()
	asha.get("/prep")
	asha.want(asha.post("/prep/nudge/all", nil), http.StatusSeeOther, "/prep")
	if got := when("nudge "); got < 40 || got > 61 {
		t.Errorf("a reminder in her own quiet hours: in %.0f minutes, want at their end", got)
	}
	asha.has(asha.get("/audit"), http.StatusOK, "Own quiet hours changed")
}
