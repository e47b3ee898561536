package notices

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// FieldToken is the field of what WhatsApp says, when it is asked, of a number's access token; the Event is one of these.
const (
	FieldToken = "access_token"

	TokenExpiring = "expiring" // Facts hold expires, RFC 3339
	TokenExpired  = "expired"
	TokenRefused  = "refused"
)

// Token is such an answer. At tells one from the next: telling the same twice is telling it once.
type Token struct {
	Number  uuid.UUID
	WABA    string
	Event   string
	At      time.Time
	Expires time.Time // zero where it is not the point
}

// Tell keeps an answer about a token as a notice. It came of no webhook, so its item is 0.
func Tell(ctx context.Context, tx *tenants.Tx, t Token) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make notice id: %w", err)
	}
	facts := Facts{}
	if !t.Expires.IsZero() {
		facts["expires"] = t.Expires.UTC().Format(time.RFC3339)
	}
	encoded, err := json.Marshal(facts)
	if err != nil {
		return fmt.Errorf("encode notice: %w", err)
	}

	if _, err := tx.ExecContext(ctx, `
		INSERT INTO notices (tenant_id, id, number_id, waba_id, field, event, at, digest, facts, item_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, 0)
		ON CONFLICT ON CONSTRAINT notices_once DO NOTHING`,
		tx.Tenant, id, t.Number, t.WABA, FieldToken, t.Event, t.At, encoded); err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}

	return nil
}
