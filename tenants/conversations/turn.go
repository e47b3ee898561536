package conversations

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Turn is a message whose turn has come, to be sent at once.
type Turn struct {
	ID, Message uuid.UUID
	whatsapp.Outgoing
}

// Take begins to send a waiting message: it looks again where the message goes and whether it may, and marks it as being sent for
// good. After the commit the caller sends it once, whatever happens, and tells Accept, Refuse, Postpone or LoseTrack what came of it.
// ok is false where it is not to be sent: it is not waiting any more, it came back or it was refused. lease names the caller, who
// alone may tell the outcome.
func Take(ctx context.Context, tx *tenants.Tx, id, lease uuid.UUID) (t Turn, ok bool, err error) {
	if err := identity.Lock(ctx, tx); err != nil {
		return Turn{}, false, err
	}
	var row struct {
		Message     uuid.UUID     `db:"message_id"`
		Number      uuid.UUID     `db:"number_id"`
		Identity    uuid.UUID     `db:"identity_id"`
		Identifier  uuid.UUID     `db:"identifier_id"`
		LastInbound uuid.NullUUID `db:"last_inbound"`
		Content     []byte        `db:"content"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT message_id, number_id, identity_id, identifier_id, last_inbound, content FROM outbox
		WHERE tenant_id = $1 AND id = $2 AND state = 'waiting' FOR UPDATE`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Turn{}, false, nil
	}
	if err != nil {
		return Turn{}, false, fmt.Errorf("lock outgoing message: %w", err)
	}
	var out outgoing
	if err := json.Unmarshal(row.Content, &out); err != nil {
		return Turn{}, false, fmt.Errorf("read outgoing message: %w", err)
	}

	was := shown{identityID: row.Identity, numberID: row.Number, identifierID: row.Identifier, lastInbound: row.LastInbound.UUID}
	now, what, err := recheck(ctx, tx, was)
	if err != nil {
		return Turn{}, false, err
	}
	for _, w := range what {
		// That the account is another contact's by now changes who is thought to be behind it, not where the message goes.
		if w != ChangedContact {
			return Turn{}, false, giveBack(ctx, tx, id, row.Message, w)
		}
	}
	why := now.Blocked
	if why == "" {
		if why, err = refusal(ctx, tx, now, out, row.Message); err != nil {
			return Turn{}, false, err
		}
	}
	if why != "" {
		return Turn{}, false, refuse(ctx, tx, id, why, "")
	}

	if _, err := tx.ExecContext(ctx, `
		UPDATE outbox SET state = 'sending', tries = tries + 1, called_at = now(), lease = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, lease); err != nil {
		return Turn{}, false, fmt.Errorf("begin to send: %w", err)
	}

	return Turn{ID: id, Message: row.Message, Outgoing: whatsapp.Outgoing{
		Address: now.Address, Text: out.Text, Ask: out.Ask, Template: out.Template, Tag: id.String(),
	}}, true, nil
}

// giveBack returns a message to people because its recipient is not who it was.
func giveBack(ctx context.Context, tx *tenants.Tx, id, message uuid.UUID, what string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE outbox SET state = 'returned', reason = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, what); err != nil {
		return fmt.Errorf("return message: %w", err)
	}
	if err := forgetWords(ctx, tx, []uuid.UUID{id}); err != nil {
		return err
	}
	if err := messageUnsent(ctx, tx, message); err != nil {
		return err
	}

	return tell(ctx, tx, "message.return", message, map[string]any{"what": what})
}

// Accept keeps the wamids that Meta gave messages, by their ids in the outbox: from the answers to the calls or from statuses that name them.
func Accept(ctx context.Context, tx *tenants.Tx, wamids map[uuid.UUID]string) error {
	if err := identity.Lock(ctx, tx); err != nil {
		return err
	}

	return accept(ctx, tx, wamids)
}

// accept is Accept under the lock. One that Graph had refused, or seemed to have, was taken after all if a status names it,
// and is not sent again.
func accept(ctx context.Context, tx *tenants.Tx, wamids map[uuid.UUID]string) error {
	var ids []uuid.UUID
	var given []string
	for id, wamid := range wamids {
		ids, given = append(ids, id), append(given, wamid)
	}
	type accepted struct {
		Message   uuid.UUID `db:"message_id"`
		Number    uuid.UUID `db:"number_id"`
		WAMID     string    `db:"wamid"`
		State     string    `db:"was"`
		PhoneFree bool      `db:"phone_free"`
	}
	var rows []accepted
	err := tx.SelectContext(ctx, &rows, `
		WITH due AS (
			SELECT o.id, o.state AS was, w.wamid FROM unnest($2::uuid[], $3::text[]) AS w (id, wamid)
			JOIN outbox o ON o.tenant_id = $1 AND o.id = w.id AND (o.state IN ('sending', 'unknown') OR o.state IN ('waiting', 'failed', 'returned') AND o.tries > 0)
			ORDER BY o.id FOR UPDATE OF o
		)
		UPDATE outbox o SET state = 'accepted', accepted_at = now(), reason = '', detail = '' FROM due
		WHERE o.tenant_id = $1 AND o.id = due.id
		RETURNING o.message_id, o.number_id, due.wamid, due.was,
		          coalesce((SELECT n.phone_free FROM numbers n WHERE n.tenant_id = $1 AND n.id = o.number_id), false) AS phone_free`, tx.Tenant, pq.Array(ids), pq.Array(given))
	if err != nil {
		return fmt.Errorf("accept messages: %w", err)
	}
	if len(rows) > 0 {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO usage_months AS u (tenant_id, month, sent) VALUES ($1, date_trunc('month', now() AT TIME ZONE 'UTC')::date, $2)
			ON CONFLICT (tenant_id, month) DO UPDATE SET sent = u.sent + excluded.sent`, tx.Tenant, len(rows)); err != nil {
			return fmt.Errorf("count messages sent: %w", err)
		}
	}

	touched := map[messageKey]message{}
	for _, r := range rows {
		if err := nameMessage(ctx, tx, r.Message, r.Number, r.WAMID); err != nil {
			return err
		}
		m := message{messageKey: messageKey{r.Number, r.WAMID}}
		m.seen.Event.Direction = whatsapp.DirectionOut
		touched[m.messageKey] = m
	}
	if slices.ContainsFunc(rows, func(r accepted) bool { return r.PhoneFree }) {
		if err := forgetWords(ctx, tx, ids); err != nil {
			return err
		}
	}
	if err := advance(ctx, tx, touched, nil); err != nil {
		return err
	}
	for _, r := range rows {
		if err := tell(ctx, tx, "message.accept", r.Message, map[string]any{"was": r.State}); err != nil {
			return err
		}
	}

	return nil
}

