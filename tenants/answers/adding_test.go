package answers_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
)

// parking is a card that no release ships.
func parking(now time.Time) answers.Revision {
	return answers.Revision{Kind: answers.UsedCard, VerifiedOn: day(now), Wording: answers.Wording{Card: &answers.Content{
		Audience: "team", Question: answers.Words{EN: "Where may tankers be parked?", HI: "टैंकर कहाँ खड़े करें?"}, Short: answers.Words{EN: "Behind the shed.", HI: "शेड के पीछे।"},
		Long: answers.Words{EN: "Behind the shed, all day.", HI: "शेड के पीछे, दिन भर।"}, Never: answers.Words{EN: "That the road is free.", HI: "कि सड़क खाली है।"},
		Source: answers.Words{EN: "The town's rules", HI: "शहर के नियम"}, Asks: []string{"tanker parking kahan"},
	}}}
}

// cards are all that a business has.
func (w *world) cards(tenant uuid.UUID, now time.Time) (list []answers.Card) {
	w.t.Helper()
	w.must(w.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		list, _, err = answers.Library(ctx, tx, now)
		return err
	}))

	return list
}

func TestOperatorsAddCards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	add := func(in answers.Revision) (key string, err error) {
		err = w.desk(func(ctx context.Context, tx *tenants.Tx) error {
			key, err = answers.Add(ctx, tx, omar, in, now)
			return err
		})

		return key, err
	}
	before := len(w.cards(w.ravi, now))

	// What is looked at first is not there yet; what cannot be shown never is.
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		s, e, _, err := answers.TryAdd(ctx, tx, parking(now), now)
		if err == nil && (e.Did != answers.Added || e.Wording == nil || !slices.Contains(e.Changed, "question_hi") || s.Key != "") {
			t.Errorf("looked at first: got %+v of %+v", e, s)
		}
		return err
	}))
	for what, spoil := range map[string]func(*answers.Revision){
		"no Hindi": func(in *answers.Revision) { in.Card.Short.HI = "" }, "nobody's": func(in *answers.Revision) { in.Card.Audience = "" },
		"no source": func(in *answers.Revision) { in.Card.Source = answers.Words{} }, "a source in one language": func(in *answers.Revision) { in.Card.Source.HI = "" },
		"an unknown fact": func(in *answers.Revision) { in.Facts = []string{"answers.none"} }, "never verified": func(in *answers.Revision) { in.VerifiedOn = time.Time{} },
		"over before it began": func(in *answers.Revision) { in.ExpiresOn = &in.VerifiedOn }, "no such country": func(in *answers.Revision) { in.Card.Country = "india" },
	} {
		in := parking(now)
		spoil(&in)
		if invalid := (*tenants.Invalid)(nil); !errors.As(second(add(in)), &invalid) {
			t.Errorf("%s: taken", what)
		}
	}
	if err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := answers.Add(ctx, tx, meera, parking(now), now)
		return err
	}); err == nil {
		t.Error("a business wrote into the platform's library")
	}
	if got := len(w.cards(w.ravi, now)); got != before {
		t.Fatalf("%d cards before the first was added, want %d", got, before)
	}

	key, err := add(parking(now))
	w.must(err)
	if !answers.IsAdded(key) {
		t.Errorf("its key is %q", key)
	}
	ravi, _ := w.card(w.ravi, key, now)
	if ravi.Short.HI != "शेड के पीछे।" || !ravi.Edition.Own || ravi.Own || len(ravi.Doubts) != 0 || ravi.Edition.By != "Omar" {
		t.Errorf("Ravi has %+v", ravi)
	}
	if found, err := answers.Find(w.cards(w.ravi, now), "tanker kahan"); err != nil || len(found) == 0 || found[0].Key != key {
		t.Errorf("asked for in Hinglish: found %d cards (%v)", len(found), err)
	}
	if card, _ := w.card(w.ravi, key, now.AddDate(0, 0, 40)); len(card.Doubts) == 0 {
		t.Error("forty days later nobody is asked to verify it")
	}

	// Asha writes her own in its place, and an operator changes it and takes it away.
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := answers.Save(ctx, tx, meera, answers.Edit{Key: key, Content: own}, now)
		return err
	}))
	w.must(w.revise(answers.UsedCard, key, now, func(in *answers.Revision) { in.Card.Short.EN = "Behind the wall." }))
	if card, _ := w.card(w.asha, key, now); card.Short.EN != own.Short.EN || !card.Moved || card.Under.Short.EN != "Behind the wall." {
		t.Errorf("Asha has %q over %+v", card.Short.EN, card.Under)
	}
	withdraw := func(key string, version int) error {
		return w.desk(func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Withdraw(ctx, tx, omar, key, version, now)
		})
	}
	conflict(t, "what was there before", withdraw(key, 1), "answer_changed")
	if err := withdraw("compulsory", 0); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("what ships: got %v, want ErrNotFound", err)
	}
	w.must(withdraw(key, 2))
	if slices.ContainsFunc(w.cards(w.ravi, now), func(c answers.Card) bool { return c.Key == key }) {
		t.Error("Ravi still has it")
	}
	if card, _ := w.card(w.asha, key, now); card.Short.EN != own.Short.EN || !card.Own {
		t.Errorf("Asha's own words went with it: %+v", card)
	}
	s := w.shelved(answers.UsedCard, key, now)
	if !s.Withdrawn() || s.Card.Short.EN != "Behind the wall." || len(s.Doubts) != 0 || s.Others != 1 {
		t.Errorf("operators see %+v", s)
	}
	conflict(t, "taken away twice", withdraw(key, 3), "answer_withdrawn")
	conflict(t, "changed while away", w.revise(answers.UsedCard, key, now, func(in *answers.Revision) { in.Card.Short.EN = "No." }), "answer_withdrawn")
	conflict(t, "verified while away", w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Vouch(ctx, tx, omar, answers.UsedCard, key, 3, now)
	}), "answer_withdrawn")

	// She takes hers away, it comes back as it was first: now nobody has words of their own.
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error { return answers.Restore(ctx, tx, meera, key, 1, now) }))
	turn := func(seen, to int) error {
		return w.desk(func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Return(ctx, tx, omar, answers.UsedCard, key, seen, to, now)
		})
	}
	for _, to := range []int{0, 3, 9} {
		if err := turn(3, to); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("back to version %d, which has no words of its own: got %v", to, err)
		}
	}
	w.must(turn(3, 1))
	for who, tenant := range map[string]uuid.UUID{"Ravi": w.ravi, "Asha": w.asha} {
		if card, _ := w.card(tenant, key, now); card.Short.EN != "Behind the shed." || card.Own {
			t.Errorf("brought back, %s has %+v", who, card)
		}
	}
	if s := w.shelved(answers.UsedCard, key, now); s.Others != 0 || s.Withdrawn() {
		t.Errorf("brought back: %d with their own words", s.Others)
	}

	var did []string
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &did, `SELECT action FROM platform_audit WHERE object_kind = 'library' AND object_id = $1 ORDER BY seq`, key)
	}))
	if want := []string{"library.add", "library.edit", "library.withdraw", "library.restore"}; !slices.Equal(did, want) {
		t.Errorf("the audit says %v, want %v", did, want)
	}
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		list, err := answers.Editions(ctx, tx, answers.UsedCard, key)
		if len(list) != 4 || list[3].Did != answers.Added {
			t.Errorf("its history is %+v", list)
		}
		return err
	}))
}

func second(_ string, err error) error { return err }
