package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Where narrows figures to one of the business's numbers, to a portfolio by its scope, or to one country. The zero value is everything.
type Where struct {
	Number  uuid.UUID
	Scope   string
	Country string
}

// Seen counts the accounts that were heard from, and of how many of them WhatsApp showed an ID, a username, a phone. An account counts
// once at each number and once in each portfolio.
type Seen struct {
	Active int64 `db:"active"`
	WithID int64 `db:"with_id"`
	Named  int64 `db:"named"`
	Phoned int64 `db:"phoned"`
}

// Hidden is of how many the phone was not shown.
func (s Seen) Hidden() int64 { return s.Active - s.Phoned }

// Of is how many of them a figure counts.
func (s Seen) Of(figure string) int64 {
	switch figure {
	case FigureID:
		return s.WithID
	case FigureNoID:
		return s.Active - s.WithID
	case FigureNamed:
		return s.Named
	case FigureHidden:
		return s.Hidden()
	case FigureVisible:
		return s.Phoned
	default:
		return s.Active
	}
}

const seenColumns = `coalesce(sum(n), 0)::bigint AS active, coalesce(sum(n) FILTER (WHERE shown & 1 <> 0), 0)::bigint AS with_id,
	coalesce(sum(n) FILTER (WHERE shown & 2 <> 0), 0)::bigint AS named, coalesce(sum(n) FILTER (WHERE shown & 4 <> 0), 0)::bigint AS phoned`

// Point is what was Seen in a day, or in the week from it.
type Point struct {
	At time.Time `db:"at"`
	Seen
}

// Latest counts the accounts heard from on the last days, today among them, by what they showed in the week in which they were last heard.
func Latest(ctx context.Context, tx *tenants.Tx, where Where, days int, now time.Time) (Seen, error) {
	places, err := where.places(ctx, tx)
	if err != nil {
		return Seen{}, err
	}
	var seen Seen
	if err := tx.GetContext(ctx, &seen, `
		SELECT `+seenColumns+` FROM adoption_cells
		WHERE tenant_id = $1 AND kind = 'last' AND place = ANY($2) AND at >= $3 AND ($4 = '' OR country = $4)`,
		tx.Tenant, pq.Array(places), firstDay(now, days), where.Country); err != nil {
		return Seen{}, fmt.Errorf("count who was heard from: %w", err)
	}

	return seen, nil
}

// firstDay is the first of the last days.
func firstDay(now time.Time, days int) time.Time {
	return now.UTC().Truncate(oneDay).AddDate(0, 0, 1-days)
}

// Days is what was seen on each day from one to another, both among them. Days on which nobody was heard from are there too.
func Days(ctx context.Context, tx *tenants.Tx, where Where, from, to time.Time) ([]Point, error) {
	return where.series(ctx, tx, cellDay, from.UTC().Truncate(oneDay), to.UTC(), 1)
}

// Weeks is what was seen in each of the last weeks, that of now being the last and not over.
func Weeks(ctx context.Context, tx *tenants.Tx, where Where, weeks int, now time.Time) ([]Point, error) {
	return where.series(ctx, tx, cellWeek, monday(now).AddDate(0, 0, 7*(1-weeks)), now, 7)
}

// Week is what was seen in the week from a Monday; of another day nothing.
func Week(ctx context.Context, tx *tenants.Tx, where Where, at time.Time) (Seen, error) {
	points, err := where.series(ctx, tx, cellWeek, at, at, 7)
	if err != nil {
		return Seen{}, err
	}

	return points[0].Seen, nil
}

func (w Where) series(ctx context.Context, tx *tenants.Tx, kind string, from, to time.Time, step int) ([]Point, error) {
	places, err := w.places(ctx, tx)
	if err != nil {
		return nil, err
	}
	var rows []Point
	if err := tx.SelectContext(ctx, &rows, `
		SELECT at, `+seenColumns+` FROM adoption_cells
		WHERE tenant_id = $1 AND kind = $2 AND place = ANY($3) AND at >= $4 AND at <= $5 AND ($6 = '' OR country = $6) GROUP BY at ORDER BY at`,
		tx.Tenant, kind, pq.Array(places), from, to, w.Country); err != nil {
		return nil, fmt.Errorf("read adoption over time: %w", err)
	}
	var points []Point
	for at, i := from, 0; !at.After(to); at = at.AddDate(0, 0, step) {
		p := Point{At: at}
		if i < len(rows) && rows[i].At.Equal(at) {
			p.Seen = rows[i].Seen
			i++
		}
		points = append(points, p)
	}

	return points, nil
}

// Country is how many accounts of a country were heard from.
type Country struct {
	Code   string `db:"country"` // ISO 3166 alpha-2, "" where it is not known
	Active int64  `db:"active"`
}

// Countries are those that most of the accounts heard from on the last days are from, at most limit of them.
func Countries(ctx context.Context, tx *tenants.Tx, where Where, days, limit int, now time.Time) ([]Country, error) {
	places, err := where.places(ctx, tx)
	if err != nil {
		return nil, err
	}
	var list []Country
	if err := tx.SelectContext(ctx, &list, `
		SELECT country, sum(n)::bigint AS active FROM adoption_cells
		WHERE tenant_id = $1 AND kind = 'last' AND place = ANY($2) AND at >= $3 GROUP BY country HAVING sum(n) > 0
		ORDER BY active DESC, country LIMIT $4`, tx.Tenant, pq.Array(places), firstDay(now, days), limit); err != nil {
		return nil, fmt.Errorf("count countries: %w", err)
	}

	return list, nil
}

// places are those whose cells add up to what is asked for.
func (w Where) places(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	switch {
	case w.Number != uuid.Nil:
		return []string{w.Number.String()}, nil
	case w.Scope != "":
		return []string{w.Scope}, nil
	}
	var scopes []string
	if err := tx.SelectContext(ctx, &scopes, `SELECT DISTINCT scope FROM numbers WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("read scopes of numbers: %w", err)
	}

	return scopes, nil
}
