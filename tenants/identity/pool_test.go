package identity_test

import (
	"fmt"
	"math"
	"testing"
)

// Among few customers they are counted, however their phones end; and a name of however many rare words tells no more than that two are
// called alike for no reason once in some thousands.
func TestWhatAFullNameIsWorth(t *testing.T) {
	t.Parallel()
	w := freshWorld(t)
	const people = 120
	var events []event
	for i := range people - 1 { // all of phones that end in 37 and two digits, by which more than twenty thousand would be told
		events = append(events, event{wamid: fmt.Sprint("o", i), phone: fmt.Sprintf("91980%03d37%02d", i/100, i%100), name: fmt.Sprintf("Person%c Singh", 'a'+i%26)})
	}
	w.feed(append(events, event{wamid: "k1", phone: "919800000101", name: "Zubeida Khanam Begum"})...)
	w.feed(event{at: 20, wamid: "s1", bsuid: "IN.2", name: "Zubeida Khanam Begum"})

	k := w.suggested()
	if len(k.Candidates) == 0 || k.Candidates[0].Contact.Phone() != "919800000101" {
		t.Fatalf("candidates %q, want whoever is called so", said(k))
	}
	s := k.Candidates[0].Score
	if pool := math.Exp2(-s.Prior - 0.7); math.Abs(pool-people) > 0.5 {
		t.Errorf("one of %.0f customers, want %d", pool, people)
	}
	if s.Items[0].Code != "sounds_alike" || s.Items[0].Bits < 12 || s.Items[0].Bits > 13.2 {
		t.Errorf("%+v, want three rare words to be worth little more than 12 bits", s.Items)
	}
}
