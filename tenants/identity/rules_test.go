package identity_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// watched makes a rule look as if it had watched for days.
func (w *world) watched(evidence string, days int) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(w.t.Context(), `
			INSERT INTO link_rules (tenant_id, evidence, mode, since) VALUES ($1, $2, 'shadow', now() - $3 * interval '1 day')
			ON CONFLICT (tenant_id, evidence) DO UPDATE SET mode = 'shadow', since = excluded.since`, tx.Tenant, evidence, days)
		return err
	})
}

func (w *world) setRule(evidence, mode string) error {
	w.t.Helper()
	err := w.db.As(w.t.Context(), w.tenant, func(tx *tenants.Tx) error { return identity.SetRule(w.t.Context(), tx, meera, evidence, mode) })
	for after := uuid.Nil; err == nil; {
		w.as(func(tx *tenants.Tx) error {
			var err error
			after, _, err = identity.Relink(w.t.Context(), tx, evidence, after, 2)
			return err
		})
		if after == uuid.Nil {
			break
		}
	}

	return err
}

func (w *world) turnOn(evidence string) {
	w.t.Helper()
	w.watched(evidence, 8)
	if err := w.setRule(evidence, identity.RuleOn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rule(evidence string) identity.Rule {
	w.t.Helper()
	var found identity.Rule
	w.as(func(tx *tenants.Tx) error {
		rules, err := identity.Rules(w.t.Context(), tx)
		for _, r := range rules {
			if r.Evidence == evidence {
				found = r
			}
		}
		return err
	})

	return found
}

// together tells whether a phone and a WhatsApp ID are one contact's.
func (w *world) together(phone, bsuid string) bool {
	w.t.Helper()
	return w.whois(whatsapp.KindPhone, phone).ID == w.whois(whatsapp.KindBSUID, bsuid).ID
}

const (
	ashaPhone = "919800000101"
	ashaID    = "IN.2"
)

// somebodyKnown wrote from her phone before WhatsApp sent ids; later a stranger without a phone shares that phone on request.
var (
	somebodyKnown = event{wamid: "a", phone: ashaPhone, name: "Asha Verma"}
	sharesIt      = event{at: 40, wamid: "b", bsuid: ashaID, name: "Asha", card: ashaPhone}
)

func TestRulesWatchForAWeekThenLink(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(somebodyKnown, sharesIt)

	if w.together(ashaPhone, ashaID) {
		t.Fatal("a rule that only watches has linked")
	}
	w.as(func(tx *tenants.Tx) error {
		would, err := identity.Would(t.Context(), tx, "card_request")
		if len(would) != 1 {
			t.Errorf("it would have linked %d cases, want 1", len(would))
		}
		return err
	})
	if err := w.setRule("card_request", identity.RuleOn); tenants.ConflictCode(err) != "shadow_first" {
		t.Fatalf("switched on after no time: %v, want conflict shadow_first", err)
	}

	w.turnOn("card_request")
	if !w.together(ashaPhone, ashaID) {
		t.Fatal("switched on, the rule links nothing")
	}
	links := w.links(w.whois(whatsapp.KindPhone, ashaPhone).ID)
	if len(links) != 1 || links[0].Rule != "card_request" || links[0].ActorKind != "system" {
		t.Fatalf("journal %+v, want one link by rule card_request", links)
	}

	if err := w.setRule("card_request", identity.RuleOff); err != nil {
		t.Fatal(err)
	}
	if w.together(ashaPhone, ashaID) {
		t.Error("switched off, the rule's links stand")
	}
	if r := w.rule("card_request"); r.Undone != 0 || r.Linked != 1 {
		t.Errorf("rule counts %d linked, %d taken back by people; want 1 and 0", r.Linked, r.Undone)
	}
}

func (w *world) links(contact uuid.UUID) []identity.Link {
	w.t.Helper()
	var links []identity.Link
	w.as(func(tx *tenants.Tx) error {
		var err error
		links, err = identity.Links(w.t.Context(), tx, contact)
		return err
	})

	return links
}

func TestALinkByRuleIsUndoneForGood(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(somebodyKnown)
	w.turnOn("card_request")
	before := w.picture()
	w.feed(sharesIt)
	link := w.links(w.whois(whatsapp.KindPhone, ashaPhone).ID)[0]

	err := w.db.As(t.Context(), w.tenant, func(tx *tenants.Tx) error {
		_, err := identity.Undo(t.Context(), tx, joseph, link.ID, false)
		return err
	})
	if err != nil {
		t.Fatalf("an agent may not take back what nobody did: %v", err)
	}
	w.feed(event{at: 41, wamid: "c", bsuid: ashaID})
	if w.together(ashaPhone, ashaID) {
		t.Error("the rule has linked again what a person took apart")
	}
	w.checkHeard(t)
	if got := w.whois(whatsapp.KindPhone, ashaPhone); len(got.Identities) != 1 {
		t.Errorf("after undo the known contact has %d accounts, want the one of before:\n%s", len(got.Identities), before)
	}

	// What WhatsApp says later is new: it is shown, and a person decides.
	w.feed(event{at: 4000, wamid: "d", bsuid: ashaID, card: ashaPhone})
	if w.together(ashaPhone, ashaID) {
		t.Error("new proof linked what a person holds apart")
	}
}

func TestRulesLinkOnlyWhatNothingSpeaksAgainst(t *testing.T) {
	t.Parallel()
	cases := map[string][]event{
		"the phone's owner has a WhatsApp ID of their own": {
			{wamid: "a", phone: ashaPhone, bsuid: "IN.1"}, sharesIt,
		},
		"both write at once": {
			somebodyKnown, sharesIt, {at: 40, minute: 5, wamid: "c", phone: ashaPhone},
		},
		"two phones": {
			somebodyKnown, {wamid: "a2", phone: "919800000102"}, sharesIt, {at: 41, wamid: "c", bsuid: ashaID, card: "919800000102"},
		},
		"the phone was silent for half a year": {
			somebodyKnown, {at: 200, wamid: "b", bsuid: ashaID, card: ashaPhone},
		},
		"its holder has moved off the phone": {
			somebodyKnown, {at: 10, wamid: "s", system: "user_changed_number", phone: ashaPhone, newPhone: "919800000109"}, sharesIt,
		},
	}
	for name, story := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, order := range [][]event{story, reversed(story)} {
				w := freshWorld(t)
				w.turnOn("card_request")
				for _, e := range order {
					w.feed(e)
				}
				if len(w.links(w.whois(whatsapp.KindBSUID, ashaID).ID)) > 0 {
					for _, l := range w.links(w.whois(whatsapp.KindBSUID, ashaID).ID) {
						if l.Rule != "" && l.UndoneAt == nil {
							t.Errorf("linked in spite of it, events in the order %s", wamids(order))
						}
					}
				}
			}
		})
	}
}

