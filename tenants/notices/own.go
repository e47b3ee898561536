package notices

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// FieldToken is the field of what WhatsApp says, when it is asked, of a number's access token; the Event is one of these.
const (
	FieldToken = "access_token"

	TokenExpiring = "expiring" // Facts hold expires, RFC 3339
	TokenExpired  = "expired"
	TokenRefused  = "refused"
)

// What we noticed ourselves.
const (
	// FieldSilence: nothing comes from WhatsApp for a number from which much usually does. Facts hold hours.
	FieldSilence = "silence"
	SilenceBegan = "began"

	// FieldSecret: all that comes by the business's own app is refused, its signature is wrong.
	FieldSecret = "app_secret"
	SecretWrong = "wrong"

	// FieldAside: something that came could not be read, and was set aside. Facts hold count.
	FieldAside = "set_aside"
	AsideGrew  = "grew"

	// FieldForward: an address that webhooks are passed on to does not take them. Facts hold host and target.
	FieldForward   = "forward"
	ForwardFailing = "failing"
	ForwardStopped = "stopped"
)

// KindTell is the job of telling the owners by mail; its args hold notice_id.
const KindTell = "tell_owners"

// Own is a notice that no webhook brought. At tells one from the next: telling the same twice is telling it once.
type Own struct {
	Number uuid.UUID // uuid.Nil: of none
	WABA   string
	Field  string // FieldToken, FieldSilence, …
	Event  string
	At     time.Time
	Facts  Facts
}

// Tell keeps such a notice, and has the owners told by mail. It came of no webhook, so its item is 0.
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

	var told []uuid.UUID
	if err := tx.SelectContext(ctx, &told, `
		INSERT INTO notices (tenant_id, id, number_id, waba_id, field, event, at, digest, facts, item_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, 0)
		ON CONFLICT ON CONSTRAINT notices_once DO NOTHING
		RETURNING id`,
		tx.Tenant, id, uuid.NullUUID{UUID: n.Number, Valid: n.Number != uuid.Nil}, n.WABA, n.Field, n.Event, n.At, string(encoded)); err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}

	return planTelling(ctx, tx, told)
}

// planTelling leaves a job for each notice that the owners should have by mail.
func planTelling(ctx context.Context, tx *tenants.Tx, notices []uuid.UUID) error {
	if len(notices) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args)
		SELECT md5($2::text || ' ' || n)::uuid, $1, $2, jsonb_build_object('notice_id', n) FROM unnest($3::uuid[]) AS n
		ON CONFLICT (id) DO NOTHING`, tx.Tenant, KindTell, pq.Array(notices)); err != nil {
		return fmt.Errorf("plan telling of notices: %w", err)
	}

	return nil
}
