package access

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

const (
	// MostMinutes is how long an operator may be in a business at a time.
	MostMinutes = 60
	// KindSupport is the kind of job that tells a business's owners by mail that an operator asks to enter, or may enter by their standing leave.
	KindSupport = "support_asked"

	wishLife = 24 * time.Hour // of a wish until it is answered, and of a leave until it is used
)

// What has become of a wish to enter a business.
const (
	WishAsked   = "asked"
	WishDenied  = "denied"
	WishAllowed = "allowed" // and not used yet
	WishOn      = "on"
	WishOver    = "over" // ended, run out, or not answered or used in time
)

// Grant is an operator's wish to be in a business for a while, and the business's leave.
type Grant struct {
	ID        uuid.UUID  `db:"id"`
	Tenant    uuid.UUID  `db:"tenant_id"`
	Business  string     `db:"business"`
	Operator  string     `db:"operator_name"`
	Mine      bool       `db:"mine"` // of whoever looks
	Reason    string     `db:"reason"`
	Ticket    string     `db:"ticket"`
	Scope     string     `db:"scope"` // read or act
	Minutes   int        `db:"minutes"`
	State     string     `db:"state"` // one of Wish…
	AskedAt   time.Time  `db:"asked_at"`
	DecidedBy string     `db:"decided_by"`
	Standing  bool       `db:"standing"` // allowed by the business's standing leave
	EnteredAt *time.Time `db:"entered_at"`
	ExpiresAt *time.Time `db:"expires_at"`
	EndedAt   *time.Time `db:"ended_at"`
	EndedBy   string     `db:"ended_by"`
	Pages     int64      `db:"pages"` // they opened
}

// selectGrants reads wishes; $1 is the operator who looks.
const selectGrants = `
	SELECT g.id, g.tenant_id, t.name AS business, g.operator_name, g.operator_id = $1 AS mine, g.reason, g.ticket, g.scope, g.minutes, g.asked_at,
	       g.decided_by, g.standing, g.entered_at, g.expires_at, g.ended_at, g.ended_by,
	       CASE WHEN g.ended_at IS NOT NULL THEN 'over' WHEN g.allowed = false THEN 'denied'
	            WHEN g.entered_at IS NOT NULL THEN CASE WHEN g.expires_at > now() THEN 'on' ELSE 'over' END
	            WHEN g.good_until <= now() THEN 'over' WHEN g.allowed THEN 'allowed' ELSE 'asked' END AS state,
	       coalesce((SELECT sum(v.times) FROM support_views v WHERE v.tenant_id = g.tenant_id AND v.grant_id = g.id), 0) AS pages
	FROM support_grants g JOIN tenants t ON t.id = g.tenant_id`

// enterByGrant puts an operator into the tenant of a grant that is on, in a System transaction. One that is over leaves them outside.
func (m *Member) enterByGrant(ctx context.Context, tx *tenants.Tx, tenant, id uuid.UUID) error {
	m.Lapsed = true
	var g Grant
	err := tx.GetContext(ctx, &g, selectGrants+` WHERE g.tenant_id = $2 AND g.id = $3 AND g.operator_id = $1`, m.Person.ID, tenant, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (g.State != WishOn || m.Person.OperatorRole == "") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read leave: %w", err)
	}
	t, err := readTenant(ctx, tx, tenant)
	if err != nil || !tenants.Allows(t.State, tenants.Working) {
		return err
	}
	m.Lapsed, m.Tenant, m.Grant, m.Role = false, t, &g, OperatorReads
	if g.Scope == "act" {
		m.Role = OperatorActs
	}
	m.Actor.Name += " · " + g.Ticket

	return nil
}

// Wish is what an operator asks of a business.
type Wish struct {
	Slug    string // of the business
	Reason  string // 10 to 500 characters, for its owners to read
	Ticket  string // 1 to 60 characters
	Scope   string // read or act
	Minutes int    // 1 to MostMinutes
}

func (w *Wish) check() error {
	w.Reason, w.Ticket = strings.Join(strings.Fields(w.Reason), " "), strings.Join(strings.Fields(w.Ticket), " ")
	switch {
	case utf8.RuneCountInString(w.Reason) < 10:
		return &tenants.Invalid{Field: "reason", Key: "reason_short"}
	case utf8.RuneCountInString(w.Reason) > 500:
		return &tenants.Invalid{Field: "reason", Key: "too_long"}
	case w.Ticket == "":
		return &tenants.Invalid{Field: "ticket", Key: "needed"}
	case utf8.RuneCountInString(w.Ticket) > 60:
		return &tenants.Invalid{Field: "ticket", Key: "too_long"}
	case w.Scope != "read" && w.Scope != "act":
		return &tenants.Invalid{Field: "scope", Key: "choice"}
	case w.Minutes < 1 || w.Minutes > MostMinutes:
		return &tenants.Invalid{Field: "minutes", Key: "choice"}
	}

	return nil
}

