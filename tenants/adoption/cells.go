package adoption

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// cell is one sum: how many accounts showed this much at a place and time.
type cell struct {
	kind, place string
	at          int64 // Unix seconds
	country     string
	shown       int
}

// sums is what some accounts add to the cells.
type sums map[cell]int

// addWeeks adds (times 1) or takes away (times -1) what the rows of one account say of days and weeks. They must be all its rows of those
// weeks: it counts once at each number, and once in its portfolio.
func (s sums) addWeeks(rows []row, times int) {
	for _, inWeek := range weeks(rows) {
		for _, atNumber := range groups(inWeek, byNumber) {
			s.addWeek(atNumber[0].Number.String(), atNumber, times)
		}
		s.addWeek(inWeek[0].Scope, inWeek, times)
	}
}

func (s sums) addWeek(place string, rows []row, times int) {
	week, from, heard := rows[0].Week, country(rows), heardOn(rows)
	s[cell{cellWeek, place, week.Unix(), from, shown(rows, heard)}] += times
	for day := range 7 {
		if heard&(1<<day) != 0 {
			s[cell{cellDay, place, week.AddDate(0, 0, day).Unix(), from, shown(rows, 1<<day)}] += times
		}
	}
}

// standing is when an account was last heard from at a place, and what it showed in that week.
type standing struct {
	Identity uuid.UUID `db:"identity_id"`
	Place    string    `db:"place"`
	Day      time.Time `db:"day"`
	Shown    int       `db:"shown"`
	Country  string    `db:"country"`
	Several  bool      `db:"several"`
}

func (s standing) equal(o standing) bool {
	return s.Day.Equal(o.Day) && s.Shown == o.Shown && s.Country == o.Country && s.Several == o.Several
}

// standingIn is how an account stands by the rows of one week.
func standingIn(place string, rows []row) standing {
	heard, last := heardOn(rows), 0
	for day := range 7 {
		if heard&(1<<day) != 0 {
			last = day
		}
	}

	return standing{
		Identity: rows[0].Identity, Place: place, Day: rows[0].Week.AddDate(0, 0, last), Shown: shown(rows, heard), Country: country(rows),
	}
}

// standings is how one account stands at each place, by how it stood and all its rows of the weeks that changed. Without old ones the
// rows must be all there are.
func standings(old map[string]standing, rows []row) map[string]standing {
	scope := rows[0].Scope
	out := map[string]standing{}
	for place, s := range old {
		if place != scope {
			out[place] = s
		}
	}

	latest := map[time.Time][]row{}
	for _, inWeek := range weeks(rows) {
		latest[inWeek[0].Week.UTC()] = inWeek
		for _, atNumber := range groups(inWeek, byNumber) {
			place := atNumber[0].Number.String()
			if s, ok := out[place]; !ok || !monday(s.Day).After(inWeek[0].Week) {
				out[place] = standingIn(place, atNumber)
			}
		}
	}
	if len(out) == 1 {
		for place, s := range out {
			s.Several = false
			out[place] = s
		}
		return out
	}

	var newest standing
	for place, s := range out {
		s.Several = true
		out[place] = s
		if s.Day.After(newest.Day) {
			newest = s
		}
	}
	week := monday(newest.Day)
	whole, stood := old[scope]
	switch inWeek, changed := latest[week]; {
	case changed:
		out[scope] = standingIn(scope, inWeek)
	case stood && monday(whole.Day).Equal(week):
		out[scope] = whole
	default: // of that week one number alone knows
		newest.Place, newest.Several = scope, false
		out[scope] = newest
	}

	return out
}

// addStandings adds, or takes away, how one account stands at each place, and in its portfolio.
func (s sums) addStandings(scope string, all map[string]standing, times int) {
	for place, at := range all {
		s[cell{cellLast, place, at.Day.Unix(), at.Country, at.Shown}] += times
		if place != scope && !at.Several {
			s[cell{cellLast, scope, at.Day.Unix(), at.Country, at.Shown}] += times
		}
	}
}

