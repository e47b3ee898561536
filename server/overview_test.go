package server_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const shopScope = "portfolio:900"

// heard takes in a message of somebody's from some days ago, with what WhatsApp shows of them.
func (s *shop) heard(daysAgo int, p whatsapp.Party) {
	s.t.Helper()
	s.items++
	at := time.Now().AddDate(0, 0, -daysAgo).Truncate(time.Second).UTC()
	p.PhoneRaw = p.Phone
	seen := []identity.Seen{{
		ItemID: s.items, NumberID: s.number, Scope: shopScope, ReceivedAt: at,
		Event: whatsapp.Event{
			Kind: whatsapp.KindMessage, WAMID: "heard-" + uuid.NewString(), At: at, Digest: uuid.NewString(), Direction: whatsapp.DirectionIn,
			Type: "text", Text: "namaste", Party: p,
		},
	}}
	s.as(func(tx *tenants.Tx) error {
		ctx := context.Background()
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		batch, err := identity.Observe(ctx, tx, seen)
		if err != nil {
			return err
		}
		if _, err := conversations.Record(ctx, tx, batch, seen); err != nil {
			return err
		}
		return batch.Settle(ctx)
	})
}

// adopters are two customers without and three with a WhatsApp ID, one of whom has a username and shows the phone, another hides it.
func (s *shop) adopters() {
	s.t.Helper()
	s.heard(0, whatsapp.Party{Phone: "919800000101"})
	s.heard(20, whatsapp.Party{Phone: "919800000102"})
	s.heard(1, whatsapp.Party{Phone: "919800000103", BSUID: "IN.3"})
	s.heard(2, whatsapp.Party{Phone: "14155550104", BSUID: "US.4", Username: "asha.v"})
	s.heard(3, whatsapp.Party{BSUID: "IN.5", Username: "rajesh.gas"})
	s.heard(60, whatsapp.Party{BSUID: "IN.6"})
}

func TestOverview(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/overview"), http.StatusOK, "Nobody has written", "The chart begins with the first message")

	s.adopters()
	r := asha.get("/overview")
	asha.has(r, http.StatusOK, "Of 5 customers who wrote in the last 28 days", "3 of 5", "2 of 5", "1 of 5", "<svg", `data-testid="partial"`, "so far")
	if svg := r.body[strings.Index(r.body, `<figure class="chart">`):strings.Index(r.body, "</figure>")]; len(svg) > 3<<10 {
		t.Errorf("the chart has %d bytes, want at most 3 KB", len(svg))
	}
	asha.has(asha.get("/overview?days=90"), http.StatusOK, "Of 6 customers who wrote in the last 90 days", "4 of 6")
	asha.has(asha.get("/overview?days=7&country=us"), http.StatusOK, "Of 1 customers", "United States")
	asha.has(asha.get("/overview?at="+s.number.String()), http.StatusOK, "Of 5 customers")
	asha.has(asha.get("/overview?at="+url.QueryEscape(shopScope)), http.StatusOK, "Of 5 customers")
	for _, at := range []string{uuid.NewString(), "portfolio:1", "x"} {
		asha.has(asha.get("/overview?at="+at), http.StatusNotFound)
	}
	asha.headers = map[string]string{"Save-Data": "on"}
	if r := asha.get("/overview"); strings.Contains(r.body, `class="chart"`) || !strings.Contains(r.body, "<details class=\"more\" open>") {
		t.Error("want no drawing for who saves data, and the table open")
	}
	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/overview"}})
	asha.has(asha.get("/overview"), http.StatusOK, "5 ग्राहकों ने लिखा", "यूज़रनेम दिखा")

	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/overview"), http.StatusOK, "Nobody has written")
	ravi.has(ravi.get("/overview?at="+s.number.String()), http.StatusNotFound)
}

