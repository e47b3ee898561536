// Package erased knows again who was erased, without knowing who they were: it keeps keyed hashes of what a person was known by and of
// their messages' ids (tombstones), and takes one person's part out of what came from WhatsApp. Nobody can turn a hash back without the
// master key.
package erased

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// The kinds of tombstone.
const (
	Identifier = "identifier" // a phone, BSUID or parent BSUID in canonical form
	WAMID      = "wamid"      // the id of a message or call
)

// Hasher makes the hashes of one tenant. It is safe for concurrent use.
type Hasher struct{ key []byte }

// For gives a tenant's Hasher. Hashes of two tenants tell nothing of each other.
func For(keys *secrets.Keyring, tenant uuid.UUID) Hasher {
	return Hasher{keys.Derive("tombstones " + tenant.String())}
}

// Hash is the tombstone of a value: 32 bytes.
func (h Hasher) Hash(kind, value string) []byte {
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(kind + "\x00" + value))

	return mac.Sum(nil)
}

// Stone is a tombstone: who was known by this was erased then.
type Stone struct {
	Hash     []byte    `db:"hash"`
	Kind     string    `db:"kind"`
	ErasedAt time.Time `db:"erased_at"`
	Stopped  bool      `db:"stopped"` // they wanted no advertising
}

// Lay writes tombstones. One that is there already keeps the later time, and stays stopped once it is.
func Lay(ctx context.Context, tx *tenants.Tx, stones []Stone) error {
	if len(stones) == 0 {
		return nil
	}
	hashes, kinds, at, stopped := make(pq.ByteaArray, len(stones)), make([]string, len(stones)), make([]time.Time, len(stones)), make(pq.BoolArray, len(stones))
	for i, s := range stones {
		hashes[i], kinds[i], at[i], stopped[i] = s.Hash, s.Kind, s.ErasedAt, s.Stopped
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO tombstones AS t (tenant_id, hash, kind, erased_at, stopped)
		SELECT $1, w.hash, min(w.kind), max(w.erased_at), bool_or(w.stopped)
		FROM unnest($2::bytea[], $3::text[], $4::timestamptz[], $5::boolean[]) AS w (hash, kind, erased_at, stopped) GROUP BY w.hash
		ON CONFLICT (tenant_id, hash) DO UPDATE SET erased_at = greatest(t.erased_at, excluded.erased_at), stopped = t.stopped OR excluded.stopped`,
		tx.Tenant, hashes, pq.Array(kinds), pq.Array(at), stopped); err != nil {
		return fmt.Errorf("lay tombstones: %w", err)
	}

	return nil
}

// Any tells whether anybody of the tenant was ever erased: one look at an index, for those who would else compute hashes in vain.
func Any(ctx context.Context, tx *tenants.Tx) (is bool, err error) {
	if err := tx.GetContext(ctx, &is, `SELECT EXISTS (SELECT 1 FROM tombstones WHERE tenant_id = $1)`, tx.Tenant); err != nil {
		return false, fmt.Errorf("look for tombstones: %w", err)
	}

	return is, nil
}

// Find reads the tombstones among these hashes, by hash as a string.
func Find(ctx context.Context, tx *tenants.Tx, hashes [][]byte) (map[string]Stone, error) {
	var rows []Stone
	if err := tx.SelectContext(ctx, &rows, `
		SELECT hash, kind, erased_at, stopped FROM tombstones WHERE tenant_id = $1 AND hash = ANY($2)`, tx.Tenant, pq.ByteaArray(hashes)); err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	out := make(map[string]Stone, len(rows))
	for _, s := range rows {
		out[string(s.Hash)] = s
	}

	return out, nil
}

// After lists a tenant's tombstones in the order of their hashes, the next limit of them, for a ledger kept outside the database.
func After(ctx context.Context, tx *tenants.Tx, hash []byte, limit int) ([]Stone, error) {
	if hash == nil {
		hash = []byte{}
	}
	var rows []Stone
	if err := tx.SelectContext(ctx, &rows, `
		SELECT hash, kind, erased_at, stopped FROM tombstones WHERE tenant_id = $1 AND hash > $2 ORDER BY hash LIMIT $3`, tx.Tenant, hash, limit); err != nil {
		return nil, fmt.Errorf("list tombstones: %w", err)
	}

	return rows, nil
}
