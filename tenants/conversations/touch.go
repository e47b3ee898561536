package conversations

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// threadKey is one account's conversation with one of the business's numbers.
type threadKey struct{ identity, number uuid.UUID }

// tipKey is the part of a thread that came or went by one identifier.
type tipKey struct{ tenure, number uuid.UUID }

// tip is what a batch says of a part of a thread. Zero times say nothing.
type tip struct {
	account      uuid.UUID // whose the identifier is
	place        time.Time // of the last message
	first, asked time.Time // of those that want an answer, the first and the last
}

// touchThreads notes for the inbox what a batch of events says of threads: when something was last said, who asks, and whom the
// business has answered. Whatever comes again changes nothing. Messages in groups and past chats ask nobody for an answer, and
// neither does what is said about an earlier message.
func touchThreads(ctx context.Context, tx *tenants.Tx, batch *identity.Batch, seen []identity.Seen) error {
	tips, answered, unsent := map[tipKey]tip{}, map[threadKey]time.Time{}, map[threadKey]bool{}
	sent := map[messageKey]sending{}
	for i, s := range seen {
		p, at, e := batch.Placements[i], batch.At(i), s.Event
		if p.TenureID == uuid.Nil {
			continue
		}
		thread := threadKey{p.IdentityID, s.NumberID}
		plain := e.GroupID == "" && e.TargetID == ""
		switch e.Kind {
		case whatsapp.KindMessage, whatsapp.KindCall, whatsapp.KindEcho, whatsapp.KindHistory:
			k := tipKey{p.TenureID, s.NumberID}
			t := tips[k]
			t.account, t.place = p.IdentityID, latest(t.place, at)
			switch {
			case !plain:
			case e.Direction == whatsapp.DirectionOut:
				answered[thread] = latest(answered[thread], at)
			case e.Kind != whatsapp.KindHistory:
				if t.first.IsZero() || at.Before(t.first) {
					t.first = at
				}
				t.asked = latest(t.asked, at)
			}
			tips[k] = t
		case whatsapp.KindStatus: // also of what other software sent, which is not among the messages
			switch {
			case !plain:
			case e.Status == "sent":
				sent[messageKey{s.NumberID, e.WAMID}] = sending{thread, at}
			case e.Status == "failed":
				unsent[thread] = true
			}
		default: // bears on who is who only
		}
	}

	failed, err := failedOf(ctx, tx, sent)
	if err != nil {
		return err
	}
	for k, of := range sent {
		if failed[k] {
			unsent[of.thread] = true
			continue
		}
		answered[of.thread] = latest(answered[of.thread], of.at)
	}
	if err := putTips(ctx, tx, tips); err != nil {
		return err
	}
	if err := answerThreads(ctx, tx, answered); err != nil {
		return err
	}
	for _, k := range slices.SortedFunc(maps.Keys(unsent), threadKey.compare) {
		if err := touchUnsent(ctx, tx, k); err != nil {
			return err
		}
	}

	return nil
}

// sending is where and when a message went out.
type sending struct {
	thread threadKey
	at     time.Time
}

// failedOf tells which of the messages are known to have failed: WhatsApp may say that before it says that they were sent.
func failedOf(ctx context.Context, tx *tenants.Tx, sent map[messageKey]sending) (map[messageKey]bool, error) {
	if len(sent) == 0 {
		return nil, nil //nolint:nilnil // none
	}
	var (
		numbers []uuid.UUID
		wamids  []string
	)
	for k := range sent {
		numbers, wamids = append(numbers, k.number), append(wamids, k.wamid)
	}
	var rows []struct {
		Number uuid.UUID `db:"number_id"`
		WAMID  string    `db:"wamid"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT f.number_id, f.wamid FROM unnest($2::uuid[], $3::text[]) AS w (number_id, wamid)
		JOIN statuses f ON f.tenant_id = $1 AND f.number_id = w.number_id AND f.wamid = w.wamid AND f.status = 'failed'`,
		tx.Tenant, pq.Array(numbers), pq.Array(wamids))
	if err != nil {
		return nil, fmt.Errorf("find failed messages: %w", err)
	}
	failed := make(map[messageKey]bool, len(rows))
	for _, r := range rows {
		failed[messageKey{r.Number, r.WAMID}] = true
	}

	return failed, nil
}

