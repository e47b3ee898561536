package answers_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/facts"
)

// desk is the operators' side of the world.
func (w *world) desk(fn func(ctx context.Context, tx *tenants.Tx) error) error {
	return w.DB.System(w.t.Context(), func(tx *tenants.Tx) error { return fn(w.t.Context(), tx) })
}

func (w *world) shelved(kind, key string, now time.Time) (s answers.Shelved) {
	w.t.Helper()
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) (err error) {
		s, _, err = answers.OnShelf(ctx, tx, kind, key, now)
		return err
	}))

	return s
}

// revise changes a card or macro as it stands now.
func (w *world) revise(kind, key string, now time.Time, change func(*answers.Revision)) error {
	w.t.Helper()
	s := w.shelved(kind, key, now)
	in := answers.Revision{Kind: kind, Key: key, Version: s.Edition.Version, Wording: s.Wording(), VerifiedOn: day(now)}
	change(&in)

	return w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := answers.Revise(ctx, tx, omar, in, now)
		return err
	})
}

func day(now time.Time) time.Time { return now.UTC().Truncate(24 * time.Hour) }

func conflict(t *testing.T, when string, err error, want string) {
	t.Helper()
	if got := tenants.ConflictCode(err); got != want {
		t.Errorf("%s: got %v, want the conflict %q", when, err, want)
	}
}

