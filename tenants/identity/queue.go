package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Case is one item of the queue, with who it is about and who it might be.
type Case struct {
	ID         uuid.UUID
	Kind       string
	State      string // open or done
	Key        string
	IdentityID *uuid.UUID
	ContactID  *uuid.UUID
	Contact    *Contact  // whom it is about; nil for an item that names nobody
	Identity   *Identity // the account it is about, also where nobody has written
	Candidates []Candidate
	OpenedAt   time.Time
	Since      time.Time // WhatsApp's time of what raised it
	HoldUntil  *time.Time
	UnsureBy   []string
	LeaseBy    string // actor id, "" where free
	LeaseUntil *time.Time
	Version    int
	Outcome    string
	ClosedAt   *time.Time
	ClosedBy   string
	LinkID     *uuid.UUID
	ItemID     *int64
}

// Candidate is somebody the case might be about.
type Candidate struct {
	Contact Contact
	Tier    string // A, B or C
	Reasons []Reason
	Against []Reason
}

// The tabs of the queue.
const (
	TabNew       = "new"       // unresolved
	TabSuggested = "suggested" // with a strong sign
	TabConflicts = "conflicts"
	TabWaiting   = "waiting"   // on hold until a date
	TabApprovals = "approvals" // somebody was unsure: a second person looks
	TabDone      = "done"
)

// CaseFilter narrows the queue. Zero values do not narrow.
type CaseFilter struct {
	Tab    string
	State  string // open or done
	Kind   string
	Number uuid.UUID // the business number the person wrote to
	Page
}

type caseRow struct {
	ID         uuid.UUID       `db:"id"`
	Kind       string          `db:"kind"`
	State      string          `db:"state"`
	Key        string          `db:"key"`
	Identity   *uuid.UUID      `db:"identity_id"`
	Contact    *uuid.UUID      `db:"contact_id"`
	Candidates json.RawMessage `db:"candidates"`
	OpenedAt   time.Time       `db:"opened_at"`
	Since      time.Time       `db:"waiting_since"`
	HoldUntil  *time.Time      `db:"hold_until"`
	UnsureBy   pq.StringArray  `db:"unsure_by"`
	LeaseBy    string          `db:"lease_by"`
	LeaseUntil *time.Time      `db:"lease_until"`
	Version    int             `db:"version"`
	Outcome    string          `db:"outcome"`
	ClosedAt   *time.Time      `db:"closed_at"`
	ClosedBy   string          `db:"closed_by"`
	LinkID     *uuid.UUID      `db:"link_id"`
	ItemID     *int64          `db:"item_id"`
	Order      time.Time       `db:"place"`
}

const caseColumns = `k.id, k.kind, k.state, k.key, k.identity_id, k.contact_id, k.candidates, k.opened_at, k.waiting_since, k.hold_until, k.unsure_by,
	CASE WHEN k.lease_until > now() THEN k.lease_by ELSE '' END AS lease_by, k.lease_until, k.version, k.outcome, k.closed_at, k.closed_by, k.link_id, k.item_id`

// Cases lists the queue: open ones by how long they have waited, done ones by when they were closed, newest first.
func Cases(ctx context.Context, tx *tenants.Tx, f CaseFilter) ([]Case, string, error) {
	after, err := f.parse()
	if err != nil {
		return nil, "", err
	}
	state := f.State
	if f.Tab == TabDone {
		state = "done"
	} else if state == "" {
		state = "open"
	}
	if f.Kind != "" && !knownKind(f.Kind) {
		return nil, "", &tenants.Invalid{Field: "kind", Key: "unknown_kind"}
	}

	query := `SELECT ` + caseColumns + `, k.waiting_since AS place FROM cases k
		WHERE k.tenant_id = $1 AND k.state = 'open' AND ($2 = '' OR k.kind = $2)
		  AND CASE $3 WHEN 'new' THEN k.kind IN ('unresolved', 'unidentifiable') AND k.unsure_by = '{}' AND (k.hold_until IS NULL OR k.hold_until <= now())
		              WHEN 'suggested' THEN k.kind = 'suggested' AND k.unsure_by = '{}' AND (k.hold_until IS NULL OR k.hold_until <= now())
		              WHEN 'conflicts' THEN k.kind = 'conflict' AND k.unsure_by = '{}' AND (k.hold_until IS NULL OR k.hold_until <= now())
		              WHEN 'waiting' THEN k.hold_until > now()
		              WHEN 'approvals' THEN k.unsure_by <> '{}' AND (k.hold_until IS NULL OR k.hold_until <= now())
		              ELSE true END
		  AND ($4::uuid IS NULL OR EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.number_id = $4
		                                   WHERE t.tenant_id = $1 AND t.identity_id = k.identity_id))
		  AND ($5::timestamptz IS NULL OR (k.waiting_since, k.id) > ($5, $6))
		ORDER BY k.waiting_since, k.id LIMIT $7`
	if state == "done" {
		query = `SELECT ` + caseColumns + `, k.closed_at AS place FROM cases k
		WHERE k.tenant_id = $1 AND k.state = 'done' AND ($2 = '' OR k.kind = $2) AND $3 <> '-' AND $4::uuid IS NULL
		  AND ($5::timestamptz IS NULL OR (k.closed_at, k.id) < ($5, $6))
		ORDER BY k.closed_at DESC, k.id DESC LIMIT $7`
	}

	var number *uuid.UUID
	if f.Number != uuid.Nil && state == "open" {
		number = &f.Number
	}
	var at *time.Time
	var id uuid.UUID
	if after != nil {
		at, id = &after.At, after.ID
	}
	var rows []caseRow
	if err := tx.SelectContext(ctx, &rows, query, tx.Tenant, f.Kind, f.Tab, number, at, id, f.limit()+1); err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}

	next := ""
	if len(rows) > f.limit() {
		rows = rows[:f.limit()]
		last := rows[len(rows)-1]
		next = cursor{At: last.Order, ID: last.ID}.String()
	}
	cases, err := fillCases(ctx, tx, rows)

	return cases, next, err
}

