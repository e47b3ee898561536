package answers

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// words are those of a card or macro: its key, and the version of the business's own words, 0 for the platform's. No macro has the key of a card.
type words struct {
	Key     string
	Version int
}

// check is that somebody of a business stood by words.
type check struct {
	Key     string    `db:"card"`
	Version int       `db:"version"`
	Base    string    `db:"base"` // digest of the platform's words beneath, as they then were
	By      string    `db:"by_name"`
	At      time.Time `db:"at"`
}

// checks are who last stood by which words in tx's tenant.
func checks(ctx context.Context, tx *tenants.Tx) (map[words]check, error) {
	var rows []check
	if err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT ON (card, version) card, version, base, by_name, at FROM answer_checks WHERE tenant_id = $1 ORDER BY card, version, at DESC`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list checks of answers: %w", err)
	}
	last := make(map[words]check, len(rows))
	for _, c := range rows {
		last[words{c.Key, c.Version}] = c
	}

	return last, nil
}

// Check notes that somebody looked at the version of a card that they saw, and its sources, and stands by it from now on.
func Check(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, key string, seen int, now time.Time) error {
	c, _, err := One(ctx, tx, key, now)
	if err != nil {
		return err
	}

	return note(ctx, tx, actor, "answer", words{key, c.Version}, seen, c.under)
}

// CheckMacro notes that somebody stands by the business's own words of a macro, in the version that they saw; ErrNotFound where it has none.
func CheckMacro(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, key string, seen int, now time.Time) error {
	m, err := MacroBy(ctx, tx, key, now)
	if err != nil {
		return err
	}
	if m.Version == 0 {
		return tenants.ErrNotFound
	}

	return note(ctx, tx, actor, "macro", words{key, m.Version}, seen, "")
}

// note keeps a check of a card or macro, whose current words were seen.
func note(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, kind string, of words, seen int, base string) error {
	if of.Version != seen {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make the id of a check: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO answer_checks (tenant_id, id, card, version, by_person, by_name, base) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.Tenant, id, of.Key, of.Version, actor.ID, actor.Name, base); err != nil {
		return fmt.Errorf("note the check of an answer: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: kind + ".check", ObjectKind: kind, ObjectID: of.Key, Detail: map[string]any{"version": of.Version},
	})
}
