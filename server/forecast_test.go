package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestForecastPage(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.member(t, st.clinic, "mark", "marketing")
	s := st.shop(t, st.clinic)
	asha := st.signedIn(t, "asha")
	asha.has(asha.get("/adoption/forecast"), http.StatusOK, "No phone is at risk", "assumes that it is off")

	s.heard(25, whatsapp.Party{Phone: "919800000101"})
	s.heard(26, whatsapp.Party{Phone: "919800000102", BSUID: "IN.2"})
	s.heard(18, whatsapp.Party{Phone: "919800000103"})
	s.heard(1, whatsapp.Party{Phone: "919800000104", BSUID: "IN.4"})
	s.heard(31, whatsapp.Party{Phone: "919800000105"})
	s.heard(2, whatsapp.Party{BSUID: "IN.6"})

	r := asha.get("/adoption/forecast")
	asha.has(r, http.StatusOK, "Nothing to fear for 2 of 4", "1 may be without a phone within 7 days", "1 of 2 have a known ID", "2 of 4 have a known ID", "+91 98000 00101")
	asha.lacks(r, "98000 00102", "98000 00103", "98000 00105")
	asha.has(asha.get("/adoption/forecast?known=1"), http.StatusOK, "+91 98000 00102")
	asha.has(asha.get("/adoption/forecast?within=14"), http.StatusOK, "+91 98000 00101", "+91 98000 00103")
	asha.has(asha.get("/adoption/forecast?cursor=x"), http.StatusUnprocessableEntity)
	mark := st.signedIn(t, "mark")
	r = mark.get("/adoption/forecast?within=30")
	mark.has(r, http.StatusOK, "0101")
	mark.lacks(r, "98000 00101", "9800000101", `data-testid="say-on"`)
	mark.has(mark.post("/adoption/forecast/book", url.Values{"scope": {shopScope}, "state": {"on"}}), http.StatusForbidden)

	// The owner says that the contact book is on: nothing vanishes.
	asha.want(asha.post("/adoption/forecast/book", url.Values{"scope": {shopScope}, "state": {"on"}}), http.StatusSeeOther, "/adoption/forecast")
	r = asha.get("/adoption/forecast")
	asha.has(r, http.StatusOK, "your contact book is on", "assumes that it has been for 30 days")
	asha.lacks(r, "98000 00101", `data-testid="forecast"`)
	asha.want(asha.post("/adoption/forecast/book", url.Values{"scope": {shopScope}, "state": {"off"}}), http.StatusSeeOther, "/adoption/forecast")
	asha.has(asha.get("/adoption/forecast"), http.StatusOK, "Only the 30 days count", "+91 98000 00101")
	asha.has(asha.post("/adoption/forecast/book", url.Values{"scope": {shopScope}, "state": {"perhaps"}}), http.StatusUnprocessableEntity)
	asha.has(asha.get("/audit"), http.StatusOK, "Contact book")

	ravi := st.signedIn(t, "ravi")
	ravi.has(ravi.get("/adoption/forecast?within=30"), http.StatusOK, "No phone is at risk")
	ravi.has(ravi.post("/adoption/forecast/book", url.Values{"scope": {shopScope}, "state": {"on"}}), http.StatusNotFound)

	asha.post("/language", url.Values{"lang": {"hi"}, "next": {"/overview"}})
	asha.has(asha.get("/adoption/forecast"), http.StatusOK, "4 में से 2 की चिंता नहीं")
}

func TestForecastListsInPages(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	s := st.shop(t, st.clinic)
	s.heard(25, whatsapp.Party{Phone: "919800000101"})
	s.as(func(tx *tenants.Tx) error { // sixty more, some within one hour
		_, err := tx.Exec(`
			WITH d AS (INSERT INTO identifiers (tenant_id, id, scope, kind, value, raw, first_seen, last_seen)
			           SELECT $1, gen_random_uuid(), $2, 'phone', 919900000000 + g, '', now(), now() FROM generate_series(1, 60) g RETURNING id, value)
			INSERT INTO phone_windows (tenant_id, phone_id, number_id, last_at, hour, holder)
			SELECT $1, id, $3, at, date_trunc('hour', at), 1
			FROM (SELECT id, date_trunc('minute', now() - interval '26 days' + right(value, 2)::int * interval '7 minutes') AS at FROM d) p`,
			s.tenant, shopScope, s.number)
		return err
	})
	asha := st.signedIn(t, "asha")
	rows, path, last := 0, "/adoption/forecast", ""
	for range 5 {
		r := asha.get(path)
		rows += strings.Count(r.body, `data-testid="fading-row"`)
		_, after, more := strings.Cut(r.body, `href="/adoption/forecast?cursor=`)
		if !more {
			break
		}
		cursor, _, _ := strings.Cut(after, `"`)
		if path = "/adoption/forecast?cursor=" + cursor; path == last {
			t.Fatal("the next page is the same one")
		}
		last = path
	}
	if rows != 61 {
		t.Errorf("%d rows on all pages, want 61", rows)
	}
	asha.has(asha.get("/adoption/forecast"), http.StatusOK, "has never written", fmt.Sprint(time.Now().Year()))
}
