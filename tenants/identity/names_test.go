package identity_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// TestSearchReadsBothScripts: one box finds a person by either script and by the usual spellings, and nobody else.
func TestSearchReadsBothScripts(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "राजेश कुमार 🙏"},
		event{wamid: "b", phone: "919800000102", bsuid: "IN.2", name: "Meena Pillai"},
		event{wamid: "c", phone: "919800000103", bsuid: "IN.3", name: "मोहन लाल", username: "Mohan.Lal"},
	)
	for query, want := range map[string]string{
		"Rajesh": "IN.1", "राजेश": "IN.1", "rajes": "IN.1", "raje kum": "IN.1", "Kumar Rajesh": "IN.1",
		"mohan": "IN.3", "मोहन": "IN.3", "@mohan.lal": "IN.3", "@MOHAN": "IN.3",
		"Meena": "IN.2", "mina": "IN.2", "pillai": "IN.2",
		"0102": "IN.2", "+91 98000 00102": "IN.2", "98000 00103": "IN.3", "919800000101": "IN.1", "IN.2": "IN.2",
		"zubeida": "", "IN.9": "", "9999": "", "%": "", "@": "",
	} {
		w.as(func(tx *tenants.Tx) error {
			found, _, err := identity.List(t.Context(), tx, query, identity.Page{})
			got := ""
			for _, c := range found {
				got += c.BSUID()
			}
			if query == "@" { // everybody with a username
				want = "IN.3"
			}
			if got != want {
				t.Errorf("search %q found %q, want %q", query, got, want)
			}
			return err
		})
	}
}