func knownKind(kind string) bool {
	return kind == CaseUnresolved || kind == CaseSuggested || kind == CaseConflict || kind == CaseUnidentifiable
}

// QueueCounts is how many cases each tab holds.
type QueueCounts struct {
	New       int        `db:"new"`
	Suggested int        `db:"suggested"`
	Conflicts int        `db:"conflicts"`
	Waiting   int        `db:"waiting"`
	Approvals int        `db:"approvals"`
	Oldest    *time.Time `db:"oldest"` // since when the oldest that nobody put off waits
}

// Due is how many cases somebody can decide now.
func (q QueueCounts) Due() int { return q.New + q.Suggested + q.Conflicts + q.Approvals }

// CountCases counts the open queue.
func CountCases(ctx context.Context, tx *tenants.Tx) (QueueCounts, error) {
	var q QueueCounts
	err := tx.GetContext(ctx, &q, `
		SELECT count(*) FILTER (WHERE kind IN ('unresolved', 'unidentifiable') AND NOT held AND unsure_by = '{}') AS new,
		       count(*) FILTER (WHERE kind = 'suggested' AND NOT held AND unsure_by = '{}') AS suggested,
		       count(*) FILTER (WHERE kind = 'conflict' AND NOT held AND unsure_by = '{}') AS conflicts,
		       count(*) FILTER (WHERE held) AS waiting,
		       count(*) FILTER (WHERE NOT held AND unsure_by <> '{}') AS approvals,
		       min(waiting_since) FILTER (WHERE NOT held) AS oldest
		FROM (SELECT kind, unsure_by, waiting_since, coalesce(hold_until > now(), false) AS held FROM cases WHERE tenant_id = $1 AND state = 'open') k`, tx.Tenant)
	if err != nil {
		return QueueCounts{}, fmt.Errorf("count cases: %w", err)
	}

	return q, nil
}

// GetCase reads one case. ErrNotFound where the tenant has none such.
func GetCase(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Case, error) {
	var rows []caseRow
	if err := tx.SelectContext(ctx, &rows, `SELECT `+caseColumns+`, k.waiting_since AS place FROM cases k WHERE k.tenant_id = $1 AND k.id = $2`, tx.Tenant, id); err != nil {
		return Case{}, fmt.Errorf("read case: %w", err)
	}
	if len(rows) == 0 {
		return Case{}, tenants.ErrNotFound
	}
	cases, err := fillCases(ctx, tx, rows)
	if err != nil {
		return Case{}, err
	}

	return cases[0], nil
}

// NextCase is the case to decide after another: of the same filter, not leased by somebody else. ErrNotFound where none is left.
func NextCase(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, f CaseFilter, after uuid.UUID) (uuid.UUID, error) {
	for f.Page = (Page{Limit: 10}); ; {
		cases, next, err := Cases(ctx, tx, f)
		if err != nil {
			return uuid.Nil, err
		}
		for _, c := range cases {
			if c.ID != after && (c.LeaseBy == "" || c.LeaseBy == actor.ID) && (f.Tab == TabWaiting || c.HoldUntil == nil || c.HoldUntil.Before(time.Now())) {
				return c.ID, nil
			}
		}
		if next == "" {
			return uuid.Nil, tenants.ErrNotFound
		}
		f.Cursor = next
	}
}

