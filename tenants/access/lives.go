package access

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// Grace is how long a closing business can be taken back, and its data exported.
	Grace = 7 * 24 * time.Hour
	// KindLife is the kind of job that tells a business's owners by mail where it stands now.
	KindLife = "tenant_life"

	maxReason = 1000 // characters
)

// Stopped says that a business's state does not let its API keys in.
type Stopped struct{ State string }

func (s *Stopped) Error() string { return "the business is " + s.State }

// Standing is a business that does not let a person of its in now.
type Standing struct {
	ID         uuid.UUID  `db:"id"`
	Name       string     `db:"name"`
	Role       string     `db:"role"`
	State      string     `db:"state"`
	Reason     string     `db:"state_reason"` // as whoever stopped it wrote it, "" where they wrote none
	Since      time.Time  `db:"state_since"`
	EraseAfter *time.Time `db:"erase_after"`
}

// ShutPlaces lists the businesses of a person that do not let them in, by name, in a System transaction.
func ShutPlaces(ctx context.Context, tx *tenants.Tx, m Member) ([]Standing, error) {
	var all []Standing
	err := tx.SelectContext(ctx, &all, `
		SELECT t.id, t.name, m.role, t.state, t.state_reason, t.state_since, t.erase_after
		FROM memberships m JOIN tenants t ON t.id = m.tenant_id
		WHERE m.person_id = $1 ORDER BY lower(t.name), t.id LIMIT 200`, m.Person.ID)
	if err != nil {
		return nil, fmt.Errorf("list businesses that are shut: %w", err)
	}

	return slices.DeleteFunc(all, func(s Standing) bool { return admits(s.State, s.Role) }), nil
}

// moves are the steps that an operator may take a business. From closing to erased only time leads.
var moves = map[string][]string{
	tenants.Active:    {tenants.Limited, tenants.Suspended, tenants.Closing},
	tenants.Limited:   {tenants.Active, tenants.Suspended, tenants.Closing},
	tenants.Suspended: {tenants.Active, tenants.Limited, tenants.Closing},
	tenants.Closing:   {tenants.Active, tenants.Limited, tenants.Suspended},
}

// Moves lists the states that an operator may put a business of a state in.
func Moves(state string) []string { return slices.Clone(moves[state]) }

// SetState puts tx's business into another state, for an operator. reason is for the owners, in their language: needed for every state
// but active. was is the state that the operator saw: Conflict "changed" where it is another by now. The owners are told by mail.
func SetState(ctx context.Context, tx *tenants.Tx, by Member, was, state, reason string) error {
	if !by.Can("op:write") {
		return fmt.Errorf("change the state of a business: %w", tenants.ErrForbidden)
	}
	reason = strings.TrimSpace(reason)
	if !slices.Contains(moves[was], state) {
		return &tenants.Invalid{Field: "state", Key: "choice"}
	}
	if state != tenants.Active && reason == "" {
		return &tenants.Invalid{Field: "reason", Key: "needed"}
	}

	return move(ctx, tx, by, []string{was}, state, reason, false)
}

// Close begins the end of tx's business, for an owner: from now on nothing goes out and nobody but owners gets in, and after Grace all of
// it is erased. typed is the business's name as the owner typed it to confirm, else the input is Invalid.
func Close(ctx context.Context, tx *tenants.Tx, by Member, typed string) error {
	if !by.Can("business:close") {
		return fmt.Errorf("close business: %w", tenants.ErrForbidden)
	}
	if strings.Join(strings.Fields(typed), " ") != strings.Join(strings.Fields(by.Tenant.Name), " ") {
		return &tenants.Invalid{Field: "confirm", Key: "confirm"}
	}

	return move(ctx, tx, by, []string{tenants.Active, tenants.Limited}, tenants.Closing, "", true)
}

// KeepOpen takes a closing of tx's business back that an owner began, for an owner: it is what it was before. One that an operator began,
// or that is over its grace, is Conflict "changed".
func KeepOpen(ctx context.Context, tx *tenants.Tx, by Member) error {
	if !by.Can("business:close") {
		return fmt.Errorf("keep business: %w", tenants.ErrForbidden)
	}

	var before struct {
		State  string `db:"state_before"`
		Reason string `db:"reason_before"`
	}
	if err := tx.GetContext(ctx, &before, `SELECT state_before, reason_before FROM tenants WHERE id = $1 FOR UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("read what the business was: %w", err)
	}
	if before.State == "" {
		return &tenants.Conflict{Code: "changed"}
	}

	return move(ctx, tx, by, []string{tenants.Closing}, before.State, before.Reason, false)
}

// move changes the state, and writes it into the business's own audit and, where an operator did it, the platform's. Out of a closing whose
// grace is over nothing leads: what is gone cannot be kept. owned: it is a closing that owners may take back to what the business is now.
func move(ctx context.Context, tx *tenants.Tx, by Member, from []string, to, reason string, owned bool) error {
	if len([]rune(reason)) > maxReason {
		return &tenants.Invalid{Field: "reason", Key: "too_long"}
	}
	if strings.ContainsRune(reason, 0) {
		return &tenants.Invalid{Field: "reason", Key: "bad_character"}
	}
	var before struct {
		State string `db:"state"`
		Over  bool   `db:"over"`
	}
	if err := tx.GetContext(ctx, &before, `
		SELECT state, state = 'closing' AND erase_after <= now() AS over FROM tenants WHERE id = $1 FOR UPDATE`, tx.Tenant); err != nil {
		return fmt.Errorf("lock business: %w", err)
	}
	if !slices.Contains(from, before.State) || before.Over {
		return &tenants.Conflict{Code: "changed"}
	}
	back := ""
	if owned {
		back = before.State
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE tenants
		SET state = $2, state_reason = $3, state_since = now(), state_by = $4, state_before = $6,
		    reason_before = CASE WHEN $6 <> '' THEN state_reason ELSE '' END,
		    erase_after = CASE WHEN $2 = 'closing' THEN now() + make_interval(secs => $5) END
		WHERE id = $1`, tx.Tenant, to, reason, by.Actor.Name, Grace.Seconds(), back); err != nil {
		return fmt.Errorf("change the state of a business: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args) VALUES (gen_random_uuid(), $1, $2, jsonb_build_object('state', $3::text))`, tx.Tenant, KindLife, to); err != nil {
		return fmt.Errorf("plan to tell the owners: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "tenant.state", ObjectKind: "tenant", ObjectID: tx.Tenant.String(),
		Detail: map[string]any{"before": before.State, "after": to},
	})
}

// Owners are the owners of tx's tenant with their language, whatever mails they want: for what they must know.
func Owners(ctx context.Context, tx *tenants.Tx) ([]Reader, error) {
	var list []Reader
	if err := tx.SelectContext(ctx, &list, `
		SELECT p.id, p.email, coalesce(p.lang, '') AS lang
		FROM memberships m JOIN people p ON p.id = m.person_id AND p.disabled_at IS NULL
		WHERE m.tenant_id = $1 AND m.role = 'owner' ORDER BY p.id LIMIT 100`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list owners: %w", err)
	}

	return list, nil
}
