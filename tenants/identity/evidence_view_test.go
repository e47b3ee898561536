package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func (w *world) evidence(c identity.Contact) []identity.Proof {
	w.t.Helper()

	var proofs []identity.Proof
	w.as(func(tx *tenants.Tx) (err error) {
		proofs, err = identity.Evidence(w.t.Context(), tx, c.ID)
		return err
	})

	return proofs
}

func kindsOf(proofs []identity.Proof) string {
	var kinds []string
	for _, p := range proofs {
		kinds = append(kinds, p.Kind+p.Tier)
	}

	return strings.Join(kinds, " ")
}

func TestEvidenceTellsHowWeKnow(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "a", phone: "919800000101", bsuid: "IN.1", name: "Asha", username: "asha.v"},
		event{at: 1, wamid: "s", status: "read", phone: "919800000102", bsuid: "IN.2"},
		event{at: 2, wamid: "b", bsuid: "IN.3", text: "my number is 98000 00101"},
		event{at: 3, wamid: "r", system: "user_changed_user_id", phone: "919800000101", oldBSUID: "IN.1", newBSUID: "IN.4"},
	)
	asha := w.evidence(w.whois(whatsapp.KindBSUID, "IN.4"))
	if got, want := kindsOf(asha), "rotationA messageA profile_name username"; got != want {
		t.Errorf("evidence %q, want %q", got, want)
	}
	if r := asha[0]; len(r.Handles) != 2 || r.Handles[1].Value != "IN.1" || len(r.Turned) != 1 || r.Turned[0].Value != "IN.4" || len(r.Items) != 1 {
		t.Errorf("rotation %+v, want IN.1 to IN.4 and its item", r)
	}

	typed := w.evidence(w.whois(whatsapp.KindBSUID, "IN.3"))
	if got, want := kindsOf(typed), "hintB"; got != want || typed[0].Code != "typed_number" || typed[0].Handles[0].Value != "919800000101" {
		t.Errorf("evidence %q %+v, want a typed number of tier B", got, typed)
	}
}

func TestTakeBackAsksAgain(t *testing.T) {
	t.Parallel()
	known := event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh Kumar"}
	stranger := event{at: 1, wamid: "b", bsuid: "IN.2", name: "राजेश", text: "my number is 98000 00102"}

	for _, decision := range []string{"not_same", "new", "unsure"} {
		t.Run(decision, func(t *testing.T) {
			t.Parallel()
			w := freshWorld(t)
			w.feed(known, stranger)
			before, c := w.picture(), w.onlyCase()
			if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: decision, Contact: c.Candidates[0].Contact.ID}); err != nil {
				t.Fatal(err)
			}
			w.as(func(tx *tenants.Tx) error {
				last, ok, err := identity.Last(t.Context(), tx, meera)
				if !ok || last.Case != c.ID || last.Decision != decision {
					t.Errorf("last %+v %t, want this case decided %s", last, ok, decision)
				}
				if _, ok, _ := identity.Last(t.Context(), tx, joseph); ok {
					t.Error("somebody else is offered to take it back")
				}
				if _, err := identity.TakeBack(t.Context(), tx, joseph, c.ID); tenants.ConflictCode(err) != "nothing_to_take_back" {
					t.Errorf("somebody else takes it back: %v, want nothing_to_take_back", err)
				}
				return err
			})
			w.as(func(tx *tenants.Tx) error {
				_, err := identity.TakeBack(t.Context(), tx, meera, c.ID)
				return err
			})
			if got := w.onlyCase(); got.ID != c.ID || got.Kind != c.Kind || len(got.UnsureBy) != 0 || w.picture() != before {
				t.Errorf("case %+v is not what it was:\n%s\nwas\n%s", got, w.picture(), before)
			}
			w.as(func(tx *tenants.Tx) error {
				if _, ok, _ := identity.Last(t.Context(), tx, meera); ok {
					t.Error("what was taken back can be taken back again")
				}
				_, err := identity.Week(t.Context(), tx)
				return err
			})
		})
	}
}

func TestListByReach(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000101", bsuid: "IN.1"}, event{at: 1, wamid: "b", bsuid: "IN.2"}, event{at: 2, wamid: "c", phone: "919800000103"},
		event{at: 3, wamid: "d", bsuid: "IN.4"})
	for reach, want := range map[string]int{identity.ReachBoth: 1, identity.ReachID: 2, identity.ReachPhone: 1} {
		w.as(func(tx *tenants.Tx) error {
			got, next, err := identity.ListReach(t.Context(), tx, reach, identity.Page{Limit: 1})
			for next != "" && err == nil {
				var more []identity.Contact
				more, next, err = identity.ListReach(t.Context(), tx, reach, identity.Page{Limit: 1, Cursor: next})
				got = append(got, more...)
			}
			if len(got) != want {
				t.Errorf("%s: %d contacts, want %d", reach, len(got), want)
			}
			return err
		})
	}
}

func TestEvidenceNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	asha, ravi := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	asha.feed(event{wamid: "b", bsuid: "IN.2"})
	c, k := asha.whois(whatsapp.KindBSUID, "IN.2"), asha.onlyCase()
	if _, _, err := asha.decide(meera, identity.Decision{Case: k.ID, Kind: "new"}); err != nil {
		t.Fatal(err)
	}
	ravi.as(func(tx *tenants.Tx) error {
		if _, err := identity.Evidence(t.Context(), tx, c.ID); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("evidence of another tenant: %v, want not found", err)
		}
		if _, ok, _ := identity.Last(t.Context(), tx, meera); ok {
			t.Error("a decision in another tenant is offered")
		}
		week, err := identity.Week(t.Context(), tx)
		if week != (identity.Settled{}) {
			t.Errorf("week %+v of another tenant", week)
		}
		list, _, err2 := identity.ListReach(t.Context(), tx, identity.ReachID, identity.Page{})
		if len(list) != 0 {
			t.Errorf("%d contacts of another tenant", len(list))
		}
		return errors.Join(err, err2)
	})
	if err := ravi.db.As(t.Context(), ravi.tenant, func(tx *tenants.Tx) error {
		_, err := identity.TakeBack(t.Context(), tx, meera, k.ID)
		return err
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("taking back another tenant's decision: %v, want not found", err)
	}
}