func TestOperatorsWordsReachWhoHasNoneOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	const key = "compulsory"
	ships, _ := w.card(w.ravi, key, now)
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := answers.Save(ctx, tx, meera, answers.Edit{Key: key, Content: own}, now)
		return err
	}))
	count := func(tenant bool) (r answers.Reach) {
		t.Helper()
		read := func(ctx context.Context, tx *tenants.Tx) (err error) {
			r, err = answers.Concerned(ctx, tx, key)
			return err
		}
		if tenant {
			w.must(w.as(w.ravi, read))
		} else {
			w.must(w.desk(read))
		}

		return r
	}
	if got, want := count(false), (answers.Reach{See: 1, Others: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := count(true); got.Others != 0 {
		t.Errorf("Ravi's business sees that %d others have words of their own, want none", got.Others)
	}

	words := func(in *answers.Revision) {
		in.Card.Short = answers.Words{EN: "No, never.", HI: "नहीं, कभी नहीं।"}
	}
	w.must(w.revise(answers.UsedCard, key, now, words))
	ravi, _ := w.card(w.ravi, key, now)
	if ravi.Short.EN != "No, never." || ravi.Version != 0 || ravi.Edition.By != "Omar" || !slices.Equal(ravi.Edition.Changed, []string{"short_en", "short_hi"}) {
		t.Errorf("Ravi's: got %q of version %d, %+v", ravi.Short.EN, ravi.Version, ravi.Edition)
	}
	asha, _ := w.card(w.asha, key, now)
	if asha.Short.EN != own.Short.EN || !asha.Moved || asha.Under == nil || asha.Under.Short.EN != "No, never." {
		t.Errorf("Asha's: got %q, moved %v over %+v; want her own, and that the platform's changed", asha.Short.EN, asha.Moved, asha.Under)
	}
	w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error { return answers.Check(ctx, tx, meera, key, 1, now) }))
	if asha, _ = w.card(w.asha, key, now); asha.Moved {
		t.Error("Asha's words are still behind the platform's after she looked")
	}

	// A colleague was quicker; a business does not write for all.
	err := w.revise(answers.UsedCard, key, now, func(in *answers.Revision) { words(in); in.Version = 0 })
	conflict(t, "an edit of what was there before", err, "answer_changed")
	err = w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Vouch(ctx, tx, meera, answers.UsedCard, key, 1, now)
	})
	if err == nil {
		t.Error("a business wrote into the platform's library")
	}

	// Back to what ships, and forth.
	turn := func(seen, to int) error {
		return w.desk(func(ctx context.Context, tx *tenants.Tx) error {
			return answers.Return(ctx, tx, omar, answers.UsedCard, key, seen, to, now)
		})
	}
	w.must(turn(1, 0))
	if ravi, _ = w.card(w.ravi, key, now); ravi.Short != ships.Short || ravi.Edition.Own {
		t.Errorf("taken back: got %q, want what ships", ravi.Short.EN)
	}
	conflict(t, "what counts already", turn(2, 0), "answer_same")
	w.must(turn(2, 1))
	if ravi, _ = w.card(w.ravi, key, now); ravi.Short.EN != "No, never." {
		t.Errorf("restored: got %q, want the operator's words", ravi.Short.EN)
	}

	// A release ships other words than those the operator wrote over.
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO library_versions (kind, key, version, did, content, base, verified_on, by_name)
			SELECT kind, key, 4, 'edit', content, 'of another release', verified_on, by_name FROM library_versions WHERE key = $1 AND version = 3`, key)
		return err
	}))
	if s := w.shelved(answers.UsedCard, key, now); !s.Edition.Moved {
		t.Error("other words ship now, and the edition does not say so")
	}
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Vouch(ctx, tx, omar, answers.UsedCard, key, 4, now)
	}))
	if s := w.shelved(answers.UsedCard, key, now); s.Edition.Moved || !s.Edition.Own {
		t.Errorf("after it was verified: moved %v, own %v", s.Edition.Moved, s.Edition.Own)
	}

	var did []string
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &did, `SELECT action FROM platform_audit WHERE object_kind = 'library' AND object_id = $1 ORDER BY seq`, key)
	}))
	if want := []string{"library.edit", "library.restore", "library.restore", "library.verify"}; !slices.Equal(did, want) {
		t.Errorf("the audit says %v, want %v", did, want)
	}
}

func TestOperatorsWordsFollowTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	const key = "compulsory"
	first, _ := w.card(w.ravi, key, now)
	w.verify(first, now)
	expires := day(now).AddDate(0, 0, 10)
	w.must(w.revise(answers.UsedCard, key, now, func(in *answers.Revision) {
		in.Card.Short = answers.Words{EN: "No.", HI: "नहीं।"}
		in.ExpiresOn = &expires
	}))
	at := func(now time.Time) answers.Card {
		t.Helper()
		card, _ := w.card(w.ravi, key, now)

		return card
	}
	wantCodes(t, "just written", at(now), false)
	wantCodes(t, "from its day on", at(expires.Add(time.Hour)), true, "expired")
	w.must(w.as(w.ravi, func(ctx context.Context, tx *tenants.Tx) error { return answers.Check(ctx, tx, joseph, key, 0, now) }))

	later := now.Add(time.Hour)
	w.edit(first.Facts[0], later, func(f *facts.Content) { f.TextEN += " Or so." })
	if card := at(later.Add(time.Hour)); !slices.Contains(codes(card), "fact_changed") || !card.Held() {
		t.Errorf("a fact changed: got %v, want it to be verified again", codes(card))
	}
	w.must(w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Vouch(ctx, tx, omar, answers.UsedCard, key, 1, later.Add(time.Minute))
	}))
	wantCodes(t, "verified since", at(later.Add(time.Hour)), false)
	long := now.AddDate(0, 0, 60)
	if got := codes(at(long)); !slices.Contains(got, "expired") {
		t.Errorf("after sixty days: got %v", got)
	}

	// Whatever is wrong is said of every field at once.
	err := w.revise(answers.UsedCard, key, now, func(in *answers.Revision) {
		in.Card.Short.HI, in.Card.Long.EN, in.Facts = " ", "Ask {phone}.", []string{"answers.none"}
		in.VerifiedOn = day(now).AddDate(0, 0, 2)
		in.ExpiresOn = nil
	})
	var list interface{ Unwrap() []error }
	var fields []string
	if errors.As(err, &list) {
		for _, e := range list.Unwrap() {
			if invalid := (*tenants.Invalid)(nil); errors.As(e, &invalid) {
				fields = append(fields, invalid.Field)
			}
		}
	}
	if want := []string{"short_hi", "long_en", "facts", "verified_on"}; !slices.Equal(fields, want) {
		t.Errorf("refused %v, want %v", fields, want)
	}
}

func TestOperatorsMacros(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	expires := day(now).AddDate(0, 0, 3)
	w.must(w.revise(answers.UsedMacro, "m06", now, func(in *answers.Revision) {
		in.Macro.Text = answers.Said{EN: "Found it, {first}.", HI: "मिल गया, {first} जी।", Hinglish: "Mil gaya, {first} ji."}
		in.ExpiresOn = &expires
	}))
	read := func(now time.Time, linked bool) answers.Ready {
		t.Helper()
		var r answers.Ready
		w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
			l, err := answers.Read(ctx, tx)
			if err != nil {
				return err
			}
			list, err := answers.Macros(ctx, tx, now)
			at := slices.IndexFunc(list, func(m answers.Macro) bool { return m.Key == "m06" })
			r = l.Use(list[at], answers.English, answers.To{Known: true, Linked: linked, Name: "Ravi"}, true, nil, now)

			return err
		}))

		return r
	}
	if r := read(now, true); r.Text != "Found it, Ravi." {
		t.Errorf("got %q (%s), want the operator's words", r.Text, r.Refused)
	}
	if r := read(now, false); r.Refused != "linked" || r.Text != "" {
		t.Errorf("to a stranger: got %q (%s), want its guard to hold", r.Text, r.Refused)
	}
	if r := read(expires.Add(time.Hour), true); r.Refused != "expired" || r.Text != "" {
		t.Errorf("past its day: got %q (%s), want it refused", r.Text, r.Refused)
	}
	if err := w.revise(answers.UsedMacro, "m06", now, func(in *answers.Revision) { in.Macro.Text.Hinglish = "{phone}" }); err == nil {
		t.Error("a macro with an unknown variable was taken")
	}
	none := w.desk(func(ctx context.Context, tx *tenants.Tx) error {
		return answers.Vouch(ctx, tx, omar, answers.UsedMacro, "m99", 0, now)
	})
	if !errors.Is(none, tenants.ErrNotFound) {
		t.Errorf("no such macro: got %v", none)
	}
}
