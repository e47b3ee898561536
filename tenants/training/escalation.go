package training

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// What may be passed on, and the rungs of the ladder within a business.
var (
	EscalationKinds = []string{"impersonation", "wrong_link", "data_request", "angry", "refund", "press", "other"}
	Levels          = []string{"L1", "L2", "L3"} // L0 is an answer that needs nobody above
)

const (
	maxReason       = 1000
	mostEscalations = 200 // listed
	closeOfDay      = 19  // o'clock, by when what is due the same day is due
)

// Escalation is something passed on to somebody above.
type Escalation struct {
	ID       uuid.UUID     `db:"id"`
	Kind     string        `db:"kind"`
	Level    string        `db:"level"`
	Contact  uuid.NullUUID `db:"contact_id"`
	Reason   string        `db:"reason"`
	Opener   string        `db:"opener"`
	OpenedAt time.Time     `db:"opened_at"`
	Owner    uuid.NullUUID `db:"owner_id"`
	OwnerIs  string        `db:"owner_name"` // empty for nobody yet
	DueAt    time.Time     `db:"due_at"`
	Outcome  string        `db:"outcome"`
	Lesson   string        `db:"lesson"`
	ClosedBy string        `db:"closed_by"`
	ClosedAt *time.Time    `db:"closed_at"`
}

// Overdue tells whether its clock has run out.
func (e Escalation) Overdue(now time.Time) bool { return e.ClosedAt == nil && now.After(e.DueAt) }

// clock is until when what reaches a level of the ladder now has to be settled: so many minutes, or the end of the day. What comes after
// closing time is due at the end of the next.
func clock(bank *content.Bank, level string, now time.Time, zone *time.Location) (time.Time, error) {
	for _, l := range bank.Ladder {
		if l.ID != level || !slices.Contains(Levels, level) {
			continue
		}
		if !l.SameDay {
			return now.Add(time.Duration(l.Minutes) * time.Minute), nil
		}
		at := now.In(zone)
		end := time.Date(at.Year(), at.Month(), at.Day(), closeOfDay, 0, 0, 0, zone)
		if !end.After(now) {
			end = end.AddDate(0, 0, 1)
		}

		return end, nil
	}

	return time.Time{}, &tenants.Invalid{Field: "level", Key: "choice"}
}

// NewEscalation is what somebody passes on.
type NewEscalation struct {
	Kind, Level, Reason string
	Contact             uuid.UUID // Nil for nobody in particular
}

