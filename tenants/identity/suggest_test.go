package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var rajesh = event{wamid: "k1", phone: "919800000101", bsuid: "IN.1", name: "Rajesh Kumar"}

// suggested is the only open case, with everybody whom anything names.
func (w *world) suggested() identity.Case {
	w.t.Helper()

	var k identity.Case
	w.as(func(tx *tenants.Tx) error {
		list, _, err := identity.Cases(w.t.Context(), tx, identity.CaseFilter{})
		if err != nil {
			return err
		}
		if len(list) != 1 {
			w.t.Fatalf("%d open cases, want 1", len(list))
		}
		k, err = identity.Suggest(w.t.Context(), tx, list[0])
		return err
	})

	return k
}

// said is a case's candidates in short: the tier, phone and reasons of each, and what speaks against.
func said(k identity.Case) string {
	var parts []string
	for _, c := range k.Candidates {
		line := c.Tier + " " + c.Contact.Phone()
		for _, r := range c.Reasons {
			line += " " + r.Code
		}
		for _, r := range c.Against {
			line += " −" + r.Code
		}
		parts = append(parts, line)
	}

	return strings.Join(parts, "; ")
}

func (w *world) knownBy(kind whatsapp.Kind, value string, ids map[string]string) {
	w.t.Helper()
	c := w.whois(kind, value)
	w.as(func(tx *tenants.Tx) error {
		_, err := identity.Edit{Contact: c.ID, Version: c.Version, ExternalIDs: &ids}.Apply(w.t.Context(), tx, meera)
		return err
	})
}

// TestGivenNumberSuggests (B3): a number of the business's own system names whose it is, whether it was known before or after; few
// digits are only a hint, and a number that two customers bear is none.
func TestGivenNumberSuggests(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, bears, want, kind string }{
		{"my order is GAS-2291, where is it?", "GAS-2291", "B 919800000101 gave_number", identity.CaseSuggested},
		{"बिल नंबर २२९१४५", "229145", "B 919800000101 gave_number", identity.CaseSuggested},
		{"Ref a8f3-99c1-x2k7.", "A8F3-99C1-X2K7", "B 919800000101 gave_number_long", identity.CaseSuggested},
		{"I paid 2291 today", "2291", "C 919800000101 gave_number_short", identity.CaseUnresolved},
		{"I paid 2291 today", "GAS-2291", "", identity.CaseUnresolved},
	} {
		for _, late := range []bool{false, true} {
			w := freshWorld(t)
			w.feed(rajesh)
			stranger := event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Zoya", text: c.text}
			if late {
				w.feed(stranger)
			}
			w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"order": c.bears})
			if !late {
				w.feed(stranger)
			}
			k := w.suggested()
			if got := strings.NewReplacer(" −two_live_accounts", "", " fell_silent", "").Replace(said(k)); got != c.want || k.Kind != c.kind {
				t.Errorf("%q late=%v: %s %q, want %s %q", c.text, late, k.Kind, got, c.kind, c.want)
			}
			if len(k.Candidates) > 0 && (k.Candidates[0].Reasons[0].Args["number"] != c.bears || k.Candidates[0].Reasons[0].ItemID == 0) {
				t.Errorf("%q: reason %+v, want the number as the business wrote it and its event", c.text, k.Candidates[0].Reasons[0])
			}
		}
	}
}

func TestGivenNumberOfTwoCustomersSaysNothing(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(rajesh, event{wamid: "k2", phone: "919800000102", bsuid: "IN.3", name: "Meena"}, event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Zoya", text: "GAS-2291"})
	w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"order": "GAS-2291"})
	if got := w.suggested().Kind; got != identity.CaseSuggested {
		t.Errorf("one bears it: %s, want suggested", got)
	}
	w.knownBy(whatsapp.KindBSUID, "IN.3", map[string]string{"order": "GAS-2291"})
	if k := w.suggested(); len(k.Candidates) != 0 || k.Kind != identity.CaseUnresolved {
		t.Errorf("two bear it: %s %q, want nobody", k.Kind, said(k))
	}
}

// TestNumbersInARowCountLess: where the next bill number is another customer's, it could be a guess.
func TestNumbersInARowCountLess(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(rajesh, event{wamid: "k2", phone: "919800000102", bsuid: "IN.3", name: "Meena"}, event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Zoya", text: "GAS-2291"})
	w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"order": "GAS-2291"})
	alone := w.suggested().Candidates[0]
	w.knownBy(whatsapp.KindBSUID, "IN.3", map[string]string{"order": "GAS-2292"})
	row := w.suggested().Candidates[0]
	if row.Reasons[0].Code != "gave_number_in_row" || row.Score.P >= alone.Score.P {
		t.Errorf("in a row %s %.4f, alone %s %.4f: want it to count less", row.Reasons[0].Code, row.Score.P, alone.Reasons[0].Code, alone.Score.P)
	}
}

