package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// Announcement is something operators tell all businesses, in both languages.
type Announcement struct {
	ID       uuid.UUID `db:"id"`
	EN       string    `db:"en"`
	HI       string    `db:"hi"`
	Audience string    `db:"audience"` // everybody, owners, or public: everybody, and whoever looks at the status page
	By       string    `db:"by_name"`
	At       time.Time `db:"at"`
	EndsAt   time.Time `db:"ends_at"`
	Over     bool      `db:"over"`
}

// MostDays is how long an announcement may stand.
const MostDays = 90

// Announce tells all businesses something for so many days, 1 to MostDays, in a System transaction.
func Announce(ctx context.Context, tx *tenants.Tx, by access.Member, en, hi, audience string, days int) error {
	if !by.Can("op:write") {
		return fmt.Errorf("announce: %w", tenants.ErrForbidden)
	}
	en, hi = strings.TrimSpace(en), strings.TrimSpace(hi)
	for field, text := range map[string]string{"en": en, "hi": hi} {
		switch {
		case text == "" || strings.ContainsRune(text, 0):
			return &tenants.Invalid{Field: field, Key: "needed"}
		case utf8.RuneCountInString(text) > 1000:
			return &tenants.Invalid{Field: field, Key: "too_long"}
		}
	}
	if audience != "everybody" && audience != "owners" && audience != "public" {
		return &tenants.Invalid{Field: "audience", Key: "choice"}
	}
	if days < 1 || days > MostDays {
		return &tenants.Invalid{Field: "days", Key: "choice"}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make announcement id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO announcements (id, en, hi, audience, by_name, ends_at) VALUES ($1, $2, $3, $4, $5, now() + make_interval(days => $6))`,
		id, en, hi, audience, by.Person.Name, days); err != nil {
		return fmt.Errorf("announce: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "announcement.add", ObjectKind: "announcement", ObjectID: id.String(), Detail: map[string]any{"audience": audience, "days": days},
	})
}

// EndAnnouncement takes an announcement down, in a System transaction.
func EndAnnouncement(ctx context.Context, tx *tenants.Tx, by access.Member, id uuid.UUID) error {
	if !by.Can("op:write") {
		return fmt.Errorf("end announcement: %w", tenants.ErrForbidden)
	}
	done, err := tx.ExecContext(ctx, `UPDATE announcements SET ends_at = now() WHERE id = $1 AND ends_at > now()`, id)
	if err != nil {
		return fmt.Errorf("end announcement: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(tenants.ErrNotFound, err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "announcement.end", ObjectKind: "announcement", ObjectID: id.String()})
}

// Announcements lists all, the newest first, at most 100, in a System transaction.
func Announcements(ctx context.Context, tx *tenants.Tx) ([]Announcement, error) {
	list := []Announcement{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT id, en, hi, audience, by_name, at, ends_at, ends_at <= now() AS over FROM announcements ORDER BY at DESC, id DESC LIMIT 100`); err != nil {
		return nil, fmt.Errorf("list announcements: %w", err)
	}

	return list, nil
}

// News lists what stands and m has not put away, the newest first, at most 3, in the tenant's transaction.
func News(ctx context.Context, tx *tenants.Tx, m access.Member) ([]Announcement, error) {
	list := []Announcement{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT a.id, a.en, a.hi, a.audience, a.by_name, a.at, a.ends_at, false AS over FROM announcements a
		WHERE a.ends_at > now() AND (a.audience <> 'owners' OR $3)
		  AND NOT EXISTS (SELECT 1 FROM announcements_read r WHERE r.tenant_id = $1 AND r.person_id = $2 AND r.announcement_id = a.id)
		ORDER BY a.at DESC, a.id DESC LIMIT 3`, tx.Tenant, m.Person.ID, m.Role == access.Owner); err != nil {
		return nil, fmt.Errorf("list news: %w", err)
	}

	return list, nil
}

// PutAway hides an announcement from m, in the tenant's transaction.
func PutAway(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO announcements_read (tenant_id, person_id, announcement_id) SELECT $1, $2, id FROM announcements WHERE id = $3
		ON CONFLICT (tenant_id, person_id, announcement_id) DO NOTHING`, tx.Tenant, m.Person.ID, id); err != nil {
		return fmt.Errorf("put announcement away: %w", err)
	}

	return nil
}
