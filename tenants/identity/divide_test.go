package identity_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// found are the phones or WhatsApp IDs of those whom the list of contacts finds by a query.
func (w *world) found(query string) (handles []string) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error {
		list, _, err := identity.List(w.t.Context(), tx, query, identity.Page{Limit: 10})
		for _, c := range list {
			handles = append(handles, c.BSUID())
		}
		return err
	})

	return handles
}

// A name that came by a phone belongs to whoever held the phone then, in whatever order one hears of that. The holder before is neither
// called so nor found by it.
func TestANameGoesWithThePhonesTime(t *testing.T) {
	t.Parallel()
	for name, story := range map[string][]event{
		"in order": {
			{at: 1, wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha"},
			{at: 20, wamid: "b", phone: "919800000101", name: "Ravi Kumar", username: "ravi.k"},
			{at: 30, wamid: "c", phone: "919800000101", bsuid: "IN.2"},
		},
		"heard of late, within ten minutes": {
			{at: 1, wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha"},
			{at: 20, minute: 6, wamid: "b", phone: "919800000101", name: "Ravi Kumar", username: "ravi.k"},
			{at: 20, minute: 3, wamid: "c", phone: "919800000101", bsuid: "IN.2"},
		},
	} {
		w := freshWorld(t)
		for _, e := range story {
			w.feed(e)
		}
		if c := w.whois(whatsapp.KindBSUID, "IN.1"); c.Name() != "Asha" || c.Username() != "" {
			t.Errorf("%s: the first holder is called %q, @%s; want Asha alone", name, c.Name(), c.Username())
		}
		for _, query := range []string{"Ravi", "@ravi.k"} {
			for _, id := range w.found(query) {
				if id == "IN.1" {
					t.Errorf("%s: %q finds the first holder", name, query)
				}
			}
		}
		if c := w.whois(whatsapp.KindBSUID, "IN.2"); name != "in order" && c.Name() != "Ravi Kumar" {
			t.Errorf("%s: the second holder is called %q, want Ravi Kumar", name, c.Name())
		}
	}
}