// AskAccess asks a business to let an operator in, in a System transaction, and returns the wish. Where the business has given standing
// leave for as much, it is allowed at once. Either way its owners are told by mail. A business that is not open is Conflict "business_shut".
func AskAccess(ctx context.Context, tx *tenants.Tx, by Member, w Wish) (uuid.UUID, error) {
	if !by.Can("op:access") {
		return uuid.Nil, fmt.Errorf("ask for access: %w", tenants.ErrForbidden)
	}
	if err := w.check(); err != nil {
		return uuid.Nil, err
	}
	t, err := TenantBySlug(ctx, tx, w.Slug)
	if errors.Is(err, tenants.ErrNotFound) {
		return uuid.Nil, &tenants.Invalid{Field: "slug", Key: "no_business"}
	}
	if err != nil {
		return uuid.Nil, err
	}
	if !tenants.Allows(t.State, tenants.Working) {
		return uuid.Nil, &tenants.Conflict{Code: "business_shut"}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make wish id: %w", err)
	}

	// As it is now and until this is stored: an owner who takes it back ends what they find.
	if err := tx.GetContext(ctx, &t.Standing, `SELECT standing_access FROM tenants WHERE id = $1 FOR SHARE`, t.ID); err != nil {
		return uuid.Nil, fmt.Errorf("read standing leave: %w", err)
	}
	standing := t.Standing == "act" || t.Standing == w.Scope
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO support_grants (tenant_id, id, operator_id, operator_name, reason, ticket, scope, minutes, good_until, standing, allowed, decided_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(secs => $9), $10, CASE WHEN $10 THEN true END, CASE WHEN $10 THEN now() END)`,
		t.ID, id, by.Person.ID, by.Person.Name, w.Reason, w.Ticket, w.Scope, w.Minutes, wishLife.Seconds(), standing); err != nil {
		return uuid.Nil, fmt.Errorf("ask for access: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args) VALUES (gen_random_uuid(), $1, $2, jsonb_build_object('notice_id', $3::uuid))`, t.ID, KindSupport, id); err != nil {
		return uuid.Nil, fmt.Errorf("plan to tell the owners: %w", err)
	}
	detail := map[string]any{"ticket": w.Ticket, "scope": w.Scope, "minutes": w.Minutes, "standing": standing}
	act := tenants.Act{Actor: by.Actor, Action: "support.ask", ObjectKind: "tenant", ObjectID: t.ID.String(), Detail: detail}

	return id, inBoth(ctx, tx, t.ID, act)
}

// inBoth writes an act into the platform's audit and a business's own, in a System transaction, and leaves it in the business.
func inBoth(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID, act tenants.Act) error {
	if err := tenants.Audit(ctx, tx, act); err != nil {
		return err
	}
	tx, err := tx.Enter(ctx, tenant)
	if err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, act)
}

// Grants lists the newest wishes of all operators, in a System transaction, at most 100.
func Grants(ctx context.Context, tx *tenants.Tx, by Member) (list []Grant, err error) {
	if err := tx.SelectContext(ctx, &list, selectGrants+` ORDER BY g.asked_at DESC, g.id DESC LIMIT 100`, by.Person.ID); err != nil {
		return nil, fmt.Errorf("list wishes: %w", err)
	}

	return list, nil
}

// SupportGrants lists the newest wishes to enter tx's business, at most 100.
func SupportGrants(ctx context.Context, tx *tenants.Tx) (list []Grant, err error) {
	if err := tx.SelectContext(ctx, &list, selectGrants+` WHERE g.tenant_id = $2 ORDER BY g.asked_at DESC, g.id DESC LIMIT 100`, uuid.Nil, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list operators' access: %w", err)
	}

	return list, nil
}

// SupportGrant is one wish to enter tx's business.
func SupportGrant(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Grant, error) {
	var g Grant
	err := tx.GetContext(ctx, &g, selectGrants+` WHERE g.tenant_id = $2 AND g.id = $3`, uuid.Nil, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, tenants.ErrNotFound
	}
	if err != nil {
		return Grant{}, fmt.Errorf("read wish: %w", err)
	}

	return g, nil
}

// Decide answers a wish to enter tx's business, for an owner. One that is not open any more is Conflict "changed".
func Decide(ctx context.Context, tx *tenants.Tx, by Member, id uuid.UUID, allow bool) error {
	if !by.Can("support:manage") {
		return fmt.Errorf("answer a wish: %w", tenants.ErrForbidden)
	}
	g, err := SupportGrant(ctx, tx, id)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE support_grants SET allowed = $3, decided_at = now(), decided_by = $4, good_until = now() + make_interval(secs => $5)
		WHERE tenant_id = $1 AND id = $2 AND allowed IS NULL AND ended_at IS NULL AND good_until > now()`,
		tx.Tenant, id, allow, by.Actor.Name, wishLife.Seconds())
	if err != nil {
		return fmt.Errorf("answer a wish: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(&tenants.Conflict{Code: "changed"}, err)
	}
	act := tenants.Act{
		Actor: by.Actor, Action: "support.deny", ObjectKind: "support", ObjectID: id.String(),
		Detail: map[string]any{"operator": g.Operator, "ticket": g.Ticket, "scope": g.Scope, "minutes": g.Minutes},
	}
	if allow {
		act.Action = "support.allow"
	}

	return tenants.Audit(ctx, tx, act)
}

// EndSupport ends an operator's being in tx's business at once, for an owner or for that operator. What is over stays so.
func EndSupport(ctx context.Context, tx *tenants.Tx, by Member, id uuid.UUID) error {
	own := by.Grant != nil && by.Grant.ID == id
	if !own && !by.Can("support:manage") {
		return fmt.Errorf("end access: %w", tenants.ErrForbidden)
	}
	g, err := SupportGrant(ctx, tx, id)
	if err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE support_grants SET ended_at = now(), ended_by = $3 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL`, tx.Tenant, id, by.Person.Name)
	if err != nil {
		return fmt.Errorf("end access: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err //nolint:wrapcheck // lib/pq always knows
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "support.end", ObjectKind: "support", ObjectID: id.String(),
		Detail: map[string]any{"operator": g.Operator, "ticket": g.Ticket, "pages": g.Pages},
	})
}

