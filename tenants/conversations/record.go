// Package conversations keeps what was said: messages and the statuses of our own, each on the tenure it came or went by.
package conversations

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Record stores the messages, calls and statuses of a batch that identity has placed. Whatever is repeated is stored once; of
// differing copies a live one counts before one of past chats, then the earliest by WhatsApp's clock, then the smallest digest.
// It returns how many events of each number were repeats.
func Record(ctx context.Context, tx *tenants.Tx, batch *identity.Batch, seen []identity.Seen) (map[uuid.UUID]int, error) {
	messages, statuses, calls := map[messageKey]message{}, map[statusKey]status{}, map[callKey]message{}
	repeats := repeatsOf{}
	for i, s := range seen {
		at, tenure := batch.At(i), tenureOrNil(batch.Placements[i].TenureID)
		switch s.Event.Kind {
		case whatsapp.KindMessage, whatsapp.KindEcho, whatsapp.KindHistory:
			m := message{messageKey: messageKey{s.NumberID, s.Event.WAMID}, tenure: tenure, at: at, seen: s}
			if old, ok := messages[m.messageKey]; ok {
				repeats[s.NumberID]++
				m = m.or(old)
			}
			messages[m.messageKey] = m
		case whatsapp.KindCall:
			m := message{messageKey: messageKey{s.NumberID, s.Event.WAMID}, tenure: tenure, at: at, seen: s}
			k := callKey{m.messageKey, callEvent(s.Event)}
			if old, ok := calls[k]; ok {
				repeats[s.NumberID]++
				if !m.counts(old) {
					continue
				}
			}
			calls[k] = m
		case whatsapp.KindStatus:
			st := status{statusKey: statusKey{s.NumberID, s.Event.WAMID, s.Event.Status, participant(s, batch.Placements[i])}, tenure: tenure, at: at, seen: s}
			if old, ok := statuses[st.statusKey]; ok {
				repeats[s.NumberID]++
				if !before(st.at, st.seen.Event.Digest, old.at, old.seen.Event.Digest) {
					continue
				}
			}
			statuses[st.statusKey] = st
		default: // bears on who is who only
		}
	}

	if err := putMessages(ctx, tx, messages, repeats); err != nil {
		return nil, err
	}
	if err := putStatuses(ctx, tx, statuses, repeats); err != nil {
		return nil, err
	}
	if err := putCalls(ctx, tx, calls, repeats); err != nil {
		return nil, err
	}
	if err := reconcile(ctx, tx, statuses); err != nil {
		return nil, err
	}
	if err := advance(ctx, tx, messages, statuses); err != nil {
		return nil, err
	}

	return repeats, touchThreads(ctx, tx, batch, seen)
}

// repeatsOf counts repeated events by number.
type repeatsOf map[uuid.UUID]int

// put stores the rows of these numbers by a statement that tells of each number how many were new, and counts the others as repeats.
func (r repeatsOf) put(ctx context.Context, tx *tenants.Tx, numbers []uuid.UUID, statement string, args ...any) error {
	var fresh []struct {
		Number uuid.UUID `db:"number_id"`
		Count  int       `db:"count"`
	}
	if err := tx.SelectContext(ctx, &fresh, statement, args...); err != nil {
		return err //nolint:wrapcheck // the caller says what it stored
	}
	for _, number := range numbers {
		r[number]++
	}
	for _, f := range fresh {
		r[f.Number] -= f.Count
	}

	return nil
}

type messageKey struct {
	number uuid.UUID
	wamid  string
}

type message struct {
	messageKey
	tenure *uuid.UUID
	at     time.Time
	seen   identity.Seen
	other  *int64 // an item of the batch that carried it in other words
}

// or is the copy to keep of two. It remembers that the customer's words were others in the other one.
func (m message) or(o message) message {
	kept, other := m, o
	if !m.counts(o) {
		kept, other = o, m
	}
	a, b := kept.seen, other.seen
	if a.Event.Type == b.Event.Type && a.Event.Text == b.Event.Text {
		kept.other = cmp.Or(kept.other, other.other)
		return kept
	}
	if a.Event.Kind == whatsapp.KindMessage && b.Event.Kind == whatsapp.KindMessage {
		kept.other = cmp.Or(kept.other, &b.ItemID)
	}

	return kept
}

// compare is the order in which messages are stored: those of one identifier together, the first said first.
func (m message) compare(o message) int {
	var a, b uuid.UUID
	if m.tenure != nil {
		a = *m.tenure
	}
	if o.tenure != nil {
		b = *o.tenure
	}

	return cmp.Or(bytes.Compare(a[:], b[:]), m.at.Compare(o.at), bytes.Compare(m.number[:], o.number[:]), strings.Compare(m.wamid, o.wamid))
}

// counts tells whether m is the copy to keep of two.
func (m message) counts(old message) bool {
	if a, b := m.weight(), old.weight(); a != b {
		return a < b
	}

	return before(m.at, m.seen.Event.Digest, old.at, old.seen.Event.Digest)
}

