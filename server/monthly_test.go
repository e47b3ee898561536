package server_test

import (
	"net/http"
	"testing"
	"time"
)

func TestTheMonthOnAPage(t *testing.T) {
	t.Parallel()
	st := newLedgerSite(t)
	st.member(t, st.clinic, "leela", "lead")
	s := st.shop(t, st.clinic)
	s.asha()
	s.writes(2, "", "IN.99", "Ravi", "hello")
	st.exec(t, `UPDATE tenants SET created_at = now() - interval '70 days'`)
	asha := st.signedIn(t, "asha")

	this, before := time.Now().Format("2006-01"), time.Now().AddDate(0, 0, -40).Format("2006-01")
	page := asha.get("/reports/monthly?month=" + this)
	asha.has(page, http.StatusOK, `data-testid="reached"`, `data-testid="auto"`, `data-testid="saved"`, "at 1 minute each", `href="/reports/monthly/rows?month=`+this+`&amp;show=decided"`, `show=reached"`,
		"the month is not over", `data-testid="month-before"`, "asha-clinic")
	asha.lacks(page, `data-testid="month-after"`, "overnight", "earn")
	asha.has(asha.get("/reports/monthly"), http.StatusOK, `data-testid="month-after"`)
	asha.has(asha.get("/reports/monthly?month="+before), http.StatusOK)
	for _, month := range []string{"2019-01", "2999-01", "x", "2026-13"} {
		if r := asha.get("/reports/monthly?month=" + month); r.status != http.StatusNotFound {
			t.Errorf("month %s: got %d, want 404", month, r.status)
		}
	}
	wrote := time.Now().UTC().AddDate(0, 0, -28).Format("2006-01") // Ravi
	rows := asha.get("/reports/monthly/rows?month=" + wrote + "&show=reached")
	asha.has(rows, http.StatusOK, "Ravi", "counted in this month", `href="/reports/monthly?month=`+wrote)
	asha.lacks(rows, "cursor=", "Nothing to list")
	for _, figure := range []string{"auto", "joined", "undone", "decided"} {
		asha.has(asha.get("/reports/monthly/rows?month="+before+"&show="+figure), http.StatusOK, "Nothing to list")
	}
	for _, path := range []string{"", "?show=heard", "?show=reached&month=2019-01"} {
		if r := asha.get("/reports/monthly/rows" + path); r.status != http.StatusNotFound {
			t.Errorf("rows%s: got %d, want 404", path, r.status)
		}
	}
	leela := st.signedIn(t, "leela")
	leela.has(leela.get("/reports/monthly"), http.StatusOK)
}
