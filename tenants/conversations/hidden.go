package conversations

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// forgetWords drops what messages of numbers that keep no phones said, once they need not be sent any more: their thread has the words,
// without what may be a phone.
func forgetWords(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE outbox o
		SET content = CASE WHEN o.content ? 'template' THEN jsonb_build_object('template', jsonb_build_object('name', o.content -> 'template' -> 'name')) ELSE '{}' END
		FROM numbers n
		WHERE o.tenant_id = $1 AND o.id = ANY($2) AND n.tenant_id = $1 AND n.id = o.number_id AND n.phone_free
		  AND o.state NOT IN ('waiting', 'sending')`, tx.Tenant, pq.Array(ids)); err != nil {
		return fmt.Errorf("forget what was sent: %w", err)
	}

	return nil
}

// HideMessages takes the phones out of the messages that a number has from before it kept none, the next of them by id, and out of what
// their authors called themselves. It returns the id of the last, "" where there was none. It needs identity.Lock.
func HideMessages(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID      uuid.UUID  `db:"id"`
		WAMID   string     `db:"wamid"`
		Type    string     `db:"type"`
		Text    string     `db:"text"`
		Content string     `db:"content"`
		Digest  string     `db:"digest"`
		Group   string     `db:"group_id"`
		Context string     `db:"context_wamid"`
		Target  string     `db:"target_wamid"`
		Error   string     `db:"error"`
		Tenure  *uuid.UUID `db:"tenure_id"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, wamid, type, text, content, digest, group_id, context_wamid, target_wamid, error, tenure_id FROM messages
		WHERE tenant_id = $1 AND number_id = $2 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4`,
		tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read messages to clean: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}

	var (
		ids, tenures                                                      []uuid.UUID
		wamids, types, texts, contents, digests, groups, contexts, target []string
		problems                                                          []string
		touched                                                           = map[messageKey]message{}
	)
	for _, r := range rows {
		if r.Tenure != nil {
			tenures = append(tenures, *r.Tenure)
		}
		if phonefree.IsHiddenID(r.WAMID) {
			continue // it came since
		}
		e := h.Event(whatsapp.Event{
			WAMID: r.WAMID, Type: r.Type, Text: r.Text, Content: []byte(r.Content), Digest: r.Digest, GroupID: r.Group, ContextID: r.Context, TargetID: r.Target,
		}, nil)
		if (Message{WAMID: r.WAMID}).Pending() {
			e.WAMID = r.WAMID // ours, and given to nobody
		}
		ids, wamids, types, texts = append(ids, r.ID), append(wamids, e.WAMID), append(types, e.Type), append(texts, e.Text)
		contents, digests, groups = append(contents, string(e.Content)), append(digests, e.Digest), append(groups, e.GroupID)
		contexts, target, problems = append(contexts, e.ContextID), append(target, e.TargetID), append(problems, whatsapp.MaskPhones(r.Error))
		touched[messageKey{number, e.WAMID}] = message{}
	}
	// What came again since is the same message by its token.
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM messages m USING unnest($3::uuid[], $4::text[]) AS w (id, wamid)
		WHERE m.tenant_id = $1 AND m.number_id = $2 AND m.wamid = w.wamid AND m.id <> w.id`, tx.Tenant, number, pq.Array(ids), pq.Array(wamids)); err != nil {
		return "", fmt.Errorf("drop repeats of messages to clean: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE messages m
		SET wamid = w.wamid, type = w.type, text = w.text, content = w.content, digest = w.digest, group_id = w.group_id,
		    context_wamid = w.context_wamid, target_wamid = w.target_wamid, error = w.error
		FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
		     AS w (id, wamid, type, text, content, digest, group_id, context_wamid, target_wamid, error)
		WHERE m.tenant_id = $1 AND m.id = w.id`,
		tx.Tenant, pq.Array(ids), pq.Array(wamids), pq.Array(types), pq.Array(texts), pq.Array(contents), pq.Array(digests), pq.Array(groups),
		pq.Array(contexts), pq.Array(target), pq.Array(problems)); err != nil {
		return "", fmt.Errorf("clean messages: %w", err)
	}
	if err := identity.HideNames(ctx, tx, tenures); err != nil {
		return "", err
	}
	if err := advance(ctx, tx, nil, touchedStatuses(touched)); err != nil {
		return "", err
	}

	return rows[len(rows)-1].ID.String(), nil
}

// touchedStatuses has advance look at messages of ours whose statuses came by their tokens already.
func touchedStatuses(messages map[messageKey]message) map[statusKey]status {
	out := make(map[statusKey]status, len(messages))
	for k := range messages {
		out[statusKey{number: k.number, wamid: k.wamid}] = status{}
	}

	return out
}

// HideStatuses is HideMessages for the statuses of messages, by wamid.
func HideStatuses(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	return hideKeyed(ctx, tx, h, number, after, limit, keyed{
		read: `SELECT DISTINCT wamid AS id FROM statuses WHERE tenant_id = $1 AND number_id = $2 AND wamid > $3 AND wamid NOT LIKE 'wamid.p:%' ORDER BY wamid LIMIT $4`,
		rows: `SELECT wamid AS id, status AS part, participant, digest, error AS words FROM statuses WHERE tenant_id = $1 AND number_id = $2 AND wamid = ANY($3)`,
		drop: `DELETE FROM statuses s USING unnest($3::text[], $4::text[], $5::uuid[]) AS w (id, part, participant)
			WHERE s.tenant_id = $1 AND s.number_id = $2 AND s.wamid = w.id AND s.status = w.part AND s.participant = w.participant`,
		write: `UPDATE statuses s SET wamid = w.id, digest = w.digest, error = w.words
			FROM unnest($3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[]) AS w (was, id, part, participant, digest, words)
			WHERE s.tenant_id = $1 AND s.number_id = $2 AND s.wamid = w.was AND s.status = w.part AND s.participant = w.participant`,
	})
}

// HideCalls is HideMessages for what was said of calls, by wacid.
func HideCalls(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	return hideKeyed(ctx, tx, h, number, after, limit, keyed{
		read: `SELECT DISTINCT wacid AS id FROM call_events WHERE tenant_id = $1 AND number_id = $2 AND wacid > $3 AND wacid NOT LIKE 'wamid.p:%' ORDER BY wacid LIMIT $4`,
		rows: `SELECT wacid AS id, event AS part, tenant_id AS participant, digest, '' AS words FROM call_events WHERE tenant_id = $1 AND number_id = $2 AND wacid = ANY($3)`,
		drop: `DELETE FROM call_events s USING unnest($3::text[], $4::text[], $5::uuid[]) AS w (id, part, participant)
			WHERE s.tenant_id = $1 AND s.number_id = $2 AND s.wacid = w.id AND s.event = w.part`,
		write: `UPDATE call_events s SET wacid = w.id, digest = w.digest
			FROM unnest($3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[]) AS w (was, id, part, participant, digest, words)
			WHERE s.tenant_id = $1 AND s.number_id = $2 AND s.wacid = w.was AND s.event = w.part`,
	})
}

// keyed are the statements that clean rows whose key is the id of a message.
type keyed struct{ read, rows, drop, write string }

func hideKeyed(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int, k keyed) (last string, err error) {
	var ids []string
	if err := tx.SelectContext(ctx, &ids, k.read, tx.Tenant, number, after, limit); err != nil {
		return "", fmt.Errorf("read ids to clean: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	var rows []struct {
		ID          string    `db:"id"`
		Part        string    `db:"part"`
		Participant uuid.UUID `db:"participant"`
		Digest      string    `db:"digest"`
		Words       string    `db:"words"`
	}
	if err := tx.SelectContext(ctx, &rows, k.rows, tx.Tenant, number, pq.Array(ids)); err != nil {
		return "", fmt.Errorf("read rows to clean: %w", err)
	}

	var was, now, parts, digests, words []string
	var participants []uuid.UUID
	for _, r := range rows {
		was, now, parts, participants = append(was, r.ID), append(now, h.WAMID(r.ID)), append(parts, r.Part), append(participants, r.Participant)
		digests, words = append(digests, h.Digest(r.Digest)), append(words, whatsapp.MaskPhones(r.Words))
	}
	if _, err := tx.ExecContext(ctx, k.drop, tx.Tenant, number, pq.Array(now), pq.Array(parts), pq.Array(participants)); err != nil {
		return "", fmt.Errorf("drop repeats of rows to clean: %w", err)
	}
	if _, err := tx.ExecContext(ctx, k.write, tx.Tenant, number, pq.Array(was), pq.Array(now), pq.Array(parts), pq.Array(participants), pq.Array(digests), pq.Array(words)); err != nil {
		return "", fmt.Errorf("clean rows: %w", err)
	}

	return ids[len(ids)-1], nil
}

// HideOutgoing drops what a number's messages said that need not be sent any more, and takes phones out of Meta's words about them. By
// the id in the outbox.
func HideOutgoing(ctx context.Context, tx *tenants.Tx, _ phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Detail string    `db:"detail"`
		Over   bool      `db:"over"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, detail, number_id = $2 AND state NOT IN ('waiting', 'sending') AS over FROM outbox
		WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4`, tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read outgoing messages to clean: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	var ids []uuid.UUID
	for _, r := range rows {
		if !r.Over {
			continue
		}
		ids = append(ids, r.ID)
		if masked := whatsapp.MaskPhones(r.Detail); masked != r.Detail {
			if _, err := tx.ExecContext(ctx, `UPDATE outbox SET detail = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, masked); err != nil {
				return "", fmt.Errorf("clean outgoing messages: %w", err)
			}
		}
	}

	return rows[len(rows)-1].ID.String(), forgetWords(ctx, tx, ids)
}