// weight is less for what is better known: a live copy, one of past chats, the mark that stands there until a picture comes.
func (m message) weight() int {
	switch {
	case m.seen.Event.Kind != whatsapp.KindHistory:
		return 0
	case m.seen.Event.Type != mediaPlaceholder:
		return 1
	default:
		return 2
	}
}

const mediaPlaceholder = "media_placeholder"

type statusKey struct {
	number        uuid.UUID
	wamid, status string
	participant   uuid.UUID
}

type status struct {
	statusKey
	tenure *uuid.UUID
	at     time.Time
	seen   identity.Seen
}

func before(at time.Time, digest string, otherAt time.Time, otherDigest string) bool {
	if !at.Equal(otherAt) {
		return at.Before(otherAt)
	}

	return digest < otherDigest
}

func tenureOrNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}

	return &id
}

// participant tells the statuses of a group's members apart; a one-to-one message has one recipient, the nil participant.
func participant(s identity.Seen, p identity.Placement) uuid.UUID {
	if s.Event.GroupID == "" {
		return uuid.Nil
	}

	return p.Identifier
}

func putMessages(ctx context.Context, tx *tenants.Tx, messages map[messageKey]message, repeats repeatsOf) error {
	if len(messages) == 0 {
		return nil
	}

	var (
		ids, numbers                                        []uuid.UUID
		tenures                                             []*uuid.UUID
		wamids, directions, types, texts, contents, digests []string
		groups, contexts, targets, problems                 []string
		at, received                                        []time.Time
		items                                               []int64
		states                                              []string
		imported, live                                      []bool
		others                                              []*int64
	)
	for _, m := range slices.SortedFunc(maps.Values(messages), message.compare) {
		e := m.seen.Event
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make message id: %w", err)
		}
		ids, numbers, tenures = append(ids, id), append(numbers, m.number), append(tenures, m.tenure)
		wamids, directions, types = append(wamids, m.wamid), append(directions, e.Direction), append(types, e.Type)
		texts, contents, digests = append(texts, e.Text), append(contents, string(e.Content)), append(digests, e.Digest)
		groups, contexts, targets = append(groups, e.GroupID), append(contexts, e.ContextID), append(targets, e.TargetID)
		problems = append(problems, problem(e.Errors))
		at, received, items = append(at, m.at), append(received, m.seen.ReceivedAt), append(items, m.seen.ItemID)
		states, imported = append(states, e.Status), append(imported, e.Kind == whatsapp.KindHistory)
		live, others = append(live, e.Kind == whatsapp.KindMessage), append(others, m.other)
	}

	// Only what was not put is compared by a look of its own: of what is new there is no other copy.
	err := repeats.put(ctx, tx, numbers, `
		WITH come AS MATERIALIZED (
			SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
			                     $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[], $17::timestamptz[], $18::text[], $19::boolean[],
			                     $20::bigint[], $21::boolean[])
			AS w (id, number_id, wamid, tenure_id, direction, type, text, content, at, digest, group_id, context_wamid, target_wamid, error, item_id,
			      received_at, status, imported, other_item, live)
		), put AS (
			INSERT INTO messages AS m (tenant_id, id, number_id, wamid, tenure_id, direction, type, text, content, at, digest, group_id,
			                           context_wamid, target_wamid, error, item_id, received_at, status, imported, other_item)
			SELECT $1, id, number_id, wamid, tenure_id, direction, type, text, content, at, digest, group_id,
			       context_wamid, target_wamid, error, item_id, received_at, status, imported, other_item FROM come
			ON CONFLICT (tenant_id, number_id, wamid) DO UPDATE
			SET tenure_id = excluded.tenure_id, direction = excluded.direction, type = excluded.type, text = excluded.text, content = excluded.content,
			    at = excluded.at, digest = excluded.digest, group_id = excluded.group_id, context_wamid = excluded.context_wamid,
			    target_wamid = excluded.target_wamid, error = excluded.error, item_id = excluded.item_id, status = excluded.status,
			    imported = excluded.imported,
			    other_item = CASE WHEN NOT m.imported AND m.direction = 'in' AND excluded.direction = 'in' AND (m.type, m.text) <> (excluded.type, excluded.text)
			                      THEN m.item_id ELSE coalesce(m.other_item, excluded.other_item) END
			WHERE (excluded.imported, excluded.imported AND excluded.type = '`+mediaPlaceholder+`', excluded.at, excluded.digest)
			    < (m.imported, m.imported AND m.type = '`+mediaPlaceholder+`', m.at, m.digest)
			RETURNING number_id, wamid, direction, imported, xmax = 0 AS fresh
		), late AS MATERIALIZED (
			SELECT c.* FROM come c WHERE c.live AND NOT EXISTS (SELECT 1 FROM put p WHERE p.number_id = c.number_id AND p.wamid = c.wamid)
		), told AS (
			UPDATE messages m SET other_item = CASE WHEN (m.type, m.text) <> (l.type, l.text) THEN l.item_id ELSE l.other_item END
			FROM late l
			WHERE m.tenant_id = $1 AND m.number_id = l.number_id AND m.wamid = l.wamid AND NOT m.imported AND m.direction = 'in' AND m.other_item IS NULL
			  AND ((m.type, m.text) <> (l.type, l.text) OR l.other_item IS NOT NULL)
		), used AS (
			INSERT INTO usage_months AS u (tenant_id, month, heard)
			SELECT $1, date_trunc('month', now() AT TIME ZONE 'UTC')::date, count(*) FROM put WHERE fresh AND direction = 'in' AND NOT imported HAVING count(*) > 0
			ON CONFLICT (tenant_id, month) DO UPDATE SET heard = u.heard + excluded.heard
		)
		SELECT number_id, count(*) FROM put WHERE fresh GROUP BY number_id`,
		tx.Tenant, pq.Array(ids), pq.Array(numbers), pq.Array(wamids), pq.Array(tenures), pq.Array(directions), pq.Array(types), pq.Array(texts),
		pq.Array(contents), pq.Array(at), pq.Array(digests), pq.Array(groups), pq.Array(contexts), pq.Array(targets), pq.Array(problems),
		pq.Array(items), pq.Array(received), pq.Array(states), pq.Array(imported), pq.Array(others), pq.Array(live))
	if err != nil {
		return fmt.Errorf("store messages: %w", err)
	}

	return nil
}

