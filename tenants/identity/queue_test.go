package identity_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// ago is an event of that many hours ago, by the clock of the machine: windows close by it.
func (w *world) ago(hours int64, e event) identity.Seen {
	w.t.Helper()
	e.at, e.minute = 0, (time.Now().Unix()-storyStart)/60-hours*60
	s := w.parse(e)
	s.ReceivedAt = time.Now()

	return s
}

// queue is whom the queue asks about, in its order, two at a time.
func (w *world) queue(f identity.CaseFilter) (names []string) {
	w.t.Helper()
	f.Limit = 2
	w.as(func(tx *tenants.Tx) error {
		for {
			list, next, err := identity.Cases(w.t.Context(), tx, f)
			if err != nil {
				return err
			}
			for _, c := range list {
				names = append(names, c.Contact.Name())
			}
			if f.Cursor = next; next == "" {
				return nil
			}
		}
	})

	return names
}

func TestWhoeverWaitsComesFirst(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feedSeen([]identity.Seen{
		w.ago(200, event{wamid: "a", bsuid: "IN.1", name: "Old", text: "hello"}),
		w.ago(100, event{wamid: "b", bsuid: "IN.2", name: "Bill", text: "मेरा बिल भेज दीजिए"}),
		w.ago(90, event{wamid: "c", bsuid: "IN.3", name: "Pays", text: "payment done?"}),
		w.ago(2, event{wamid: "d", bsuid: "IN.4", name: "Later", text: "hello"}),
		w.ago(20, event{wamid: "e", bsuid: "IN.5", name: "Soon", text: "hello"}),
		w.ago(5, event{wamid: "f", bsuid: "IN.6", name: "Answered", text: "hello"}),
		w.ago(4, event{wamid: "s", bsuid: "IN.6", status: "sent"}),
	})

	want := []string{"Soon", "Later", "Bill", "Pays", "Old", "Answered"}
	if diff := cmp.Diff(want, w.queue(identity.CaseFilter{Tab: identity.TabNew, Urgent: true})); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	byAge := []string{"Old", "Bill", "Pays", "Soon", "Answered", "Later"}
	if diff := cmp.Diff(byAge, w.queue(identity.CaseFilter{})); diff != "" {
		t.Errorf("order by age (-want +got):\n%s", diff)
	}

	w.feedSeen([]identity.Seen{w.ago(1, event{wamid: "g", bsuid: "IN.6", text: "are you there?"}), w.ago(1, event{wamid: "s2", bsuid: "IN.5", status: "sent"})})
	want = []string{"Later", "Answered", "Bill", "Pays", "Old", "Soon"}
	if diff := cmp.Diff(want, w.queue(identity.CaseFilter{Tab: identity.TabNew, Urgent: true})); diff != "" {
		t.Errorf("order after more was said (-want +got):\n%s", diff)
	}
}

func TestACaseThatOpensAgainBeginsAnew(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh"}, event{at: 1, wamid: "b", bsuid: "IN.2"})
	c := w.onlyCase()
	until := time.Now().AddDate(0, 0, 3)
	for _, d := range []identity.Decision{{Kind: "unsure"}, {Kind: "hold", Until: &until}} {
		d.Case = c.ID
		if _, _, err := w.decide(meera, d); err != nil {
			t.Fatal(err)
		}
	}

	w.feed(event{at: 2, wamid: "c", bsuid: "IN.2", text: "hello again"})
	if again := w.onlyCase(); again.HoldUntil == nil || len(again.UnsureBy) != 1 {
		t.Errorf("put off until %v, unsure %v: woken by what tells nothing new", again.HoldUntil, again.UnsureBy)
	}
	w.feed(event{at: 3, wamid: "d", bsuid: "IN.2", text: "my number is 98000 00102"})
	if again := w.onlyCase(); again.HoldUntil != nil || len(again.UnsureBy) > 0 || again.Kind != identity.CaseSuggested {
		t.Errorf("put off until %v, unsure %v: want a new sign to ask again", again.HoldUntil, again.UnsureBy)
	}

	for _, d := range []identity.Decision{{Kind: "unsure"}, {Kind: "same", Contact: w.onlyCase().Candidates[0].Contact.ID, MayRisk: true, Reason: "called them"}} {
		d.Case = c.ID
		_, link, err := w.decide(meera, d)
		if err != nil {
			t.Fatal(err)
		}
		if link != uuid.Nil {
			if err := w.undo(link); err != nil {
				t.Fatal(err)
			}
		}
	}
	if again := w.onlyCase(); again.ID != c.ID || len(again.UnsureBy) > 0 {
		t.Errorf("opened again it is still unsure by %v", again.UnsureBy)
	}
}

func TestProofThatEndsACaseSaysSo(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", bsuid: "IN.2", name: "Rajesh"})
	c := w.onlyCase()
	w.feed(event{at: 1, wamid: "b", phone: "919800000102", bsuid: "IN.2"})

	links := w.links(*c.ContactID)
	i := slices.IndexFunc(links, func(l identity.Link) bool { return l.CaseID != nil && *l.CaseID == c.ID })
	if i == -1 || links[i].Kind != "attested" {
		t.Errorf("journal %+v, want a link that says it ended the case", links)
	}
}

