package conversations

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
)

// ForgetMessages removes the next messages that hang on some tenures, with what was said of them: statuses, calls, what was sent off and
// asked by them, and that others quote them. It returns their ids at WhatsApp, none at the end.
func ForgetMessages(ctx context.Context, tx *tenants.Tx, tenures []uuid.UUID, limit int) (wamids []string, err error) {
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Number uuid.UUID `db:"number_id"`
		WAMID  string    `db:"wamid"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, number_id, wamid FROM messages WHERE tenant_id = $1 AND tenure_id = ANY($2) LIMIT $3`, tx.Tenant, pq.Array(tenures), limit); err != nil {
		return nil, fmt.Errorf("read messages to forget: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	var ids, numbers []uuid.UUID
	for _, r := range rows {
		ids, numbers, wamids = append(ids, r.ID), append(numbers, r.Number), append(wamids, r.WAMID)
	}
	if err := forgetMessages(ctx, tx, ids, numbers, wamids); err != nil {
		return nil, err
	}
	for _, statement := range []string{
		`UPDATE messages SET context_wamid = '' WHERE tenant_id = $1 AND context_wamid <> '' AND context_wamid = ANY($2)`,
		`UPDATE messages SET target_wamid = '' WHERE tenant_id = $1 AND target_wamid <> '' AND target_wamid = ANY($2)`,
	} {
		if _, err := tx.ExecContext(ctx, statement, tx.Tenant, pq.Array(wamids)); err != nil {
			return nil, fmt.Errorf("forget that others quote them: %w", err)
		}
	}

	return wamids, nil
}

// ForgetRest removes what else was kept of some accounts: statuses whose message is not known, what was sent to them and asked of them,
// notes and who looks after them.
func ForgetRest(ctx context.Context, tx *tenants.Tx, identities, tenures, identifiers []uuid.UUID) error {
	for _, step := range []struct {
		what, statement string
		ids             []uuid.UUID
	}{
		{"forget statuses", `DELETE FROM statuses WHERE tenant_id = $1 AND tenure_id = ANY($2)`, tenures},
		{"forget what was sent", `DELETE FROM outbox WHERE tenant_id = $1 AND identity_id = ANY($2)`, identities},
		{"forget asking", `DELETE FROM asks WHERE tenant_id = $1 AND identifier_id = ANY($2)`, identifiers},
		{"forget notes", `DELETE FROM notes WHERE tenant_id = $1 AND identity_id = ANY($2)`, identities},
		{"forget who looks after them", `DELETE FROM assignments WHERE tenant_id = $1 AND identity_id = ANY($2)`, identities},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, pq.Array(step.ids)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return nil
}

// ForgetNamed takes a person out of what others wrote, the next messages by id that name them: a card that is theirs goes, in words their
// identifiers become dots. It returns the id of the last message looked at, "" where there was none.
func ForgetNamed(ctx context.Context, tx *tenants.Tx, person erased.Person, after string, limit int) (last string, err error) {
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, `
		SELECT id FROM messages WHERE tenant_id = $1 AND id > coalesce(nullif($2, '')::uuid, $4) ORDER BY id LIMIT $3`, tx.Tenant, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read messages that may name a person: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	var rows []struct {
		ID      uuid.UUID `db:"id"`
		Type    string    `db:"type"`
		Text    string    `db:"text"`
		Content string    `db:"content"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT m.id, m.type, m.text, m.content FROM messages m
		WHERE m.tenant_id = $1 AND m.id = ANY($2)
		  AND EXISTS (SELECT 1 FROM unnest($3::text[]) w WHERE position(w IN m.text) > 0 OR position(w IN m.content) > 0)`,
		tx.Tenant, pq.Array(ids), pq.Array(person.Words)); err != nil {
		return "", fmt.Errorf("read messages that name a person: %w", err)
	}
	for _, r := range rows {
		text, content := erased.Mask(r.Text, person.Words), []byte(r.Content)
		if r.Content != "" {
			cut, whole, changed := person.Cut(content)
			if content = cut; whole {
				content = nil
			}
			if changed && r.Type == "contacts" {
				text = "" // the names on the cards
			}
		}
		if text == r.Text && string(content) == r.Content {
			continue // part of somebody else's number or id
		}
		if _, err := tx.ExecContext(ctx, `UPDATE messages SET text = $3, content = $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, text, string(content)); err != nil {
			return "", fmt.Errorf("take a person out of what others wrote: %w", err)
		}
	}

	return ids[len(ids)-1].String(), nil
}

// sendingAtMost is how long a message is being sent, with time to spare: one that is taken for longer has lost its sender.
const sendingAtMost = 2 * time.Minute

// StopNaming stops what waits to be sent and names somebody who is being erased, as its words may not be changed for whom it is to reach:
// it has failed, for whoever wrote it to see, and dots stand for the name. under tells that one which is being sent just now names them
// too, and has to be asked for again.
func StopNaming(ctx context.Context, tx *tenants.Tx, words []string) (under bool, err error) {
	if err := identity.Lock(ctx, tx); err != nil { // as whoever begins to send
		return false, err
	}
	var rows []struct {
		ID      uuid.UUID `db:"id"`
		State   string    `db:"state"`
		Content string    `db:"content"`
		Recent  bool      `db:"recent"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT o.id, o.state, o.content::text AS content, coalesce(o.called_at > now() - $3 * interval '1 second', false) AS recent FROM outbox o
		WHERE o.tenant_id = $1 AND o.state IN ('waiting', 'sending') AND EXISTS (SELECT 1 FROM unnest($2::text[]) w WHERE position(w IN o.content::text) > 0)
		ORDER BY o.id FOR UPDATE`, tx.Tenant, pq.Array(words), sendingAtMost.Seconds()); err != nil {
		return false, fmt.Errorf("look for outgoing messages that name a person: %w", err)
	}
	for _, r := range rows {
		content, changed := erased.Replace([]byte(r.Content), words, erased.Dots)
		switch {
		case !changed:
			continue // part of somebody else's number or id
		case r.State == StateSending && r.Recent:
			under = true
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE outbox SET content = $3::jsonb WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, string(content)); err != nil {
			return false, fmt.Errorf("take a person out of an outgoing message: %w", err)
		}
		if r.State != StateWaiting {
			continue
		}
		if err := refuse(ctx, tx, r.ID, refusedErased, ""); err != nil {
			return false, err
		}
	}

	return under, nil
}
