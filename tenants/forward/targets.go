package forward

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	sealAddress = "forward address"
	sealSecret  = "forward secret"
	secretBytes = 32
)

// Input is a target to be added. Number is uuid.Nil for all numbers of the business, and what is about its account.
type Input struct {
	Address string
	Number  uuid.UUID
}

// Add makes a target and returns it with its secret, which is shown this once. An address that cannot be one is Invalid, one that is in use
// Conflict "forward_twice", one too many "too_many_forwards".
func Add(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, d Doors, by tenants.Actor, in Input) (t Target, secret string, err error) {
	address, err := d.Check(in.Address)
	if err != nil {
		return Target{}, "", err
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaForwards); err != nil {
		return Target{}, "", err
	}
	if err := checkNumber(ctx, tx, in.Number); err != nil {
		return Target{}, "", err
	}
	if err := once(ctx, tx, keys, address); err != nil {
		return Target{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Target{}, "", fmt.Errorf("make id of forward target: %w", err)
	}
	sealed, err := keys.Seal(tx.Tenant, sealAddress, []byte(address.String()))
	if err != nil {
		return Target{}, "", fmt.Errorf("seal address: %w", err)
	}
	secret, sealedSecret, err := newSecret(keys, tx.Tenant)
	if err != nil {
		return Target{}, "", err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO forward_targets (tenant_id, id, host, address, number_id, secret, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.Tenant, id, address.Host, sealed, uuid.NullUUID{UUID: in.Number, Valid: in.Number != uuid.Nil}, sealedSecret, by.Name); err != nil {
		return Target{}, "", fmt.Errorf("add forward target: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO forward_lanes (tenant_id, target_id) VALUES ($1, $2)`, tx.Tenant, id); err != nil {
		return Target{}, "", fmt.Errorf("add lane of forward target: %w", err)
	}
	if t, err = Get(ctx, tx, id); err != nil {
		return Target{}, "", err
	}

	return t, secret, audit(ctx, tx, by, "forward.add", t)
}

func checkNumber(ctx context.Context, tx *tenants.Tx, number uuid.UUID) error {
	if number == uuid.Nil {
		return nil
	}
	var there bool
	if err := tx.GetContext(ctx, &there, `
		SELECT EXISTS (SELECT 1 FROM numbers WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected')`, tx.Tenant, number); err != nil {
		return fmt.Errorf("look for number: %w", err)
	}
	if !there {
		return &tenants.Invalid{Field: "number", Key: "choice"}
	}

	return nil
}

// once refuses an address that a target has already.
func once(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, address *url.URL) error {
	var sealed [][]byte
	if err := tx.SelectContext(ctx, &sealed, `
		SELECT address FROM forward_targets WHERE tenant_id = $1 AND host = $2 AND state <> 'removed'`, tx.Tenant, address.Host); err != nil {
		return fmt.Errorf("look for the same address: %w", err)
	}
	for _, s := range sealed {
		known, err := keys.Open(tx.Tenant, sealAddress, s)
		if err != nil {
			return fmt.Errorf("open address: %w", err)
		}
		if string(known) == address.String() {
			return &tenants.Conflict{Code: "forward_twice"}
		}
	}

	return nil
}

// newSecret makes a secret in the form of standardwebhooks.com.
func newSecret(keys *secrets.Keyring, tenant uuid.UUID) (secret string, sealed []byte, err error) {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", nil, fmt.Errorf("make secret: %w", err)
	}
	secret = "whsec_" + base64.StdEncoding.EncodeToString(random)
	if sealed, err = keys.Seal(tenant, sealSecret, []byte(secret)); err != nil {
		return "", nil, fmt.Errorf("seal secret: %w", err)
	}

	return secret, sealed, nil
}

func audit(ctx context.Context, tx *tenants.Tx, by tenants.Actor, action string, t Target) error {
	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by, Action: action, ObjectKind: "forward", ObjectID: t.ID.String(), Detail: map[string]any{"host": t.Host},
	})
}

const targets = `
	SELECT t.id, t.host, t.number_id, t.state, t.failing_since, CASE WHEN t.old_until > now() THEN t.old_until END AS old_until, t.made_at, t.made_by,
	       (SELECT count(*) FROM (SELECT 1 FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = t.id AND f.state = 'waiting' LIMIT 1000) w) AS waiting,
	       (SELECT count(*) FROM (SELECT 1 FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = t.id AND f.state = 'failed' LIMIT 1000) w) AS failed,
	       (SELECT l.done_at FROM (SELECT state, done_at, made_at, id FROM forwards f WHERE f.tenant_id = $1 AND f.target_id = t.id
	                               ORDER BY made_at DESC, id DESC LIMIT 200) l WHERE l.state = 'sent' ORDER BY l.made_at DESC, l.id DESC LIMIT 1) AS last_sent
	FROM forward_targets t WHERE t.tenant_id = $1 AND t.state <> 'removed'`

