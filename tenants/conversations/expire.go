package conversations

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Expire removes the oldest messages that came before a time, with their statuses and calls and what was sent off, and tells how many it
// was. Whom they were from stays. Ids are made in order of time, so the oldest are found by theirs.
func Expire(ctx context.Context, tx *tenants.Tx, before time.Time, limit int) (int, error) {
	var end uuid.UUID
	binary.BigEndian.PutUint64(end[:8], uint64(before.UnixMilli())<<16)
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Number uuid.UUID `db:"number_id"`
		WAMID  string    `db:"wamid"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, number_id, wamid FROM messages WHERE tenant_id = $1 AND id < $2 AND received_at < $3 ORDER BY id LIMIT $4`, tx.Tenant, end, before, limit); err != nil {
		return 0, fmt.Errorf("read old messages: %w", err)
	}
	if len(rows) == 0 {
		return 0, nil
	}
	var ids, numbers []uuid.UUID
	var wamids []string
	for _, r := range rows {
		ids, numbers, wamids = append(ids, r.ID), append(numbers, r.Number), append(wamids, r.WAMID)
	}
	if err := forgetMessages(ctx, tx, ids, numbers, wamids); err != nil {
		return 0, err
	}

	return len(rows), nil
}

// forgetMessages removes messages and what hangs on them.
func forgetMessages(ctx context.Context, tx *tenants.Tx, ids, numbers []uuid.UUID, wamids []string) error {
	for _, step := range []struct {
		what, statement string
		args            []any
	}{
		{"forget asking", `DELETE FROM asks WHERE tenant_id = $1 AND message_id = ANY($2)`, []any{pq.Array(ids)}},
		{"forget what was sent", `DELETE FROM outbox WHERE tenant_id = $1 AND message_id = ANY($2)`, []any{pq.Array(ids)}},
		{"forget statuses", `DELETE FROM statuses s USING unnest($2::uuid[], $3::text[]) AS w (number_id, wamid)
			WHERE s.tenant_id = $1 AND s.number_id = w.number_id AND s.wamid = w.wamid`, []any{pq.Array(numbers), pq.Array(wamids)}},
		{"forget calls", `DELETE FROM call_events s USING unnest($2::uuid[], $3::text[]) AS w (number_id, wamid)
			WHERE s.tenant_id = $1 AND s.number_id = w.number_id AND s.wacid = w.wamid`, []any{pq.Array(numbers), pq.Array(wamids)}},
		{"forget messages", `DELETE FROM messages WHERE tenant_id = $1 AND id = ANY($2)`, []any{pq.Array(ids)}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, append([]any{tx.Tenant}, step.args...)...); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return nil
}
