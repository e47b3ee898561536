package adoption

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

// Remembers is for how long after the last message or call between a number and a customer's phone WhatsApp shows the phone, whatever the
// customer hides (domain facts 4). At the end of it the phone may be gone.
const Remembers = 30 * 24 * time.Hour

// Vanishing counts the phones that may stop coming, at the numbers where they may, in the next so many days.
type Vanishing struct {
	Days    int
	Unknown int64 // whose holder's WhatsApp ID is not known
	Known   int64 // nothing to fear: the ID is
}

// All is how many there are.
func (v Vanishing) All() int64 { return v.Unknown + v.Known }

// forecastDays are how far ahead is looked.
var forecastDays = []int{7, 14, 30}

// span is a time of last contact after from, up to to.
type span struct{ from, to time.Time }

// vanishing is when the last contact was with those whose phone may vanish in the next days: its end, 30 days later, lies after now and
// not after that.
func vanishing(now time.Time, days int) span {
	from := now.Add(-Remembers)

	return span{from, from.Add(time.Duration(days) * oneDay)}
}

func (s span) holds(at time.Time) bool { return at.After(s.from) && !at.After(s.to) }

// Forecast counts the phones that may stop coming at some numbers in the next 7, 14 and 30 days. Whole hours come from the sums, the ones
// in which a time begins or ends from the rows.
func Forecast(ctx context.Context, tx *tenants.Tx, numbers []uuid.UUID, now time.Time) ([]Vanishing, error) {
	spans, edges := make([]span, len(forecastDays)), []time.Time{}
	for i, days := range forecastDays {
		spans[i] = vanishing(now, days)
		edges = append(edges, spans[i].from.UTC().Truncate(time.Hour), spans[i].to.UTC().Truncate(time.Hour))
	}
	places := make([]string, len(numbers))
	for i, n := range numbers {
		places[i] = n.String()
	}
	var hours []struct {
		At     time.Time `db:"at"`
		Holder int       `db:"shown"`
		N      int64     `db:"n"`
	}
	if err := tx.SelectContext(ctx, &hours, `
		SELECT at, shown, sum(n)::bigint AS n FROM adoption_cells
		WHERE tenant_id = $1 AND kind = 'phone' AND place = ANY($2) AND at >= $3 AND at <= $4 AND shown IN (1, 2) AND at <> ALL($5) GROUP BY at, shown`,
		tx.Tenant, pq.Array(places), edges[0], now, pq.Array(edges)); err != nil {
		return nil, fmt.Errorf("read hours of phones: %w", err)
	}
	var rows []window
	if err := tx.SelectContext(ctx, &rows, `
		SELECT phone_id, number_id, last_at, holder FROM phone_windows
		WHERE tenant_id = $1 AND holder IN (1, 2) AND hour = ANY($2) AND number_id = ANY($3)`, tx.Tenant, pq.Array(edges), pq.Array(numbers)); err != nil {
		return nil, fmt.Errorf("read phones at the edges: %w", err)
	}

	out := make([]Vanishing, len(spans))
	for i, s := range spans {
		out[i].Days = forecastDays[i]
		add := func(at time.Time, holder int, n int64) {
			switch {
			case !s.holds(at):
			case holder == holderKnown:
				out[i].Known += n
			default:
				out[i].Unknown += n
			}
		}
		for _, h := range hours {
			add(h.At, h.Holder, h.N)
		}
		for _, r := range rows {
			add(r.LastAt, r.Holder, 1)
		}
	}

	return out, nil
}

// Fading is a phone that may stop coming at a number.
type Fading struct {
	Phone   uuid.UUID  `db:"phone_id"`
	Number  uuid.UUID  `db:"number_id"`
	LastAt  time.Time  `db:"last_at"` // when they last had to do with each other, to the minute before
	Hour    time.Time  `db:"hour"`
	Value   string     `db:"value"`      // the phone, canonical
	Contact *uuid.UUID `db:"contact_id"` // who has it; nil where they have never written
}

// Until is when the phone may be gone.
func (f Fading) Until() time.Time { return f.LastAt.Add(Remembers) }

// Wanted asks for the phones that Forecast counts: at which numbers, in the next so many days, and whether the ID is known.
type Wanted struct {
	Numbers []uuid.UUID
	Days    int
	Known   bool
	Cursor  string
	Limit   int
}

// Fades lists the phones that may stop coming, the first to go first, and the cursor of the next page.
func Fades(ctx context.Context, tx *tenants.Tx, w Wanted, now time.Time) ([]Fading, string, error) {
	if !slices.Contains(forecastDays, w.Days) {
		return nil, "", &tenants.Invalid{Field: "days", Key: "unknown_kind"}
	}
	s := vanishing(now, w.Days)
	after := Fading{Hour: s.from.UTC().Truncate(time.Hour)}
	if w.Cursor != "" {
		var err error
		if after, err = fadingAt(w.Cursor); err != nil {
			return nil, "", err
		}
	}
	holder := holderUnknown
	if w.Known {
		holder = holderKnown
	}
	var rows []Fading
	if err := tx.SelectContext(ctx, &rows, `
		SELECT x.phone_id, x.number_id, x.last_at, x.hour, d.value, i.contact_id
		FROM (SELECT phone_id, number_id, last_at, hour FROM phone_windows
		      WHERE tenant_id = $1 AND holder = $2 AND (hour, phone_id, number_id) > ($3, $4, $5) AND hour <= $6
		        AND last_at > $7 AND last_at <= $8 AND number_id = ANY($9)
		      ORDER BY hour, phone_id, number_id LIMIT $10) x
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = x.phone_id
		LEFT JOIN LATERAL (SELECT o.contact_id FROM tenures t JOIN identities o ON o.tenant_id = $1 AND o.id = t.identity_id
		                   WHERE t.tenant_id = $1 AND t.identifier_id = x.phone_id AND t.current ORDER BY t.last_seen DESC, t.id LIMIT 1) i ON true
		ORDER BY x.hour, x.phone_id, x.number_id`,
		tx.Tenant, holder, after.Hour, after.Phone, after.Number, s.to.UTC().Truncate(time.Hour), s.from, s.to, pq.Array(w.Numbers), w.Limit+1); err != nil {
		return nil, "", fmt.Errorf("list phones that may vanish: %w", err)
	}
	next := ""
	if len(rows) > w.Limit {
		rows = rows[:w.Limit]
		last := rows[len(rows)-1]
		next = last.Hour.UTC().Format(time.RFC3339) + "." + last.Phone.String() + "." + last.Number.String()
	}

	return rows, next, nil
}

func fadingAt(cursor string) (f Fading, err error) {
	parts := strings.Split(cursor, ".")
	if len(parts) == 3 {
		if f.Hour, err = time.Parse(time.RFC3339, parts[0]); err == nil {
			if f.Phone, err = uuid.Parse(parts[1]); err == nil {
				f.Number, err = uuid.Parse(parts[2])
			}
		}
	}
	if err != nil || len(parts) != 3 {
		return Fading{}, &tenants.Invalid{Field: "cursor", Key: "bad_cursor"}
	}

	return f, nil
}