// TestAdClickSuggests (B4): the click that a lead was noted down with.
func TestAdClickSuggests(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(rajesh)
	w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"ctwa_clid": "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwLF6aBcD"})
	w.feed(event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Zoya", click: "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwLF6aBcD"})
	if k := w.suggested(); !strings.HasPrefix(said(k), "B 919800000101 ad_click") {
		t.Errorf("candidates %q, want the lead", said(k))
	}
	proofs := w.evidence(w.whois(whatsapp.KindBSUID, "IN.2"))
	if !slices.ContainsFunc(proofs, func(p identity.Proof) bool { return p.Code == "ad_click_seen" && p.Tier == "B" && len(p.Items) == 1 }) {
		t.Errorf("evidence %+v, want the click with its event", proofs)
	}
}

// TestUsernameHints (C2): a username that stands in somebody's records, or before the @ of their address, is a hint and no more.
func TestUsernameHints(t *testing.T) {
	t.Parallel()
	for username, want := range map[string]string{
		"rajesh.gas": "username_email", "Rajesh_Gas": "username_email", "raj_insta": "username_known", "rajesh": "", "raje": "",
	} {
		w := freshWorld(t)
		w.feed(rajesh)
		w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"email": "rajeshgas@example.com", "mail": "rajesh.gas@example.org", "instagram": "@raj_insta"})
		w.feed(event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Zoya", username: username})
		k := w.suggested()
		got := ""
		if len(k.Candidates) > 0 {
			got = k.Candidates[0].Reasons[0].Code
		}
		if got != want || k.Kind != identity.CaseUnresolved {
			t.Errorf("@%s: %s %q, want unresolved %q", username, k.Kind, got, want)
		}
	}
}

// TestSuggestionsAreTheTenantsOwn: nothing of another business's customers names anybody.
func TestSuggestionsAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	asha, ravi := newWorld(t, db, "asha-clinic"), newWorld(t, db, "ravi-motors")
	ravi.feed(rajesh)
	ravi.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"order": "GAS-2291", "email": "rajesh.gas@example.com", "click": "ARAkLkA8rmlFeiCktEJQ"})
	asha.feed(event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Rajesh Kumar", username: "rajesh.gas", text: "order GAS-2291", click: "ARAkLkA8rmlFeiCktEJQ"})
	if k := asha.suggested(); len(k.Candidates) != 0 || k.Kind != identity.CaseUnresolved {
		t.Errorf("candidates %q, want nobody of another tenant", said(k))
	}
	if proofs := asha.evidence(asha.whois(whatsapp.KindBSUID, "IN.2")); slices.ContainsFunc(proofs, func(p identity.Proof) bool { return p.Kind == identity.ProofHint }) {
		t.Errorf("evidence %+v rests on another tenant's records", proofs)
	}
}

