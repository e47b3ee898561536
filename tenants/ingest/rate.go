package ingest

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

const (
	rateMinutes = 60
	rateHours   = 8 * 24
)

// Rate is how many items of a number came, by minute and by hour. The last of each is the one that is still running.
type Rate struct {
	Minutes []int64 // of the last hour
	Hours   []int64 // of the last 8 days
}

// When a silence is out of the ordinary. Few items, or few hours with any, do not tell what is ordinary.
const (
	quietLeastItems = 50
	quietLeastHours = 20
	quietAtLeast    = 3 // hours
)

// Quiet tells for how many whole hours nothing has come, and whether that is out of the ordinary: half as long again as the longest
// silence of the days before, so that nights and a day off are none.
func (p Rate) Quiet() (hours int, odd bool) {
	past := p.Hours[:len(p.Hours)-1] // the running hour is not over
	for hours < len(past) && past[len(past)-1-hours] == 0 {
		hours++
	}
	if p.Hours[len(p.Hours)-1] > 0 || hours == len(past) {
		return 0, false
	}

	var items int64
	busy, longest, run := 0, 0, 0
	for _, n := range past[:len(past)-hours] {
		if n == 0 {
			run++
			continue
		}
		if busy > 0 { // what was before the first that is known had no beginning
			longest = max(longest, run)
		}
		items, busy, run = items+n, busy+1, 0
	}
	if items < quietLeastItems || busy < quietLeastHours {
		return hours, false
	}

	return hours, hours >= max(quietAtLeast, longest+(longest+1)/2)
}

// Still tells whether nothing has come in all that is known.
func (p Rate) Still() bool {
	return !slices.ContainsFunc(p.Hours, func(n int64) bool { return n > 0 })
}

// NumberRate reads the rate of one number of tx's tenant as of now; of one that is not, it is all zero.
func NumberRate(ctx context.Context, tx *tenants.Tx, number uuid.UUID, now time.Time) (Rate, error) {
	var rows []struct {
		Unit  string    `db:"unit"`
		At    time.Time `db:"at"`
		Items int64     `db:"items"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT unit, at, items FROM inbox_rates WHERE tenant_id = $1 AND number_id = $2`, tx.Tenant, number)
	if err != nil {
		return Rate{}, fmt.Errorf("read rate of number %s: %w", number, err)
	}

	p := Rate{Minutes: make([]int64, rateMinutes), Hours: make([]int64, rateHours)}
	for _, r := range rows {
		into, unit := p.Minutes, time.Minute
		if r.Unit == unitHour {
			into, unit = p.Hours, time.Hour
		}
		if ago := int(now.Truncate(unit).Sub(r.At) / unit); ago >= 0 && ago < len(into) {
			into[len(into)-1-ago] = r.Items
		}
	}

	return p, nil
}

// FieldSeen is a webhook field that has come for a number.
type FieldSeen struct {
	Field   string    `db:"field"`
	FirstAt time.Time `db:"first_at"`
	LastAt  time.Time `db:"last_at"`
	Items   int64     `db:"items"`
}

// FieldsSeen lists the webhook fields that have come for a number of tx's tenant, and for the accounts of the tenant where they name
// no number, by name.
func FieldsSeen(ctx context.Context, tx *tenants.Tx, number uuid.UUID) ([]FieldSeen, error) {
	list := []FieldSeen{}
	err := tx.SelectContext(ctx, &list, `
		SELECT field, min(first_at) AS first_at, max(last_at) AS last_at, sum(items)::bigint AS items FROM inbox_fields
		WHERE tenant_id = $1 AND number_id IN ($2, $3) GROUP BY field ORDER BY field LIMIT $4`, tx.Tenant, number, uuid.Nil, maxList)
	if err != nil {
		return nil, fmt.Errorf("list fields of number %s: %w", number, err)
	}

	return list, nil
}

const (
	unitMinute = "minute"
	unitHour   = "hour"
)

type (
	beatKey struct {
		place
		unit string
		slot int64
	}
	beat struct {
		at    time.Time
		items int64
	}
	fieldKey struct {
		place
		field string
	}
	span struct {
		first, last time.Time
		items       int64
	}
)

