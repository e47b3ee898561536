package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
)

// restored is the origin of a request that nobody made: a backup had brought back who was erased.
const restored = "restore"

// identifierPage is how many identifiers are compared with tombstones at a time.
const identifierPage = 5000

// Replay erases again everybody whom a list of tombstones names and the database does not know to be erased, as after a backup from
// before was restored. Whoever was erased in the database too, and has come back since, stays. It lays all of the tombstones. The requests
// it returns are on their way, and a Worker brings them to their end; Finish does at once.
func (w *Worker) Replay(ctx context.Context, tenant uuid.UUID, actor tenants.Actor, stones []erased.Stone) (begun []uuid.UUID, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		begun = nil
		// Nobody is grouped otherwise between looking and beginning.
		if err := identity.Lock(ctx, tx); err != nil {
			return err //nolint:wrapcheck // it says what it locks
		}
		lost, err := unknown(ctx, tx, stones)
		if err != nil {
			return err
		}
		back, err := w.returned(ctx, tx, lost)
		if err != nil {
			return err
		}
		for _, one := range back {
			id, err := replay(ctx, tx, actor, one)
			if err != nil {
				return err
			}
			begun = append(begun, id)
		}

		return erased.Lay(ctx, tx, stones)
	})

	return begun, err
}

// Finish goes on with an erasure until it is done or must wait, and tells whether it is done.
func (w *Worker) Finish(ctx context.Context, tenant, request uuid.UUID) (done bool, err error) {
	for !done {
		if done, err = w.eraseStep(ctx, tenant, request); err != nil {
			return false, err
		}
	}

	return true, nil
}

// unknown are those tombstones of identifiers that the database has not, or only of an earlier erasure; by hash as a string.
func unknown(ctx context.Context, tx *tenants.Tx, stones []erased.Stone) (map[string]erased.Stone, error) {
	lost := map[string]erased.Stone{}
	for page := range slices.Chunk(stones, identifierPage) {
		hashes := make([][]byte, len(page))
		for i, s := range page {
			hashes[i] = s.Hash
		}
		laid, err := erased.Find(ctx, tx, hashes)
		if err != nil {
			return nil, err //nolint:wrapcheck // it says what it read
		}
		for _, s := range page {
			known, ok := laid[string(s.Hash)]
			if s.Kind == erased.Identifier && (!ok || known.ErasedAt.Before(s.ErasedAt)) && lost[string(s.Hash)].ErasedAt.Before(s.ErasedAt) {
				lost[string(s.Hash)] = s
			}
		}
	}

	return lost, nil
}

// back is somebody whom a backup brought back: a contact with all their accounts, or accounts alone.
type back struct {
	Contacts   []uuid.UUID `json:"contacts"`
	Identities []uuid.UUID `json:"identities"`
	at         time.Time   // when they were erased
}

