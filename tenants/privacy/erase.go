package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Start begins erasing whom a request is about, once who asks is proved. It cannot be stopped or undone: the worker removes everything
// within seconds and writes the receipt. seen is AccountsOf the contact as whoever confirms saw it. A Conflict of the code Changed means
// that the proof, or what they saw, was of other accounts: whoever calls rolls back, and then takes the proof back with Unprove.
func Start(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, seen string) error {
	r, err := mine(ctx, tx, id)
	if err != nil {
		return err
	}
	switch {
	case r.Kind != Erase:
		return &tenants.Conflict{Code: "request_kind"}
	case r.Contact == nil:
		return &tenants.Conflict{Code: "request_contact"}
	case r.Proof == "":
		return &tenants.Conflict{Code: "request_proof"}
	case r.ProvedOf != seen:
		return &tenants.Conflict{Code: Changed}
	}
	if err := stillOf(ctx, tx, r); err != nil {
		return err
	}
	if err := notOurs(ctx, tx, *r.Contact); err != nil {
		return err
	}

	return begin(ctx, tx, actor, r)
}

// notOurs refuses to erase who has a phone of the business's own numbers: everything that came or went by it names that phone, and
// would be taken for theirs.
func notOurs(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) error {
	_, own, err := identity.WholeOf(ctx, tx, contact)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil // there is nobody to erase
	}
	if err != nil {
		return err
	}
	var phones []string
	for _, a := range own {
		phones = append(phones, a.Value)
	}
	var ours bool
	if err := tx.GetContext(ctx, &ours, `
		SELECT EXISTS (SELECT 1 FROM numbers WHERE tenant_id = $1 AND display_phone = ANY($2))`,
		tx.Tenant, pq.Array(phones)); err != nil {
		return fmt.Errorf("compare with the business's own numbers: %w", err)
	}
	if ours {
		return &tenants.Conflict{Code: "request_own_number"}
	}

	return nil
}

func begin(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, r Request) error {
	found, err := Preview(ctx, tx, *r.Contact)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET state = 'erasing', found = jsonb_build_object('counts', $3::jsonb), closed_by = $4 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, r.ID, string(encoded), actor.Name); err != nil {
		return fmt.Errorf("begin erasing: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO erasures (tenant_id, request_id, rows, erased_at) VALUES ($1, $2, '{}', now())`, tx.Tenant, r.ID); err != nil {
		return fmt.Errorf("write erasure: %w", err)
	}
	if err := plan(ctx, tx, jobErase, r.ID, time.Now()); err != nil {
		return err
	}

	return audit(ctx, tx, actor, "privacy.erase", r.ID, map[string]any{"proof": r.Proof})
}

// subject is whom an erasure is about, sealed while it lasts.
type subject struct {
	Aliases []identity.Alias `json:"aliases"`
	Words   []string         `json:"words"` // their identifiers, as others may have written them
	Held    []erased.Held    `json:"held"`  // what others had before or after them
}

// progress is an erasure as one step finds it.
type progress struct {
	Request  uuid.UUID `db:"request_id"`
	Sealed   []byte    `db:"subject"`
	Rows     []byte    `db:"rows"`
	Part     int       `db:"part"`
	After    string    `db:"after"`
	Tries    int       `db:"tries"`
	ErasedAt time.Time `db:"erased_at"`

	subject subject
	whole   identity.Whole
	book    map[uuid.UUID]string // what became of entries of contact books, by identifier
}

const sealErasure = "privacy erasure"

