package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// byName maps the names people have given themselves to their contacts.
func (w *world) byName() map[string]identity.Contact {
	w.t.Helper()
	by := map[string]identity.Contact{}
	w.as(func(tx *tenants.Tx) error {
		list, _, err := identity.List(w.t.Context(), tx, "", identity.Page{Limit: 50})
		for _, c := range list {
			by[c.ProfileName] = c
		}
		return err
	})

	return by
}

// A merge is about the person meant, also where their phone has passed to somebody else.
func TestAMergeMeansWhoHadThePhoneThen(t *testing.T) {
	t.Parallel()
	for _, days := range []int64{200, 300} {
		w := freshWorld(t)
		w.feed(event{at: 0, wamid: "a1", phone: "919800000101", name: "Asha"})
		w.feed(event{at: days, wamid: "b1", phone: "919800000101", bsuid: "IN.2", name: "Bela"})
		w.feed(event{at: days, wamid: "c1", phone: "919800000103", bsuid: "IN.3", name: "Chitra"})
		before, by := w.picture(), w.byName()
		if by["Asha"].ID == uuid.Nil || by["Asha"].ID == by["Bela"].ID {
			t.Fatal("Asha and Bela are not two")
		}

		link := w.merge(by["Chitra"], by["Asha"])
		for line := range strings.SplitSeq(w.picture(), "\n") {
			if strings.HasPrefix(line, "contact") && strings.Contains(line, "c1") && (!strings.Contains(line, "a1") || strings.Contains(line, "b1")) {
				t.Errorf("%d days: Chitra was merged with the wrong person: %s", days, line)
			}
		}
		if err := w.undo(link); err != nil {
			t.Fatal(err)
		}
		if after := w.picture(); after != before {
			t.Errorf("undone:\n%s\nbefore:\n%s", after, before)
		}
	}
}

func TestWhoCameBackCanBeTheSamePerson(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{at: 0, wamid: "a1", phone: "919800000101", name: "Asha"})
	w.feed(event{at: 200, wamid: "b1", phone: "919800000101", bsuid: "IN.2", name: "Asha V"})
	by := w.byName()

	link := w.merge(by["Asha V"], by["Asha"])
	if got := w.byName(); len(got) != 1 {
		t.Errorf("after deciding that they are one there are %d contacts, want 1", len(got))
	}
	if err := w.undo(link); err != nil {
		t.Fatal(err)
	}
	if got := w.byName(); len(got) != 2 {
		t.Errorf("after undo there are %d contacts, want 2", len(got))
	}
}

// sameInAnyOrder tells a story in every order; each must end alike.
func sameInAnyOrder(t *testing.T, events []event) {
	t.Helper()
	want := ""
	permute(events, func(order []event) {
		w := freshWorld(t)
		for _, e := range order {
			w.feed(e)
		}
		got := w.picture()
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("order %s ends in\n%s\nwant\n%s", wamids(order), got, want)
		}
	})
}

// Hidden in one portfolio first; the twin by parent id writes to the other portfolio later.
func TestTheTwinByParentIDMayComeLater(t *testing.T) {
	t.Parallel()
	sameInAnyOrder(t, []event{
		{at: 0, wamid: "v1", phone: "919800000101", bsuid: "IN.1", parent: "IN.ENT.1", name: "Faruk"},
		{at: 50, wamid: "h1", number: farNumber, bsuid: "IN.11", parent: "IN.ENT.1", name: "Faruk", username: "faruk"},
	})
}

// A twin by phone in the other portfolio, whose phone-only history falls to a silent gap.
func TestATwinMayLoseItsPhone(t *testing.T) {
	t.Parallel()
	sameInAnyOrder(t, []event{
		{at: 0, wamid: "f1", number: farNumber, phone: "919800000101", name: "Senthil"},
		{at: 60, wamid: "m1", phone: "919800000101", bsuid: "IN.1", name: "Senthil"},
		{at: 250, wamid: "out1", status: "delivered", number: farNumber, phone: "919800000101", bsuid: "IN.11"},
	})
}

