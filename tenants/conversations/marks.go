package conversations

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// MostCounted is as far as conversations are counted: the figure stands for itself or more.
const MostCounted = 100

// InboxCounts is how many people's conversations nobody has read, and how many people wait for an answer, at most MostCounted.
type InboxCounts struct {
	Unread  int `db:"unread"`
	Waiting int `db:"waiting"`
}

// people counts whose conversations have a part p for which a condition holds. One person may have several: where they wrote by several
// accounts or to several numbers. A third more parts than people are looked at; should there be more parts, people are not told apart, and
// nothing is read but the index of those parts, whose order is named so that no other way is taken: every page of a business runs this.
// The bounds stand in the statement for the same reason, so that PostgreSQL keeps its plan.
func people(condition, order string) string {
	most, parts := strconv.Itoa(MostCounted), strconv.Itoa(MostCounted*4/3)
	some := `SELECT p.tenure_id FROM thread_tips p WHERE p.tenant_id = $1 AND ` + condition + ` ORDER BY ` + order + ` LIMIT ` + parts

	return `(SELECT CASE WHEN (SELECT count(*) FROM (` + some + `) p) = ` + parts + ` THEN ` + most + ` ELSE (
			SELECT least(count(DISTINCT i.contact_id), ` + most + `) FROM (` + some + `) p
			JOIN tenures t ON t.tenant_id = $1 AND t.id = p.tenure_id
			JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id) END)`
}

var (
	peopleUnread  = people(`p.unread`, `p.place DESC, p.tenure_id DESC`)
	peopleWaiting = people(`p.waiting_since IS NOT NULL`, `p.waiting_since, p.tenure_id`)
)

// CountInbox counts for the inbox.
func CountInbox(ctx context.Context, tx *tenants.Tx) (InboxCounts, error) {
	var n InboxCounts
	if err := tx.GetContext(ctx, &n, `
		SELECT `+peopleUnread+` AS unread, `+peopleWaiting+` AS waiting`, tx.Tenant); err != nil {
		return InboxCounts{}, fmt.Errorf("count conversations: %w", err)
	}

	return n, nil
}

// CountWaiting is how many people wait for an answer, at most MostCounted.
func CountWaiting(ctx context.Context, tx *tenants.Tx) (n int, err error) {
	if err := tx.GetContext(ctx, &n, `SELECT `+peopleWaiting, tx.Tenant); err != nil {
		return 0, fmt.Errorf("count who waits: %w", err)
	}

	return n, nil
}

// theirTips are the parts of the conversation with a contact, locked in one order.
const theirTips = `
	SELECT p.tenure_id, p.number_id FROM identities i
	JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
	JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id
	WHERE i.tenant_id = $1 AND i.contact_id = $2 `

// MarkRead notes that somebody of the business has the conversation with a contact before them.
func MarkRead(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		WITH theirs AS (`+theirTips+` AND p.unread ORDER BY p.tenure_id, p.number_id FOR UPDATE OF p)
		UPDATE thread_tips p SET unread = false FROM theirs w
		WHERE p.tenant_id = $1 AND p.tenure_id = w.tenure_id AND p.number_id = w.number_id`, tx.Tenant, contact); err != nil {
		return fmt.Errorf("mark conversation read: %w", err)
	}

	return nil
}

// MarkDone says that what a contact wrote last needs no answer, or, with done false, that it does after all. ErrNotFound where the
// tenant has no such contact.
func MarkDone(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contact uuid.UUID, done bool) error {
	c, err := identity.Get(ctx, tx, contact)
	if err != nil {
		return err
	}
	action, change := "conversation.done", `SET done_at = p.asked_at, waiting_since = NULL, unread = false`
	if !done {
		action = "conversation.reopen"
		change = `SET done_at = NULL, waiting_since = CASE WHEN p.asked_at > coalesce(p.answered_at, '-infinity') THEN p.asked_at END`
	}
	if _, err := tx.ExecContext(ctx, `
		WITH theirs AS (`+theirTips+` ORDER BY p.tenure_id, p.number_id FOR UPDATE OF p)
		UPDATE thread_tips p `+change+` FROM theirs w
		WHERE p.tenant_id = $1 AND p.tenure_id = w.tenure_id AND p.number_id = w.number_id`, tx.Tenant, c.ID); err != nil {
		return fmt.Errorf("mark conversation done: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: action, ObjectKind: "contact", ObjectID: c.ID.String()})
}

// State is how a conversation stands.
type State struct {
	Unread       bool
	WaitingSince time.Time // zero where nobody waits
	Assignee     uuid.UUID // uuid.Nil for nobody
}

// StateOf says how the conversation with a contact stands. The zero State where nothing was said.
func StateOf(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) (State, error) {
	var row struct {
		Unread  bool       `db:"unread"`
		Waiting *time.Time `db:"waiting_since"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT coalesce(bool_or(p.unread), false) AS unread, min(p.waiting_since) AS waiting_since
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id
		WHERE i.tenant_id = $1 AND i.contact_id = $2`, tx.Tenant, contact)
	if err != nil {
		return State{}, fmt.Errorf("read state of conversation: %w", err)
	}
	assignees, err := assigneesOf(ctx, tx, []uuid.UUID{contact})
	if err != nil {
		return State{}, err
	}
	s := State{Unread: row.Unread, Assignee: assignees[contact]}
	if row.Waiting != nil {
		s.WaitingSince = *row.Waiting
	}

	return s, nil
}
