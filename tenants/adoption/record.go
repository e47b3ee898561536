package adoption

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Sign is a message or call of a customer's, as an account's identifier at one of the business's numbers.
type Sign struct {
	Identity, Tenure, Number uuid.UUID
	Scope                    string // of the number, and so of the account
	At                       time.Time
	BSUID                    bool   // it came with a WhatsApp ID, which then is whose tenure it is
	Named, Phoned            bool   // it showed a username, a phone
	Handle                   string // the identifier that decided whose it is: tells the country
}

type rowKey struct {
	identity uuid.UUID
	week     int64
	number   uuid.UUID
	tenure   uuid.UUID
}

func (r row) key() rowKey { return rowKey{r.Identity, r.Week.Unix(), r.Number, r.Tenure} }

// Record notes who was heard from, and adds to the sums what that changes. Whatever is known already costs one read.
func Record(ctx context.Context, tx *tenants.Tx, signs []Sign) error {
	if len(signs) == 0 {
		return nil
	}
	told, handles := map[rowKey]row{}, map[rowKey]string{}
	for _, s := range signs {
		r := row{Identity: s.Identity, Week: monday(s.At), Number: s.Number, Tenure: s.Tenure, BSUID: s.BSUID, Scope: s.Scope}
		k := r.key()
		if had, ok := told[k]; ok {
			r = had
		}
		day := 1 << bit(s.At)
		r.Days |= day
		if s.BSUID && s.Named {
			r.Named |= day
		}
		if s.Phoned {
			r.Phoned |= day
		}
		told[k], handles[k] = r, s.Handle
	}

	known, err := weeksOf(ctx, tx, told)
	if err != nil {
		return err
	}
	stored := map[rowKey]row{}
	for _, r := range known {
		stored[r.key()] = r
	}
	changed := map[uuid.UUID]change{}
	var added, more []row
	for k, r := range told {
		was, ok := stored[k]
		if ok && was.Days|r.Days == was.Days && was.Named|r.Named == was.Named && was.Phoned|r.Phoned == was.Phoned {
			continue
		}
		c := changed[r.Identity]
		if c.months == nil {
			c.months = map[time.Time]bool{}
		}
		for _, month := range monthsOf(r.Week, r.Days) {
			c.months[month] = true
		}
		if ok {
			r.Days, r.Named, r.Phoned, r.Country = r.Days|was.Days, r.Named|was.Named, r.Phoned|was.Phoned, was.Country
			more = append(more, r)
		} else {
			r.Country = countryOf(handles[k])
			added = append(added, r)
		}
		c.rows = append(c.rows, r)
		changed[r.Identity] = c
	}
	if len(changed) == 0 {
		return nil
	}
	if err := storeRows(ctx, tx, added, ``); err != nil {
		return err
	}
	if err := putRows(ctx, tx, more); err != nil {
		return err
	}

	return recount(ctx, tx, known, changed)
}

// sorted are the keys in the order of the database's indexes: neighbours there are looked up one after the other.
func sorted[V any](of map[uuid.UUID]V) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(of), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// days are dates as the text of an array.
func days(at []time.Time) string {
	out := make([]byte, 1, 2+len(at)*(len(time.DateOnly)+1))
	out[0] = '{'
	for i, t := range at {
		if i > 0 {
			out = append(out, ',')
		}
		out = t.AppendFormat(out, time.DateOnly)
	}

	return string(append(out, '}'))
}

// change is what changed of an account: rows as they are now, and the months that their news are of.
type change struct {
	rows   []row
	months map[time.Time]bool
}

// weeksOf reads all rows of the accounts in the months that are told of.
func weeksOf(ctx context.Context, tx *tenants.Tx, told map[rowKey]row) ([]row, error) {
	type span struct {
		scope       string
		first, last time.Time
	}
	asked := map[uuid.UUID]span{}
	for k, r := range told {
		for _, month := range monthsOf(r.Week, r.Days) {
			first, last := monday(month), monday(month.AddDate(0, 1, -1))
			s, ok := asked[k.identity]
			if !ok || first.Before(s.first) {
				s.first = first
			}
			if !ok || last.After(s.last) {
				s.last = last
			}
			s.scope = r.Scope
			asked[k.identity] = s
		}
	}
	var (
		ids         []uuid.UUID
		first, last []time.Time
	)
	for _, id := range sorted(asked) {
		ids, first, last = append(ids, id), append(first, asked[id].first), append(last, asked[id].last)
	}
	var rows []row
	if err := tx.SelectContext(ctx, &rows, `
		SELECT h.identity_id, h.week, h.number_id, h.tenure_id, h.bsuid, h.country, h.days, h.named, h.phoned
		FROM unnest($2::uuid[], $3::date[], $4::date[]) AS w (identity_id, first, last)
		JOIN heard_weeks h ON h.tenant_id = $1 AND h.identity_id = w.identity_id AND h.week BETWEEN w.first AND w.last`,
		tx.Tenant, pq.Array(ids), days(first), days(last)); err != nil {
		return nil, fmt.Errorf("read weeks of accounts: %w", err)
	}
	for i, r := range rows {
		rows[i].Scope = asked[r.Identity].scope
	}

	return rows, nil
}

