package conversations

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// TypeCall is the type of a message that is a call. Its Content is a Call.
const TypeCall = "call"

// Call is what is known of a call, whatever came of it first.
type Call struct {
	Seconds int  `json:"seconds"` // how long it lasted; 0 where WhatsApp did not say
	Ended   bool `json:"ended"`
}

// Call is what is known of the call that a message of TypeCall is; the zero Call for every other.
func (m Message) Call() Call {
	var c Call
	if m.Type == TypeCall && json.Unmarshal([]byte(m.Content), &c) != nil {
		return Call{}
	}

	return c
}

// callKey names one thing WhatsApp said of a call: its beginning, its end, or a status.
type callKey struct {
	messageKey
	event string
}

// callEvent names what an item says of a call, so that a repeat is known as one.
func callEvent(e whatsapp.Event) string {
	if e.Type == "call" {
		return "status " + strings.ToLower(e.Status)
	}

	return e.Type
}

// putCalls keeps what was said of calls, returns how much of it was known before, and makes of each call touched one entry of its
// thread. The entry is made from all that is known, so that the order in which it came does not matter.
func putCalls(ctx context.Context, tx *tenants.Tx, events map[callKey]message, repeats repeatsOf) error {
	if len(events) == 0 {
		return nil
	}

	var (
		numbers                              []uuid.UUID
		wacids, names, digests, ways, result []string
		at                                   []time.Time
		seconds, items                       []int64
	)
	first := map[messageKey]message{}
	for k, m := range events {
		e := m.seen.Event
		numbers, wacids, names = append(numbers, k.number), append(wacids, k.wamid), append(names, k.event)
		at, digests, ways = append(at, m.at), append(digests, e.Digest), append(ways, e.Direction)
		result, seconds, items = append(result, strings.ToLower(e.Status)), append(seconds, int64(e.Seconds)), append(items, m.seen.ItemID)
		if old, ok := first[k.messageKey]; !ok || before(m.at, e.Digest, old.at, old.seen.Event.Digest) {
			first[k.messageKey] = m
		}
	}
	err := repeats.put(ctx, tx, numbers, `
		WITH put AS (
			INSERT INTO call_events AS c (tenant_id, number_id, wacid, event, at, digest, direction, outcome, seconds, item_id)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bigint[]) AS w
			ON CONFLICT (tenant_id, number_id, wacid, event) DO UPDATE
			SET at = excluded.at, digest = excluded.digest, direction = excluded.direction, outcome = excluded.outcome, seconds = excluded.seconds,
			    item_id = excluded.item_id
			WHERE (excluded.at, excluded.digest) < (c.at, c.digest)
			RETURNING number_id, xmax = 0 AS fresh
		)
		SELECT number_id, count(*) FROM put WHERE fresh GROUP BY number_id`,
		tx.Tenant, pq.Array(numbers), pq.Array(wacids), pq.Array(names), pq.Array(at), pq.Array(digests), pq.Array(ways), pq.Array(result),
		pq.Array(seconds), pq.Array(items))
	if err != nil {
		return fmt.Errorf("store calls: %w", err)
	}

	return writeCalls(ctx, tx, first)
}

// writeCalls brings the entries of calls to what their events say together. first are the earliest events of this batch, which give
// a call its time and its customer unless an earlier one is known.
func writeCalls(ctx context.Context, tx *tenants.Tx, first map[messageKey]message) error {
	var (
		ids, numbers    []uuid.UUID
		tenures         []*uuid.UUID
		wacids, digests []string
		at, received    []time.Time
		items           []int64
	)
	for k, m := range first {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make call id: %w", err)
		}
		ids, numbers, wacids, tenures = append(ids, id), append(numbers, k.number), append(wacids, k.wamid), append(tenures, m.tenure)
		at, digests, items, received = append(at, m.at), append(digests, m.seen.Event.Digest), append(items, m.seen.ItemID), append(received, m.seen.ReceivedAt)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO messages AS m (tenant_id, id, number_id, wamid, tenure_id, direction, type, content, at, digest, status, item_id, received_at)
		SELECT $1, w.id, w.number_id, w.wacid, w.tenure_id, c.direction, '`+TypeCall+`', json_build_object('seconds', c.seconds, 'ended', c.ended)::text,
		       w.at, w.digest, c.outcome, w.item_id, w.received_at
		FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[], $8::bigint[], $9::timestamptz[])
		     AS w (id, number_id, wacid, tenure_id, at, digest, item_id, received_at)
		CROSS JOIN LATERAL (
			SELECT (array_agg(e.direction ORDER BY e.event LIKE 'status %', e.at, e.digest))[1] AS direction,
			       coalesce((array_agg(e.outcome ORDER BY e.event = 'terminate' DESC, e.at DESC, e.digest) FILTER (WHERE e.outcome <> ''))[1], '') AS outcome,
			       max(e.seconds) AS seconds, bool_or(e.event = 'terminate') AS ended
			FROM call_events e WHERE e.tenant_id = $1 AND e.number_id = w.number_id AND e.wacid = w.wacid) c
		ON CONFLICT (tenant_id, number_id, wamid) DO UPDATE
		SET direction = excluded.direction, content = excluded.content, status = excluded.status,
		    tenure_id = CASE WHEN (excluded.at, excluded.digest) < (m.at, m.digest) THEN excluded.tenure_id ELSE m.tenure_id END,
		    item_id = CASE WHEN (excluded.at, excluded.digest) < (m.at, m.digest) THEN excluded.item_id ELSE m.item_id END,
		    digest = CASE WHEN (excluded.at, excluded.digest) < (m.at, m.digest) THEN excluded.digest ELSE m.digest END,
		    at = least(excluded.at, m.at)`,
		tx.Tenant, pq.Array(ids), pq.Array(numbers), pq.Array(wacids), pq.Array(tenures), pq.Array(at), pq.Array(digests), pq.Array(items), pq.Array(received))
	if err != nil {
		return fmt.Errorf("write calls: %w", err)
	}

	return nil
}
