package server_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/access"
)

// TestExportsOfADay: all the people of a business together take out so many files in a day and no more. Another business takes out its own.
func TestExportsOfADay(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.exec(t, `
		INSERT INTO sign_in_failures (bucket, at) SELECT $1, now() - interval '20 hours' - i * interval '1 second' FROM generate_series(1, $2) i`,
		"day export "+st.clinic.ID.String(), access.ExportsADay-1)

	purpose := url.Values{"purpose": {"for the accountant"}}
	asha.get("/contacts/export")
	if r := asha.post("/contacts/export", purpose); r.status != http.StatusOK {
		t.Fatalf("the last of the day: %d %.200s", r.status, r.body)
	}
	for path, said := range map[string]string{"/contacts/export": "50 files", "/audit/export": "50 files"} {
		r := asha.post(path, purpose)
		wait, err := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusTooManyRequests || err != nil || wait < 3*3600 || wait > 4*3600 || !strings.Contains(r.body, said) {
			t.Errorf("%s: %d, wait %q, want 429 for nearly four hours with the reason", path, r.status, r.header.Get("Retry-After"))
		}
	}
	if r := asha.post("/contacts/export", nil); r.status != http.StatusUnprocessableEntity {
		t.Errorf("what is no export takes nothing of the measure: %d, want 422", r.status)
	}
	asha.post("/language", url.Values{"lang": {"hi"}})
	if r := asha.post("/contacts/export", purpose); !strings.Contains(r.body, "50 फ़ाइलें") {
		t.Errorf("in Hindi: %d, without the reason", r.status)
	}
	if err := access.RationExport(t.Context(), st.DB, st.motors.ID); err != nil {
		t.Errorf("another business: %v, want it to have a day of its own", err)
	}
}