// rates collects what a batch adds to the rates and the fields of the numbers it is for.
type rates struct {
	beats  map[beatKey]beat
	fields map[fieldKey]span
}

// ratesOf counts the items that are a tenant's.
func ratesOf(items []item) rates {
	r := rates{beats: map[beatKey]beat{}, fields: map[fieldKey]span{}}
	for i := range items {
		it := &items[i]
		if it.tenant == uuid.Nil {
			continue
		}
		whose, at := place{it.tenant, it.number}, it.event.ReceivedAt.UTC()
		r.beat(whose, unitMinute, at.Truncate(time.Minute), at.Unix()/60%rateMinutes)
		r.beat(whose, unitHour, at.Truncate(time.Hour), at.Unix()/3600%rateHours)
		if it.field == "" {
			continue
		}
		k := fieldKey{whose, it.field}
		s, known := r.fields[k]
		if !known {
			s = span{first: at, last: at}
		}
		if at.Before(s.first) {
			s.first = at
		}
		if at.After(s.last) {
			s.last = at
		}
		s.items++
		r.fields[k] = s
	}

	return r
}

// beat counts one. Of two times that share a slot the later has it.
func (r rates) beat(whose place, unit string, at time.Time, slot int64) {
	k := beatKey{whose, unit, slot}
	b, known := r.beats[k]
	if !known || b.at.Before(at) {
		b = beat{at: at}
	}
	if b.at.Equal(at) {
		b.items++
	}
	r.beats[k] = b
}

func comparePlaces(a, b place) int {
	return cmp.Or(bytes.Compare(a.tenant[:], b.tenant[:]), bytes.Compare(a.number[:], b.number[:]))
}

// write adds it to what is known, in the order of the keys so that two writers cannot lock each other out.
func (r rates) write(ctx context.Context, tx *tenants.Tx) error {
	if len(r.beats) == 0 {
		return nil
	}
	var (
		owners, numbers []uuid.UUID
		units           []string
		at              []time.Time
		slots, items    pq.Int64Array
	)
	for _, k := range slices.SortedFunc(maps.Keys(r.beats), func(a, b beatKey) int {
		return cmp.Or(comparePlaces(a.place, b.place), cmp.Compare(a.unit, b.unit), cmp.Compare(a.slot, b.slot))
	}) {
		owners, numbers, units, slots = append(owners, k.tenant), append(numbers, k.number), append(units, k.unit), append(slots, k.slot)
		at, items = append(at, r.beats[k].at), append(items, r.beats[k].items)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_rates AS r (tenant_id, number_id, unit, slot, at, items)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[])
		ON CONFLICT (tenant_id, number_id, unit, slot) DO UPDATE
		SET items = CASE WHEN r.at = excluded.at THEN r.items + excluded.items WHEN r.at < excluded.at THEN excluded.items ELSE r.items END,
		    at = greatest(r.at, excluded.at)`,
		pq.Array(owners), pq.Array(numbers), pq.Array(units), slots, pq.Array(at), items); err != nil {
		return fmt.Errorf("count items by the minute: %w", err)
	}

	return r.writeFields(ctx, tx)
}

func (r rates) writeFields(ctx context.Context, tx *tenants.Tx) error {
	var (
		owners, numbers []uuid.UUID
		fields          []string
		first, last     []time.Time
		items           pq.Int64Array
	)
	for _, k := range slices.SortedFunc(maps.Keys(r.fields), func(a, b fieldKey) int {
		return cmp.Or(comparePlaces(a.place, b.place), cmp.Compare(a.field, b.field))
	}) {
		owners, numbers, fields = append(owners, k.tenant), append(numbers, k.number), append(fields, k.field)
		first, last, items = append(first, r.fields[k].first), append(last, r.fields[k].last), append(items, r.fields[k].items)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_fields AS f (tenant_id, number_id, field, first_at, last_at, items)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
		ON CONFLICT (tenant_id, number_id, field) DO UPDATE
		SET items = f.items + excluded.items, first_at = least(f.first_at, excluded.first_at), last_at = greatest(f.last_at, excluded.last_at)`,
		pq.Array(owners), pq.Array(numbers), pq.Array(fields), pq.Array(first), pq.Array(last), items); err != nil {
		return fmt.Errorf("note fields: %w", err)
	}

	return nil
}
