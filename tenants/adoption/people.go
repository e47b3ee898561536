package adoption

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// What a list is narrowed to: the figures of Seen, and what is missing of one.
const (
	FigureAll     = ""
	FigureID      = "id"
	FigureNoID    = "no_id"
	FigureNamed   = "named"
	FigureHidden  = "hidden"
	FigureVisible = "visible"
)

// KnownFigure tells whether a list can be narrowed so.
func KnownFigure(figure string) bool {
	return figure == FigureAll || figure == FigureID || figure == FigureNoID || figure == FigureNamed || figure == FigureHidden || figure == FigureVisible
}

// showing are the ways to be shown that a figure counts.
func showing(figure string) []int64 {
	var out []int64
	for s := range int64(8) {
		switch {
		case figure == FigureID && s&ShownID == 0, figure == FigureNoID && s&ShownID != 0, figure == FigureNamed && s&ShownName == 0,
			figure == FigureHidden && s&ShownPhone != 0, figure == FigureVisible && s&ShownPhone == 0:
		default:
			out = append(out, s)
		}
	}

	return out
}

// Person is an account behind a figure.
type Person struct {
	Identity uuid.UUID  `db:"identity_id"`
	Contact  *uuid.UUID `db:"contact_id"` // nil where the business has taken it out of its book
	Day      time.Time  `db:"day"`        // last heard from, within the week where one is asked for
	Shown    int        `db:"shown"`
}

// Ask says whose names are wanted: of those that Latest counts on the last Days, or of those of one Week.
type Ask struct {
	Where

	Figure string
	Days   int
	Week   time.Time // its Monday; zero: the last Days
	Cursor string
	Limit  int
}

// People lists the accounts behind a figure, those last heard from first, and the cursor of the next page. Of one week they are in the
// order in which they were first known, the newest first.
func People(ctx context.Context, tx *tenants.Tx, ask Ask, now time.Time) ([]Person, string, error) {
	day, id, err := ask.before()
	if err != nil {
		return nil, "", err
	}
	var rows []Person
	if ask.Week.IsZero() {
		rows, err = ask.latest(ctx, tx, day, id, now)
	} else {
		rows, err = ask.ofWeek(ctx, tx, id)
	}
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) > ask.Limit {
		rows = rows[:ask.Limit]
		last := rows[len(rows)-1]
		next = last.Day.Format(time.DateOnly) + "." + last.Identity.String()
	}

	return rows, next, nil
}

// before is where a page begins: after what its cursor names.
func (a Ask) before() (day time.Time, id uuid.UUID, err error) {
	if a.Cursor == "" {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max, nil
	}
	text, rest, _ := strings.Cut(a.Cursor, ".")
	if day, err = time.Parse(time.DateOnly, text); err == nil {
		id, err = uuid.Parse(rest)
	}
	if err != nil {
		return time.Time{}, uuid.Nil, &tenants.Invalid{Field: "cursor", Key: "bad_cursor"}
	}

	return day, id, nil
}

func (a Ask) latest(ctx context.Context, tx *tenants.Tx, day time.Time, id uuid.UUID, now time.Time) ([]Person, error) {
	places := []string{a.Number.String()}
	if a.Number == uuid.Nil { // accounts heard from at several numbers stand under their portfolio
		if err := tx.SelectContext(ctx, &places, `
			SELECT id::text FROM numbers WHERE tenant_id = $1 AND ($2 = '' OR scope = $2)
			UNION SELECT scope FROM numbers WHERE tenant_id = $1 AND ($2 = '' OR scope = $2)`, tx.Tenant, a.Scope); err != nil {
			return nil, fmt.Errorf("read places: %w", err)
		}
	}
	var rows []Person
	if err := tx.SelectContext(ctx, &rows, `
		SELECT x.identity_id, i.contact_id, x.day, x.shown
		FROM (SELECT l.identity_id, l.day, l.shown FROM unnest($2::text[]) AS p (place) CROSS JOIN unnest($3::bigint[]) AS s (shown)
		      CROSS JOIN LATERAL (SELECT h.identity_id, h.day, h.shown FROM heard_last h
		                          WHERE h.tenant_id = $1 AND h.place = p.place AND h.shown = s.shown AND h.day >= $4 AND (h.day, h.identity_id) < ($5, $6)
		                            AND ($7 OR NOT h.several) AND ($8 = '' OR h.country = $8)
		                          ORDER BY h.day DESC, h.identity_id DESC LIMIT $9) l
		      ORDER BY l.day DESC, l.identity_id DESC LIMIT $9) x
		JOIN identities i ON i.tenant_id = $1 AND i.id = x.identity_id
		ORDER BY x.day DESC, x.identity_id DESC`,
		tx.Tenant, pq.Array(places), pq.Array(showing(a.Figure)), firstDay(now, a.Days), day, id, a.Number != uuid.Nil, a.Country, a.Limit+1); err != nil {
		return nil, fmt.Errorf("list who was heard from: %w", err)
	}

	return rows, nil
}

// ofWeek walks the rows that show what is asked for, and keeps those whose account does: one row of each.
func (a Ask) ofWeek(ctx context.Context, tx *tenants.Tx, id uuid.UUID) ([]Person, error) {
	var number *uuid.UUID
	if a.Number != uuid.Nil {
		number = &a.Number
	}
	var rows []Person
	if err := tx.SelectContext(ctx, &rows, `
		SELECT x.identity_id, i.contact_id, x.day, x.shown
		FROM (SELECT l.identity_id, l.day, l.shown FROM unnest($6::bigint[]) AS s (shown)
		      CROSS JOIN LATERAL (
		          SELECT r.identity_id, q.day, q.shown FROM heard_weeks r
		          CROSS JOIN LATERAL (
		              SELECT h.week + length(ltrim(bit_or(h.days)::int::bit(7)::text, '0')) - 1 AS day, bit_or(h.shown) AS shown,
		                     coalesce((array_agg(h.country ORDER BY NOT h.bsuid, h.country) FILTER (WHERE h.country <> ''))[1], '') AS country,
		                     min(h.number_id::text || h.tenure_id) FILTER (WHERE h.shown = ANY($6)) AS first
		              FROM heard_weeks h
		              WHERE h.tenant_id = $1 AND h.identity_id = r.identity_id AND h.week = $2 AND ($4::uuid IS NULL OR h.number_id = $4)
		              GROUP BY h.week) q
		          WHERE r.tenant_id = $1 AND r.week = $2 AND r.shown = s.shown AND r.identity_id < $3 AND ($4::uuid IS NULL OR r.number_id = $4)
		            AND ($5 = '' OR r.number_id IN (SELECT n.id FROM numbers n WHERE n.tenant_id = $1 AND n.scope = $5))
		            AND q.shown = ANY($6) AND ($7 = '' OR q.country = $7) AND q.first = r.number_id::text || r.tenure_id
		          ORDER BY r.identity_id DESC LIMIT $8) l
		      ORDER BY l.identity_id DESC LIMIT $8) x
		JOIN identities i ON i.tenant_id = $1 AND i.id = x.identity_id
		ORDER BY x.identity_id DESC`,
		tx.Tenant, a.Week, id, number, a.Scope, pq.Array(showing(a.Figure)), a.Country, a.Limit+1); err != nil {
		return nil, fmt.Errorf("list who was heard from in a week: %w", err)
	}

	return rows, nil
}
