package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// doubt is how long a phone may be unseen before another name on it counts: operators give a number to somebody else after about
// 90 days. Beyond silence it counts without any name.
const doubt = int64(90 * 24 * 3600)

// name is what somebody who wrote by an identifier called themselves, since when.
type name struct {
	words string
	first int64
}

// calledAs is a name as called keeps it: its words, sorted, or what stands there instead of words.
func calledAs(profile string) string {
	words := nameWords(profile)
	if len(words) == 0 {
		words = strings.Fields(profile)
	}
	for i := range words {
		words[i] = clip(words[i])
	}
	slices.Sort(words)

	return strings.Join(slices.Compact(words), " ")
}

// recordCalled keeps what those who wrote called themselves, and returns the identifiers of which that says something new. It
// stands by identifiers, before anything is derived, since what is derived hangs on it.
func (b *Batch) recordCalled(ctx context.Context) ([]uuid.UUID, error) {
	type entry struct {
		identifier uuid.UUID
		words      string
	}
	first := map[entry]time.Time{}
	for _, s := range b.seen {
		e := entry{s.leading(), calledAs(s.Event.Party.ProfileName)}
		if e.identifier == uuid.Nil || e.words == "" || s.Event.Rotation != nil || !makesContact(s.Event) {
			continue
		}
		if at, known := first[e]; !known || s.at.Before(at) {
			first[e] = s.at
		}
	}
	if len(first) == 0 {
		return nil, nil
	}

	var (
		ids   []uuid.UUID
		words []string
		at    []time.Time
	)
	for _, e := range slices.SortedFunc(maps.Keys(first), func(a, b entry) int {
		return cmp.Or(bytes.Compare(a.identifier[:], b.identifier[:]), strings.Compare(a.words, b.words))
	}) {
		ids, words, at = append(ids, e.identifier), append(words, e.words), append(at, first[e])
	}
	var news []uuid.UUID
	err := b.tx.SelectContext(ctx, &news, `
		INSERT INTO called AS c (tenant_id, identifier_id, words, first_at)
		SELECT $1, w.id, w.words, w.at FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS w (id, words, at)
		WHERE (SELECT k.first_at <= w.at FROM called k WHERE k.tenant_id = $1 AND k.identifier_id = w.id AND k.words = w.words) IS NOT TRUE
		ON CONFLICT (tenant_id, identifier_id, words) DO UPDATE SET first_at = excluded.first_at
		RETURNING c.identifier_id`, b.tx.Tenant, pq.Array(ids), pq.Array(words), pq.Array(at))
	if err != nil {
		return nil, fmt.Errorf("keep what people are called: %w", err)
	}

	return news, nil
}

func (l *loaded) loadCalled(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var rows []struct {
		ID    uuid.UUID `db:"identifier_id"`
		Words string    `db:"words"`
		First int64     `db:"first_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT identifier_id, words, extract(epoch FROM first_at)::bigint AS first_at
		FROM called WHERE tenant_id = $1 AND identifier_id = ANY($2)`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read what people are called: %w", err)
	}
	l.called = map[ref][]name{}
	for _, r := range rows {
		l.called[l.refs[r.ID]] = append(l.called[l.refs[r.ID]], name{words: r.Words, first: r.First})
	}

	return nil
}

// passedOn tells whether a phone last seen alone at one time, and next with a holder, may have passed to somebody else meanwhile:
// after a long silence, or after a shorter one if who came back is called otherwise.
func (d *deriver) passedOn(id ref, holder int, last, next int64) (contest string, passed bool) {
	switch gap := next - last; {
	case gap > silence:
		return contestSilent, true
	case gap > doubt && d.calledOtherwise(id, holder, last, next):
		return contestRenamed, true
	default:
		return "", false
	}
}

// calledOtherwise tells whether no name of a holder, who came to the phone next, may be one of those that were on it until last.
func (d *deriver) calledOtherwise(id ref, holder int, last, next int64) bool {
	var before, after []string
	for _, n := range d.called[id] {
		if n.first <= last {
			before = append(before, n.words)
		}
	}
	for r, names := range d.called {
		if d.isBSUID(r) && d.find(int(r)) == d.find(holder) {
			for _, n := range names {
				after = append(after, n.words)
			}
		}
	}
	if len(after) == 0 {
		for _, n := range d.calledElsewhere(id, holder, last, next) {
			after = append(after, n.words)
		}
	}

	return soundOtherwise(before, after)
}

// soundOtherwise tells whether none of some names, each as calledAs writes it, may be another way to write one of the others. Without names
// on both sides nothing speaks against it.
func soundOtherwise(a, b []string) (otherwise bool) {
	for _, mine := range a {
		for _, theirs := range b {
			switch {
			case mine == "" || theirs == "":
			case mayBeOneName(heard(mine), heard(theirs)):
				return false
			default:
				otherwise = true
			}
		}
	}

	return otherwise
}

// mayBeOneName tells whether two names share a word, and not both have another that the other lacks: Suresh, Suresh S and सुरेश सरकार may be
// Suresh Sarkar, and Suresh Khandkar is somebody else, as half a town is called Suresh.
func mayBeOneName(mine, theirs []nameWord) bool {
	var rest []nameWord // of mine, that nothing of theirs sounds like
	theirs = slices.Clone(theirs)
	take := func(meets func(nameWord) bool) bool {
		j := slices.IndexFunc(theirs, meets)
		if j >= 0 {
			theirs = slices.Delete(theirs, j, j+1)
		}
		return j >= 0
	}
	for _, w := range mine {
		if !take(w.soundsLike) {
			rest = append(rest, w)
		}
	}
	if len(rest) == len(mine) {
		return false
	}
	rest = slices.DeleteFunc(rest, func(w nameWord) bool { return take(w.initials) })

	return len(rest) == 0 || len(theirs) == 0
}

// heard are the words of a name as they sound; a heart has no sound and stands for itself.
func heard(words string) []nameWord { return newNameWords(strings.Fields(words)) }

// soundsLike tells whether two words are one name, which a slip of a letter may have changed.
func (w nameWord) soundsLike(o nameWord) bool {
	return cmp.Or(w.sound, w.text) == cmp.Or(o.sound, o.text) || w.closeness(o) >= clearSound
}

// initials tells whether one of two words is the other's first letter.
func (w nameWord) initials(o nameWord) bool {
	return initialOf(w.text, o.text) || initialOf(o.text, w.text)
}