// putRows stores rows as they are to be, known or not.
func putRows(ctx context.Context, tx *tenants.Tx, rows []row) error {
	return storeRows(ctx, tx, rows, `
		ON CONFLICT (tenant_id, identity_id, week, number_id, tenure_id) DO UPDATE
		SET days = excluded.days, named = excluded.named, phoned = excluded.phoned, shown = excluded.shown, parted = excluded.parted`)
}

// storeRows stores rows as they are to be. known says what to do with rows that are there; nothing where there are none, which spares
// looking for each.
func storeRows(ctx context.Context, tx *tenants.Tx, rows []row, known string) error {
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(bytes.Compare(a.Identity[:], b.Identity[:]), cmp.Compare(a.Week.Unix(), b.Week.Unix()),
			bytes.Compare(a.Number[:], b.Number[:]), bytes.Compare(a.Tenure[:], b.Tenure[:]))
	})
	var (
		ids, numbers, tenures []uuid.UUID
		at                    []time.Time
		bsuids                []bool
		countries             []string
		heard, named, phoned  []int64
		all                   []int64
		split                 []bool
	)
	for _, r := range rows {
		ids, numbers, tenures, at = append(ids, r.Identity), append(numbers, r.Number), append(tenures, r.Tenure), append(at, r.Week)
		bsuids, countries = append(bsuids, r.BSUID), append(countries, r.Country)
		heard, named, phoned = append(heard, int64(r.Days)), append(named, int64(r.Named)), append(phoned, int64(r.Phoned))
		all, split = append(all, int64(shown([]row{r}, r.Days))), append(split, parted(r))
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO heard_weeks (tenant_id, identity_id, week, number_id, tenure_id, bsuid, country, days, named, phoned, shown, parted)
		SELECT $1, w.*
		FROM unnest($2::uuid[], $3::date[], $4::uuid[], $5::uuid[], $6::boolean[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
		            $12::boolean[]) AS w`+known,
		tx.Tenant, pq.Array(ids), days(at), pq.Array(numbers), pq.Array(tenures), pq.Array(bsuids), pq.Array(countries),
		pq.Array(heard), pq.Array(named), pq.Array(phoned), pq.Array(all), pq.Array(split)); err != nil {
		return fmt.Errorf("put weeks of accounts: %w", err)
	}

	return nil
}

// recount changes the sums by what the changed rows make of the accounts. known are all rows of their months as they were.
func recount(ctx context.Context, tx *tenants.Tx, known []row, changed map[uuid.UUID]change) error {
	stood, err := standingsOf(ctx, tx, sorted(changed))
	if err != nil {
		return err
	}
	before := map[uuid.UUID][]row{}
	for _, r := range known {
		if len(changed[r.Identity].rows) > 0 {
			before[r.Identity] = append(before[r.Identity], r)
		}
	}

	s := sums{}
	var stand moves
	for id, c := range changed {
		touched, now := map[int64]bool{}, map[rowKey]row{}
		for _, r := range c.rows {
			touched[r.Week.Unix()], now[r.key()] = true, r
		}
		var was, is []row // of the weeks that changed
		after := slices.Clone(c.rows)
		for _, r := range before[id] {
			_, replaced := now[r.key()]
			if !replaced {
				after = append(after, r)
			}
			if !touched[r.Week.Unix()] {
				continue
			}
			was = append(was, r)
			if !replaced {
				is = append(is, r)
			}
		}
		is = append(is, c.rows...)
		s.addWeeks(was, -1)
		s.addWeeks(is, 1)
		s.addMonths(before[id], c.months, -1)
		s.addMonths(after, c.months, 1)

		next := standings(stood[id], is)
		s.addStandings(is[0].Scope, stood[id], -1)
		s.addStandings(is[0].Scope, next, 1)
		stand.differ(stood[id], next)
	}
	if err := stand.write(ctx, tx); err != nil {
		return err
	}

	return s.write(ctx, tx)
}

func standingsOf(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) (map[uuid.UUID]map[string]standing, error) {
	var rows []standing
	if err := tx.SelectContext(ctx, &rows, `
		SELECT l.identity_id, l.place, l.day, l.shown, l.country, l.several
		FROM unnest($2::uuid[]) AS w (identity_id) JOIN heard_last l ON l.tenant_id = $1 AND l.identity_id = w.identity_id`, tx.Tenant, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("read standings: %w", err)
	}

	return standingsByAccount(rows), nil
}

func standingsByAccount(rows []standing) map[uuid.UUID]map[string]standing {
	out := map[uuid.UUID]map[string]standing{}
	for _, s := range rows {
		if out[s.Identity] == nil {
			out[s.Identity] = map[string]standing{}
		}
		out[s.Identity][s.Place] = s
	}

	return out
}