// TestRuledOutIsNotNamed: whom somebody has ruled out, nothing weaker than WhatsApp's own proof names again.
func TestRuledOutIsNotNamed(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(rajesh, event{wamid: "k2", phone: "919800000102", bsuid: "IN.3", name: "राजेश कुमार"})
	w.knownBy(whatsapp.KindBSUID, "IN.1", map[string]string{"order": "GAS-2291", "short": "4471", "instagram": "rajesh.gas"})
	w.feed(event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Rajesh Kumar", username: "rajesh.gas", text: "GAS-2291, 4471"})
	k := w.suggested()
	if len(k.Candidates) != 2 || k.Candidates[0].Tier != "B" {
		t.Fatalf("candidates %q, want both, one of them by a number", said(k))
	}
	w.as(func(tx *tenants.Tx) error {
		_, _, err := identity.Decide(w.t.Context(), tx, meera, identity.Decision{
			Case: k.ID, Kind: identity.DecideNotSame, Contact: w.whois(whatsapp.KindBSUID, "IN.1").ID, Version: k.Version,
		})
		return err
	})
	for range 2 {
		k = w.suggested()
		if len(k.Candidates) != 1 || k.Candidates[0].Contact.Phone() != "919800000102" || k.Kind != identity.CaseUnresolved {
			t.Errorf("candidates %q, want only whom nobody ruled out", said(k))
		}
		w.feed(event{at: 3, wamid: "s2", bsuid: "IN.2", text: "again: GAS-2291"})
	}
}

// TestScoreAddsUp: hints never pass 0.64; any strong sign does, among however many; the likeliest stands first, with its lead.
func TestScoreAddsUp(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	var events []event
	for i := range 30 {
		events = append(events, event{wamid: fmt.Sprint("o", i), phone: fmt.Sprintf("9198000002%02d", i), name: fmt.Sprintf("Person%c Singh", 'a'+i%26)})
	}
	w.feed(append(events, event{wamid: "k1", phone: "919800000101", name: "Rajesh Kumar"}, event{wamid: "k2", phone: "919800000102", name: "Zubeida Begum"})...)
	w.knownBy(whatsapp.KindPhone, "919800000102", map[string]string{"instagram": "zubi.b"})
	w.feed(event{at: 20, wamid: "s1", bsuid: "IN.2", name: "ज़ुबैदा बेगम 🌸", username: "zubi.b", text: "call 98000 00101"})

	k := w.suggested()
	if got, want := said(k), "B 919800000101 typed_number; C 919800000102 username_known sounds_alike"; got != want {
		t.Fatalf("candidates %q, want %q", got, want)
	}
	b, c := k.Candidates[0].Score, k.Candidates[1].Score
	if c.P > 0.641 {
		t.Errorf("hints alone %.3f, want at most 0.64", c.P)
	}
	if b.P <= 0.641 || b.Model == "" || b.Prior >= 0 {
		t.Errorf("strong sign %+v, want more than hints can have, a model and a prior", b)
	}
	if b.Margin == nil || c.Margin == nil || *b.Margin != -*c.Margin {
		t.Errorf("margins %v and %v, want the lead of one over the other", b.Margin, c.Margin)
	}
	sum := b.Prior
	for _, i := range b.Items {
		sum += i.Bits
	}
	if b.Items[0].Code != "typed_number" || b.Items[1].Code != "other_name" || sum < 1 || sum > 1.5 {
		t.Errorf("score %+v adds up to %.2f bits, want nine to one, and less for the other name", b, sum)
	}
}

// TestBothAtOnceSpeaksAgainst (X2): two who write at the same time are perhaps two. Much later is nothing.
func TestBothAtOnceSpeaksAgainst(t *testing.T) {
	t.Parallel()
	for minute, want := range map[int64]bool{4: true, 30: false} {
		w := freshWorld(t)
		w.feed(event{at: 2, wamid: "k1", phone: "919800000101", name: "Rajesh Kumar"}, event{at: 2, minute: minute, wamid: "s1", bsuid: "IN.2", name: "Rajesh Kumar"})
		c := w.suggested().Candidates[0]
		if got := slices.ContainsFunc(c.Against, func(r identity.Reason) bool { return r.Code == "active_together" && r.ItemID != 0 }); got != want {
			t.Errorf("%d minutes apart: against %+v, want active_together %v", minute, c.Against, want)
		}
	}
}

// TestFellSilent (C3): who stopped when the account appeared is a little likelier to be the one. The story lies long past.
func TestFellSilent(t *testing.T) {
	t.Parallel()
	for last, want := range map[int64]bool{95: true, 80: false, 102: false} {
		w := freshWorld(t)
		w.feed(event{at: last, wamid: "k1", phone: "919800000101", name: "Rajesh Kumar"}, event{at: 100, wamid: "s1", bsuid: "IN.2", name: "Rajesh Kumar"})
		c := w.suggested().Candidates[0]
		if got := slices.ContainsFunc(c.Reasons, func(r identity.Reason) bool { return r.Code == "fell_silent" }); got != want {
			t.Errorf("last wrote on day %d: reasons %+v, want fell_silent %v", last, c.Reasons, want)
		}
	}
}

// TestNextProof: what the product can do today towards certainty, and nothing where WhatsApp has shown it.
func TestNextProof(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(event{at: 2, wamid: "s1", bsuid: "IN.2", name: "Rajesh Kumar"})
	if got := identity.NextProof(w.suggested(), 0).Code; got != identity.ProofByAsking {
		t.Errorf("nobody named: %q, want %q", got, identity.ProofByAsking)
	}
	w.feed(event{wamid: "k1", phone: "919800000101", name: "Rajesh Kumar"})
	k := w.suggested()
	if got := identity.NextProof(k, 0); got.Code != identity.ProofByMessage || got.Args["via"] != "919800000101" {
		t.Errorf("a phone is known: %+v, want a message to it", got)
	}
	k.Candidates[0].Tier = "A"
	if got := identity.NextProof(k, 0).Code; got != "" {
		t.Errorf("shown by WhatsApp: %q, want nothing more", got)
	}
	if got := identity.NextProof(identity.Case{State: "done", Contact: &identity.Contact{ID: uuid.Max}}, 0).Code; got != "" {
		t.Errorf("done: %q, want nothing", got)
	}
}

// TestNamesInTheWild: what people put around a name is not of the name; a letter stands for a word; some words are written short.
func TestNamesInTheWild(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	w.feed(
		event{wamid: "k1", phone: "919800000101", name: "Rajesh Kumar"}, event{wamid: "k2", phone: "919800000102", name: "Mohammad Salim"},
		event{wamid: "k3", phone: "919800000103", name: "Vishnu Prasad"}, event{wamid: "k4", phone: "919800000104", name: "Meena Devi"},
		event{wamid: "k5", phone: "919800000105", name: "தமிழ் செல்வன்"},
	)
	for name, want := range map[string]string{
		"श्री राजेश कुमार जी 🙏": "919800000101", "✨RAJESH✨": "919800000101", "Rajesh K": "919800000101", "Rajseh Kumr": "919800000101",
		"Md Saleem": "919800000102", "मो. सलीम": "919800000102", "बिश्नु प्रसाद": "919800000103", "मीना": "919800000104",
		"தமிழ் செல்வன்": "919800000105", "❤️": "", "Papa": "", "…": "",
	} {
		k := stranger(name)
		w.as(func(tx *tenants.Tx) (err error) {
			k, err = identity.Suggest(w.t.Context(), tx, k)
			return err
		})
		got := ""
		if len(k.Candidates) > 0 {
			got = k.Candidates[0].Contact.Phone()
		}
		if got != want {
			t.Errorf("%q: %q, want %q first", name, said(k), want)
		}
	}
}

// TestNamesakesWithAnAccountComeLast (X1): of many with one name those are shown who may have come back, and not those whose WhatsApp ID in
// the same portfolio is known to be another. So it is where more are called so than are looked up together.
func TestNamesakesWithAnAccountComeLast(t *testing.T) {
	t.Parallel()
	for _, accounts := range []int{3, 60} {
		w := freshWorld(t)
		var known []event
		for n := range accounts {
			known = append(known,
				event{wamid: fmt.Sprint("k", n), phone: fmt.Sprint(919800000200 + n), bsuid: fmt.Sprint("IN.", n), name: "Rajesh"},
				event{wamid: fmt.Sprint("o", n), phone: fmt.Sprint(919800000400 + n), bsuid: fmt.Sprint("IN.4", n), name: "Meena"})
		}
		w.feed(known...)
		w.feed(
			event{wamid: "p1", phone: "919800000104", name: "Rajesh"},
			event{wamid: "p2", phone: "919800000105", name: "Rajesh"},
			event{at: 2, wamid: "s1", bsuid: "IN.600", name: "राजेश"},
		)
		k := w.suggested()
		got := strings.ReplaceAll(said(k), " fell_silent", "")
		for _, phone := range []string{"919800000104", "919800000105"} {
			if !strings.Contains(got, "C "+phone+" sounds_alike;") {
				t.Errorf("among %d accounts suggested %q, want %s among the first", accounts, got, phone)
			}
		}
		if len(k.Candidates) != 3 || !strings.HasSuffix(got, "−two_live_accounts") {
			t.Errorf("among %d accounts suggested %q, want one with an account of their own last", accounts, got)
		}
	}
}

// TestSameIDInAnotherPortfolio: an ID is somebody's in one portfolio. Whoever has it in another is no account of this one, also where somebody
// else has the same here.
func TestSameIDInAnotherPortfolio(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	known := []event{{wamid: "here", phone: "919800000106", bsuid: "IN.5", name: "Meena"}}
	for n := range 60 {
		known = append(known,
			event{wamid: fmt.Sprint("k", n), phone: fmt.Sprint(919800000200 + n), bsuid: fmt.Sprint("IN.1", n), name: "Rajesh"},
			event{wamid: fmt.Sprint("o", n), phone: fmt.Sprint(919800000400 + n), bsuid: fmt.Sprint("IN.2", n), name: "Meena"})
	}
	w.feed(known...)
	w.feed(
		event{number: farNumber, wamid: "far1", phone: "919800000104", bsuid: "IN.5", name: "Rajesh"},
		event{number: farNumber, wamid: "far2", phone: "919800000105", bsuid: "IN.4", name: "Rajesh"},
		event{at: 2, wamid: "s1", bsuid: "IN.600", name: "राजेश"},
	)
	got := said(w.suggested())
	for _, phone := range []string{"919800000104", "919800000105"} {
		if !strings.Contains(got, phone) {
			t.Errorf("suggested %q, want %s, who is known in another portfolio, among the first", got, phone)
		}
	}
}
