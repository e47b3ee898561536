package server_test

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var (
	figureLink = regexp.MustCompile(`<a class="link" href="(/(?:resolve|overview/rows)\?[^"]+)">([0-9]+)</a>`)
	listedRow  = regexp.MustCompile(`data-testid="(?:case|row)-[^"]+"`)
)

// Each figure about the queue and the links opens as many rows as it says.
func TestFiguresOfTheWorkOpenTheirRows(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	for daysAgo, ids := range map[int][]string{0: {"IN.31"}, 3: {"IN.32", "IN.33"}, 10: {"IN.34"}, 60: {"IN.35", "IN.36", "IN.37"}} {
		for _, id := range ids {
			s.heard(daysAgo, whatsapp.Party{BSUID: id})
		}
	}
	s.heard(2, whatsapp.Party{Phone: "919800000140"})
	s.heard(1, whatsapp.Party{BSUID: "IN.40"})
	s.heard(0, whatsapp.Party{Phone: "919800000140", BSUID: "IN.40"})

	asha := st.signedIn(t, "asha")
	r := asha.get("/overview")
	want := map[string]string{
		"/resolve?age=day&kind=unresolved&tab=open": "1", "/resolve?age=week&kind=unresolved&tab=open": "2", "/resolve?age=month&kind=unresolved&tab=open": "1",
		"/resolve?age=older&kind=unresolved&tab=open": "3", "/resolve?kind=unresolved&tab=open": "7",
	}
	found := 0
	for _, link := range figureLink.FindAllStringSubmatch(r.body, -1) {
		path, n := html.UnescapeString(link[1]), link[2]
		if figure, listed := want[path]; listed && figure != n {
			t.Errorf("%s: %s, want %s", path, n, figure)
		}
		list := asha.get(path)
		if rows := len(listedRow.FindAllString(list.body, -1)); list.status != http.StatusOK || n != string(rune('0'+rows)) {
			t.Errorf("%s: %d rows behind %s (%d)", path, rows, n, list.status)
		}
		delete(want, path)
		found++
	}
	if len(want) > 0 || !strings.Contains(r.body, `href="/overview/rows?show=linked_auto"`) {
		t.Errorf("%d figures lead on; these do not, or no link counts: %v", found, want)
	}
	asha.has(asha.get("/resolve?tab=open&kind=unresolved&age=older"), http.StatusOK, "Unknown customers, waiting more than 30 days")
	asha.has(asha.get("/overview/rows?show=linked_manual"), http.StatusOK, "Nothing to list")
	asha.has(asha.get("/overview/rows?show=nonsense"), http.StatusNotFound)
	if next := asha.get("/resolve/next?tab=open&kind=unresolved&age=month"); next.status != http.StatusSeeOther || !strings.Contains(next.location, "age=month") {
		t.Errorf("the next case is not looked for in the same rows: %d %s", next.status, next.location)
	}

	ravi := st.signedIn(t, "ravi")
	for _, path := range []string{"/resolve?tab=open&kind=unresolved", "/overview/rows?show=linked_auto", "/overview/rows?show=decided"} {
		if r := ravi.get(path); r.status != http.StatusOK || listedRow.MatchString(r.body) {
			t.Errorf("%s: another business's rows (%d)", path, r.status)
		}
	}
}

// Each chart can be taken away as a file, in the reader's language, and no cell of it is a formula.
func TestChartsAsCSV(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.adopters()
	asha := st.signedIn(t, "asha")
	health := "/numbers/" + s.number.String() + "/health/export"
	month := "/reports/monthly/export?month=" + time.Now().UTC().Format("2006-01")
	for path, rows := range map[string]int{
		health: 61, health + "?by=hour": 193, health + "?by=lag": 2, "/adoption/forecast/export": 4, "/adoption/reach/export": 5, month: 8,
		"/overview/export": 7, "/prep/quality/export": 0,
	} {
		r := asha.get(path)
		reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.body, "\uFEFF")))
		reader.FieldsPerRecord = -1
		lines, err := reader.ReadAll()
		if err != nil || r.status != http.StatusOK || rows > 0 && len(lines) != rows || len(lines) < 2 {
			t.Errorf("%s: %d lines (%d), %v, want %d: %.300s", path, len(lines), r.status, err, rows, r.body)
		}
	}
	asha.has(asha.get(health+"?by=x"), http.StatusNotFound)
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/overview"}})
	asha.has(asha.get("/adoption/reach/export"), http.StatusOK, "ग्राहक")

	if r := st.signedIn(t, "ravi").get(health); r.status != http.StatusNotFound {
		t.Errorf("another business's number: %d, want 404", r.status)
	}
}