func (w *Worker) progressOf(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (p progress, err error) {
	if err := tx.GetContext(ctx, &p, `
		SELECT request_id, subject, rows, part, after, tries, erased_at FROM erasures WHERE tenant_id = $1 AND request_id = $2 FOR UPDATE`, tx.Tenant, id); err != nil {
		return progress{}, fmt.Errorf("read erasure: %w", err)
	}
	if err := json.Unmarshal(p.Rows, &p.whole); err != nil {
		return progress{}, fmt.Errorf("read rows of erasure: %w", err)
	}
	var rows struct {
		Book map[uuid.UUID]string `json:"book"`
	}
	if err := json.Unmarshal(p.Rows, &rows); err != nil {
		return progress{}, fmt.Errorf("read contact books of erasure: %w", err)
	}
	p.book = rows.Book
	if p.Sealed == nil {
		return p, nil
	}
	p.subject, err = w.open(tx.Tenant, p.Sealed)

	return p, err
}

func (w *Worker) open(tenant uuid.UUID, sealed []byte) (s subject, err error) {
	plain, err := w.keys.Open(tenant, sealErasure, sealed)
	if err != nil {
		return subject{}, fmt.Errorf("open erasure: %w", err)
	}
	if err := json.Unmarshal(plain, &s); err != nil {
		return subject{}, fmt.Errorf("read erasure: %w", err)
	}

	return s, nil
}

// person is who is to be cut out of bytes.
func (p progress) person(keys *secrets.Keyring, tenant uuid.UUID) erased.Person {
	hidden := phonefree.For(keys, tenant)

	return erased.Named(p.subject.Words, hidden.Phone).Holding(p.subject.Held, hidden.Phone)
}

const (
	eraseRows  = 500  // messages in one transaction
	eraseScan  = 2000 // rows looked through in one
	eraseLimit = 20 * time.Second
)

// part is one step of an erasure, done again until it answers that it is done.
type part struct {
	name string
	do   func(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error)
}

// parts are the steps in their order. The first makes the person unknown at once, so that whatever comes meanwhile is dropped or begins
// anew; the others remove what is left, a page at a time, in whatever time it takes.
var parts = []part{
	{"person", erasePerson},
	{"messages", eraseMessages},
	{"named", eraseNamed},
	{"written", eraseWritten},
	{"items", eraseItems},
	{"deliveries", eraseDeliveries},
	{"book", eraseFromBook},
	{"lists", eraseLists},
	{"outgoing", eraseOutgoing},
}

// erase goes on with an erasure, and returns when to go on; the zero time when it is done.
func (w *Worker) erase(ctx context.Context, tenant, id uuid.UUID) (next time.Time, err error) {
	for until := time.Now().Add(eraseLimit); time.Now().Before(until); {
		done, err := w.eraseStep(ctx, tenant, id)
		if err != nil || done {
			return time.Time{}, err
		}
	}

	return time.Now(), nil
}

func (w *Worker) eraseStep(ctx context.Context, tenant, id uuid.UUID) (done bool, err error) {
	var p progress
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		p, err = w.progressOf(ctx, tx, id)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil // done before
	}
	if err != nil {
		return false, err
	}
	if p.Part >= len(w.parts) {
		return true, w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return finish(ctx, tx, p) })
	}

	after, err := w.parts[p.Part].do(ctx, w, tenant, p)
	if errors.Is(err, errReopened) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("erase %s: %w", w.parts[p.Part].name, err)
	}

	return false, w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE erasures SET part = CASE WHEN $3 = '' THEN $4 + 1 ELSE part END, after = $3, tries = 0
			WHERE tenant_id = $1 AND request_id = $2 AND part = $4`, tenant, id, after, p.Part)
		if err != nil {
			return fmt.Errorf("keep progress of erasure: %w", err)
		}

		return nil
	})
}

// eraseMessages removes the next messages, and remembers their ids at WhatsApp as hashes.
func eraseMessages(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		wamids, err := conversations.ForgetMessages(ctx, tx, p.whole.Tenures, eraseRows)
		if err != nil {
			return err
		}
		if len(wamids) > 0 {
			after = "more"
		}
		h, stones := erased.For(w.keys, tenant), make([]erased.Stone, len(wamids))
		for i, id := range wamids {
			stones[i] = erased.Stone{Hash: h.Hash(erased.WAMID, id), Kind: erased.WAMID, ErasedAt: p.ErasedAt}
		}

		return erased.Lay(ctx, tx, stones)
	})

	return after, err
}

func eraseNamed(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		after, err = conversations.ForgetNamed(ctx, tx, p.person(w.keys, tenant), p.After, eraseScan)
		return err
	})

	return after, err
}

func eraseItems(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	after, _, err = ingest.ForgetItems(ctx, w.db, w.keys, tenant, p.person(w.keys, tenant), p.After, eraseScan)

	return after, err
}

func eraseDeliveries(ctx context.Context, w *Worker, tenant uuid.UUID, _ progress) (string, error) {
	n, err := w.cutDeliveries(ctx, tenant)
	if err != nil || n == 0 {
		return "", err
	}

	return "more", nil
}

// eraseLists takes the person out of lists that were uploaded, those also that nobody has taken in.
func eraseLists(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		after, err = imports.ForgetNamed(ctx, tx, p.subject.Words, p.After, eraseScan)
		return err
	})

	return after, err
}

// eraseOutgoing stops what waits to be sent to others and names the person. What is on its way just now is looked at again.
func eraseOutgoing(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		under, err := conversations.StopNaming(ctx, tx, p.subject.Words)
		if err == nil && under {
			after = "more"
		}
		return err
	})
	if err == nil && after != "" {
		err = errAgain
	}

	return after, err
}

// finish writes the receipt and lets go of whom it was about.
func finish(ctx context.Context, tx *tenants.Tx, p progress) error {
	var left struct {
		Identifiers int64 `db:"identifiers"`
		Messages    int64 `db:"messages"`
	}
	if err := tx.GetContext(ctx, &left, `
		SELECT count(*) FILTER (WHERE kind = 'identifier') AS identifiers, count(*) FILTER (WHERE kind = 'wamid') AS messages
		FROM tombstones WHERE tenant_id = $1 AND erased_at = $2`, tx.Tenant, p.ErasedAt); err != nil {
		return fmt.Errorf("count tombstones: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests
		SET state = 'done', closed_at = now(), subject = NULL, note = NULL,
		    outcome = outcome || jsonb_build_object('erased_at', $3::timestamptz, 'tombstones', $4::bigint, 'messages', $5::bigint)
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, p.Request, p.ErasedAt, left.Identifiers, left.Messages); err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM erasures WHERE tenant_id = $1 AND request_id = $2`, tx.Tenant, p.Request); err != nil {
		return fmt.Errorf("end erasure: %w", err)
	}
	if err := CountClocks(ctx, tx); err != nil {
		return err
	}

	return audit(ctx, tx, tenants.SystemActor, "privacy.erased", p.Request, map[string]any{"tombstones": left.Identifiers})
}
