package identity

import (
	"context"
	"fmt"
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

// name is what somebody who wrote by an identifier called themselves, by how it sounds, since when.
type name struct {
	sounds string
	first  int64
}

// soundsOf is a name as called keeps it: how its words sound, sorted.
func soundsOf(profile string) string {
	var sounds []string
	for _, w := range nameWords(profile) {
		if s := skeleton(w); s != "" && !slices.Contains(sounds, s) {
			sounds = append(sounds, clip(s))
		}
	}
	slices.Sort(sounds)

	return strings.Join(sounds, " ")
}

// recordCalled keeps what those who wrote called themselves, and returns the identifiers of which that says something new. It
// stands by identifiers, before anything is derived, since what is derived hangs on it.
func (b *Batch) recordCalled(ctx context.Context) ([]uuid.UUID, error) {
	type entry struct {
		identifier uuid.UUID
		sounds     string
	}
	first := map[entry]time.Time{}
	for _, s := range b.seen {
		e := entry{s.leading(), soundsOf(s.Event.Party.ProfileName)}
		if e.identifier == uuid.Nil || e.sounds == "" || s.Event.Rotation != nil || !makesContact(s.Event) {
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
		ids    []uuid.UUID
		sounds []string
		at     []time.Time
	)
	for e, t := range first {
		ids, sounds, at = append(ids, e.identifier), append(sounds, e.sounds), append(at, t)
	}
	var news []uuid.UUID
	err := b.tx.SelectContext(ctx, &news, `
		INSERT INTO called AS c (tenant_id, identifier_id, sounds, first_at)
		SELECT $1, w.id, w.sounds, w.at FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS w (id, sounds, at)
		WHERE (SELECT k.first_at <= w.at FROM called k WHERE k.tenant_id = $1 AND k.identifier_id = w.id AND k.sounds = w.sounds) IS NOT TRUE
		ON CONFLICT (tenant_id, identifier_id, sounds) DO UPDATE SET first_at = excluded.first_at
		RETURNING c.identifier_id`, b.tx.Tenant, pq.Array(ids), pq.Array(sounds), pq.Array(at))
	if err != nil {
		return nil, fmt.Errorf("keep what people are called: %w", err)
	}

	return news, nil
}

func (l *loaded) loadCalled(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var rows []struct {
		ID     uuid.UUID `db:"identifier_id"`
		Sounds string    `db:"sounds"`
		First  int64     `db:"first_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT identifier_id, sounds, extract(epoch FROM first_at)::bigint AS first_at
		FROM called WHERE tenant_id = $1 AND identifier_id = ANY($2)`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return fmt.Errorf("read what people are called: %w", err)
	}
	l.called = map[ref][]name{}
	for _, r := range rows {
		l.called[l.refs[r.ID]] = append(l.called[l.refs[r.ID]], name{sounds: r.Sounds, first: r.First})
	}

	return nil
}

// passedOn tells whether a phone last seen alone at one time, and next with a holder, may have passed to somebody else meanwhile:
// after a long silence, or after a shorter one if who came back is called otherwise.
func (d *deriver) passedOn(id ref, holder int, last, next int64) (contest string, passed bool) {
	switch gap := next - last; {
	case gap > silence:
		return contestSilent, true
	case gap > doubt && d.calledOtherwise(id, holder, last):
		return contestRenamed, true
	default:
		return "", false
	}
}

// calledOtherwise tells whether no name of a holder sounds like any that was on the phone until last. Without names on both sides
// nothing speaks against it.
func (d *deriver) calledOtherwise(id ref, holder int, last int64) bool {
	var before, after []string
	for _, n := range d.called[id] {
		if n.first <= last {
			before = append(before, strings.Fields(n.sounds)...)
		}
	}
	for r, names := range d.called {
		if d.isBSUID(r) && d.find(int(r)) == d.find(holder) {
			for _, n := range names {
				after = append(after, strings.Fields(n.sounds)...)
			}
		}
	}

	return len(before) > 0 && len(after) > 0 && !slices.ContainsFunc(before, func(s string) bool { return slices.Contains(after, s) })
}