// fillCases reads the people that cases are about, and what speaks for and against each candidate.
func fillCases(ctx context.Context, tx *tenants.Tx, rows []caseRow) ([]Case, error) {
	stored := make([][]caseCandidate, len(rows))
	var identities, contacts []uuid.UUID
	for i, r := range rows {
		if err := json.Unmarshal(r.Candidates, &stored[i]); err != nil {
			return nil, fmt.Errorf("read candidates: %w", err)
		}
		for _, c := range stored[i] {
			identities = append(identities, c.Identity)
		}
		if r.Contact != nil {
			contacts = append(contacts, *r.Contact)
		}
		if r.Identity != nil {
			identities = append(identities, *r.Identity)
		}
	}

	owners, err := ownersOf(ctx, tx, identities)
	if err != nil {
		return nil, err
	}
	for _, o := range owners {
		contacts = append(contacts, o)
	}
	people, err := hydrate(ctx, tx, contacts)
	if err != nil {
		return nil, err
	}
	byID := map[uuid.UUID]*Contact{}
	for i := range people {
		byID[people[i].ID] = &people[i]
	}

	cases := make([]Case, len(rows))
	for i, r := range rows {
		c := Case{
			ID: r.ID, Kind: r.Kind, State: r.State, Key: r.Key, IdentityID: r.Identity, ContactID: r.Contact, OpenedAt: r.OpenedAt, Since: r.Since,
			HoldUntil: r.HoldUntil, UnsureBy: r.UnsureBy, LeaseBy: r.LeaseBy, LeaseUntil: r.LeaseUntil, Version: r.Version, Outcome: r.Outcome,
			ClosedAt: r.ClosedAt, ClosedBy: r.ClosedBy, LinkID: r.LinkID, ItemID: r.ItemID,
		}
		if r.Contact != nil {
			c.Contact = byID[*r.Contact]
		}
		if err := c.findIdentity(ctx, tx); err != nil {
			return nil, err
		}
		for _, k := range stored[i] {
			owner, ok := owners[k.Identity]
			if !ok || byID[owner] == nil || r.Contact != nil && owner == *r.Contact {
				continue
			}
			candidate := Candidate{Contact: *byID[owner], Tier: k.Tier, Reasons: k.Reasons}
			if c.Contact != nil {
				candidate.Against = against(*byID[owner], *c.Contact)
			}
			c.Candidates = append(c.Candidates, candidate)
		}
		cases[i] = c
	}

	return cases, nil
}

// findIdentity picks the account the case is about out of its contact, or reads it where nobody has written from it.
func (c *Case) findIdentity(ctx context.Context, tx *tenants.Tx) error {
	if c.IdentityID == nil {
		return nil
	}
	if c.Contact != nil {
		for i := range c.Contact.Identities {
			if c.Contact.Identities[i].ID == *c.IdentityID {
				c.Identity = &c.Contact.Identities[i]
				return nil
			}
		}
	}
	found, err := identityByID(ctx, tx, *c.IdentityID)
	switch {
	case err == nil:
		c.Identity = &found
	case !errors.Is(err, tenants.ErrNotFound): // where not found, the account was absorbed since
		return err
	}

	return nil
}

// ownersOf maps identities, also absorbed ones, to the contacts that stand for them now.
func ownersOf(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	var rows []struct {
		Identity uuid.UUID `db:"id"`
		Contact  uuid.UUID `db:"contact_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT i.id, coalesce(o.contact_id, i.contact_id) AS contact_id
		FROM identities i LEFT JOIN identities o ON o.tenant_id = $1 AND o.id = i.absorbed_into
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND coalesce(o.contact_id, i.contact_id) IS NOT NULL`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read owners: %w", err)
	}
	owners := make(map[uuid.UUID]uuid.UUID, len(rows))
	for _, r := range rows {
		owners[r.Identity] = r.Contact
	}

	return owners, nil
}

// OpenCase is the case that is open about a contact, uuid.Nil where none is.
func OpenCase(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) (uuid.UUID, error) {
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, `
		SELECT id FROM cases WHERE tenant_id = $1 AND contact_id = $2 AND state = 'open' ORDER BY waiting_since, id LIMIT 1`, tx.Tenant, contact); err != nil {
		return uuid.Nil, fmt.Errorf("find open case: %w", err)
	}
	if len(ids) == 0 {
		return uuid.Nil, nil
	}

	return ids[0], nil
}