func TestEachFigureOpensItsCustomers(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "mark", "marketing")
	s := st.shop(t, st.clinic)
	s.adopters()
	asha := st.signedIn(t, "asha")
	week := time.Now().UTC().AddDate(0, 0, -20)
	week = week.AddDate(0, 0, -(int(week.Weekday())+6)%7)
	for path, want := range map[string]int{
		"?show=":                         5,
		"?show=id":                       3,
		"?show=no_id":                    2,
		"?show=named":                    2,
		"?show=hidden":                   1,
		"?show=visible":                  4,
		"?show=id&days=90":               4,
		"?show=named&country=US":         1,
		"?show=&at=" + s.number.String(): 5,
		"?show=&at=" + url.QueryEscape(shopScope):         5,
		"?week=" + week.Format(time.DateOnly):             1,
		"?week=" + week.Format("2006-01-02") + "&show=id": 0,
		"?week=2020-01-06":                                0,
	} {
		r := asha.get("/adoption/people" + path)
		if got := strings.Count(r.body, `data-testid="person-`); r.status != http.StatusOK || got != want {
			t.Errorf("%s: %d customers (%d), want %d", path, got, r.status, want)
		}
		if counted := strings.Contains(r.body, `data-testid="answer">`+string(rune('0'+want))+" customer"); !counted {
			t.Errorf("%s: the page does not count %d", path, want)
		}
	}
	asha.has(asha.get("/adoption/people"), http.StatusOK, "+91 98000 00101")
	mark := st.signedIn(t, "mark")
	mark.lacks(mark.get("/adoption/people"), "98000 00101", "9800000101")
	asha.has(asha.get("/adoption/people?cursor=x"), http.StatusUnprocessableEntity)
	ravi := st.signedIn(t, "ravi")
	if r := ravi.get("/adoption/people"); strings.Contains(r.body, `data-testid="person-`) {
		t.Errorf("another business's customers: %.300s", r.body)
	}
}

var (
	personRow = regexp.MustCompile(`data-testid="person-[^"]+"`)
	nextPage  = regexp.MustCompile(`href="(/adoption/people[^"]*cursor=[^"]+)"`)
)

func TestPeopleComeInPages(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	for i := range 60 {
		s.heard(i%5, whatsapp.Party{BSUID: fmt.Sprintf("IN.1%02d", i)})
	}
	asha := st.signedIn(t, "asha")
	seen, path := map[string]bool{}, "/adoption/people?show=id"
	for pages := 1; path != ""; pages++ {
		r := asha.get(path)
		for _, row := range personRow.FindAllString(r.body, -1) {
			if seen[row] {
				t.Errorf("%s stands on two pages", row)
			}
			seen[row] = true
		}
		path = ""
		if next := nextPage.FindStringSubmatch(r.body); next != nil && pages < 5 {
			path = html.UnescapeString(next[1])
		}
	}
	if len(seen) != 60 {
		t.Errorf("%d customers on all pages, want 60", len(seen))
	}
}

func TestAdoptionAsCSV(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.adopters()
	asha := st.signedIn(t, "asha")
	for query, want := range map[string]struct {
		rows int
		last []string
	}{
		"":        {53, nil},
		"?by=day": {90, []string{time.Now().UTC().Format(time.DateOnly), "1", "0", "0", "0", "no"}},
	} {
		r := asha.get("/adoption/export" + query)
		lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.body, "\uFEFF"))).ReadAll()
		if err != nil || len(lines) != want.rows+1 {
			t.Fatalf("%s: %d lines, %v, want %d", query, len(lines), err, want.rows+1)
		}
		if want.last != nil {
			if diff := cmp.Diff(want.last, lines[len(lines)-1]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
	}
}

func TestAPIAdoption(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	r := st.mine.want(st.mine.get("/adoption"), http.StatusOK, "")
	if got := r.number("current", "active"); got == 0 || r.number("current_days") != 28 || r.at("complete") != true {
		t.Errorf("want the story's customers counted, got %.400s", r.body)
	}
	days, _ := r.at("series").([]any)
	if len(days) != 28 || r.text("series", 27, "day") != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("want 28 days up to today, got %d", len(days))
	}
	r = st.mine.want(st.mine.get("/adoption?from=2026-01-05&to=2026-01-05T10:00:00Z"), http.StatusOK, "")
	if days, _ := r.at("series").([]any); len(days) != 1 || r.number("series", 0, "active") != 0 {
		t.Errorf("want one empty day, got %.300s", r.body)
	}
	number := st.mine.get("/numbers").text("items", 0, "id")
	if r := st.mine.want(st.mine.get("/adoption?number="+number), http.StatusOK, ""); r.number("current", "active") == 0 {
		t.Errorf("want the number's customers, got %.300s", r.body)
	}
	st.theirs.want(st.theirs.get("/adoption?number="+number), http.StatusNotFound, "not_found")
	st.mine.want(st.mine.get("/adoption?number=x"), http.StatusNotFound, "not_found")
	for _, query := range []string{"from=yesterday", "to=x", "from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "days=3"} {
		if r := st.mine.get("/adoption?" + query); r.status != http.StatusBadRequest {
			t.Errorf("%s: want 400, got %d", query, r.status)
		}
	}
}