// write brings the cells up to date.
func (s sums) write(ctx context.Context, tx *tenants.Tx) error {
	var list []cell
	for c, n := range s {
		if n != 0 {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortFunc(list, cell.compare)

	var (
		kinds, places, countries []string
		at, showns, counts       []int64
	)
	for _, c := range list {
		kinds, places, countries = append(kinds, c.kind), append(places, c.place), append(countries, c.country)
		at, showns, counts = append(at, c.at), append(showns, int64(c.shown)), append(counts, int64(s[c]))
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO adoption_cells AS c (tenant_id, kind, place, at, country, shown, n)
		SELECT $1, w.kind, w.place, to_timestamp(w.at), w.country, w.shown, w.n
		FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[]) AS w (kind, place, at, country, shown, n)
		ON CONFLICT (tenant_id, kind, place, at, country, shown) DO UPDATE SET n = c.n + excluded.n`,
		tx.Tenant, pq.Array(kinds), pq.Array(places), pq.Array(at), pq.Array(countries), pq.Array(showns), pq.Array(counts)); err != nil {
		return fmt.Errorf("add to adoption cells: %w", err)
	}

	return nil
}

func (c cell) compare(o cell) int {
	return cmp.Or(strings.Compare(c.kind, o.kind), strings.Compare(c.place, o.place), cmp.Compare(c.at, o.at),
		strings.Compare(c.country, o.country), cmp.Compare(c.shown, o.shown))
}

// moves are the standings to change: those of places where an account had none, those that are others now, and those that are gone.
type moves struct{ add, put, drop []standing }

// differ notes what it takes for an account to stand as it does now. old is how it stands in the table.
func (m *moves) differ(old, now map[string]standing) {
	for place, s := range now {
		was, ok := old[place]
		switch {
		case !ok:
			m.add = append(m.add, s)
		case !was.equal(s):
			m.put = append(m.put, s)
		}
	}
	for place, s := range old {
		if _, ok := now[place]; !ok {
			m.drop = append(m.drop, s)
		}
	}
}

func (m *moves) count() int { return len(m.add) + len(m.put) + len(m.drop) }

// write stores how accounts stand, and drops what is not true any more. Under the lock under which the old ones were read.
func (m *moves) write(ctx context.Context, tx *tenants.Tx) error {
	if len(m.drop) > 0 {
		c := columnsOf(m.drop)
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM heard_last l USING unnest($2::uuid[], $3::text[]) AS w (identity_id, place)
			WHERE l.tenant_id = $1 AND l.identity_id = w.identity_id AND l.place = w.place`, tx.Tenant, pq.Array(c.ids), pq.Array(c.places)); err != nil {
			return fmt.Errorf("drop standings: %w", err)
		}
	}
	for _, w := range []struct {
		list      []standing
		statement string
	}{
		{m.add, `
			INSERT INTO heard_last (tenant_id, identity_id, place, day, shown, country, several)
			SELECT $1, w.* FROM ` + standingColumns},
		{m.put, `
			UPDATE heard_last l SET day = w.day, shown = w.shown, country = w.country, several = w.several
			FROM ` + standingColumns + ` WHERE l.tenant_id = $1 AND l.identity_id = w.identity_id AND l.place = w.place`},
	} {
		if len(w.list) == 0 {
			continue
		}
		c := columnsOf(w.list)
		if _, err := tx.ExecContext(ctx, w.statement, tx.Tenant, pq.Array(c.ids), pq.Array(c.places), days(c.days), pq.Array(c.showns),
			pq.Array(c.countries), pq.Array(c.several)); err != nil {
			return fmt.Errorf("put standings: %w", err)
		}
	}

	return nil
}

const standingColumns = `unnest($2::uuid[], $3::text[], $4::date[], $5::bigint[], $6::text[], $7::boolean[])
	AS w (identity_id, place, day, shown, country, several)`

type columns struct {
	ids               []uuid.UUID
	places, countries []string
	days              []time.Time
	showns            []int64
	several           []bool
}

// columnsOf are standings in the order of their key.
func columnsOf(list []standing) columns {
	slices.SortFunc(list, func(a, b standing) int {
		return cmp.Or(bytes.Compare(a.Identity[:], b.Identity[:]), strings.Compare(a.Place, b.Place))
	})
	var c columns
	for _, s := range list {
		c.ids, c.places, c.countries = append(c.ids, s.Identity), append(c.places, s.Place), append(c.countries, s.Country)
		c.days, c.showns, c.several = append(c.days, s.Day), append(c.showns, int64(s.Shown)), append(c.several, s.Several)
	}

	return c
}
