package access

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

const (
	keyPrefix    = "pk_"
	keyShown     = 10 // characters of a key that stay visible, "pk_" with them
	keyLength    = len(keyPrefix) + 43
	keyTouch     = time.Minute
	maxKeysShown = 200
)

// Key is an API key of a tenant, without its secret.
type Key struct {
	ID         uuid.UUID      `db:"id"`
	Name       string         `db:"name"`
	Prefix     string         `db:"prefix"` // its first characters, to tell keys apart
	Scopes     pq.StringArray `db:"scopes"`
	CreatedAt  time.Time      `db:"created_at"`
	LastUsedAt *time.Time     `db:"last_used_at"` // to the minute
	RevokedAt  *time.Time     `db:"revoked_at"`
	By         string         `db:"by"` // who made it, where they are still in the team
}

// CreateKey makes an API key with the scopes read, write or both, and returns it with its secret, "pk_" and 256 random bits.
// The secret is shown this once: only its hash is kept. Past the quota it is Conflict "too_many_keys".
func CreateKey(ctx context.Context, tx *tenants.Tx, by Member, name string, scopes []string) (Key, string, error) {
	if !by.Can("apikeys:manage") {
		return Key{}, "", fmt.Errorf("create api key: %w", tenants.ErrForbidden)
	}
	name, err := checkName(name)
	if err != nil {
		return Key{}, "", err
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return s != "read" && s != "write" }) {
		return Key{}, "", &tenants.Invalid{Field: "scopes", Key: "scopes"}
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaKeys); err != nil {
		return Key{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Key{}, "", fmt.Errorf("make key id: %w", err)
	}

	secret := keyPrefix + base64.RawURLEncoding.EncodeToString(randomBytes(32))
	hash := sha256.Sum256([]byte(secret))
	createdBy, err := uuid.Parse(by.Actor.ID)

	var k Key
	err = tx.GetContext(ctx, &k, `
		INSERT INTO api_keys (tenant_id, id, name, prefix, key_hash, scopes, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id, name, prefix, scopes, created_at, last_used_at, revoked_at`,
		tx.Tenant, id, name, secret[:keyShown], hash[:], pq.StringArray(scopes), uuid.NullUUID{UUID: createdBy, Valid: err == nil})
	if err != nil {
		return Key{}, "", fmt.Errorf("create api key: %w", err)
	}

	return k, secret, tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "apikey.add", ObjectKind: "api_key", ObjectID: id.String(),
		Detail: map[string]any{"prefix": k.Prefix, "scopes": scopes},
	})
}

// Keys lists the API keys of tx's tenant, newest first, revoked ones after the others, at most 200.
func Keys(ctx context.Context, tx *tenants.Tx) ([]Key, error) {
	var keys []Key
	err := tx.SelectContext(ctx, &keys, `
		SELECT k.id, k.name, k.prefix, k.scopes, k.created_at, k.last_used_at, k.revoked_at, coalesce(p.name, '') AS by
		FROM api_keys k LEFT JOIN people p ON p.id = k.created_by
		WHERE k.tenant_id = $1
		ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.id LIMIT $2`, tx.Tenant, maxKeysShown)
	if err != nil {
		return nil, fmt.Errorf("list api keys: %w", err)
	}

	return keys, nil
}

// RevokeKey ends an API key; the next request with it is refused. confirm is the key's prefix, else the input is Invalid. To revoke one
// twice changes nothing. It returns the key's name.
func RevokeKey(ctx context.Context, tx *tenants.Tx, by Member, id uuid.UUID, confirm string) (string, error) {
	if !by.Can("apikeys:manage") {
		return "", fmt.Errorf("revoke api key: %w", tenants.ErrForbidden)
	}

	var key struct {
		Live   bool   `db:"live"`
		Name   string `db:"name"`
		Prefix string `db:"prefix"`
	}
	err := tx.GetContext(ctx, &key, `
		SELECT revoked_at IS NULL AS live, name, prefix FROM api_keys WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", tenants.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("find api key: %w", err)
	}
	if confirm != key.Prefix {
		return "", &tenants.Invalid{Field: "confirm", Key: "confirm"}
	}
	if !key.Live {
		return key.Name, nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return "", fmt.Errorf("revoke api key: %w", err)
	}

	return key.Name, tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "apikey.revoke", ObjectKind: "api_key", ObjectID: id.String()})
}

// CheckKey returns who an API key acts for, in a System transaction: a lead by role in the key's tenant, with the key's scopes. A key that is unknown
// or revoked is ErrNoSession, one of a business whose state stops its keys *Stopped. The time of its last use is kept to the minute.
func CheckKey(ctx context.Context, tx *tenants.Tx, secret string) (Member, error) {
	if len(secret) != keyLength || !strings.HasPrefix(secret, keyPrefix) {
		return Member{}, ErrNoSession
	}
	hash := sha256.Sum256([]byte(secret))

	var row struct {
		Key
		TenantID uuid.UUID `db:"tenant_id"`
		Stale    bool      `db:"stale"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT id, name, prefix, scopes, created_at, last_used_at, revoked_at, tenant_id,
		       coalesce(last_used_at < now() - $2 * interval '1 second', true) AS stale
		FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL`, hash[:], keyTouch.Seconds())
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, ErrNoSession
	}
	if err != nil {
		return Member{}, fmt.Errorf("find api key: %w", err)
	}

	tenant, err := readTenant(ctx, tx, row.TenantID)
	if err != nil {
		return Member{}, err
	}
	if !tenants.Allows(tenant.State, tenants.Working) {
		return Member{}, &Stopped{State: tenant.State}
	}

	// Whoever finds the row locked leaves the touch to the one who locked it: requests of one key must not queue for it.
	if row.Stale {
		_, err := tx.ExecContext(ctx, `
			UPDATE api_keys SET last_used_at = now()
			WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM api_keys WHERE tenant_id = $1 AND id = $2 FOR UPDATE SKIP LOCKED)`,
			row.TenantID, row.ID)
		if err != nil {
			return Member{}, fmt.Errorf("touch api key: %w", err)
		}
	}

	return Member{
		Tenant: tenant, Role: Lead, Scopes: row.Scopes,
		Actor: tenants.Actor{Kind: "api_key", ID: row.ID.String(), Name: row.Name},
	}, nil
}
