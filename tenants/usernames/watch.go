package usernames

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// WatchStates are what somebody found who looked a name up: nobody has it, somebody else's honest name, somebody who pretends to be us,
// the same and reported to WhatsApp, the same and gone again.
var WatchStates = []string{"nobody", "harmless", "fake", "reported", "gone"}

const (
	watchReported = "reported"
	maxNote       = 1000
)

// Watched is a name that looks like ours, as somebody last looked it up.
type Watched struct {
	Name       string     `db:"name"`
	State      string     `db:"state"` // one of WatchStates
	Note       string     `db:"note"`
	By         string     `db:"by_name"`
	SeenAt     time.Time  `db:"seen_at"`
	ReportedAt *time.Time `db:"reported_at"` // when it was first reported
}

// Watch lists what has been looked up, newest first; there are no more than the quota.
func Watch(ctx context.Context, tx *tenants.Tx) ([]Watched, error) {
	list := []Watched{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT name, state, note, by_name, seen_at, reported_at FROM username_watch
		WHERE tenant_id = $1 ORDER BY seen_at DESC, id LIMIT $2`, tx.Tenant, tenants.QuotaWatched.Most()); err != nil {
		return nil, fmt.Errorf("list watched names: %w", err)
	}

	return list, nil
}

// Note keeps what somebody found under a name, in place of what was found before. Note text is up to 1000 characters.
// A name more than the quota is Conflict "too_many_watched".
func Note(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, name, state, note string) error {
	if name = Fold(name); len(Check(name)) > 0 {
		return wrong("name", name)
	}
	note = strings.TrimSpace(note)
	switch {
	case !slices.Contains(WatchStates, state):
		return &tenants.Invalid{Field: "state", Key: "other"}
	case utf8.RuneCountInString(note) > maxNote:
		return &tenants.Invalid{Field: "note", Key: "too_long"}
	}
	var again bool
	if err := tx.GetContext(ctx, &again, `SELECT EXISTS (SELECT 1 FROM username_watch WHERE tenant_id = $1 AND name = $2)`, tx.Tenant, name); err != nil {
		return fmt.Errorf("look for what was found before: %w", err)
	}
	if !again {
		if err := tenants.Within(ctx, tx, tenants.QuotaWatched); err != nil {
			return err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO username_watch AS w (tenant_id, id, name, state, note, by_name, reported_at)
		VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $4 = $7 THEN now() END)
		ON CONFLICT ON CONSTRAINT username_watch_name DO UPDATE
		SET state = excluded.state, note = excluded.note, by_name = excluded.by_name, seen_at = now(),
		    reported_at = coalesce(w.reported_at, excluded.reported_at)`,
		tx.Tenant, id, name, state, note, actor.Name, watchReported); err != nil {
		return fmt.Errorf("keep what was found: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.watch", ObjectKind: "username", ObjectID: name, Detail: map[string]any{"username": name, "state": state},
	})
}
