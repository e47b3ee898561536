package conversations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The states of a message on its way.
const (
	StateWaiting   = "waiting"   // for its turn, or for what keeps the number from sending
	StateSending   = "sending"   // Meta is being asked
	StateUnknown   = "unknown"   // Meta was asked and its answer was not heard: it may have gone out, and is never sent again by itself
	StateAccepted  = "accepted"  // Meta has taken it; Message.Status says what became of it
	StateFailed    = "failed"    // Meta or we have refused it; Reason says why
	StateReturned  = "returned"  // the recipient had changed by its turn: it was not sent, and somebody has to look
	StateCancelled = "cancelled" // somebody took it back before its turn
)

// doubtfulAfter is how long a message that Meta has taken may stay without any status. Meta takes some messages and drops them
// without a word (domain facts 5.1, edge case 93).
const doubtfulAfter = 5 * time.Minute

// Outgoing is a message of ours on its way to Meta.
type Outgoing struct {
	ID          uuid.UUID     `db:"id"`
	MessageID   uuid.UUID     `db:"message_id"`
	NumberID    uuid.UUID     `db:"number_id"`
	IdentityID  uuid.UUID     `db:"identity_id"`
	State       string        `db:"state"`
	Reason      string        `db:"reason"` // Meta's code in digits or one of ours, "" where nothing is wrong
	Detail      string        `db:"detail"` // Meta's own words, or ""
	Kind        whatsapp.Kind `db:"kind"`   // the address it goes to
	Address     string        `db:"address"`
	ByName      string        `db:"actor_name"`
	Template    string        `db:"template"` // its name, "" for a text
	SubmittedAt time.Time     `db:"submitted_at"`
	AcceptedAt  *time.Time    `db:"accepted_at"`
	NextTryAt   *time.Time    `db:"next_try_at"` // of one that waits and was tried before
	Doubtful    bool          `db:"doubtful"`    // taken by Meta a while ago, and nothing heard since
}

// Pending tells whether Meta has given a message no wamid yet: it waits to be sent, or was refused. WAMID holds a placeholder then.
func (m Message) Pending() bool { return strings.HasPrefix(m.WAMID, placeholderPrefix) }

// OutgoingOf reads what became of messages that were sent from here, by message id. Messages that came otherwise are left out.
func OutgoingOf(ctx context.Context, tx *tenants.Tx, messages []uuid.UUID) (map[uuid.UUID]Outgoing, error) {
	if len(messages) == 0 {
		return map[uuid.UUID]Outgoing{}, nil
	}
	var list []Outgoing
	err := tx.SelectContext(ctx, &list, `
		SELECT o.id, o.message_id, o.number_id, o.identity_id, o.state, o.reason, o.detail, coalesce(d.kind, '') AS kind,
		       coalesce(CASE d.kind WHEN 'phone' THEN d.raw ELSE d.value END, '') AS address, o.actor_name,
		       coalesce(o.content -> 'template' ->> 'name', '') AS template, o.submitted_at, o.accepted_at,
		       CASE WHEN o.state = 'waiting' AND o.tries > 0 THEN greatest(o.not_before, l.not_before) END AS next_try_at,
		       o.state = 'accepted' AND m.status = '' AND o.accepted_at < now() - $3 * interval '1 second' AS doubtful
		FROM outbox o
		LEFT JOIN identifiers d ON d.tenant_id = $1 AND d.id = o.identifier_id
		JOIN outbox_lanes l ON l.tenant_id = $1 AND l.number_id = o.number_id
		LEFT JOIN messages m ON m.tenant_id = $1 AND m.id = o.message_id
		WHERE o.tenant_id = $1 AND o.message_id = ANY($2)`, tx.Tenant, pq.Array(messages), doubtfulAfter.Seconds())
	if err != nil {
		return nil, fmt.Errorf("read outgoing messages: %w", err)
	}

	by := make(map[uuid.UUID]Outgoing, len(list))
	for _, o := range list {
		by[o.MessageID] = o
	}

	return by, nil
}

// Cancel takes back a message that has not been sent: one that waits, or that came back because its recipient had changed. It leaves
// the thread. Conflict "already_sent" where it is too late.
func Cancel(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	var row struct {
		State   string    `db:"state"`
		Message uuid.UUID `db:"message_id"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT state, message_id FROM outbox WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return tenants.ErrNotFound
	case err != nil:
		return fmt.Errorf("lock outgoing message: %w", err)
	case row.State != StateWaiting && row.State != StateReturned:
		return &tenants.Conflict{Code: "already_sent"}
	}

	if _, err := tx.ExecContext(ctx, `UPDATE outbox SET state = 'cancelled' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("cancel message: %w", err)
	}
	if err := messageUnsent(ctx, tx, row.Message); err != nil {
		return err
	}
	if err := forgetWords(ctx, tx, []uuid.UUID{id}); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE tenant_id = $1 AND id = $2`, tx.Tenant, row.Message); err != nil {
		return fmt.Errorf("take message out of its thread: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM asks WHERE tenant_id = $1 AND message_id = $2`, tx.Tenant, row.Message); err != nil {
		return fmt.Errorf("forget a question that was not asked: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "message.cancel", ObjectKind: "message", ObjectID: row.Message.String()})
}