func reversed(list []event) []event {
	out := make([]event, len(list))
	for i, e := range list {
		out[len(list)-1-i] = e
	}

	return out
}

func wamids(list []event) string {
	s := ""
	for _, e := range list {
		s += e.wamid + " "
	}

	return s
}

func TestTheOrderOfEventsDoesNotChangeWhatRulesLink(t *testing.T) {
	t.Parallel()
	template := event{at: 38, wamid: "t", status: "delivered", phone: ashaPhone}
	rival := event{at: 41, wamid: "r", bsuid: "IN.3", card: ashaPhone}
	for name, story := range map[string][]event{
		"a card":       {somebodyKnown, sharesIt, {at: 42, wamid: "c", bsuid: ashaID, text: "and this"}},
		"a reply":      {somebodyKnown, template, {at: 39, wamid: "b", bsuid: ashaID, quotes: "t"}},
		"a button":     {somebodyKnown, template, {at: 39, wamid: "b", bsuid: ashaID, quotes: "t", taps: true}},
		"two claimers": {somebodyKnown, sharesIt, rival},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := ""
			permute(story, func(order []event) {
				w := freshWorld(t)
				for _, evidence := range identity.RuleKinds {
					w.turnOn(evidence)
				}
				for _, e := range order {
					w.feed(e)
				}
				if !w.together(ashaPhone, ashaID) {
					t.Errorf("not linked in the order %s", wamids(order))
				}
				got := w.picture()
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("order %s ends in\n%s\nwant\n%s", wamids(order), got, want)
				}
			})
		})
	}
}