// touchAnswered notes a message of the business's own that was not seen in a batch: one just submitted to an account by an
// identifier of its.
func touchAnswered(ctx context.Context, tx *tenants.Tx, account, tenure, number uuid.UUID, at time.Time) error {
	if err := putTips(ctx, tx, map[tipKey]tip{{tenure, number}: {account: account, place: at}}); err != nil {
		return err
	}

	return answerThreads(ctx, tx, map[threadKey]time.Time{{account, number}: at})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

func (a threadKey) compare(b threadKey) int {
	return cmp.Or(bytes.Compare(a.identity[:], b.identity[:]), bytes.Compare(a.number[:], b.number[:]))
}

func (a tipKey) compare(b tipKey) int {
	return cmp.Or(bytes.Compare(a.tenure[:], b.tenure[:]), bytes.Compare(a.number[:], b.number[:]))
}

func putTips(ctx context.Context, tx *tenants.Tx, tips map[tipKey]tip) error {
	if len(tips) == 0 {
		return nil
	}

	var (
		tenures, numbers []uuid.UUID
		place            []time.Time
		first, asked     []*time.Time
	)
	for _, k := range slices.SortedFunc(maps.Keys(tips), tipKey.compare) { // two transactions take rows in one order
		t := tips[k]
		tenures, numbers, place = append(tenures, k.tenure), append(numbers, k.number), append(place, t.place)
		first, asked = append(first, timeOrNil(t.first)), append(asked, timeOrNil(t.asked))
	}
	var begun []begunTip
	err := tx.SelectContext(ctx, &begun, `
		WITH noted AS (
			INSERT INTO thread_tips AS p (tenant_id, tenure_id, number_id, place, asked_at, waiting_since, unread)
			SELECT $1, w.tenure_id, w.number_id, date_trunc('minute', w.place, 'UTC'), w.asked_at, w.first_at, w.asked_at IS NOT NULL
			FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
			     AS w (tenure_id, number_id, place, first_at, asked_at)
			ON CONFLICT (tenant_id, tenure_id, number_id) DO UPDATE
			SET place = greatest(p.place, excluded.place), asked_at = greatest(p.asked_at, excluded.asked_at),
			    waiting_since = CASE WHEN coalesce(excluded.asked_at <= `+settled("p.answered_at")+`, true) THEN p.waiting_since
			                         WHEN excluded.waiting_since > `+settled("p.answered_at")+` THEN least(p.waiting_since, excluded.waiting_since)
			                         ELSE least(p.waiting_since, `+firstAsked("p.answered_at")+`) END,
			    unread = p.unread OR coalesce(excluded.asked_at > coalesce(p.asked_at, '-infinity'), false)
			WHERE excluded.place > p.place OR excluded.asked_at > coalesce(p.asked_at, '-infinity')
			   OR excluded.asked_at > `+settled("p.answered_at")+` AND excluded.waiting_since < coalesce(p.waiting_since, 'infinity')
			RETURNING p.tenure_id, p.number_id, p.waiting_since, xmax = 0 AS begun
		)
		SELECT tenure_id, number_id FROM noted WHERE begun AND waiting_since IS NOT NULL`,
		tx.Tenant, pq.Array(tenures), pq.Array(numbers), pq.Array(place), pq.Array(first), pq.Array(asked))
	if err != nil {
		return fmt.Errorf("note messages of threads: %w", err)
	}

	for i, b := range begun {
		begun[i].account = tips[tipKey{b.Tenure, b.Number}].account
	}

	return answeredBefore(ctx, tx, begun)
}

// begunTip is a part of a thread of which nothing was known, in which somebody waits.
type begunTip struct {
	Tenure  uuid.UUID `db:"tenure_id"`
	Number  uuid.UUID `db:"number_id"`
	account uuid.UUID
}

// settled is until when nobody waits in a part p of a thread: it was answered at a time, or needs no answer.
func settled(answered string) string {
	return `coalesce(greatest(` + answered + `, p.done_at), '-infinity')`
}

// firstAsked is when somebody first wrote in p since, and wants an answer.
func firstAsked(answered string) string {
	return `(SELECT m.at FROM messages m
		WHERE m.tenant_id = p.tenant_id AND m.tenure_id = p.tenure_id AND m.number_id = p.number_id AND m.at > ` + settled(answered) + `
		  AND m.direction = 'in' AND m.group_id = '' AND m.target_wamid = '' AND NOT m.imported ORDER BY m.at, m.id LIMIT 1)`
}

// answeredBefore finds, for parts of threads that begin, what answered them before they were heard of: by another identifier of the
// account, or from other software, of which there is only a status.
func answeredBefore(ctx context.Context, tx *tenants.Tx, begun []begunTip) error {
	if len(begun) == 0 {
		return nil
	}
	slices.SortFunc(begun, func(a, b begunTip) int {
		return cmp.Or(bytes.Compare(a.account[:], b.account[:]), bytes.Compare(a.Number[:], b.Number[:]))
	})
	var tenures, accounts, numbers []uuid.UUID
	for _, b := range begun {
		tenures, accounts, numbers = append(tenures, b.Tenure), append(accounts, b.account), append(numbers, b.Number)
	}
	var threads []struct {
		Identity uuid.UUID `db:"identity_id"`
		Number   uuid.UUID `db:"number_id"`
	}
	err := tx.SelectContext(ctx, &threads, `
		SELECT DISTINCT w.identity_id, w.number_id FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS w (tenure_id, identity_id, number_id)
		JOIN tenures o ON o.tenant_id = $1 AND o.identity_id = w.identity_id
		WHERE o.id <> w.tenure_id
		      AND EXISTS (SELECT 1 FROM thread_tips q WHERE q.tenant_id = $1 AND q.tenure_id = o.id AND q.number_id = w.number_id AND q.answered_at IS NOT NULL)
		   OR EXISTS (SELECT 1 FROM statuses s WHERE s.tenant_id = $1 AND s.tenure_id = o.id AND s.number_id = w.number_id AND s.status = 'sent')
		ORDER BY w.identity_id, w.number_id`, tx.Tenant, pq.Array(tenures), pq.Array(accounts), pq.Array(numbers))
	if err != nil {
		return fmt.Errorf("look what answered before: %w", err)
	}
	for _, t := range threads {
		if err := touchUnsent(ctx, tx, threadKey{t.Identity, t.Number}); err != nil {
			return err
		}
	}

	return nil
}

// answerThreads notes that the business has written. Whoever asked before that waits no more, by whichever identifier they wrote.
func answerThreads(ctx context.Context, tx *tenants.Tx, answered map[threadKey]time.Time) error {
	if len(answered) == 0 {
		return nil
	}

	var (
		accounts, numbers []uuid.UUID
		at                []time.Time
	)
	for k, t := range answered {
		accounts, numbers, at = append(accounts, k.identity), append(numbers, k.number), append(at, t)
	}
	_, err := tx.ExecContext(ctx, `
		WITH theirs AS (
			SELECT p.tenure_id, p.number_id, w.at
			FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS w (identity_id, number_id, at)
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = w.identity_id
			JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id AND p.number_id = w.number_id
			WHERE w.at > coalesce(p.answered_at, '-infinity')
			ORDER BY p.tenure_id, p.number_id FOR UPDATE OF p
		)
		UPDATE thread_tips p
		SET answered_at = w.at,
		    waiting_since = CASE WHEN p.waiting_since > w.at THEN p.waiting_since
		                         WHEN p.waiting_since IS NOT NULL AND p.asked_at > w.at THEN `+firstAsked("w.at")+` END
		FROM theirs w WHERE p.tenant_id = $1 AND p.tenure_id = w.tenure_id AND p.number_id = w.number_id`,
		tx.Tenant, pq.Array(accounts), pq.Array(numbers), pq.Array(at))
	if err != nil {
		return fmt.Errorf("note answers to threads: %w", err)
	}

	return nil
}

// messageUnsent is touchUnsent for a message of the outbox.
func messageUnsent(ctx context.Context, tx *tenants.Tx, message uuid.UUID) error {
	var row struct {
		Identity uuid.UUID `db:"identity_id"`
		Number   uuid.UUID `db:"number_id"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT t.identity_id, m.number_id FROM messages m JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id
		WHERE m.tenant_id = $1 AND m.id = $2`, tx.Tenant, message)
	if err != nil {
		return fmt.Errorf("find thread of message: %w", err)
	}

	return touchUnsent(ctx, tx, threadKey{row.Identity, row.Number})
}

// touchUnsent notes that a message of the business's own did not go out after all: it was taken back, came back or failed. Whoever
// it would have answered waits again, unless something else has answered them, be it from other software.
func touchUnsent(ctx context.Context, tx *tenants.Tx, of threadKey) error {
	// By itself: what a lane has written meanwhile is seen only by a statement that begins after the wait for it.
	if _, err := tx.ExecContext(ctx, `
		SELECT FROM tenures t JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id AND p.number_id = $3
		WHERE t.tenant_id = $1 AND t.identity_id = $2 ORDER BY p.tenure_id FOR UPDATE OF p`, tx.Tenant, of.identity, of.number); err != nil {
		return fmt.Errorf("lock thread: %w", err)
	}
	_, err := tx.ExecContext(ctx, `
		WITH said AS (
			SELECT max(o.at) AS at FROM tenures t CROSS JOIN LATERAL (
				(SELECT m.at FROM messages m
				 WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.number_id = $3 AND m.direction = 'out' AND m.group_id = '' AND m.target_wamid = ''
				   AND m.status <> 'failed'
				   AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.tenant_id = $1 AND b.message_id = m.id AND b.state IN ('returned', 'cancelled'))
				 ORDER BY m.at DESC, m.id DESC LIMIT 1) -- however long the thread is
				UNION ALL
				SELECT s.at FROM statuses s
				WHERE s.tenant_id = $1 AND s.tenure_id = t.id AND s.number_id = $3 AND s.status = 'sent' AND s.participant = $4
				  AND NOT EXISTS (SELECT 1 FROM statuses f WHERE f.tenant_id = $1 AND f.number_id = $3 AND f.wamid = s.wamid AND f.status = 'failed')
			) o WHERE t.tenant_id = $1 AND t.identity_id = $2
		)
		UPDATE thread_tips p
		SET answered_at = said.at,
		    waiting_since = CASE WHEN p.asked_at > `+settled("said.at")+` THEN `+firstAsked("said.at")+` END
		FROM tenures t, said
		WHERE p.tenant_id = $1 AND p.tenure_id = t.id AND p.number_id = $3 AND t.tenant_id = $1 AND t.identity_id = $2`,
		tx.Tenant, of.identity, of.number, uuid.Nil)
	if err != nil {
		return fmt.Errorf("note message that did not go out: %w", err)
	}

	return nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}

	return &t
}