// After 90 days another name on a phone asks; the same name, or none, does not, until 180 (edge cases 6 and 34).
func TestAnotherNameAfterNinetyDaysIsAQuestion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days          int64
		before, after string
		one           bool
	}{
		{100, "Asha Verma", "Farhan Ali", false},
		{100, "Asha Verma", "आशा", true},
		{100, "Asha Verma", "", true},
		{100, "Suresh Sarkar", "सुरेश खण्डकार", false}, // half a town is called Suresh
		{100, "Suresh Sarkar", "सुरेश", true},
		{100, "Suresh Sarkar", "S Sarkar", true},
		{100, "Suresh Sarkar", "Suresh Srakar ji", true},
		{100, "Asha Verma", "Verma Asha Devi", true},
		{100, "❤️", "Farhan Ali", false},
		{100, "❤️", "❤️", true},
		{80, "Asha Verma", "Farhan Ali", true},
		{200, "Asha Verma", "Asha Verma", false},
	} {
		story := []event{
			{at: 0, wamid: "a1", phone: "919800000101", name: c.before},
			{at: c.days, wamid: "b1", phone: "919800000101", bsuid: "IN.2", name: c.after},
		}
		sameInAnyOrder(t, story)
		w := freshWorld(t)
		w.feed(story...)
		one := false
		for line := range strings.SplitSeq(w.picture(), "\n") {
			one = one || strings.HasPrefix(line, "contact") && strings.Contains(line, "a1") && strings.Contains(line, "b1")
		}
		if one != c.one {
			t.Errorf("%q, and %d days later %q: one contact %v, want %v", c.before, c.days, c.after, one, c.one)
		}
	}
}

// A list speaks of who has the phone when it comes in, whatever else WhatsApp tells later and in whichever order.
func TestAListSpeaksOfWhoHasThePhone(t *testing.T) {
	t.Parallel()
	permute([]event{
		{at: 0, wamid: "a1", phone: "919800000101", name: "Asha"},
		{at: 1, wamid: "a2", phone: "919800000101"},
		{at: 200, wamid: "b1", phone: "919800000101", bsuid: "IN.2", name: "Bela"},
		{at: 201, wamid: "b2", bsuid: "IN.2"},
	}, func(order []event) {
		w := freshWorld(t)
		var listed uuid.UUID
		w.as(func(tx *tenants.Tx) error {
			made, err := identity.AddClaimed(t.Context(), tx, meera, w.scopes[mainNumber], "customers.csv", []identity.Claim{
				{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: "919800000101"}, DisplayName: "Bela Shah"},
			})
			listed = made[0]
			return err
		})
		for _, e := range order {
			w.feed(e)
		}
		if got := w.whois(whatsapp.KindBSUID, "IN.2"); got.ID != listed || got.DisplayName != "Bela Shah" {
			t.Errorf("order %s: who has the phone is %q, want Bela Shah of the list", wamids(order), got.DisplayName)
		}
	})
}

// What a list says is no word of WhatsApp's (B5): that its phone writes to another portfolio is a strong sign, and is told as that.
func TestAListedPhoneInAnotherPortfolioIsAStrongSignOnly(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.AddClaimed(t.Context(), tx, meera, w.scopes[mainNumber], "customers.csv", []identity.Claim{
			{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: "919800000101"}, DisplayName: "Asha"},
		})
		return err
	})
	w.feed(event{wamid: "f1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Asha"})
	k := w.onlyCase().Candidates[0]
	if k.Tier != "B" || len(k.Reasons) != 1 || k.Reasons[0].Code != "listed_phone" {
		t.Errorf("known by a list alone: tier %s for %+v, want B for listed_phone", k.Tier, k.Reasons)
	}

	w.feed(event{at: 1, wamid: "m1", phone: "919800000101", name: "Asha"})
	if k = w.onlyCase().Candidates[0]; k.Tier != "A" || k.Reasons[0].Code != "same_phone" {
		t.Errorf("once they write: tier %s for %+v, want A for same_phone", k.Tier, k.Reasons)
	}
}

