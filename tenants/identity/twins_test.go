package identity_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Somebody in a second portfolio may be two people of the first, by the phone the one and by the parent ID the other. Whatever happens to
// one of them, both stay named.
func TestATwinKeepsAllCandidates(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1"},
		event{wamid: "b", phone: "919800000102", bsuid: "IN.2", parent: "IN.ENT.7"},
		event{at: 3, number: farNumber, wamid: "c", phone: "919800000101", bsuid: "IN.9", parent: "IN.ENT.7"},
	)
	candidates := func() (n int) {
		w.as(func(tx *tenants.Tx) error {
			cases, _, err := identity.Cases(t.Context(), tx, identity.CaseFilter{State: "open"})
			for _, k := range cases {
				n += len(k.Candidates)
			}
			return err
		})
		return n
	}
	if got := candidates(); got != 2 {
		t.Fatalf("%d candidates at first, want two", got)
	}
	one := w.whois(whatsapp.KindBSUID, "IN.1")
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.Edit{Contact: one.ID, Version: one.Version, ExternalIDs: &map[string]string{"crm": "K-1"}}.Apply(t.Context(), tx, meera)
		return err
	})
	if got := candidates(); got != 2 {
		t.Errorf("%d candidates once one of them was edited, want two still", got)
	}
}
