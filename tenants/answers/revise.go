package answers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Revision is an operator's words for a card or macro. Version is the newest edition that they saw, 0 for none.
type Revision struct {
	Kind    string
	Key     string
	Version int
	Wording
	VerifiedOn time.Time  // the day its sources were read
	ExpiresOn  *time.Time // see Edition
}

// The lengths of a macro's texts, in letters.
const (
	mostTitle = 160
	mostSaid  = 1000
)

const mostFacts = 20 // of one card or macro

// check refuses what cannot be shown or sent, each field by its own Invalid, all joined.
func (in Revision) check(l Ledger, now time.Time) error {
	var list []error
	refuse := func(field, key string) { list = append(list, &tenants.Invalid{Field: field, Key: key}) }

	if in.Kind == UsedMacro {
		list = append(list, in.Macro.check()...)
	} else {
		for _, fault := range in.Card.faults() {
			if invalid := (*tenants.Invalid)(nil); errors.As(fault, &invalid) && invalid.Field == "source" {
				invalid.Field = "source_en"
			}
			list = append(list, fault)
		}
		switch c := in.Card; {
		case !country.MatchString(c.Country):
			refuse("country", "country")
		case (c.Source.EN == "") != (c.Source.HI == ""):
			refuse("source_hi", "both_languages")
		}
		if len(in.facts()) == 0 && in.Card.Source.EN == "" {
			refuse("source_en", "answer_source")
		}
	}
	for _, key := range in.facts() {
		if _, ok := l.now[key]; !ok {
			refuse("facts", "answer_fact")
			break
		}
	}
	if len(in.Facts) > mostFacts {
		refuse("facts", "too_long")
	}
	if in.VerifiedOn.IsZero() || in.VerifiedOn.After(now) {
		refuse("verified_on", "past_day")
	}
	if in.ExpiresOn != nil && !in.ExpiresOn.After(in.VerifiedOn) {
		refuse("expires_on", "later_day")
	}

	return errors.Join(list...)
}

// check lists what is wrong with a macro's words, each an Invalid of its field.
func (m MacroText) check() []error {
	var list []error
	for _, f := range (Wording{Macro: &m}).fields() {
		most := mostTitle
		if strings.HasPrefix(f.name, "text_") || strings.HasPrefix(f.name, "when_") {
			most = mostSaid
		}
		switch {
		case f.name == "facts":
			continue
		case strings.TrimSpace(f.text) == "":
			list = append(list, &tenants.Invalid{Field: f.name, Key: "all_languages"})
		case utf8.RuneCountInString(f.text) > most:
			list = append(list, &tenants.Invalid{Field: f.name, Key: "too_long"})
		case slices.ContainsFunc(slot.FindAllStringSubmatch(f.text, -1), func(part []string) bool {
			return part[1] == "fact" && part[2] == "" || part[1] != "fact" && !slices.Contains(variables, part[1])
		}):
			list = append(list, &tenants.Invalid{Field: f.name, Key: "macro_variable"})
		}
	}

	return list
}

// next is the edition that a revision makes.
func (in Revision) next(s Shelved, l Ledger, now time.Time) (Edition, error) {
	if in.Kind == UsedCard {
		in.Card.Audience = s.Card.Audience
	}
	if err := in.check(l, now); err != nil {
		return Edition{}, err
	}
	if s.Edition.Version != in.Version {
		return Edition{}, &tenants.Conflict{Code: "answer_changed"}
	}
	if s.Withdrawn() {
		return Edition{}, &tenants.Conflict{Code: "answer_withdrawn"}
	}
	in.Facts = in.facts()
	e := Edition{
		Version: in.Version + 1, Did: Edited, Own: in.digest() != s.Ships.digest(), Changed: in.differs(s.Wording()),
		VerifiedOn: &in.VerifiedOn, ExpiresOn: in.ExpiresOn, WrittenAt: now, At: now, base: s.Ships.digest(),
	}
	if len(e.Changed) == 0 {
		e.Did, e.WrittenAt = Verified, s.Edition.WrittenAt
	}
	if e.Own {
		e.Wording = &in.Wording
	}

	return e, nil
}

// Try says what Revise would do, and whom it concerns, in a System transaction, and changes nothing.
func Try(ctx context.Context, tx *tenants.Tx, in Revision, now time.Time) (Edition, Reach, error) {
	s, l, err := OnShelf(ctx, tx, in.Kind, in.Key, now)
	if err != nil {
		return Edition{}, Reach{}, err
	}
	e, err := in.next(s, l, now)
	if err != nil {
		return Edition{}, Reach{}, err
	}
	r, err := Concerned(ctx, tx, in.Key)

	return e, r, err
}

