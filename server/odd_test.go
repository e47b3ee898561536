package server_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What is no text, or no time or number that PostgreSQL knows, is refused as such and never an internal error.
func TestOddInputIsRefused(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "olga", "support")
	shop := st.shop(t, st.clinic)
	shop.writes(0, "919800000001", "", "Priya", "hello")
	at := "/contacts/" + shop.whois(whatsapp.KindPhone, "919800000001").ID.String()
	asha, olga := st.signedIn(t, "asha"), st.signedIn(t, "olga")

	far := base64.RawURLEncoding.EncodeToString([]byte(`{"t":"2026-01-01T00:00:00+23:59","i":"` + uuid.NewString() + `"}`))
	for path, want := range map[string]int{
		"/contacts?q=%40%00": 422, "/contacts?q=%ff": 422, "/contacts?q=\xff": 422, "/contacts?%ff=1": 422, "/contacts/\xff": 404,
		"/contacts?cursor=" + far: 200, at + "?before=" + far: 200, "/resolve?cursor=" + far: 200,
		"/audit?before=99999999999": 200, "/audit?before=9223372036854775808": 404,
	} {
		if r := asha.get(path); r.status != want {
			t.Errorf("%q: want %d, got %d", path, want, r.status)
		}
	}
	// Case 97: what is no place in a list begins it nowhere.
	for b, places := range map[*browser][]string{
		asha: {
			"/contacts?cursor", "/contacts/import?cursor", at + "?before", "/resolve?cursor", "/resolve/next?after", "/inbox?cursor", "/audit?before", "/changes?before", "/settings/links?before",
			"/prep/faq?from", "/prep/questions?from", "/adoption/people?show=active&cursor",
		},
		olga: {"/op?after", "/op/tenants?after", "/op/held?before", "/op/facts?after", "/op/library?from", "/op/audit?before"},
	} {
		for _, place := range places {
			if r := b.get(place + "="); r.status >= http.StatusBadRequest {
				t.Errorf("%s=: want the beginning, got %d", place, r.status)
			}
			for _, odd := range []string{"-1", "nonsense", "NaN", "1e9", "99999999999999999999", "0x1", "%00"} {
				if r := b.get(place + "=" + odd); r.status != http.StatusNotFound && r.status != http.StatusUnprocessableEntity {
					t.Errorf("%s=%s: want it refused, got %d", place, odd, r.status)
				}
			}
		}
	}
	for _, name := range []string{"number", "waba", "app", "reason"} {
		for _, odd := range []string{"%00", "%ff", "a%00b", "%ed%a0%80"} {
			if r := olga.get("/op/held?" + name + "=" + odd); r.status != http.StatusUnprocessableEntity {
				t.Errorf("/op/held?%s=%s: want 422, got %d", name, odd, r.status)
			}
		}
	}
	for _, name := range []string{"display_name", "notes"} {
		for _, odd := range []string{"\xff", "a\x00b", "\xed\xa0\x80"} {
			asha.get(at)
			if r := asha.post(at, url.Values{"version": {"1"}, name: {odd}}); r.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %q: want 422, got %d", name, odd, r.status)
			}
		}
	}
	if log := st.log.String(); strings.Contains(log, "status=500") {
		t.Errorf("want no internal error in the log: %s", log)
	}
}