// Escalate opens an escalation in tx's tenant and returns its id. Its clock begins now. Past the quota of
// open ones it is Conflict "too_many_escalations".
func Escalate(ctx context.Context, tx *tenants.Tx, bank *content.Bank, by tenants.Actor, in NewEscalation, now time.Time, zone *time.Location) (uuid.UUID, error) {
	if !slices.Contains(EscalationKinds, in.Kind) {
		return uuid.Nil, &tenants.Invalid{Field: "kind", Key: "choice"}
	}
	due, err := clock(bank, in.Level, now, zone)
	if err != nil {
		return uuid.Nil, err
	}
	reason, err := said("reason", in.Reason)
	if err != nil {
		return uuid.Nil, err
	}
	opener, err := uuid.Parse(by.ID)
	if err != nil {
		return uuid.Nil, fmt.Errorf("escalate as %s: %w", by.Kind, tenants.ErrForbidden)
	}
	if in.Contact != uuid.Nil {
		var known bool
		if err := tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT 1 FROM contacts WHERE tenant_id = $1 AND id = $2)`, tx.Tenant, in.Contact); err != nil {
			return uuid.Nil, fmt.Errorf("look for contact: %w", err)
		}
		if !known {
			return uuid.Nil, tenants.ErrNotFound
		}
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaEscalations); err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make escalation id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO escalations (tenant_id, id, kind, level, contact_id, reason, opened_by, opener, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		tx.Tenant, id, in.Kind, in.Level, uuid.NullUUID{UUID: in.Contact, Valid: in.Contact != uuid.Nil}, reason, opener, by.Name, due); err != nil {
		return uuid.Nil, fmt.Errorf("keep escalation: %w", err)
	}

	return id, audited(ctx, tx, by, "escalation.open", id, map[string]any{"kind": in.Kind, "level": in.Level})
}

// Take makes an open escalation somebody's own. Who is not of the team, an operator or one just removed, takes none: ErrForbidden.
func Take(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
	person, err := uuid.Parse(by.ID)
	if err != nil {
		return fmt.Errorf("take as %s: %w", by.Kind, tenants.ErrForbidden)
	}
	var member []bool
	if err := tx.SelectContext(ctx, &member, `SELECT true FROM memberships WHERE tenant_id = $1 AND person_id = $2 FOR KEY SHARE`, tx.Tenant, person); err != nil {
		return fmt.Errorf("look for member: %w", err)
	}
	if len(member) == 0 {
		return fmt.Errorf("take as one who is not of the team: %w", tenants.ErrForbidden)
	}
	if err := change(ctx, tx, id, `UPDATE escalations SET owner_id = $3, owner_name = $4 WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL`, person, by.Name); err != nil {
		return err
	}

	return audited(ctx, tx, by, "escalation.take", id, nil)
}

// Raise passes an open escalation on to another level: it is nobody's then, and its clock begins anew.
func Raise(ctx context.Context, tx *tenants.Tx, bank *content.Bank, by tenants.Actor, id uuid.UUID, level string, now time.Time, zone *time.Location) error {
	due, err := clock(bank, level, now, zone)
	if err != nil {
		return err
	}
	if err := change(ctx, tx, id, `
		UPDATE escalations SET level = $3, due_at = $4, owner_id = NULL, owner_name = '' WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL AND level <> $3`,
		level, due); err != nil {
		return err
	}

	return audited(ctx, tx, by, "escalation.raise", id, map[string]any{"level": level})
}

// Close ends an escalation with what came of it and, where there is one, what is to be learnt from it.
func Close(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID, outcome, lesson string) error {
	outcome, err := said("outcome", outcome)
	if err != nil {
		return err
	}
	if lesson = strings.TrimSpace(lesson); len([]rune(lesson)) > maxReason {
		return &tenants.Invalid{Field: "lesson", Key: "too_long"}
	}
	if err := change(ctx, tx, id, `
		UPDATE escalations SET outcome = $3, lesson = $4, closed_by = $5, closed_at = now() WHERE tenant_id = $1 AND id = $2 AND closed_at IS NULL`,
		outcome, lesson, by.Name); err != nil {
		return err
	}

	return audited(ctx, tx, by, "escalation.close", id, nil)
}

// change is one UPDATE of an escalation; Conflict "escalation_moved" where it is not there to be changed any more.
func change(ctx context.Context, tx *tenants.Tx, id uuid.UUID, update string, args ...any) error {
	if _, err := GetEscalation(ctx, tx, id); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, update, append([]any{tx.Tenant, id}, args...)...)
	if err != nil {
		return fmt.Errorf("change escalation: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, &tenants.Conflict{Code: "escalation_moved"})
	}

	return nil
}

func said(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", &tenants.Invalid{Field: field, Key: "required"}
	case len([]rune(text)) > maxReason:
		return "", &tenants.Invalid{Field: field, Key: "too_long"}
	}

	return text, nil
}

func audited(ctx context.Context, tx *tenants.Tx, by tenants.Actor, action string, id uuid.UUID, detail map[string]any) error {
	return tenants.Audit(ctx, tx, tenants.Act{Actor: by, Action: action, ObjectKind: "escalation", ObjectID: id.String(), Detail: detail})
}

const selectEscalation = `
	SELECT id, kind, level, contact_id, reason, opener, opened_at, owner_id, owner_name, due_at, outcome, lesson, closed_by, closed_at
	FROM escalations WHERE tenant_id = $1`

// GetEscalation is one of tx's tenant.
func GetEscalation(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Escalation, error) {
	var e Escalation
	err := tx.GetContext(ctx, &e, selectEscalation+` AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Escalation{}, tenants.ErrNotFound
	}
	if err != nil {
		return Escalation{}, fmt.Errorf("read escalation: %w", err)
	}

	return e, nil
}

// Escalations lists the open ones of tx's tenant, the most urgent first, or those that are closed, newest first; at most 200.
func Escalations(ctx context.Context, tx *tenants.Tx, open bool) ([]Escalation, error) {
	list := []Escalation{}
	query := selectEscalation + ` AND closed_at IS NOT NULL ORDER BY closed_at DESC, id LIMIT $2`
	if open {
		query = selectEscalation + ` AND closed_at IS NULL ORDER BY due_at, id LIMIT $2`
	}
	if err := tx.SelectContext(ctx, &list, query, tx.Tenant, mostEscalations); err != nil {
		return nil, fmt.Errorf("list escalations: %w", err)
	}

	return list, nil
}
