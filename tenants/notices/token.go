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

// FieldSilence is the field of what we noticed ourselves: nothing comes from WhatsApp for a number from which much usually does. Facts
// hold hours.
const (
	FieldSilence = "silence"

	SilenceBegan = "began"
)

// Own is a notice that no webhook brought. At tells one from the next: telling the same twice is telling it once.
type Own struct {
	Number uuid.UUID
	WABA   string
	Field  string // FieldToken or FieldSilence
	Event  string
	At     time.Time
	Facts  Facts
}

// Tell keeps such a notice. It came of no webhook, so its item is 0.
func Tell(ctx context.Context, tx *tenants.Tx, n Own) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make notice id: %w", err)
	}
	if n.Facts == nil {
		n.Facts = Facts{}
	}
	encoded, err := json.Marshal(n.Facts)
	if err != nil {
		return fmt.Errorf("encode notice: %w", err)
	}

	if _, err := tx.ExecContext(ctx, `
		INSERT INTO notices (tenant_id, id, number_id, waba_id, field, event, at, digest, facts, item_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, 0)
		ON CONFLICT ON CONSTRAINT notices_once DO NOTHING`,
		tx.Tenant, id, n.Number, n.WABA, n.Field, n.Event, n.At, encoded); err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}

	return nil
}