// nameMessage gives a message its wamid. Where an echo has brought the same message meanwhile, that one goes: ours knows who wrote it.
func nameMessage(ctx context.Context, tx *tenants.Tx, message, number uuid.UUID, wamid string) error {
	if _, err := tx.ExecContext(ctx, `
		DELETE FROM messages WHERE tenant_id = $1 AND number_id = $2 AND wamid = $3 AND id <> $4`, tx.Tenant, number, wamid, message); err != nil {
		return fmt.Errorf("drop echo of message: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET wamid = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, message, wamid); err != nil {
		return fmt.Errorf("name message: %w", err)
	}

	return nil
}

// Refuse keeps that Meta will not take a message as it is: its code in digits, and its words.
func Refuse(ctx context.Context, tx *tenants.Tx, id, lease uuid.UUID, code, title string) error {
	mine, err := settle(ctx, tx, id, lease, `UPDATE outbox SET state = 'sending' WHERE tenant_id = $1 AND id = $2 AND lease = $3 AND state = 'sending'`)
	if err != nil || !mine {
		return err
	}

	return refuse(ctx, tx, id, code, title)
}

// refuse ends a message for good, with its reason where people read it.
func refuse(ctx context.Context, tx *tenants.Tx, id uuid.UUID, code, title string) error {
	var message uuid.UUID
	title = strings.ToValidUTF8(strings.ReplaceAll(title, "\x00", ""), "")
	err := tx.GetContext(ctx, &message, `
		UPDATE outbox SET state = 'failed', reason = $3, detail = $4 WHERE tenant_id = $1 AND id = $2 RETURNING message_id`, tx.Tenant, id, code, title)
	if err != nil {
		return fmt.Errorf("refuse message: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE messages SET status = 'failed', error = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, message, strings.TrimSuffix(code+": "+title, ": ")); err != nil {
		return fmt.Errorf("mark message as failed: %w", err)
	}
	if err := forgetWords(ctx, tx, []uuid.UUID{id}); err != nil {
		return err
	}
	if err := messageUnsent(ctx, tx, message); err != nil {
		return err
	}

	return tell(ctx, tx, "message.fail", message, map[string]any{"reason": code})
}

// Postpone puts a message that Meta has not taken back in its place, to be tried again after wait.
func Postpone(ctx context.Context, tx *tenants.Tx, id, lease uuid.UUID, reason string, wait time.Duration) error {
	_, err := settle(ctx, tx, id, lease, `
		UPDATE outbox SET state = 'waiting', reason = $4, not_before = now() + $5 * interval '1 second'
		WHERE tenant_id = $1 AND id = $2 AND lease = $3 AND state = 'sending'`, reason, wait.Seconds())

	return err
}

// LoseTrack keeps that nobody knows whether Meta took a message.
func LoseTrack(ctx context.Context, tx *tenants.Tx, id, lease uuid.UUID) error {
	mine, err := settle(ctx, tx, id, lease, `UPDATE outbox SET state = 'unknown' WHERE tenant_id = $1 AND id = $2 AND lease = $3 AND state = 'sending'`)
	if err != nil || !mine {
		return err
	}

	return tellLost(ctx, tx, []uuid.UUID{id})
}

// Orphans are the messages of a number whose sender died between the call and its answer: nobody knows whether Meta took them.
// Only who holds the number's lease may say so.
func Orphans(ctx context.Context, tx *tenants.Tx, number, lease uuid.UUID) (n int, err error) {
	var ids []uuid.UUID
	err = tx.SelectContext(ctx, &ids, `
		UPDATE outbox SET state = 'unknown' WHERE tenant_id = $1 AND number_id = $2 AND state = 'sending' AND lease IS DISTINCT FROM $3 RETURNING id`,
		tx.Tenant, number, lease)
	if err != nil {
		return 0, fmt.Errorf("give up on orphans: %w", err)
	}

	return len(ids), tellLost(ctx, tx, ids)
}

func tellLost(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) error {
	var messages []uuid.UUID
	if err := tx.SelectContext(ctx, &messages, `SELECT message_id FROM outbox WHERE tenant_id = $1 AND id = ANY($2) ORDER BY n`, tx.Tenant, pq.Array(ids)); err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	if err := forgetWords(ctx, tx, ids); err != nil {
		return err
	}
	for _, m := range messages {
		if err := tell(ctx, tx, "message.lost", m, nil); err != nil {
			return err
		}
	}

	return nil
}

// settle moves a message on that its caller is still sending; mine is false where somebody else has said what became of it.
func settle(ctx context.Context, tx *tenants.Tx, id, lease uuid.UUID, statement string, more ...any) (mine bool, err error) {
	result, err := tx.ExecContext(ctx, statement, append([]any{tx.Tenant, id, lease}, more...)...)
	if err != nil {
		return false, fmt.Errorf("settle outgoing message: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("settle outgoing message: %w", err)
	}

	return n == 1, nil
}

func tell(ctx context.Context, tx *tenants.Tx, action string, message uuid.UUID, detail map[string]any) error {
	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: tenants.SystemActor, Action: action, ObjectKind: "message", ObjectID: message.String(), Detail: detail,
	})
}

// reconcile hears of messages whose answer was not heard, from the statuses that name them.
func reconcile(ctx context.Context, tx *tenants.Tx, statuses map[statusKey]status) error {
	wamids := map[uuid.UUID]string{}
	for k, s := range statuses {
		if id, err := uuid.Parse(s.seen.Event.Tag); err == nil {
			wamids[id] = k.wamid
		}
	}
	if len(wamids) == 0 {
		return nil
	}

	return accept(ctx, tx, wamids)
}
