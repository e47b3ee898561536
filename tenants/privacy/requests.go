// Package privacy is what a business does when customers ask about what it knows of them: it shows, corrects and erases, keeps the clocks
// and the proof of each request, and lets what is old go by itself.
package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// The kinds of request.
const (
	Access    = "access"    // show me what you know of me
	Correct   = "correct"   // this is wrong
	Erase     = "erase"     // forget me
	Object    = "object"    // stop using it for this
	Grievance = "grievance" // a complaint
)

// Kinds are all of them in the order they are shown.
var Kinds = []string{Access, Correct, Erase, Object, Grievance}

// The states of a request.
const (
	Open    = "open"
	Erasing = "erasing" // on its way, and not to be stopped any more
	Done    = "done"
	Refused = "refused"
)

// Proofs are what proves that a person is who they say. A code that came back (Request.LinkedBack) is shown beside it and is never enough alone:
// it proves that somebody had the phone, not who.
var Proofs = []string{"wrote_from_it", "document", "in_person", "call_back", "account"}

// clocks are the days within which a request is to be answered: a month, and for a complaint 90 days (GDPR article 12(3), DPDP rule 14).
var clocks = map[string]int{Access: 30, Correct: 30, Erase: 30, Object: 30, Grievance: 90}

// AnswerDays are the days within which a request of a kind is to be answered, 0 of a kind that is none.
func AnswerDays(kind string) int { return clocks[kind] }

// Request is one wish of a customer. Subject and Note are in clear only while it is open.
type Request struct {
	ID         uuid.UUID       `db:"id"`
	Kind       string          `db:"kind"`
	State      string          `db:"state"`
	Contact    *uuid.UUID      `db:"contact_id"`
	Origin     string          `db:"origin"` // desk, page: the public page, restore: a backup had brought them back
	OpenedAt   time.Time       `db:"opened_at"`
	OpenedBy   string          `db:"opened_by"`
	DueAt      time.Time       `db:"due_at"`
	Proof      string          `db:"proof"`
	LinkedBack bool            `db:"linked_back"`
	ProvedAt   *time.Time      `db:"proved_at"`
	ProvedBy   string          `db:"proved_by"`
	ProvedOf   string          `db:"proved_of"` // AccountsOf the contact when it was proved
	ClosedAt   *time.Time      `db:"closed_at"`
	ClosedBy   string          `db:"closed_by"`
	Reason     string          `db:"reason"`
	Found      json.RawMessage `db:"found"`
	Outcome    json.RawMessage `db:"outcome"`

	SealedSubject []byte `db:"subject"`
	SealedNote    []byte `db:"note"`
	Subject       string `db:"-"`
	Note          string `db:"-"`

	SealedChanges []byte   `db:"changes"`
	Changes       []Change `db:"-"` // what was corrected
}

// Overdue tells whether the request waits longer than it may.
func (r Request) Overdue(now time.Time) bool { return r.ClosedAt == nil && now.After(r.DueAt) }

const columns = `id, kind, state, contact_id, origin, opened_at, opened_by, due_at, proof, linked_back, proved_at, proved_by, proved_of, closed_at, closed_by,
	reason, found, outcome, subject, note, changes`

// What the sealed parts of a request are sealed for.
const (
	sealSubject = "privacy subject"
	sealNote    = "privacy note"
	sealChanges = "privacy changes"
)

// New is a request to be opened. Subject is what the person says they are known by; Contact whom that was found to be.
type New struct {
	Kind    string
	Contact *uuid.UUID
	Subject string // at most 200 characters
	Note    string // at most 2,000
	Origin  string // "" is the desk
	From    *uuid.UUID
	Since   time.Time // since when the clock runs; zero: now
}

