package reports

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// The figures of a Month whose rows can be listed.
const (
	FigureReached = "reached"
	FigureAuto    = "auto"
	FigureJoined  = "joined"
	FigureUndone  = "undone"
	FigureDecided = "decided"
)

// The figures of adoption.Linked, whose rows can be listed too: with what was taken back since, or that alone.
const (
	FigureLinkedAuto       = "linked_auto"
	FigureLinkedAutoBack   = "linked_auto_back"
	FigureLinkedManual     = "linked_manual"
	FigureLinkedManualBack = "linked_manual_back"
)

// Of is a figure by its name; ok is false where rows of none such are kept.
func (m Month) Of(figure string) (n int64, ok bool) {
	n, ok = map[string]int64{
		FigureReached: m.Reached, FigureAuto: m.Auto, FigureJoined: m.Joined, FigureUndone: m.Undone, FigureDecided: m.Decided,
	}[figure]

	return n, ok
}

// Row is one of the rows that a figure counts: an account, a link or a case.
type Row struct {
	ID      uuid.UUID  `db:"id"`
	Contact *uuid.UUID `db:"contact_id"` // nil where nobody of the book is meant
	At      time.Time  `db:"at"`         // of an account the day it was last heard from in the month
	What    string     `db:"what"`       // kind of a link, outcome of a case
	By      string     `db:"by"`         // the person who did it, "" for nobody in particular
}

// linkOf are the links that a figure counts, each second record once: the last link that made it one with another.
var linkOf = map[string]string{
	FigureAuto:   `l.actor_kind = 'system' AND l.undone_at IS NULL`,
	FigureUndone: `l.undone_at IS NOT NULL`,

	FigureLinkedAuto:       `l.actor_kind = 'system'`,
	FigureLinkedAutoBack:   `l.actor_kind = 'system' AND l.undone_at IS NOT NULL`,
	FigureLinkedManual:     `l.actor_kind <> 'system'`,
	FigureLinkedManualBack: `l.actor_kind <> 'system' AND l.undone_at IS NOT NULL`,

	FigureJoined: `l.lose_contact IS NOT NULL AND l.undone_at IS NULL AND NOT EXISTS (
		SELECT 1 FROM links o WHERE o.tenant_id = $1 AND o.lose_contact = l.lose_contact AND o.undone_at IS NULL
		  AND o.kind IN ('attested', 'rotated', 'merged') AND (o.at, o.id) > (l.at, l.id))`,
}

// Rows lists what a figure of Sum or adoption.Linked counts, limit at a time, with the cursor of the next page ("" at the end): links and cases the newest
// first, accounts in the order in which they were first known, the newest first. A cursor that cannot be read is Invalid.
func Rows(ctx context.Context, tx *tenants.Tx, figure string, from, to time.Time, cursor string, limit int) ([]Row, string, error) {
	at, id, err := place(cursor)
	if err != nil {
		return nil, "", err
	}
	var rows []Row
	switch figure {
	case FigureReached:
		var people []adoption.Person
		people, err = adoption.Reached(ctx, tx, from, id, limit+1)
		for _, p := range people {
			rows = append(rows, Row{ID: p.Identity, Contact: p.Contact, At: p.Day})
		}
	case FigureDecided:
		err = tx.SelectContext(ctx, &rows, `
			SELECT id, contact_id, closed_at AS at, outcome AS what, closed_by AS by FROM cases
			WHERE tenant_id = $1 AND state = 'done' AND closed_at >= $2 AND closed_at < $3
			  AND outcome IN ('same', 'not_same', 'new') AND closed_by <> 'system' AND (closed_at, id) < ($4, $5)
			ORDER BY closed_at DESC, id DESC LIMIT $6`, tx.Tenant, from, to, at, id, limit+1)
	default:
		which, known := linkOf[figure]
		if !known {
			return nil, "", tenants.ErrNotFound
		}
		err = tx.SelectContext(ctx, &rows, `
			SELECT l.id, l.keep_contact AS contact_id, l.at, l.kind AS what, CASE WHEN l.actor_kind = 'person' THEN l.actor_name ELSE '' END AS by
			FROM links l WHERE l.tenant_id = $1 AND l.at >= $2 AND l.at < $3 AND l.kind IN ('attested', 'rotated', 'merged') AND (l.at, l.id) < ($4, $5)
			  AND `+which+` ORDER BY l.at DESC, l.id DESC LIMIT $6`, tx.Tenant, from, to, at, id, limit+1)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list rows of a month: %w", err)
	}

	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = strconv.FormatInt(last.At.UnixMicro(), 10) + "." + last.ID.String()
	}

	return rows, next, nil
}

// place is after which row a page begins.
func place(cursor string) (at time.Time, id uuid.UUID, err error) {
	if cursor == "" {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max, nil
	}
	micros, rest, _ := strings.Cut(cursor, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err == nil {
		id, err = uuid.Parse(rest)
	}
	if at = time.UnixMicro(n).UTC(); err != nil || at.Year() < 1 || at.Year() > 9999 {
		return time.Time{}, uuid.Nil, &tenants.Invalid{Field: "cursor", Key: "bad_cursor"}
	}

	return at, id, nil
}