// Revise puts an operator's words in place of a card's or macro's, in a System transaction. Every business without words of its own has them
// from the commit on. The same words again only note when they were verified; those that ship end what stood in their place. Each field that is
// refused is an Invalid, all joined; Conflict "answer_changed" where a colleague was quicker.
func Revise(ctx context.Context, tx *tenants.Tx, by tenants.Actor, in Revision, now time.Time) (Edition, error) {
	s, l, err := OnShelf(ctx, tx, in.Kind, in.Key, now)
	if err != nil {
		return Edition{}, err
	}
	e, err := in.next(s, l, now)
	if err != nil {
		return Edition{}, err
	}

	return e, shelve(ctx, tx, by, s, e)
}

// Vouch notes that an operator read the sources of version, the newest of a card or macro, on the day of now and that its words still hold. A
// day by which it had to be verified is behind it then.
func Vouch(ctx context.Context, tx *tenants.Tx, by tenants.Actor, kind, key string, version int, now time.Time) error {
	s, _, err := OnShelf(ctx, tx, kind, key, now)
	if err != nil {
		return err
	}
	if s.Edition.Version != version {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	if s.Withdrawn() {
		return &tenants.Conflict{Code: "answer_withdrawn"}
	}
	e := s.Edition
	today := now.UTC().Truncate(24 * time.Hour)
	e.base = s.Ships.digest()
	e.Version, e.Did, e.Changed, e.VerifiedOn, e.At = version+1, Verified, nil, &today, now
	if e.ExpiresOn != nil && !e.ExpiresOn.After(today) {
		e.ExpiresOn = nil
	}

	return shelve(ctx, tx, by, s, e)
}

// Return has version to of a card or macro count again, as it was verified then; 0 is what ships. It brings back an added card that was taken
// away. seen is the newest version that the operator
// saw. Conflict "answer_changed" where a colleague was quicker, "answer_same" where those words count already.
func Return(ctx context.Context, tx *tenants.Tx, by tenants.Actor, kind, key string, seen, to int, now time.Time) error {
	s, _, err := OnShelf(ctx, tx, kind, key, now)
	if err != nil {
		return err
	}
	if s.Edition.Version != seen {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	e := Edition{base: s.Ships.digest()}
	if to != 0 {
		history, err := Editions(ctx, tx, kind, key)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(history, func(v Edition) bool { return v.Version == to })
		if at < 0 || history[at].Did == Withdrawn {
			return tenants.ErrNotFound
		}
		e = history[at]
	} else if IsAdded(key) {
		return tenants.ErrNotFound // nothing ships beneath it
	}
	words := s.Ships
	if e.Wording != nil {
		words = *e.Wording
	}
	e.Version, e.Did, e.At, e.Changed = seen+1, Restored, now, words.differs(s.Wording())
	if len(e.Changed) == 0 && !s.Withdrawn() {
		return &tenants.Conflict{Code: "answer_same"}
	}

	return shelve(ctx, tx, by, s, e)
}

// shelve writes the next edition of a card or macro.
func shelve(ctx context.Context, tx *tenants.Tx, by tenants.Actor, s Shelved, e Edition) error {
	var content *string // none where what ships counts
	if e.Wording != nil {
		raw, err := json.Marshal(e.Wording)
		if err != nil {
			return fmt.Errorf("encode the words of %s %s: %w", s.Kind, s.Key, err)
		}
		text := string(raw)
		content = &text
	}
	if e.WrittenAt.IsZero() {
		e.WrittenAt = e.At
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO library_versions (kind, key, version, did, content, base, changed, verified_on, expires_on, written_at, by_name, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.Kind, s.Key, e.Version, e.Did, content, e.base, pq.Array(append([]string{}, e.Changed...)), e.VerifiedOn, e.ExpiresOn, e.WrittenAt, by.Name, e.At)
	if tenants.Violates(err, "library_versions_pkey") {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	if err != nil {
		return fmt.Errorf("write %s %s: %w", s.Kind, s.Key, err)
	}

	action := "library." + e.Did

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by, Action: action, ObjectKind: "library", ObjectID: s.Key,
		Detail: map[string]any{"kind": s.Kind, "version": e.Version, "changed": append([]string{}, e.Changed...)},
	})
}