// Add opens a request. Its clock runs from now.
func Add(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, actor tenants.Actor, in New) (uuid.UUID, error) {
	days, known := clocks[in.Kind]
	switch {
	case !known:
		return uuid.Nil, &tenants.Invalid{Field: "kind", Key: "choice"}
	case in.Subject == "" && in.Contact == nil:
		return uuid.Nil, &tenants.Invalid{Field: "subject", Key: "required"}
	case len([]rune(in.Subject)) > 200:
		return uuid.Nil, &tenants.Invalid{Field: "subject", Key: "too_long"}
	case len([]rune(in.Note)) > 2000:
		return uuid.Nil, &tenants.Invalid{Field: "note", Key: "too_long"}
	}
	subject, err := seal(keys, tx.Tenant, sealSubject, in.Subject)
	if err != nil {
		return uuid.Nil, err
	}
	note, err := seal(keys, tx.Tenant, sealNote, in.Note)
	if err != nil {
		return uuid.Nil, err
	}
	if in.Origin == "" {
		in.Origin = "desk"
	}
	since := &in.Since
	if in.Since.IsZero() {
		since = nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make request id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO privacy_requests (tenant_id, id, kind, contact_id, subject, note, origin, origin_id, opened_by, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($11, now()) + make_interval(days => $10))`,
		tx.Tenant, id, in.Kind, in.Contact, subject, note, in.Origin, in.From, actor.Name, days, since); err != nil {
		return uuid.Nil, fmt.Errorf("write request: %w", err)
	}

	if err := CountClocks(ctx, tx); err != nil {
		return uuid.Nil, err
	}

	return id, audit(ctx, tx, actor, "privacy.open", id, map[string]any{"kind": in.Kind})
}

func seal(keys *secrets.Keyring, tenant uuid.UUID, purpose, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	sealed, err := keys.Seal(tenant, purpose, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("seal request: %w", err)
	}

	return sealed, nil
}

func audit(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, action string, id uuid.UUID, detail map[string]any) error {
	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: action, ObjectKind: "request", ObjectID: id.String(), Detail: detail})
}

// List returns requests: the open ones, those due first before all, then the closed ones, newest first; at most 200.
func List(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring) ([]Request, error) {
	list := []Request{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT `+columns+` FROM privacy_requests WHERE tenant_id = $1
		ORDER BY closed_at IS NOT NULL, CASE WHEN closed_at IS NULL THEN due_at END, opened_at DESC, id LIMIT 200`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	for i := range list {
		if err := list[i].open(tx.Tenant, keys); err != nil {
			return nil, err
		}
	}

	return list, nil
}

// Get reads one request. tenants.ErrNotFound where the tenant has none such.
func Get(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id uuid.UUID) (Request, error) {
	r, err := get(ctx, tx, id, "")
	if err != nil {
		return Request{}, err
	}

	return r, r.open(tx.Tenant, keys)
}

func get(ctx context.Context, tx *tenants.Tx, id uuid.UUID, lock string) (r Request, err error) {
	query := `SELECT ` + columns + ` FROM privacy_requests WHERE tenant_id = $1 AND id = $2`
	if lock != "" {
		query = `SELECT ` + columns + ` FROM privacy_requests WHERE tenant_id = $1 AND id = $2 FOR UPDATE`
	}
	err = tx.GetContext(ctx, &r, query, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Request{}, tenants.ErrNotFound
	}
	if err != nil {
		return Request{}, fmt.Errorf("read request %s: %w", id, err)
	}

	return r, nil
}

func (r *Request) open(tenant uuid.UUID, keys *secrets.Keyring) error {
	for _, part := range []struct {
		sealed  []byte
		purpose string
		to      *string
	}{{r.SealedSubject, sealSubject, &r.Subject}, {r.SealedNote, sealNote, &r.Note}} {
		if part.sealed == nil {
			continue
		}
		plain, err := keys.Open(tenant, part.purpose, part.sealed)
		if err != nil {
			return fmt.Errorf("open request %s: %w", r.ID, err)
		}
		*part.to = string(plain)
	}
	if r.SealedChanges == nil || r.Changes != nil {
		return nil
	}
	plain, err := keys.Open(tenant, sealChanges, r.SealedChanges)
	if err != nil {
		return fmt.Errorf("open changes of request %s: %w", r.ID, err)
	}
	if err := json.Unmarshal(plain, &r.Changes); err != nil {
		return fmt.Errorf("read changes of request %s: %w", r.ID, err)
	}

	return nil
}

// mine reads a request that is still open, for a change.
func mine(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Request, error) {
	r, err := get(ctx, tx, id, "lock")
	if err != nil {
		return Request{}, err
	}
	if r.State != Open {
		return Request{}, &tenants.Conflict{Code: "request_closed"}
	}

	return r, nil
}

// Choose says which contact a request is about.
func Choose(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id, contact uuid.UUID) error {
	if _, err := mine(ctx, tx, id); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests r SET contact_id = c.id, proof = '', proved_at = NULL, proved_by = '', proved_of = '', linked_back = false
		FROM contacts c WHERE r.tenant_id = $1 AND r.id = $2 AND c.tenant_id = $1 AND c.id = $3`, tx.Tenant, id, contact)
	if err != nil {
		return fmt.Errorf("choose contact of request %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(tenants.ErrNotFound, err)
	}

	return audit(ctx, tx, actor, "privacy.choose", id, map[string]any{"contact": contact})
}

// Prove records what showed that the person is who they say: one of Proofs, and whether a code of ours came back from their WhatsApp. It
// holds for the contact's accounts of now (AccountsOf).
func Prove(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, proof string, linkedBack bool) error {
	r, err := mine(ctx, tx, id)
	if err != nil {
		return err
	}
	if r.Contact == nil {
		return &tenants.Conflict{Code: "request_contact"}
	}
	if !contains(Proofs, proof) {
		key := "choice"
		if linkedBack {
			key = "code_not_enough"
		}
		return &tenants.Invalid{Field: "proof", Key: key}
	}
	of, err := AccountsOf(ctx, tx, *r.Contact)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET proof = $3, linked_back = $4, proved_at = now(), proved_by = $5, proved_of = $6 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, proof, linkedBack, actor.Name, of); err != nil {
		return fmt.Errorf("record proof of request %s: %w", id, err)
	}

	return audit(ctx, tx, actor, "privacy.prove", id, map[string]any{"proof": proof, "code": linkedBack})
}

// Close ends a request: answered, or refused with a reason. Answered, an objection is kept with the customer (Consents), and a correction
// must have been made (Amend). Whom it was about is then no longer kept with it. An erase request ends by
// erasing, or is refused.
func Close(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, state, reason string) error {
	r, err := mine(ctx, tx, id)
	if err != nil {
		return err
	}
	switch {
	case state != Done && state != Refused, state == Done && r.Kind == Erase:
		return &tenants.Invalid{Field: "state", Key: "choice"}
	case state == Refused && reason == "":
		return &tenants.Invalid{Field: "reason", Key: "required"}
	case len([]rune(reason)) > 500:
		return &tenants.Invalid{Field: "reason", Key: "too_long"}
	case state == Done && (r.Kind == Access || r.Kind == Correct) && r.Proof == "":
		return &tenants.Conflict{Code: "request_proof"}
	case state == Done && r.Kind == Object && r.Contact == nil:
		return &tenants.Conflict{Code: "request_contact"}
	case state == Done && r.Kind == Correct && r.SealedChanges == nil:
		return &tenants.Conflict{Code: "request_uncorrected"}
	}
	if state == Done && r.Kind == Object {
		if err := object(ctx, tx, actor, *r.Contact); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET state = $3, reason = $4, closed_at = now(), closed_by = $5, subject = NULL, note = NULL
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, state, reason, actor.Name); err != nil {
		return fmt.Errorf("close request %s: %w", id, err)
	}
	if err := CountClocks(ctx, tx); err != nil {
		return err
	}

	return audit(ctx, tx, actor, "privacy.close", id, map[string]any{"kind": r.Kind, "state": state})
}

// Waiting counts the open requests, and those of them that are overdue.
func Waiting(ctx context.Context, tx *tenants.Tx) (open, overdue int, err error) {
	var n struct {
		Open    int `db:"open"`
		Overdue int `db:"overdue"`
	}
	if err := tx.GetContext(ctx, &n, `
		SELECT count(*) AS open, count(*) FILTER (WHERE due_at < now()) AS overdue FROM privacy_requests WHERE tenant_id = $1 AND closed_at IS NULL`, tx.Tenant); err != nil {
		return 0, 0, fmt.Errorf("count requests: %w", err)
	}

	return n.Open, n.Overdue, nil
}
