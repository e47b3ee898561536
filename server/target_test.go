package server_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

func TestTargetDate(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "meera", "lead")
	s := st.shop(t, st.clinic)
	s.adopters()
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.has(asha.get("/overview"), http.StatusOK, "You have not chosen a target date.")
	asha.lacks(asha.get("/home"), `data-testid="target"`)

	asha.get("/settings")
	day := func(days int) string {
		return time.Now().In(st.clinic.Location()).AddDate(0, 0, days).Format(time.DateOnly)
	}
	for _, wrong := range []string{day(-1), day(6 * 366), "soon", "2026-02-30"} {
		asha.has(asha.post("/settings/target", url.Values{"ready_by": {wrong}}), http.StatusUnprocessableEntity, `data-testid="wrong-ready_by"`, "Choose a day from today on")
	}
	asha.want(asha.post("/settings/target", url.Values{"ready_by": {day(14)}}), http.StatusSeeOther, "/settings#target")
	// Of six customers four have an ID: one of the two others is to become known in each week.
	asha.has(asha.get("/overview"), http.StatusOK, "14 days are left", "4 of 6", `href="/contacts?reach=phone">2<`, "Needed each week until then", ">1<")
	asha.has(asha.get("/home"), http.StatusOK, "14 days are left", "The ID of 4 of 6 contacts is known (67%); 2 are left.")
	asha.want(asha.post("/settings/target", url.Values{"ready_by": {day(7)}}), http.StatusSeeOther, "/settings#target")
	asha.has(asha.get("/overview"), http.StatusOK, "7 days are left")
	asha.has(asha.get("/audit?about=business"), http.StatusOK, "Target date changed", "Ready by")
	asha.has(asha.get("/settings"), http.StatusOK, `value="`+day(7)+`"`)

	meera := st.signedIn(t, "meera")
	meera.has(meera.get("/home"), http.StatusOK, "7 days are left")
	meera.lacks(meera.get("/overview"), "/settings#target")
	ravi.lacks(ravi.get("/home"), `data-testid="target"`)

	st.exec(t, `UPDATE tenants SET ready_by = current_date - 3 WHERE id = $1`, st.clinic.ID)
	asha.has(asha.get("/home"), http.StatusOK, "is over")
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/overview"}})
	asha.has(asha.get("/overview"), http.StatusOK, "निकल चुकी है")
	asha.want(asha.post("/settings/target", nil), http.StatusSeeOther, "/settings#target")
	asha.lacks(asha.get("/home"), `data-testid="target"`)
}
