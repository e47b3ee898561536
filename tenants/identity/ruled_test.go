package identity_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestLinksByRuleAreListedWithTheirEvidence(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.turnOn("quoted_reply")
	w.feed(somebodyKnown, event{at: 38, wamid: "t", status: "delivered", phone: ashaPhone}, event{at: 39, wamid: "b", bsuid: ashaID, quotes: "t"})
	other := newWorld(t, w.db, "ravi-motors")

	w.as(func(tx *tenants.Tx) error {
		links, next, err := identity.ByRule(t.Context(), tx, identity.Page{Limit: 5})
		if err != nil || len(links) != 1 || next != "" {
			t.Fatalf("%d links by rule, next %q, %v; want one", len(links), next, err)
		}
		sign, ok := links[0].Sign()
		if !ok || sign.Code != "quoted_reply" || sign.Args["via"] != ashaPhone || sign.ItemID == 0 {
			t.Errorf("evidence %+v, want the reply to a message sent to %s, and its event", sign, ashaPhone)
		}
		joined, err := identity.LinkHandles(t.Context(), tx, links)
		if err != nil || len(joined[links[0].ID].Handles) != 1 || joined[links[0].ID].Handles[0].Value != ashaID {
			t.Errorf("it joined %+v, %v; want %s", joined, err, ashaID)
		}
		proofs, err := identity.Evidence(t.Context(), tx, *links[0].Keep)
		if err != nil || !hasProof(proofs, "quoted_reply", sign.ItemID) {
			t.Errorf("the contact's evidence %+v, %v, want the reply", proofs, err)
		}
		n, err := identity.CountByRule(t.Context(), tx, 24*time.Hour)
		if n != 1 {
			t.Errorf("%d links by rule since yesterday, want 1", n)
		}
		return err
	})
	if r := w.rule("quoted_reply"); r.Standing != 1 {
		t.Errorf("%d links of the rule stand, want 1", r.Standing)
	}

	other.as(func(tx *tenants.Tx) error {
		links, _, err := identity.ByRule(t.Context(), tx, identity.Page{})
		if len(links) != 0 {
			t.Errorf("another tenant sees %d links", len(links))
		}
		return err
	})
}

func hasProof(proofs []identity.Proof, code string, item int64) bool {
	for _, p := range proofs {
		if p.Code == code && len(p.Items) == 1 && p.Items[0] == item {
			return true
		}
	}

	return false
}

func TestARuleThatTrippedIsToldUntilSomebodyHasSeenIt(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.turnOn("tapped")
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE link_rules SET mode = 'off', tripped = true WHERE tenant_id = $1`, tx.Tenant)
		return err
	})
	tripped := func() (found []identity.Rule) {
		w.as(func(tx *tenants.Tx) (err error) {
			found, err = identity.Tripped(t.Context(), tx)
			return err
		})
		return found
	}

	if found := tripped(); len(found) != 1 || found[0].Evidence != "tapped" {
		t.Fatalf("tripped %+v, want tapped", found)
	}
	w.as(func(tx *tenants.Tx) error {
		if err := identity.SetRule(t.Context(), tx, meera, "tapped", identity.RuleOff); err != nil {
			return err
		}
		running, err := identity.Relinking(t.Context(), tx)
		if _, ok := running["tapped"]; !ok {
			t.Errorf("jobs %v, want one for the rule just switched", running)
		}
		return err
	})
	if found := tripped(); len(found) != 0 {
		t.Errorf("tripped %+v after somebody left it off", found)
	}
}

func TestARotationSaysWhatReplacedWhat(t *testing.T) {
	t.Parallel()
	story := []event{
		{wamid: "a", phone: ashaPhone, bsuid: "IN.1"},
		{at: 10, wamid: "s", system: "user_changed_number", phone: ashaPhone, bsuid: "IN.1", newPhone: "919800000109"},
		{at: 11, wamid: "b", phone: "919800000109", bsuid: "IN.1"},
	}
	w := freshWorld(t)
	for _, e := range story {
		w.feed(e)
	}

	w.as(func(tx *tenants.Tx) error {
		links := w.links(w.whois(whatsapp.KindBSUID, "IN.1").ID)
		joined, err := identity.LinkHandles(t.Context(), tx, links)
		for _, l := range links {
			if l.Kind != "rotated" {
				continue
			}
			j := joined[l.ID]
			if len(j.Old) != 1 || len(j.New) != 1 || j.Old[0].Value != ashaPhone || j.New[0].Value != "919800000109" {
				t.Errorf("%v changed to %v, want the phones", j.Old, j.New)
			}
			return err
		}
		t.Errorf("no link of a change among %+v", links)
		return err
	})
}

func TestSeveralFollowsMerges(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(somebodyKnown, event{at: 2, wamid: "b", bsuid: ashaID, name: "Asha"})
	keep, lose := w.whois(whatsapp.KindPhone, ashaPhone).ID, w.whois(whatsapp.KindBSUID, ashaID).ID
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(t.Context(), tx, meera, identity.MergeInput{Keep: keep, Lose: lose, Reason: "asked", MayRisk: true})
		return err
	})

	read := func(w *world) (found map[uuid.UUID]identity.Contact) {
		w.as(func(tx *tenants.Tx) (err error) {
			found, err = identity.Several(t.Context(), tx, []uuid.UUID{keep, lose, uuid.Must(uuid.NewV7())})
			return err
		})
		return found
	}
	if found := read(w); len(found) != 2 || found[lose].ID != keep || found[keep].Name() != "Asha Verma" {
		t.Errorf("found %+v, want both to be Asha Verma", found)
	}
	if found := read(newWorld(t, w.db, "ravi-motors")); len(found) != 0 {
		t.Errorf("another tenant reads %+v", found)
	}
}

func TestAMergeWarnsOfASharedPhone(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(somebodyKnown, event{at: 2, wamid: "b", bsuid: ashaID, name: "Asha"})
	keep, lose := w.whois(whatsapp.KindPhone, ashaPhone).ID, w.whois(whatsapp.KindBSUID, ashaID).ID
	w.as(func(tx *tenants.Tx) error {
		if err := identity.SetShared(t.Context(), tx, meera, keep, ashaPhone, true); err != nil {
			return err
		}
		p, err := identity.PreviewMerge(t.Context(), tx, keep, lose)
		if len(p.Warnings) != 1 || p.Warnings[0].Code != "shared_phone" {
			t.Errorf("warnings %+v, want shared_phone", p.Warnings)
		}
		return err
	})
}