func putStatuses(ctx context.Context, tx *tenants.Tx, statuses map[statusKey]status, repeats repeatsOf) error {
	if len(statuses) == 0 {
		return nil
	}

	var (
		numbers, participants            []uuid.UUID
		tenures                          []*uuid.UUID
		wamids, names, digests, problems []string
		at                               []time.Time
		items                            []int64
	)
	for _, s := range statuses {
		numbers, participants, tenures = append(numbers, s.number), append(participants, s.participant), append(tenures, s.tenure)
		wamids, names, digests = append(wamids, s.wamid), append(names, s.status), append(digests, s.seen.Event.Digest)
		problems = append(problems, problem(s.seen.Event.Errors))
		at, items = append(at, s.at), append(items, s.seen.ItemID)
	}

	err := repeats.put(ctx, tx, numbers, `
		WITH put AS (
			INSERT INTO statuses AS s (tenant_id, number_id, wamid, status, participant, at, digest, error, tenure_id, item_id)
			SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::text[], $8::text[], $9::uuid[], $10::bigint[]) AS w
			ON CONFLICT (tenant_id, number_id, wamid, status, participant) DO UPDATE
			SET at = excluded.at, digest = excluded.digest, error = excluded.error, tenure_id = excluded.tenure_id, item_id = excluded.item_id
			WHERE (excluded.at, excluded.digest) < (s.at, s.digest)
			RETURNING number_id, xmax = 0 AS fresh
		)
		SELECT number_id, count(*) FROM put WHERE fresh GROUP BY number_id`,
		tx.Tenant, pq.Array(numbers), pq.Array(wamids), pq.Array(names), pq.Array(participants), pq.Array(at), pq.Array(digests), pq.Array(problems),
		pq.Array(tenures), pq.Array(items))
	if err != nil {
		return fmt.Errorf("store statuses: %w", err)
	}

	return nil
}

// advance sets each touched message of ours to the furthest status it has reached, in whatever order they came (edge case
// 82), also where the message came after its statuses (edge case 80). Failed counts only while nothing was delivered.
func advance(ctx context.Context, tx *tenants.Tx, messages map[messageKey]message, statuses map[statusKey]status) error {
	touched := map[messageKey]bool{}
	for k, m := range messages {
		if m.seen.Event.Direction == whatsapp.DirectionOut {
			touched[k] = true
		}
	}
	for k := range statuses {
		touched[messageKey{k.number, k.wamid}] = true
	}
	if len(touched) == 0 {
		return nil
	}

	var numbers []uuid.UUID
	var wamids []string
	for k := range touched {
		numbers, wamids = append(numbers, k.number), append(wamids, k.wamid)
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE messages m SET status = s.status, error = s.error
		FROM (
			SELECT DISTINCT ON (s.number_id, s.wamid) s.number_id, s.wamid, s.status, s.error
			FROM unnest($2::uuid[], $3::text[]) AS w (number_id, wamid)
			JOIN statuses s ON s.tenant_id = $1 AND s.number_id = w.number_id AND s.wamid = w.wamid
			ORDER BY s.number_id, s.wamid,
			         CASE s.status WHEN 'played' THEN 5 WHEN 'read' THEN 4 WHEN 'delivered' THEN 3 WHEN 'failed' THEN 2 WHEN 'sent' THEN 1 ELSE 0 END DESC
		) s
		WHERE m.tenant_id = $1 AND m.number_id = s.number_id AND m.wamid = s.wamid AND m.status <> s.status`,
		tx.Tenant, pq.Array(numbers), pq.Array(wamids))
	if err != nil {
		return fmt.Errorf("advance messages: %w", err)
	}

	return nil
}

// problem is the first of WhatsApp's errors as "code: title".
func problem(errors []whatsapp.StatusError) string {
	if len(errors) == 0 {
		return ""
	}

	return strings.TrimSuffix(strconv.Itoa(errors[0].Code)+": "+errors[0].Title, ": ")
}