func permute(list []event, try func([]event)) {
	var step func(k int)
	step = func(k int) {
		if k == len(list) {
			try(list)
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			step(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	step(0)
}

// TestAnOldReplyIsOnlyAStrongSign is matching.md A6 and A7: A only where the message had arrived, nothing rotated since and it is 90 days
// old at most, else B.
func TestAnOldReplyIsOnlyAStrongSign(t *testing.T) {
	t.Parallel()
	for name, story := range map[string][]event{
		"after 91 days": {
			somebodyKnown,
			{at: 1, wamid: "t", status: "read", phone: ashaPhone},
			{at: 60, wamid: "x", phone: ashaPhone},
			{at: 93, wamid: "b", bsuid: ashaID, quotes: "t"},
		},
		"the number changed since": {
			somebodyKnown,
			{at: 38, wamid: "t", status: "read", phone: ashaPhone},
			{at: 39, wamid: "s", system: "user_changed_number", phone: ashaPhone, newPhone: "919800000109"},
			{at: 40, wamid: "b", bsuid: ashaID, quotes: "t"},
		},
		"only sent": {
			somebodyKnown, {at: 38, wamid: "t", status: "sent", phone: ashaPhone}, {at: 39, wamid: "b", bsuid: ashaID, quotes: "t"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, taps := range map[string]bool{"quoted_reply": false, "tapped": true} {
				w := freshWorld(t)
				w.turnOn(kind)
				said := slices.Clone(story)
				said[len(said)-1].taps = taps
				w.feed(said...)
				if w.together(ashaPhone, ashaID) {
					t.Errorf("%s: linked", kind)
				}
				if got := (&coded{world: w}).sign(ashaID); got != "B "+kind {
					t.Errorf("the case says %q, want B %s", got, kind)
				}
			}
		})
	}
}

func TestParentIDsLinkAcrossPortfoliosWhereAllowed(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	const parent = "IN.ENT.77"
	w.feed(
		event{wamid: "a", phone: ashaPhone, bsuid: "IN.1", parent: parent},
		event{at: 3, number: farNumber, wamid: "b", bsuid: "IN.9", parent: parent},
	)
	if w.whois(whatsapp.KindBSUID, "IN.1").ID == w.whois(whatsapp.KindBSUID, "IN.9").ID {
		t.Fatal("linked across portfolios before the owner allowed it")
	}
	w.turnOn("same_parent")
	if w.whois(whatsapp.KindBSUID, "IN.1").ID != w.whois(whatsapp.KindBSUID, "IN.9").ID {
		t.Error("not linked once allowed")
	}
}

func TestTheBreakerTurnsAWrongRuleOff(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.turnOn("card_request")
	w.feed(somebodyKnown, sharesIt)
	link := w.links(w.whois(whatsapp.KindPhone, ashaPhone).ID)[0]

	// A thousand right ones, and one that somebody took back.
	w.as(func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(t.Context(), `
			INSERT INTO links (tenant_id, id, kind, actor_kind, rule, undone_at, undone_by)
			SELECT $1, gen_random_uuid(), 'merged', 'system', 'card_request', CASE WHEN k = 1 THEN now() END, CASE WHEN k = 1 THEN 'Meera' ELSE '' END
			FROM generate_series(1, 1000) k`, tx.Tenant)
		return err
	})
	if r := w.rule("card_request"); r.Mode != identity.RuleOn || r.Undone != 1 {
		t.Fatalf("before: %+v", r)
	}
	if err := w.undo(link.ID); err != nil {
		t.Fatal(err)
	}
	if r := w.rule("card_request"); r.Mode != identity.RuleOff || !r.Tripped {
		t.Errorf("after the second error in %d links the rule is %s, tripped %v; want off and tripped", r.Linked, r.Mode, r.Tripped)
	}
}

func TestRulesAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	w, other := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	w.turnOn("card_request")
	other.feed(somebodyKnown, sharesIt)
	if other.together(ashaPhone, ashaID) {
		t.Error("a rule of one tenant links at another")
	}
	if r := other.rule("card_request"); r.Mode != identity.RuleShadow {
		t.Errorf("the other tenant's rule is %s, want shadow", r.Mode)
	}
	for _, bad := range [][2]string{{"name", "on"}, {"card_request", "sometimes"}} {
		var invalid *tenants.Invalid
		if err := w.setRule(bad[0], bad[1]); !errors.As(err, &invalid) {
			t.Errorf("SetRule%v: %v, want Invalid", bad, err)
		}
	}
}