// returned finds whose identifiers lost names. A contact goes whole where each of its accounts does; else only these accounts go, for the
// others were not theirs when they were erased.
func (w *Worker) returned(ctx context.Context, tx *tenants.Tx, lost map[string]erased.Stone) ([]back, error) {
	if len(lost) == 0 {
		return nil, nil
	}
	h, hits := erased.For(w.keys, tx.Tenant), map[uuid.UUID]time.Time{}
	for after := uuid.Nil; ; {
		var page []struct {
			ID    uuid.UUID `db:"id"`
			Value string    `db:"value"`
		}
		if err := tx.SelectContext(ctx, &page, `SELECT id, value FROM identifiers WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3`, tx.Tenant, after, identifierPage); err != nil {
			return nil, fmt.Errorf("read identifiers: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			if stone, ok := lost[string(h.Hash(erased.Identifier, d.Value))]; ok {
				hits[d.ID] = stone.ErasedAt
			}
			after = d.ID
		}
	}

	var ids []uuid.UUID
	for id := range hits {
		ids = append(ids, id)
	}
	var rows []struct {
		Identity   uuid.UUID  `db:"id"`
		Contact    *uuid.UUID `db:"contact_id"`
		Identifier uuid.UUID  `db:"identifier_id"`
		Whole      bool       `db:"whole"`
	}
	// An account that was absorbed is part of the one it was absorbed into.
	if err := tx.SelectContext(ctx, &rows, `
		WITH RECURSIVE named (id, identifier_id) AS (
			SELECT identity_id, identifier_id FROM tenures WHERE tenant_id = $1 AND identifier_id = ANY($2)
			UNION SELECT i.absorbed_into, n.identifier_id FROM named n JOIN identities i ON i.tenant_id = $1 AND i.id = n.id WHERE i.absorbed_into IS NOT NULL
		)
		SELECT i.id, i.contact_id, n.identifier_id,
		       NOT EXISTS (SELECT 1 FROM identities o WHERE o.tenant_id = $1 AND o.contact_id = i.contact_id AND o.absorbed_into IS NULL
		                                              AND o.id NOT IN (SELECT id FROM named)) AS whole
		FROM named n JOIN identities i ON i.tenant_id = $1 AND i.id = n.id WHERE i.absorbed_into IS NULL ORDER BY i.id`, tx.Tenant, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("find who came back: %w", err)
	}
	people, order := map[uuid.UUID]*back{}, []uuid.UUID(nil)
	for _, r := range rows {
		key := r.Identity
		if r.Contact != nil && r.Whole {
			key = *r.Contact
		}
		one := people[key]
		if one == nil {
			one = &back{}
			people[key], order = one, append(order, key)
			if key != r.Identity {
				one.Contacts = []uuid.UUID{key}
			}
		}
		if key == r.Identity && !slices.Contains(one.Identities, key) {
			one.Identities = append(one.Identities, key)
		}
		if at := hits[r.Identifier]; at.After(one.at) {
			one.at = at
		}
	}
	list := make([]back, len(order))
	for i, key := range order {
		list[i] = *people[key]
	}
	slices.SortFunc(list, func(a, b back) int {
		return strings.Compare(fmt.Sprint(a.Contacts, a.Identities), fmt.Sprint(b.Contacts, b.Identities))
	})

	return list, nil
}

// replay begins erasing somebody again, as of the time they were erased.
func replay(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, one back) (uuid.UUID, error) {
	whole, own, err := identity.WholeOfAccounts(ctx, tx, one.Contacts, one.Identities)
	if err != nil {
		return uuid.Nil, err //nolint:wrapcheck // it says what it read
	}
	found, err := count(ctx, tx, whole, own)
	if err != nil {
		return uuid.Nil, err
	}
	counts, err := json.Marshal(found)
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode counts: %w", err)
	}
	rows, err := json.Marshal(one)
	if err != nil {
		return uuid.Nil, fmt.Errorf("encode who came back: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make request id: %w", err)
	}
	var contact *uuid.UUID
	if len(one.Contacts) == 1 {
		contact = &one.Contacts[0]
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO privacy_requests (tenant_id, id, kind, state, contact_id, origin, opened_by, due_at, closed_by, found)
		VALUES ($1, $2, 'erase', 'erasing', $3, $4, $5, now() + interval '1 day', $5, jsonb_build_object('counts', $6::jsonb))`,
		tx.Tenant, id, contact, restored, actor.Name, string(counts)); err != nil {
		return uuid.Nil, fmt.Errorf("write request: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO erasures (tenant_id, request_id, rows, erased_at) VALUES ($1, $2, $3, $4)`, tx.Tenant, id, string(rows), one.at); err != nil {
		return uuid.Nil, fmt.Errorf("write erasure: %w", err)
	}
	if err := CountClocks(ctx, tx); err != nil {
		return uuid.Nil, err
	}
	if err := plan(ctx, tx, jobErase, id, time.Now()); err != nil {
		return uuid.Nil, err
	}

	return id, audit(ctx, tx, actor, "privacy.replay", id, nil)
}

// whose is who is to be erased: whom the request is about, or whom a backup brought back. tenants.ErrNotFound where they are gone.
func whose(ctx context.Context, tx *tenants.Tx, r Request, p progress) (identity.Whole, []identity.Alias, error) {
	if r.Origin == restored {
		return identity.WholeOfAccounts(ctx, tx, p.whole.Contacts, p.whole.Identities) //nolint:wrapcheck // it says what it read
	}

	return identity.WholeOf(ctx, tx, *r.Contact) //nolint:wrapcheck // it says what it read
}
