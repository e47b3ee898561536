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

// InboxCounts is how many parts of conversations nobody has read, and in how many somebody waits for an answer, at most MostCounted.
type InboxCounts struct {
	Unread  int `db:"unread"`
	Waiting int `db:"waiting"`
}

// CountInbox counts for the navigation. The parts of one person's conversation count once each where they wrote by several accounts
// or to several numbers.
func CountInbox(ctx context.Context, tx *tenants.Tx) (InboxCounts, error) {
	var n InboxCounts
	most := strconv.Itoa(MostCounted) // in the statement, so that PostgreSQL keeps its plan: every page runs it
	err := tx.GetContext(ctx, &n, `
		SELECT (SELECT count(*) FROM (SELECT 1 FROM thread_tips WHERE tenant_id = $1 AND unread LIMIT `+most+`) u) AS unread,
		       (SELECT count(*) FROM (SELECT 1 FROM thread_tips WHERE tenant_id = $1 AND waiting_since IS NOT NULL LIMIT `+most+`) w) AS waiting`,
		tx.Tenant)
	if err != nil {
		return InboxCounts{}, fmt.Errorf("count conversations: %w", err)
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
