package answers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/testdb"
)

var (
	meera  = tenants.Actor{Kind: "person", ID: "7a0b5f0e-0000-4000-8000-000000000001", Name: "Meera"}
	joseph = tenants.Actor{Kind: "person", ID: "7a0b5f0e-0000-4000-8000-000000000002", Name: "Joseph"}
	omar   = tenants.Actor{Kind: "operator", ID: "7a0b5f0e-0000-4000-8000-000000000003", Name: "Omar"}
)

// world is a database with the ledger and two businesses.
type world struct {
	t *testing.T
	*testdb.Database
	asha, ravi uuid.UUID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, Database: testdb.New(t), asha: uuid.New(), ravi: uuid.New()}
	if err := facts.Seed(t.Context(), w.DB); err != nil {
		t.Fatal(err)
	}
	w.must(w.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'asha-clinic', 'Asha Clinic'), ($2, 'ravi-motors', 'Ravi Motors')`, w.asha, w.ravi)
		return err
	}))

	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(tenant uuid.UUID, fn func(ctx context.Context, tx *tenants.Tx) error) error {
	w.t.Helper()

	return w.DB.As(w.t.Context(), tenant, func(tx *tenants.Tx) error { return fn(w.t.Context(), tx) })
}

func (w *world) card(tenant uuid.UUID, key string, now time.Time) (card answers.Card, ledger answers.Ledger) {
	w.t.Helper()
	w.must(w.as(tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		card, ledger, err = answers.One(ctx, tx, key, now)
		return err
	}))

	return card, ledger
}

// verify has the operator check every fact of a card on a day, which may be in the past.
func (w *world) verify(card answers.Card, on time.Time) {
	w.t.Helper()
	for _, key := range card.Facts {
		w.edit(key, on, func(*facts.Content) {})
	}
}

func (w *world) edit(key string, now time.Time, change func(*facts.Content)) {
	w.t.Helper()
	w.must(w.DB.System(w.t.Context(), func(tx *tenants.Tx) error {
		f, err := facts.Get(w.t.Context(), tx, key)
		if err != nil {
			return err
		}
		f.VerifiedOn, f.ExpiresOn = now, nil
		change(&f.Content)
		_, err = facts.Edit(w.t.Context(), tx, omar, facts.Change{Key: key, Version: f.Version, Content: f.Content}, now)

		return err
	}))
}

func codes(card answers.Card) (list []string) {
	for _, d := range card.Doubts {
		if !slices.Contains(list, d.Code) {
			list = append(list, d.Code)
		}
	}

	return list
}

func wantCodes(t *testing.T, when string, card answers.Card, held bool, want ...string) {
	t.Helper()
	if got := codes(card); !slices.Equal(got, want) || card.Held() != held {
		t.Errorf("%s: got %v, held %v, want %v, %v", when, got, card.Held(), want, held)
	}
}

var own = answers.Content{
	Audience: "customers", Question: answers.Words{EN: "Do you deliver on Sunday?", HI: "क्या आप रविवार को डिलीवरी करते हैं?"},
	Short: answers.Words{EN: "Yes, until six.", HI: "हाँ, छह बजे तक।"}, Long: answers.Words{EN: "Yes, until six in the evening.", HI: "हाँ, शाम छह बजे तक।"},
	Never: answers.Words{EN: "Promise an hour.", HI: "घंटे का वादा न करें।"}, Source: answers.Words{EN: "Our own rule", HI: "Our own rule"}, Asks: []string{"sunday delivery", "इतवार"},
}

func TestACardFollowsItsFacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	india, _ := w.card(w.asha, "india", now)
	wantCodes(t, "as shipped, long after", india, true, "fact_old")
	if plain, _ := w.card(w.asha, "compulsory", now); plain.Held() || len(plain.Doubts) == 0 {
		t.Errorf("a card that says no fact in its short answer: got held %v with %v, want it in doubt and not held", plain.Held(), codes(plain))
	}
	if timeless, _ := w.card(w.asha, "must_i_tell", now); len(timeless.Doubts) > 0 {
		t.Errorf("a card on no fact: got %v, want it to hold", codes(timeless))
	}

	w.verify(india, now)
	india, ledger := w.card(w.asha, "india", now)
	wantCodes(t, "checked by the operator", india, false)
	text, missing := ledger.Fill(india.Short.EN, answers.English, nil)
	fact, _ := ledger.Fact("answers.07")
	if !strings.HasPrefix(text, fact.TextEN) || len(missing) > 0 {
		t.Errorf("got %q, missing %v, want what the ledger says", text, missing)
	}
	on, until := ledger.Verified(india)
	if now.Sub(on) > 48*time.Hour || until.Before(now.Add(29*24*time.Hour)) {
		t.Errorf("verified on %v until %v, want today and thirty days", on, until)
	}
	if later, _ := w.card(w.asha, "india", now.Add(32*24*time.Hour)); !later.Held() {
		t.Error("thirty days on: want it in doubt again")
	}

	// A new text of the fact is on the card at once, and the card is to be verified until somebody here has.
	w.edit("answers.07", now, func(c *facts.Content) { c.TextEN, c.TextHI = "It has begun.", "शुरू हो गया।" })
	india, ledger = w.card(w.asha, "india", now)
	wantCodes(t, "its fact changed", india, true, "fact_changed")
	if text, _ := ledger.Fill(india.Short.HI, answers.Hindi, nil); !strings.HasPrefix(text, "शुरू हो गया।") {
		t.Errorf("got %q, want the new text", text)
	}
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Check(ctx, tx, joseph, "india", 0, now)
	}))
	india, _ = w.card(w.asha, "india", time.Now())
	wantCodes(t, "checked here", india, false)
	if india.CheckedBy != "Joseph" {
		t.Errorf("got checked by %q, want Joseph", india.CheckedBy)
	}
	india, _ = w.card(w.ravi, "india", now)
	wantCodes(t, "for another business", india, true, "fact_changed")
}

func TestABusinessWritesItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	save := func(tenant uuid.UUID, in answers.Edit) (key string, err error) {
		err = w.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			key, err = answers.Save(ctx, tx, meera, in, now)
			return err
		})

		return key, err
	}
	key, err := save(w.asha, answers.Edit{Content: own})
	w.must(err)
	card, ledger := w.card(w.asha, key, now)
	wantCodes(t, "fresh", card, false, "unchecked")
	if !card.Own || card.By != "Meera" || card.Version != 1 {
		t.Errorf("got %+v, want the first version of an own card by Meera", card)
	}
	if on, _ := ledger.Verified(card); !on.IsZero() {
		t.Errorf("verified on %v, want never", on)
	}
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error { return answers.Check(ctx, tx, joseph, key, 1, now) }))
	card, _ = w.card(w.asha, key, time.Now())
	wantCodes(t, "checked", card, false)
	later, _ := w.card(w.asha, key, time.Now().Add(31*24*time.Hour))
	wantCodes(t, "a month on", later, false, "check_old")

	changed := own
	changed.Short.EN = "Yes, until seven."
	_, err = save(w.asha, answers.Edit{Key: key, Version: 1, Content: changed})
	w.must(err)
	card, _ = w.card(w.asha, key, time.Now())
	wantCodes(t, "changed since", card, false, "unchecked")
	if _, err := save(w.asha, answers.Edit{Key: key, Version: 1, Content: changed}); tenants.ConflictCode(err) != "answer_changed" {
		t.Errorf("an edit of an older version: got %v, want answer_changed", err)
	}
	if err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error { return answers.Check(ctx, tx, joseph, key, 1, now) }); tenants.ConflictCode(err) != "answer_changed" {
		t.Errorf("a check of an older version: got %v, want answer_changed", err)
	}
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		history, err := answers.Versions(ctx, tx, key)
		if len(history) != 2 || history[0].Short.EN != "Yes, until seven." || history[1].Short.EN != "Yes, until six." {
			t.Errorf("got %+v, want both versions, newest first", history)
		}

		return err
	}))

	// Over a built-in card, and back.
	_, err = save(w.asha, answers.Edit{Key: "compulsory", Content: changed})
	w.must(err)
	if card, _ := w.card(w.asha, "compulsory", now); card.Short.EN != changed.Short.EN || card.Own || !slices.Contains(card.Facts, "answers.02") {
		t.Errorf("got %+v, want our words on the built-in card's facts", card)
	}
	if card, _ := w.card(w.ravi, "compulsory", now); card.Version != 0 {
		t.Errorf("another business: got version %d, want the built-in card", card.Version)
	}
	restore := func(tenant uuid.UUID, key string, seen int) error {
		return w.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Restore(ctx, tx, meera, key, seen, now)
		})
	}
	w.must(restore(w.asha, "compulsory", 1))
	if card, _ := w.card(w.asha, "compulsory", now); card.Version != 0 {
		t.Errorf("taken back: got version %d, want the built-in card", card.Version)
	}
	_, err = save(w.asha, answers.Edit{Key: "compulsory", Version: 2, Content: changed}) // and once more
	w.must(err)

	w.must(restore(w.asha, key, 2))
	if err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, _, err := answers.One(ctx, tx, key, now)
		return err
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("a removed card: got %v, want not found", err)
	}
}

func TestWhatIsNoAnswerIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for field, spoil := range map[string]func(*answers.Content){
		"question_hi": func(c *answers.Content) { c.Question.HI = " " },
		"short_en":    func(c *answers.Content) { c.Short.EN = strings.Repeat("a", 201) },
		"never_hi":    func(c *answers.Content) { c.Never.HI = "" },
		"long_hi":     func(c *answers.Content) { c.Long.HI = "{first} जी" },
		"long_en":     func(c *answers.Content) { c.Long.EN = "{fact:no.such}" },
		"audience":    func(c *answers.Content) { c.Audience = "aliens" },
		"country":     func(c *answers.Content) { c.Country = "india" },
		"source":      func(c *answers.Content) { c.Source = answers.Words{} },
		"asks":        func(c *answers.Content) { c.Asks = slices.Repeat([]string{"why"}, 31) },
	} {
		c := own
		spoil(&c)
		err := w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := answers.Save(ctx, tx, meera, answers.Edit{Content: c}, time.Now())
			return err
		})
		var invalid *tenants.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: got %v, want it refused", field, err)
		}
	}
}

func TestAnswersNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	var key string
	var asked answers.Question
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
		if key, err = answers.Save(ctx, tx, meera, answers.Edit{Content: own}, now); err != nil {
			return err
		}
		if err := answers.Use(ctx, tx, answers.UsedCard, "india", now); err != nil {
			return err
		}
		if err := answers.Use(ctx, tx, answers.UsedMacro, "m04", now); err != nil {
			return err
		}
		if err := answers.Vote(ctx, tx, uuid.MustParse(meera.ID), "india", true, now); err != nil {
			return err
		}
		asked, err = answers.Log(ctx, tx, meera, answers.FromSearch, "do you sell balloons")

		return err
	}))
	for name, do := range map[string]func(ctx context.Context, tx *tenants.Tx) error{
		"One": func(ctx context.Context, tx *tenants.Tx) error {
			_, _, err := answers.One(ctx, tx, key, now)
			return err
		},
		"Save": func(ctx context.Context, tx *tenants.Tx) error {
			_, err := answers.Save(ctx, tx, meera, answers.Edit{Key: key, Version: 1, Content: own}, now)
			return err
		},
		"Check":   func(ctx context.Context, tx *tenants.Tx) error { return answers.Check(ctx, tx, meera, key, 1, now) },
		"Restore": func(ctx context.Context, tx *tenants.Tx) error { return answers.Restore(ctx, tx, meera, key, 1, now) },
		"Use": func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Use(ctx, tx, answers.UsedCard, key, now)
		},
		"Vote": func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Vote(ctx, tx, uuid.MustParse(meera.ID), key, true, now)
		},
		"GroupOf": func(ctx context.Context, tx *tenants.Tx) error {
			_, err := answers.GroupOf(ctx, tx, asked.ID, now)
			return err
		},
		"Answer": func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Answer(ctx, tx, meera, asked.ID, "india", now)
		},
		"Forget": func(ctx context.Context, tx *tenants.Tx) error { return answers.Forget(ctx, tx, meera, asked.ID, now) },
		"Unlog":  func(ctx context.Context, tx *tenants.Tx) error { return answers.Unlog(ctx, tx, meera, asked.ID) },
	} {
		if err := w.as(w.ravi, do); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s from another business: got %v, want not found", name, err)
		}
	}
	w.must(w.as(w.ravi, func(ctx context.Context, tx *tenants.Tx) error {
		if _, said, err := answers.VoteOf(ctx, tx, uuid.MustParse(meera.ID), "india"); said || err != nil {
			t.Errorf("a vote: got %v (%v), want none", said, err)
		}
		if list, err := answers.Versions(ctx, tx, key); len(list) > 0 || err != nil {
			t.Errorf("versions: got %d (%v), want none", len(list), err)
		}
		if groups, err := answers.Groups(ctx, tx, now); len(groups) > 0 || err != nil {
			t.Errorf("questions: got %d (%v), want none", len(groups), err)
		}
		list, err := answers.Macros(ctx, tx, now)
		if slices.ContainsFunc(list, func(m answers.Macro) bool { return m.Uses > 0 }) {
			t.Error("macros: want none used")
		}

		return err
	}))
	if india, _ := w.card(w.ravi, "india", now); india.Uses+india.Helpful > 0 {
		t.Errorf("uses: got %d, %d, want none", india.Uses, india.Helpful)
	}
	if india, _ := w.card(w.asha, "india", now); india.Uses != 1 || india.Helpful != 1 {
		t.Errorf("here: got %d uses, %d helpful, want 1 and 1", india.Uses, india.Helpful)
	}
}
