// Package trust is the page on which a business shows everybody its real numbers and usernames, and says how it uses theirs; and what
// people ask there. Whoever asks has proved nothing, and is told nothing of whether the business knows them.
package trust

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Prefix is where pages stand, each under the slug of its business.
const Prefix = "/t/"

// MaxUse is how long the text about the use of numbers may be, in characters.
const MaxUse = 1500

// Page is what a business shows. The zero value is off.
type Page struct {
	On        bool      `db:"is_on"`
	Numbers   []string  `db:"-"`      // ids of those it shows
	UseEN     string    `db:"use_en"` // how it uses people's numbers, in its own words
	UseHI     string    `db:"use_hi"`
	Asks      bool      `db:"asks"` // people may write to it here
	ChangedAt time.Time `db:"changed_at"`
	ChangedBy string    `db:"changed_by"`
}

// Use is the text in a language, or in the other where there is none; lang says which.
func (p Page) Use(want string) (text, lang string) {
	if want == "hi" && p.UseHI != "" || p.UseEN == "" {
		return p.UseHI, "hi"
	}

	return p.UseEN, "en"
}

// Shows tells whether a number is on the page.
func (p Page) Shows(number uuid.UUID) bool {
	for _, id := range p.Numbers {
		if id == number.String() {
			return true
		}
	}

	return false
}

// Get is the page of tx's tenant. One that was never set up is off, and takes requests once it is on.
func Get(ctx context.Context, tx *tenants.Tx) (Page, error) {
	var row struct {
		Page
		Shown pq.StringArray `db:"numbers"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT is_on, numbers, use_en, use_hi, asks, changed_at, changed_by FROM trust_pages WHERE tenant_id = $1`, tx.Tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return Page{Asks: true}, nil
	}
	if err != nil {
		return Page{}, fmt.Errorf("read trust page: %w", err)
	}
	row.Numbers = row.Shown

	return row.Page, nil
}

// Set keeps the page. To be on it needs a text, in either language.
func Set(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, p Page) error {
	p.UseEN, p.UseHI = strings.TrimSpace(p.UseEN), strings.TrimSpace(p.UseHI)
	switch {
	case utf8.RuneCountInString(p.UseEN) > MaxUse:
		return &tenants.Invalid{Field: "use_en", Key: "trust_long"}
	case utf8.RuneCountInString(p.UseHI) > MaxUse:
		return &tenants.Invalid{Field: "use_hi", Key: "trust_long"}
	case p.On && p.UseEN == "" && p.UseHI == "":
		return &tenants.Invalid{Field: "use_en", Key: "trust_text"}
	}
	ids := []uuid.UUID{}
	for _, typed := range p.Numbers {
		id, err := uuid.Parse(typed)
		if err != nil {
			return &tenants.Invalid{Field: "numbers", Key: "other"}
		}
		ids = append(ids, id)
	}
	var known int
	if err := tx.GetContext(ctx, &known, `SELECT count(*) FROM numbers WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(ids)); err != nil {
		return fmt.Errorf("look for numbers: %w", err)
	}
	if known != len(ids) {
		return tenants.ErrNotFound
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO trust_pages (tenant_id, is_on, numbers, use_en, use_hi, asks, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant_id) DO UPDATE
		SET is_on = excluded.is_on, numbers = excluded.numbers, use_en = excluded.use_en, use_hi = excluded.use_hi, asks = excluded.asks,
		    changed_at = now(), changed_by = excluded.changed_by`,
		tx.Tenant, p.On, pq.Array(ids), p.UseEN, p.UseHI, p.Asks, actor.Name); err != nil {
		return fmt.Errorf("keep trust page: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "trust.page", ObjectKind: "tenant", ObjectID: tx.Tenant.String(),
		Detail: map[string]any{"on": p.On, "numbers": len(ids), "asks": p.Asks},
	})
}

// Path is where the page of tx's tenant stands; ok is false while it is off.
func Path(ctx context.Context, tx *tenants.Tx) (path string, ok bool, err error) {
	var slug string
	err = tx.GetContext(ctx, &slug, `
		SELECT t.slug FROM trust_pages p JOIN tenants t ON t.id = p.tenant_id WHERE p.tenant_id = $1 AND p.is_on`, tx.Tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read path of trust page: %w", err)
	}

	return Prefix + slug, true, nil
}