// Targets lists the targets of tx's tenant, the oldest first.
func Targets(ctx context.Context, tx *tenants.Tx) ([]Target, error) {
	list := []Target{}
	if err := tx.SelectContext(ctx, &list, targets+` ORDER BY t.made_at, t.id`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list forward targets: %w", err)
	}

	return list, nil
}

// InTrouble lists the targets that owners hear of: those that fail for longer than a moment, and those that were stopped for it.
func InTrouble(ctx context.Context, tx *tenants.Tx) ([]Target, error) {
	list := []Target{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, host, number_id, state, failing_since, made_at, made_by FROM forward_targets
		WHERE tenant_id = $1 AND (state = 'stopped' OR state = 'on' AND failing_since < now() - $2 * interval '1 second')
		ORDER BY failing_since, id`, tx.Tenant, tellAfter.Seconds()); err != nil {
		return nil, fmt.Errorf("list forward targets in trouble: %w", err)
	}

	return list, nil
}

// Get returns a target of tx's tenant, or tenants.ErrNotFound.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Target, error) {
	var t Target
	err := tx.GetContext(ctx, &t, targets+` AND t.id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Target{}, tenants.ErrNotFound
	}
	if err != nil {
		return Target{}, fmt.Errorf("get forward target: %w", err)
	}

	return t, nil
}

// Address is the whole address of a target. It may open what it leads to, so it is for those alone who manage targets.
func Address(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id uuid.UUID) (string, error) {
	var sealed []byte
	err := tx.GetContext(ctx, &sealed, `SELECT address FROM forward_targets WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", tenants.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read address: %w", err)
	}
	address, err := keys.Open(tx.Tenant, sealAddress, sealed)
	if err != nil {
		return "", fmt.Errorf("open address: %w", err)
	}

	return string(address), nil
}

// Pause stops a target: nothing is queued for it, and what waits keeps waiting. Resume has it go on, at once, also where we had stopped it.
// To do either twice changes nothing.
func Pause(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) (Target, error) {
	return turnTo(ctx, tx, by, id, Paused, "forward.pause")
}

// Resume is the other of Pause.
func Resume(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) (Target, error) {
	return turnTo(ctx, tx, by, id, On, "forward.resume")
}

// Remove ends a target for good, and what waits for it.
func Remove(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) (Target, error) {
	return turnTo(ctx, tx, by, id, Removed, "forward.remove")
}

func turnTo(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID, state, action string) (Target, error) {
	t, err := locked(ctx, tx, id)
	if err != nil || t.State == state {
		return t, err
	}
	t.State = state
	if _, err := tx.ExecContext(ctx, `
		UPDATE forward_targets SET state = $3, failing_since = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, state); err != nil {
		return t, fmt.Errorf("turn forward target to %s: %w", state, err)
	}
	switch state {
	case Removed:
		if _, err := tx.ExecContext(ctx, `
			UPDATE forward_targets SET address = '', secret = '', old_secret = NULL, old_until = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
			return t, fmt.Errorf("forget the address of a target: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE forwards SET state = 'dropped', reason = 'removed', done_at = now()
			WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting'`, tx.Tenant, id); err != nil {
			return t, fmt.Errorf("drop what waits for a target: %w", err)
		}
	case On:
		if err := wake(ctx, tx, id); err != nil {
			return t, err
		}
	}

	return t, audit(ctx, tx, by, action, t)
}

// locked is a target that nobody else changes until tx ends.
func locked(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Target, error) {
	var got uuid.UUID
	err := tx.GetContext(ctx, &got, `SELECT id FROM forward_targets WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Target{}, tenants.ErrNotFound
	}
	if err != nil {
		return Target{}, fmt.Errorf("lock forward target: %w", err)
	}

	return Get(ctx, tx, id)
}

// wake has a target tried at once, with all that waits for it.
func wake(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE forwards SET not_before = now() WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND not_before > now()`, tx.Tenant, id); err != nil {
		return fmt.Errorf("have what waits go at once: %w", err)
	}

	return wakeLane(ctx, tx, id)
}

// NewSecret gives a target another secret, which is shown this once. The old one signs beside it for OldSecretLife.
func NewSecret(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, by tenants.Actor, id uuid.UUID) (t Target, secret string, err error) {
	if t, err = locked(ctx, tx, id); err != nil {
		return t, "", err
	}
	secret, sealed, err := newSecret(keys, tx.Tenant)
	if err != nil {
		return t, "", err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE forward_targets SET old_secret = secret, old_until = $4, secret = $3 WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, id, sealed, time.Now().Add(OldSecretLife)); err != nil {
		return t, "", fmt.Errorf("replace secret: %w", err)
	}
	if t, err = Get(ctx, tx, id); err != nil {
		return t, "", err
	}

	return t, secret, audit(ctx, tx, by, "forward.secret", t)
}
