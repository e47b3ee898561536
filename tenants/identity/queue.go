package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	Asked      *time.Time // when they last wrote
	Answered   *time.Time // when the business last did
	Money      bool       // their last words are about an order or a payment
	PartOf     *uuid.UUID // the case that asks about the same people, and is asked instead
	Proposal   *Proposal
}

// AnswerBy is until when WhatsApp lets the business answer freely; ok is false where nobody waits for an answer, or no longer can.
func (c Case) AnswerBy(now time.Time) (until time.Time, ok bool) {
	if c.Asked == nil || c.Answered != nil && !c.Answered.Before(*c.Asked) {
		return time.Time{}, false
	}
	if until = c.Asked.Add(Window); !until.After(now) {
		return time.Time{}, false
	}

	return until, true
}

// Proposal is one person's "same person" against a warning, which a second person must say too.
type Proposal struct {
	By      string // actor id
	Contact uuid.UUID
	Reason  string
}

// Candidate is somebody the case might be about.
type Candidate struct {
	Contact Contact
	Tier    string // A, B or C
	Reasons []Reason
	Against []Reason
	Score   *Score // nil until Suggest has weighed it
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
	Asked      *time.Time      `db:"asked_at"`
	Answered   *time.Time      `db:"answered_at"`
	Money      bool            `db:"money"`
	PartOf     *uuid.UUID      `db:"part_of"`
	ProposedBy string          `db:"proposed_by"`
	Proposed   *uuid.UUID      `db:"proposed_contact"`
	Why        string          `db:"proposed_reason"`

	urgency int // which of urgencies it was found in
}

const caseColumns = `k.id, k.kind, k.state, k.key, k.identity_id, k.contact_id, k.candidates, k.opened_at, k.waiting_since, k.hold_until, k.unsure_by,
	CASE WHEN k.lease_until > now() THEN k.lease_by ELSE '' END AS lease_by, k.lease_until, k.version, k.outcome, k.closed_at, k.closed_by, k.link_id, k.item_id,
	k.asked_at, k.answered_at, k.money, k.part_of, k.proposed_by, k.proposed_contact, k.proposed_reason`

// CasesByID reads cases, each once and in the order of ids. Those the tenant does not have are left out.
func CasesByID(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) ([]Case, error) {
	var rows []caseRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+caseColumns+`, k.waiting_since AS place
		FROM (SELECT id, min(n) AS n FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, n) GROUP BY id) w
		JOIN cases k ON k.tenant_id = $1 AND k.id = w.id ORDER BY w.n`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}

	return fillCases(ctx, tx, rows)
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

// fillCases reads the people that cases are about, and what speaks for and against each candidate.
func fillCases(ctx context.Context, tx *tenants.Tx, rows []caseRow) ([]Case, error) {
	stored := make([][]caseCandidate, len(rows))
	var identities, contacts, open []uuid.UUID
	for i, r := range rows {
		if err := json.Unmarshal(r.Candidates, &stored[i]); err != nil {
			return nil, fmt.Errorf("read candidates: %w", err)
		}
		if r.State == "open" {
			open = append(open, r.ID)
		}
		if r.Contact != nil {
			contacts = append(contacts, *r.Contact)
		}
		if r.Identity != nil {
			identities = append(identities, *r.Identity)
		}
	}

	parts, err := partsOf(ctx, tx, open)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		stored[i] = withParts(stored[i], parts[r.ID])
		for _, c := range stored[i] {
			identities = append(identities, c.Identity)
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

	accounts, err := accountsOf(ctx, tx, rows, byID)
	if err != nil {
		return nil, err
	}

	cases := make([]Case, len(rows))
	for i, r := range rows {
		c := Case{
			ID: r.ID, Kind: r.Kind, State: r.State, Key: r.Key, IdentityID: r.Identity, ContactID: r.Contact, OpenedAt: r.OpenedAt, Since: r.Since,
			HoldUntil: r.HoldUntil, UnsureBy: r.UnsureBy, LeaseBy: r.LeaseBy, LeaseUntil: r.LeaseUntil, Version: r.Version, Outcome: r.Outcome,
			ClosedAt: r.ClosedAt, ClosedBy: r.ClosedBy, LinkID: r.LinkID, ItemID: r.ItemID,
			Asked: r.Asked, Answered: r.Answered, Money: r.Money, PartOf: r.PartOf,
		}
		if r.ProposedBy != "" && r.Proposed != nil {
			c.Proposal = &Proposal{By: r.ProposedBy, Contact: *r.Proposed, Reason: r.Why}
		}
		if r.Contact != nil {
			c.Contact = byID[*r.Contact]
		}
		if r.Identity != nil {
			c.Identity = accounts[*r.Identity]
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

// accountsOf are the accounts that cases are about, by id: out of their contacts, or read where nobody has written from them. One that was
// absorbed since is not among them.
func accountsOf(ctx context.Context, tx *tenants.Tx, rows []caseRow, people map[uuid.UUID]*Contact) (map[uuid.UUID]*Identity, error) {
	accounts := map[uuid.UUID]*Identity{}
	var left []uuid.UUID
	for _, r := range rows {
		if r.Identity == nil {
			continue
		}
		if r.Contact != nil && people[*r.Contact] != nil {
			of := people[*r.Contact].Identities
			if i := slices.IndexFunc(of, func(a Identity) bool { return a.ID == *r.Identity }); i >= 0 {
				accounts[*r.Identity] = &of[i]
				continue
			}
		}
		left = append(left, *r.Identity)
	}
	if len(left) == 0 {
		return accounts, nil
	}

	found, err := readIdentities(ctx, tx, `i.id`, left)
	if err != nil {
		return nil, err
	}
	for _, list := range found {
		for i := range list {
			accounts[list[i].ID] = &list[i]
		}
	}

	return accounts, nil
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
		SELECT id FROM cases WHERE tenant_id = $1 AND contact_id = $2 AND state = 'open' AND part_of IS NULL ORDER BY waiting_since, id LIMIT 1`, tx.Tenant, contact); err != nil {
		return uuid.Nil, fmt.Errorf("find open case: %w", err)
	}
	if len(ids) == 0 {
		return uuid.Nil, nil
	}

	return ids[0], nil
}
