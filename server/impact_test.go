package server_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
)

func TestImpactReport(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "mark", "marketing")
	s := st.shop(t, st.clinic)
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/adoption/impact"), http.StatusOK, "What hangs on phone numbers", "of 0 contacts")
	s.adopters() // two of six show a phone alone
	r := asha.get("/adoption/impact")
	asha.has(r, http.StatusOK, `href="/contacts?reach=phone">2</a>`, "of 6 contacts", `data-testid="area-threads"`, `data-testid="area-keys"`, "98000 00101")
	if rows := strings.Count(r.body, `class="whole grow" href="/contacts/`); rows != 2 {
		t.Errorf("%d contacts as examples, want 2", rows)
	}
	asha.has(asha.get("/overview"), http.StatusOK, `href="/adoption/impact"`)

	for who, named := range map[string]bool{"asha": true, "mark": false} {
		c := st.signedIn(t, who)
		r := c.get("/adoption/impact/export")
		reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.body, "\uFEFF")))
		reader.FieldsPerRecord = -1
		lines, err := reader.ReadAll()
		if err != nil || len(lines) < 6 || len(lines[1]) < 3 || lines[1][1] != "2" || lines[1][2] != "6" {
			t.Errorf("%s: %v %v", who, lines, err)
		}
		if got := strings.Contains(r.body, "98000 00101"); got != named {
			t.Errorf("%s: a customer in the file: %v, want %v", who, got, named)
		}
		if who == "mark" {
			c.lacks(c.get("/adoption/impact"), "98000 00101")
		}
	}
	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/adoption/impact"), http.StatusOK, "of 0 contacts")
	ravi.lacks(ravi.get("/adoption/impact"), "98000 00101")
}
