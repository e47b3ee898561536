package privacy

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/identity"
)

// place is a column in which others may have written what a person is known by. All of them stand under a tenant and an id of their own.
type place struct {
	table, column string
	where         string // rows that are looked through; "" is all
	write         string // puts $3 in place of what stood there; or removes the row
	json          bool
	with          string // what takes the place of an identifier in JSON
	lanes         bool   // the lanes write it too, under the tenant's lock
}

// query reads rows of a place: their ids, and their words where one of $4 may be among them. since is how their ids are to $2.
func (p place) query(since string) string {
	return `SELECT p.id, CASE WHEN EXISTS (SELECT 1 FROM unnest($4::text[]) w WHERE position(w IN p.words) > 0) THEN p.words ELSE '' END AS words
		FROM (SELECT t.id, t.` + p.column + `::text AS words FROM ` + p.table + ` t WHERE t.tenant_id = $1 AND t.id ` + since + ` $2` + p.where + `
		      ORDER BY t.id LIMIT $3) p ORDER BY p.id`
}

// places are all of them, in the order they are gone through.
var places = []place{
	{table: "notes", column: "text", write: `UPDATE notes SET text = $3 WHERE tenant_id = $1 AND id = $2`},
	// A form that is open with the words of before must not bring them back.
	{table: "contacts", column: "notes", write: `UPDATE contacts SET notes = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2`},
	{table: "escalations", column: "reason", write: `UPDATE escalations SET reason = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "escalations", column: "outcome", write: `UPDATE escalations SET outcome = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "escalations", column: "lesson", write: `UPDATE escalations SET lesson = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "what", write: `UPDATE incidents SET what = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "consequences", write: `UPDATE incidents SET consequences = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "measures", write: `UPDATE incidents SET measures = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "advice", write: `UPDATE incidents SET advice = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "findings", write: `UPDATE incidents SET findings = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "done", write: `UPDATE incidents SET done = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "incidents", column: "lesson", write: `UPDATE incidents SET lesson = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "asked_questions", column: "text", write: `UPDATE asked_questions SET text = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "trust_requests", column: "name", write: `UPDATE trust_requests SET name = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "trust_requests", column: "reach", write: `UPDATE trust_requests SET reach = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "trust_requests", column: "body", write: `UPDATE trust_requests SET body = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "privacy_requests", column: "reason", write: `UPDATE privacy_requests SET reason = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "username_watch", column: "note", write: `UPDATE username_watch SET note = $3 WHERE tenant_id = $1 AND id = $2`},
	{table: "segments", column: "filter", write: `UPDATE segments SET filter = $3 WHERE tenant_id = $1 AND id = $2`},
	{ // what is still to be sent is stopped, see eraseOutgoing
		table: "outbox", column: "content", where: ` AND t.state NOT IN ('waiting', 'sending')`,
		write: `UPDATE outbox SET content = $3::jsonb WHERE tenant_id = $1 AND id = $2`, json: true, with: erased.Dots,
	},
	{table: "notices", column: "facts", write: `UPDATE notices SET facts = $3::jsonb WHERE tenant_id = $1 AND id = $2`, json: true, with: erased.Dots},
	{table: "links", column: "reason", write: `UPDATE links SET reason = $3 WHERE tenant_id = $1 AND id = $2`, lanes: true},
	{table: "links", column: "evidence", write: `UPDATE links SET evidence = $3::jsonb WHERE tenant_id = $1 AND id = $2`, json: true, with: "erased", lanes: true},
	// A case that one of their identifiers opened meanwhile.
	{table: "cases", column: "key", write: adoption.DropCases(`k.id = $2 AND $3 <> ''`), lanes: true},
	{table: "cases", column: "proposed_reason", write: `UPDATE cases SET proposed_reason = $3 WHERE tenant_id = $1 AND id = $2`, lanes: true},
	{table: "cases", column: "candidates", write: `UPDATE cases SET candidates = $3::jsonb WHERE tenant_id = $1 AND id = $2`, json: true, with: "erased", lanes: true},
}

// eraseWritten takes the person out of what others wrote down, the next rows of a place at a time. after is the place and the last row.
// They are looked for without any lock; only what names the person is read again and changed under one.
func eraseWritten(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (after string, err error) {
	n, last := 0, uuid.Nil
	if at, id, ok := strings.Cut(p.After, " "); ok {
		if n, err = strconv.Atoi(at); err != nil {
			return "", fmt.Errorf("read place among what others wrote: %w", err)
		}
		if last, err = uuid.Parse(id); err != nil {
			return "", fmt.Errorf("read place among what others wrote: %w", err)
		}
	}
	if n >= len(places) {
		return "", w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return w.maskRequests(ctx, tx, p.subject.Words) })
	}

	at, rows := places[n], []written(nil)
	if err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &rows, at.query(">"), tenant, last, eraseScan, pq.Array(p.subject.Words))
	}); err != nil {
		return "", fmt.Errorf("look through what others wrote: %w", err)
	}
	if len(rows) == 0 {
		return strconv.Itoa(n+1) + " " + uuid.Nil.String(), nil
	}
	var hits []uuid.UUID
	for _, r := range rows {
		if _, changed := at.without(r.Words, p.subject.Words); changed {
			hits = append(hits, r.ID)
		}
	}
	if len(hits) > 0 {
		if err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return at.change(ctx, tx, hits, p.subject.Words) }); err != nil {
			return "", err
		}
	}

	return strconv.Itoa(n) + " " + rows[len(rows)-1].ID.String(), nil
}

type written struct {
	ID    uuid.UUID `db:"id"`
	Words string    `db:"words"`
}

// without is what stands there without the person.
func (p place) without(text string, words []string) (out string, changed bool) {
	if p.json {
		body, changed := erased.Replace([]byte(text), words, p.with)

		return string(body), changed
	}
	out = erased.Mask(text, words)

	return out, out != text
}

// change reads rows again, as they are now, and writes them without the person.
func (p place) change(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID, words []string) error {
	if p.lanes {
		if err := identity.Lock(ctx, tx); err != nil {
			return err //nolint:wrapcheck // it says what it locks
		}
	}
	for _, id := range ids {
		var rows []written
		if err := tx.SelectContext(ctx, &rows, p.query("="), tx.Tenant, id, 1, pq.Array(words)); err != nil {
			return fmt.Errorf("read what others wrote: %w", err)
		}
		if len(rows) == 0 {
			continue // gone since
		}
		text, changed := p.without(rows[0].Words, words)
		if !changed {
			continue // part of somebody else's number or id
		}
		if _, err := tx.ExecContext(ctx, p.write, tx.Tenant, id, text); err != nil {
			return fmt.Errorf("take a person out of what others wrote: %w", err)
		}
	}

	return nil
}

// maskRequests takes a person out of the words of other people's open requests, which lie sealed.
func (w *Worker) maskRequests(ctx context.Context, tx *tenants.Tx, words []string) error {
	var rows []struct {
		ID      uuid.UUID `db:"id"`
		Subject []byte    `db:"subject"`
		Note    []byte    `db:"note"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT id, subject, note FROM privacy_requests
		WHERE tenant_id = $1 AND closed_at IS NULL AND (subject IS NOT NULL OR note IS NOT NULL) ORDER BY id FOR UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("read open requests: %w", err)
	}
	for _, r := range rows {
		changed := false
		for _, part := range []struct {
			sealed  *[]byte
			purpose string
		}{{&r.Subject, sealSubject}, {&r.Note, sealNote}} {
			if *part.sealed == nil {
				continue
			}
			plain, err := w.keys.Open(tx.Tenant, part.purpose, *part.sealed)
			if err != nil {
				return fmt.Errorf("open request %s: %w", r.ID, err)
			}
			masked := erased.Mask(string(plain), words)
			if masked == string(plain) {
				continue
			}
			changed = true
			if *part.sealed, err = seal(w.keys, tx.Tenant, part.purpose, masked); err != nil {
				return err
			}
		}
		if !changed {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE privacy_requests SET subject = $3, note = $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, r.Subject, r.Note); err != nil {
			return fmt.Errorf("take a person out of request %s: %w", r.ID, err)
		}
	}

	return nil
}
