package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	recoveryCodes   = 10
	recoveryLetters = 12 // of 32: 60 bits
	recoveryPurpose = "recovery"
)

// NewRecoveryCodes makes ten codes for who has lost the device, in a System transaction; the older ones are good no more.
func NewRecoveryCodes(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, m Member) ([]string, error) {
	if err := lockLiving(ctx, tx, m); err != nil {
		return nil, err
	}
	if has, err := hasFactor(ctx, tx, m.Person.ID); err != nil || !has {
		return nil, errors.Join(err, tenants.ErrNotFound)
	}
	codes, err := makeCodes(ctx, tx, keys, m.Person.ID)
	if err != nil {
		return nil, err
	}

	return codes, auditFactor(ctx, tx, m, "codes")
}

func makeCodes(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, person uuid.UUID) ([]string, error) {
	if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_codes WHERE person_id = $1`, person); err != nil {
		return nil, fmt.Errorf("end recovery codes: %w", err)
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		code := strings.ToLower(rand.Text()[:recoveryLetters])
		if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_codes (person_id, hash) VALUES ($1, $2)`, person, codeHash(keys, person, code)); err != nil {
			return nil, fmt.Errorf("keep recovery code: %w", err)
		}
		codes[i] = code[:4] + "-" + code[4:8] + "-" + code[8:]
	}

	return codes, nil
}

// useRecovery tells whether code is a recovery code that nobody has used, and uses it up.
func useRecovery(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, person uuid.UUID, code string) (bool, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE recovery_codes SET used_at = now() WHERE person_id = $1 AND hash = $2 AND used_at IS NULL`, person, codeHash(keys, person, code))
	if err != nil {
		return false, fmt.Errorf("use recovery code: %w", err)
	}
	n, err := done.RowsAffected()

	return n == 1, err
}

// codeHash is keyed, so that a copy of the database alone does not tell the codes.
func codeHash(keys *secrets.Keyring, person uuid.UUID, code string) []byte {
	return keyedHash(keys, recoveryPurpose, bytes.Join([][]byte{person[:], []byte(code)}, nil))
}
