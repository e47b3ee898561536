package conversations

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// AnsweredElsewhere is when a contact was last answered by a message that we do not have, as other software sends them: WhatsApp tells
// that it was sent, and not its words. Given the newest entries of the thread; ok is false where one of them was the answer, or where
// that was before the oldest.
func AnsweredElsewhere(ctx context.Context, tx *tenants.Tx, c identity.Contact, newest []Entry) (at time.Time, ok bool, err error) {
	if len(newest) == 0 {
		return time.Time{}, false, nil
	}
	var (
		numbers []uuid.UUID
		wamids  []string
		ours    time.Time
	)
	for _, e := range newest {
		if e.Direction == whatsapp.DirectionOut {
			numbers, wamids, ours = append(numbers, e.NumberID), append(wamids, e.WAMID), latest(ours, e.At)
		}
	}
	// WhatsApp's word that a message of ours was sent comes a little later than the message.
	var row struct {
		Answered *time.Time `db:"answered"`
		Sent     *time.Time `db:"sent"`
	}
	if err := tx.GetContext(ctx, &row, `
		SELECT (SELECT max(p.answered_at) FROM tenures t JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id
		        WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)) AS answered,
		       (SELECT max(s.at) FROM unnest($3::uuid[], $4::text[]) AS w (number_id, wamid)
		        JOIN statuses s ON s.tenant_id = $1 AND s.number_id = w.number_id AND s.wamid = w.wamid AND s.status = 'sent') AS sent`,
		tx.Tenant, pq.Array(accounts(c)), pq.Array(numbers), pq.Array(wamids)); err != nil {
		return time.Time{}, false, fmt.Errorf("look for answers from elsewhere: %w", err)
	}
	if row.Sent != nil {
		ours = latest(ours, *row.Sent)
	}
	if row.Answered == nil || !row.Answered.After(ours) || row.Answered.Before(newest[len(newest)-1].At) {
		return time.Time{}, false, nil
	}

	return *row.Answered, true, nil
}