func TestTwoCasesAboutTheSamePeopleAreOne(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000102", name: "Rajesh"}, event{at: 1, wamid: "b", bsuid: "IN.2", name: "राजेश", text: "my number is 98000 00102"})
	first := w.onlyCase()
	rajesh := first.Candidates[0].Contact.ID
	if _, _, err := w.decide(meera, identity.Decision{Case: first.ID, Kind: "not_same", Contact: rajesh}); err != nil {
		t.Fatal(err)
	}
	later := (time.Now().Unix() - storyStart) / 60
	w.feed(event{minute: later + 1, wamid: "c", bsuid: "IN.2", card: "919800000102"})
	w.feed(event{minute: later + 2, wamid: "s", status: "delivered", phone: "919800000102", bsuid: "IN.2"})

	var all []string
	w.as(func(tx *tenants.Tx) error {
		return tx.SelectContext(t.Context(), &all, `SELECT kind FROM cases WHERE state = 'open' ORDER BY kind`)
	})
	if len(all) != 2 {
		t.Fatalf("open %v, want a contradiction and a suggestion about the same two", all)
	}
	c := w.onlyCase()
	w.feed(event{minute: later + 60, wamid: "u", status: "delivered", phone: "919800000102", bsuid: "IN.2"})
	if again := w.onlyCase(); !again.Since.Equal(c.Since) {
		t.Errorf("after more of the same proof it waits since %s, want %s", again.Since, c.Since)
	}
	if c.Kind != identity.CaseConflict || len(c.Candidates) != 1 {
		t.Fatalf("asked is %s with %+v, want the contradiction", c.Kind, c.Candidates)
	}
	var codes []string
	for _, r := range c.Candidates[0].Reasons {
		codes = append(codes, r.Code)
	}
	if !slices.Contains(codes, "against_decision") || !slices.Contains(codes, "card_request") {
		t.Errorf("reasons %v, want those of both", codes)
	}
	w.as(func(tx *tenants.Tx) error {
		n, err := identity.CountCases(t.Context(), tx)
		if n.Due() != 1 {
			t.Errorf("%d cases due, want 1", n.Due())
		}
		if err != nil {
			return err
		}
		due, err := identity.CountDue(t.Context(), tx)
		if due != n.Due() {
			t.Errorf("%d cases due for every page, want %d as in the queue", due, n.Due())
		}
		return err
	})

	if _, _, err := w.decide(meera, identity.Decision{Case: c.ID, Kind: "same", Contact: c.Candidates[0].Contact.ID, MayRisk: true, Reason: "they came to the shop"}); err != nil {
		t.Fatal(err)
	}
	w.checkHeard(t)
	if got := w.openKinds(); len(got) != 0 {
		t.Errorf("left open %v, want both answered", got)
	}
}

func TestTwoPeopleDecideAgainstAWarning(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh Kumar"}, event{at: 1, wamid: "b", bsuid: "IN.2", text: "my number is 98000 00102"})
	c := w.onlyCase()
	same := identity.Decision{Case: c.ID, Kind: "same", Contact: c.Candidates[0].Contact.ID, Reason: "same voice"}

	for range 2 { // saying it twice does not make two people
		got, link, err := w.decide(meera, same)
		if err != nil || link != uuid.Nil || got.State != "open" || got.Proposal == nil || got.Proposal.By != meera.ID {
			t.Fatalf("first person: %+v, link %s, %v; want a proposal", got.Proposal, link, err)
		}
	}
	if got := w.queue(identity.CaseFilter{Tab: identity.TabApprovals}); len(got) != 1 {
		t.Errorf("%d cases wait for a second person, want 1", len(got))
	}
	w.as(func(tx *tenants.Tx) error {
		if next, err := identity.NextCase(t.Context(), tx, meera, identity.CaseFilter{Tab: identity.TabApprovals}, uuid.Nil); err == nil {
			t.Errorf("the first person is asked again about %s", next)
		}
		_, err := identity.TakeBack(t.Context(), tx, meera, c.ID)
		return err
	})
	if got := w.onlyCase(); got.Proposal != nil {
		t.Errorf("taken back, %+v still stands", got.Proposal)
	}

	if _, _, err := w.decide(meera, same); err != nil {
		t.Fatal(err)
	}
	same.Reason = ""
	got, link, err := w.decide(joseph, same)
	if err != nil || link == uuid.Nil || got.Outcome != identity.OutcomeSame {
		t.Fatalf("second person: %q, link %s, %v; want it done", got.Outcome, link, err)
	}
	if l := w.links(w.whois(whatsapp.KindBSUID, "IN.2").ID)[0]; l.Reason != "same voice" || l.ActorID != joseph.ID {
		t.Errorf("journal says %q by %s, want the first person's reason by the second", l.Reason, l.ActorName)
	}
}

func TestNobodyMakesUpAProposal(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{wamid: "a", phone: "919800000102", bsuid: "IN.1", name: "Rajesh"}, event{at: 1, wamid: "b", bsuid: "IN.2", name: "Rajesh"})
	same := identity.Decision{Case: w.onlyCase().ID, Kind: "same", Contact: w.whois(whatsapp.KindBSUID, "IN.1").ID, Reason: "same name"}
	for _, actor := range []tenants.Actor{meera, joseph} {
		if _, _, err := w.decide(actor, same); err == nil {
			t.Errorf("%s linked two accounts by a name", actor.Name)
		}
	}
}