// Enter takes an operator into a business that lets them in: a new session there that ends with the leave, the old one ended. It needs a
// System transaction. The clock starts with the first time. A wish that is no leave, or is over, is Conflict "changed", another
// operator's ErrNotFound.
func (s *Sessions) Enter(ctx context.Context, tx *tenants.Tx, m Member, id uuid.UUID, from Origin) (string, error) {
	if !m.Can("op:access") {
		return "", fmt.Errorf("enter a business: %w", tenants.ErrForbidden)
	}
	if err := lockPerson(ctx, tx, m.Person.ID); err != nil {
		return "", err
	}
	var g Grant
	err := tx.GetContext(ctx, &g, selectGrants+` WHERE g.id = $2 AND g.operator_id = $1 FOR UPDATE OF g`, m.Person.ID, id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", tenants.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read leave: %w", err)
	}
	t, err := readTenant(ctx, tx, g.Tenant)
	if err != nil {
		return "", err
	}
	if g.State != WishAllowed && g.State != WishOn || !tenants.Allows(t.State, tenants.Working) {
		return "", &tenants.Conflict{Code: "changed"}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE support_grants SET entered_at = now(), expires_at = now() + minutes * interval '1 minute'
		WHERE tenant_id = $1 AND id = $2 AND entered_at IS NULL`, g.Tenant, id); err != nil {
		return "", fmt.Errorf("enter a business: %w", err)
	}
	lived, err := end(ctx, tx, m)
	if err != nil {
		return "", err
	}
	if !lived {
		return "", ErrNoSession
	}
	token, hash, err := s.start(ctx, tx, m.Person.ID, g.Tenant, from, m.session)
	if err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE sessions SET grant_id = $2 WHERE id_hash = $1`, hash, id); err != nil {
		return "", fmt.Errorf("tie session to leave: %w", err)
	}

	return token, inBoth(ctx, tx, g.Tenant, tenants.Act{
		Actor: m.Actor, Action: "support.enter", ObjectKind: "tenant", ObjectID: g.Tenant.String(),
		Detail: map[string]any{"ticket": g.Ticket, "scope": g.Scope, "minutes": g.Minutes},
	})
}

// Leave takes an operator out of the business they are in, and ends the leave. It needs a System transaction.
func (s *Sessions) Leave(ctx context.Context, tx *tenants.Tx, m Member, from Origin) (string, error) {
	if m.Grant == nil {
		return "", tenants.ErrNotFound
	}
	if err := lockPerson(ctx, tx, m.Person.ID); err != nil {
		return "", err
	}
	lived, err := end(ctx, tx, m)
	if err != nil {
		return "", err
	}
	if !lived {
		return "", ErrNoSession
	}
	token, _, err := s.start(ctx, tx, m.Person.ID, uuid.Nil, from, m.session)
	if err != nil {
		return "", err
	}
	if tx, err = tx.Enter(ctx, m.Tenant.ID); err != nil {
		return "", err
	}

	return token, EndSupport(ctx, tx, m, m.Grant.ID)
}

// CountView counts a page that an operator opened in tx's business.
func CountView(ctx context.Context, tx *tenants.Tx, grant uuid.UUID, page string) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO support_views AS v (tenant_id, grant_id, page, times, last_at) VALUES ($1, $2, $3, 1, now())
		ON CONFLICT (tenant_id, grant_id, page) DO UPDATE SET times = v.times + 1, last_at = now()`, tx.Tenant, grant, page); err != nil {
		return fmt.Errorf("count page seen: %w", err)
	}

	return nil
}

// View is a page that an operator opened, by its route.
type View struct {
	Grant uuid.UUID `db:"grant_id"`
	Page  string    `db:"page"`
	Times int64     `db:"times"`
	Last  time.Time `db:"last_at"`
}

// Views lists what operators opened in tx's business in the last 30 days, the latest first, at most 200.
func Views(ctx context.Context, tx *tenants.Tx) (list []View, err error) {
	if err := tx.SelectContext(ctx, &list, `
		SELECT grant_id, page, times, last_at FROM support_views
		WHERE tenant_id = $1 AND last_at > now() - interval '30 days' ORDER BY last_at DESC LIMIT 200`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list pages seen: %w", err)
	}

	return list, nil
}
