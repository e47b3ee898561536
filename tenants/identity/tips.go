package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// moveTips notes for the inbox anew what was last said by tenures between which messages have moved. What nobody has read stays
// unread with whoever has it now. of says of each tenure which identifier it is of.
func moveTips(ctx context.Context, tx *tenants.Tx, of []int64, all []uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		WITH given AS (SELECT g.of, g.id FROM unnest($2::bigint[], $3::uuid[]) AS g (of, id))
		INSERT INTO thread_tips AS p (tenant_id, tenure_id, number_id, place, asked_at, answered_at, done_at, waiting_since, unread)
		SELECT $1, w.tenure_id, w.number_id, w.place, w.asked_at, w.answered_at, was.done_at,
		       CASE WHEN w.asked_at > coalesce(greatest(w.answered_at, own.answered_at, was.done_at), '-infinity') THEN w.asked_at END,
		       w.asked_at IS NOT NULL AND coalesce(own.unread, was.unread, false)
		FROM (SELECT g.of, m.tenure_id, m.number_id, date_trunc('minute', max(m.at), 'UTC') AS place,
		             max(m.at) FILTER (WHERE m.direction = 'in' AND m.group_id = '' AND m.target_wamid = '' AND NOT m.imported) AS asked_at,
		             max(m.at) FILTER (WHERE m.direction = 'out' AND m.group_id = '' AND m.target_wamid = '' AND m.status <> 'failed'
		                               AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.tenant_id = $1 AND b.message_id = m.id AND b.state = 'returned')) AS answered_at
		      FROM given g JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = g.id GROUP BY g.of, m.tenure_id, m.number_id) w
		LEFT JOIN thread_tips own ON own.tenant_id = $1 AND own.tenure_id = w.tenure_id AND own.number_id = w.number_id
		CROSS JOIN LATERAL (SELECT max(o.done_at) AS done_at, bool_or(o.unread) AS unread
		                    FROM given g JOIN thread_tips o ON o.tenant_id = $1 AND o.tenure_id = g.id WHERE g.of = w.of AND o.number_id = w.number_id) was
		ON CONFLICT (tenant_id, tenure_id, number_id) DO UPDATE
		SET place = excluded.place, asked_at = excluded.asked_at, answered_at = greatest(excluded.answered_at, p.answered_at),
		    done_at = excluded.done_at, waiting_since = excluded.waiting_since, unread = excluded.unread`, tx.Tenant, pq.Array(of), pq.Array(all)); err != nil {
		return fmt.Errorf("note threads anew: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM thread_tips p WHERE p.tenant_id = $1 AND p.tenure_id = ANY($2)
		  AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = p.tenure_id AND m.number_id = p.number_id)`,
		tx.Tenant, pq.Array(all)); err != nil {
		return fmt.Errorf("drop threads without messages: %w", err)
	}

	return nil
}
