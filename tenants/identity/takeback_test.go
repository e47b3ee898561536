package identity_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// All that one person did is taken back: what they merged, called new, held apart, put off and could not tell. What a colleague did stays.
func TestAllThatSomebodyDidIsTakenBack(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	story := []event{
		{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh Kumar"},
		{wamid: "b", minute: 1, phone: "919800000103", name: "Asha"},
		{wamid: "c", minute: 2, phone: "919800000104", name: "Bina"},
		{at: 1, wamid: "d", bsuid: "IN.2", name: "Chitra"},
		{at: 1, minute: 1, wamid: "e", bsuid: "IN.3", name: "Divya"},
		{at: 1, minute: 2, wamid: "f", bsuid: "IN.4", name: "राजेश", text: "my number is 98000 00102"},
		{at: 1, minute: 3, wamid: "g", bsuid: "IN.5", name: "Esha"},
		{at: 1, minute: 4, wamid: "h", bsuid: "IN.6", name: "Farah"},
	}
	w.feed(story...)
	about := func(bsuid string) (c identity.Case) {
		w.as(func(tx *tenants.Tx) error {
			cases, _, err := identity.Cases(t.Context(), tx, identity.CaseFilter{State: "open"})
			for _, k := range cases {
				if k.ContactID != nil && *k.ContactID == w.whois("bsuid", bsuid).ID {
					c = k
				}
			}
			return err
		})

		return c
	}
	do := func(actor tenants.Actor, d identity.Decision) {
		if _, _, err := w.decide(actor, d); err != nil {
			t.Fatalf("%s: %v", d.Kind, err)
		}
	}
	do(joseph, identity.Decision{Case: about("IN.6").ID, Kind: "new"})
	before := w.picture()

	w.merge(w.whois("phone", "919800000103"), w.whois("phone", "919800000104")) // by meera
	until := time.Now().AddDate(0, 0, 2)
	do(meera, identity.Decision{Case: about("IN.2").ID, Kind: "new"})
	do(meera, identity.Decision{Case: about("IN.3").ID, Kind: "hold", Until: &until})
	suggested := about("IN.4")
	do(meera, identity.Decision{Case: suggested.ID, Kind: "not_same", Contact: suggested.Candidates[0].Contact.ID})
	do(meera, identity.Decision{Case: about("IN.5").ID, Kind: "unsure"})
	if w.picture() == before {
		t.Fatal("nothing was decided: the test proves nothing")
	}

	taken := 0
	w.as(func(tx *tenants.Tx) (err error) {
		taken, err = identity.TakeBackAll(t.Context(), tx, tenants.SystemActor, []string{meera.ID})
		return err
	})
	if taken != 5 {
		t.Errorf("%d decisions are taken back; want 5", taken)
	}
	if diff := cmp.Diff(before, w.picture()); diff != "" {
		t.Errorf("what she did is not gone (-before +after):\n%s", diff)
	}
	for _, bsuid := range []string{"IN.3", "IN.5"} {
		if c := about(bsuid); c.HoldUntil != nil || len(c.UnsureBy) > 0 {
			t.Errorf("the case about %s is still put off until %v, or unsure to %v", bsuid, c.HoldUntil, c.UnsureBy)
		}
	}
}