// Two hidden accounts with one parent id ask about each other: that is one question, about whoever waits longer, whichever came first.
func TestTwinsAskOnce(t *testing.T) {
	t.Parallel()
	story := []event{
		{at: 0, wamid: "a1", bsuid: "IN.1", parent: "IN.ENT.1", name: "Asha"},
		{at: 3, wamid: "b1", number: farNumber, bsuid: "IN.11", parent: "IN.ENT.1", name: "Asha V"},
	}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		w := freshWorld(t)
		w.openFar()
		for _, i := range order {
			w.feed(story[i])
		}
		if got := w.queue(identity.CaseFilter{}); !slices.Equal(got, []string{"Asha"}) {
			t.Errorf("in order %v the queue asks about %q, want Asha alone", order, got)
		}
	}
}

// A status may show who has a phone before they write: what they call themselves at the business's other portfolio counts meanwhile, by
// their phone there or by their parent id (edge cases 6 and 34).
func TestANameElsewhereIsAQuestionToo(t *testing.T) {
	t.Parallel()
	asha := event{at: 0, wamid: "a1", phone: "919800000101", name: "Asha Verma"}
	for what, c := range map[string]struct {
		days  int64
		there event
		one   bool
	}{
		"seen with the phone there":            {100, event{at: 95, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Farhan Ali"}, false},
		"seen with it there soon after":        {100, event{at: 120, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Farhan Ali"}, false},
		"seen with it there long after":        {100, event{at: 200, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Farhan Ali"}, true},
		"written by the phone alone there":     {100, event{at: 95, wamid: "b1", number: farNumber, phone: "919800000101", name: "Farhan Ali"}, false},
		"called the same there":                {100, event{at: 95, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "आशा"}, true},
		"silent for less":                      {80, event{at: 75, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Farhan Ali"}, true},
		"hidden there, with one parent id":     {100, event{at: 300, wamid: "b1", number: farNumber, bsuid: "IN.11", parent: "IN.ENT.1", name: "Farhan Ali"}, false},
		"hidden there, with another parent id": {100, event{at: 95, wamid: "b1", number: farNumber, bsuid: "IN.11", parent: "IN.ENT.2", name: "Farhan Ali"}, true},
		"the phone's former holder there":      {100, event{at: -5, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: "Farhan Ali"}, true},
	} {
		story := []event{asha, c.there, {at: c.days, wamid: "out1", status: "delivered", phone: "919800000101", bsuid: "IN.2", parent: "IN.ENT.1"}}
		sameInAnyOrder(t, story)
		w := freshWorld(t)
		w.feed(story...)
		w.as(func(tx *tenants.Tx) error {
			now, err := identity.Resolve(t.Context(), tx, whatsapp.KindBSUID, "IN.2", "")
			if err != nil {
				return err
			}
			if one := now.Contact != nil && now.Contact.ProfileName == "Asha Verma"; one != c.one {
				t.Errorf("%s: who is shown to have the phone is Asha: %v, want %v", what, one, c.one)
			}
			return nil
		})
	}
}

// One phone in two portfolios is WhatsApp's word that two are one only while nobody else can have come to it between (X4).
func TestATwinWhosePhoneMayHavePassedOnIsAStrongSignOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		days          int64
		before, after string
		tier, against string
	}{
		{80, "Asha Verma", "Farhan Ali", "A", ""},
		{100, "Asha Verma", "आशा", "A", ""},
		{100, "Asha Verma", "", "A", ""},
		{100, "Asha Verma", "Farhan Ali", "B", "renamed_number"},
		{100, "Asha Verma", "Asha Sheikh", "B", "renamed_number"},
		{200, "Asha Verma", "Asha Verma", "B", "silent_number"},
	} {
		w := freshWorld(t)
		w.openFar()
		w.feed(
			event{at: 0, wamid: "a1", phone: "919800000101", name: c.before},
			event{at: c.days, wamid: "b1", number: farNumber, phone: "919800000101", bsuid: "IN.11", name: c.after},
		)
		k := w.suggested().Candidates[0]
		against := ""
		for _, r := range k.Against {
			against += r.Code
		}
		if k.Tier != c.tier || against != c.against {
			t.Errorf("%q, and %d days later %q: tier %s against %q, want %s against %q", c.before, c.days, c.after, k.Tier, against, c.tier, c.against)
		}
		if unlikely := k.Score.P < 0.5; unlikely != (c.against == "renamed_number") {
			t.Errorf("%q, and %d days later %q: said to be %.3f likely", c.before, c.days, c.after, k.Score.P)
		}
	}
}
