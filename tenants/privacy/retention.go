package privacy

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/ingest"
)

// The classes of things that a business may let go after a while.
const (
	Raw      = "raw"      // the bytes that WhatsApp sent
	Messages = "messages" // what was said
	Aside    = "aside"    // what could not be processed
	Lists    = "lists"    // rows of lists that were taken in
	Looks    = "views"    // who saw whom
)

// Class is how long one class may be kept: at least Least days, so that what WhatsApp sends again is known. Usual is how long it is kept by a
// business that has not chosen.
type Class struct {
	Name  string
	Least int
	Usual int
}

// Classes are all of them in the order they are shown.
var Classes = []Class{{Raw, 30, 30}, {Messages, 90, 730}, {Aside, 30, 90}, {Lists, 7, 90}, {Looks, 365, 365}}

// Usual is how many days each class is kept as a rule.
func Usual() map[string]int {
	days := map[string]int{}
	for _, c := range Classes {
		days[c.Name] = c.Usual
	}

	return days
}

// Begin has a business that was just made keep things as is usual.
func Begin(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) error {
	return Keep(ctx, tx, actor, Usual())
}

// Kept is how many days a tenant keeps each class. One that is not in it is kept for good.
func Kept(ctx context.Context, tx *tenants.Tx) (map[string]int, error) {
	var rows []struct {
		Class string `db:"class"`
		Days  int    `db:"days"`
	}
	if err := tx.SelectContext(ctx, &rows, `SELECT class, days FROM retention WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("read retention: %w", err)
	}
	kept := map[string]int{}
	for _, r := range rows {
		kept[r.Class] = r.Days
	}

	return kept, nil
}

// Keep says how many days each class is kept; 0, or a class left out, is for good. What is older goes in the night that follows.
func Keep(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, days map[string]int) error {
	was, err := Kept(ctx, tx)
	if err != nil {
		return err
	}
	before, after := map[string]any{}, map[string]any{}
	for _, c := range Classes {
		n := days[c.Name]
		if n != 0 && (n < c.Least || n > 36500) {
			return &tenants.Invalid{Field: c.Name, Key: "keep_least"}
		}
		if n == was[c.Name] {
			continue
		}
		before[c.Name], after[c.Name] = was[c.Name], n
		if n == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM retention WHERE tenant_id = $1 AND class = $2`, tx.Tenant, c.Name)
		} else {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO retention (tenant_id, class, days, by_name) VALUES ($1, $2, $3, $4)
				ON CONFLICT (tenant_id, class) DO UPDATE SET days = excluded.days, by_name = excluded.by_name, at = now()`, tx.Tenant, c.Name, n, actor.Name)
		}
		if err != nil {
			return fmt.Errorf("keep retention of %s: %w", c.Name, err)
		}
	}
	if len(after) == 0 {
		return nil
	}
	if err := plan(ctx, tx, jobRetain, tx.Tenant, night(time.Now(), tx.Tenant)); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "privacy.keep", ObjectKind: "tenant", ObjectID: tx.Tenant.String(), Detail: map[string]any{"before": before, "after": after}})
}

// spread is how long the night is over which businesses take their turns.
const spread = 4 * time.Hour

// night is a business's next turn: at a time of its own, the same every night, from 20:30 UTC on. That is two in the night in India.
func night(now time.Time, tenant uuid.UUID) time.Time {
	turn := time.Duration(binary.BigEndian.Uint32(tenant[12:])) * time.Second % spread // the end of an id is random
	at := time.Date(now.Year(), now.Month(), now.Day(), 20, 30, 0, 0, time.UTC).Add(turn)
	for at.AddDate(0, 0, -1).After(now) {
		at = at.AddDate(0, 0, -1)
	}
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}

	return at
}

const (
	retainRows  = 200 // in one transaction
	retainLimit = 5 * time.Second
	retainPause = 20 * time.Millisecond // between two, for whoever else wants the database
)

// retain lets go what is older than a tenant keeps it, in small steps, and returns when to look again: soon while there is more, else the
// next night; never where all is kept. While a hold stands it removes nothing.
func (w *Worker) retain(ctx context.Context, tenant uuid.UUID) (next time.Time, err error) {
	var (
		kept map[string]int
		hold *Hold
	)
	if err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if kept, err = Kept(ctx, tx); err != nil {
			return err
		}
		hold, err = HoldOf(ctx, tx)
		return err
	}); err != nil || len(kept) == 0 {
		return time.Time{}, err
	}
	if hold != nil {
		return night(time.Now(), tenant), nil
	}

	gone, until := map[string]any{}, time.Now().Add(retainLimit)
	for _, c := range Classes {
		if kept[c.Name] == 0 {
			continue
		}
		total := 0
		for n := 1; n > 0; total += n {
			if time.Now().After(until) {
				return time.Now(), w.tellGone(ctx, tenant, gone, c.Name, total)
			}
			if total > 0 {
				pause(ctx, retainPause)
			}
			if n, err = w.letGo(ctx, tenant, c.Name, time.Now().AddDate(0, 0, -kept[c.Name])); err != nil {
				return time.Time{}, fmt.Errorf("let go %s: %w", c.Name, err)
			}
		}
		if total > 0 {
			gone[c.Name] = total
		}
	}

	return night(time.Now(), tenant), w.tellGone(ctx, tenant, gone, "", 0)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (w *Worker) tellGone(ctx context.Context, tenant uuid.UUID, gone map[string]any, class string, n int) error {
	if n > 0 {
		gone[class] = n
	}
	if len(gone) == 0 {
		return nil
	}

	return w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tenants.Audit(ctx, tx, tenants.Act{Actor: tenants.SystemActor, Action: "privacy.let_go", ObjectKind: "tenant", ObjectID: tenant.String(), Detail: gone})
	})
}

// letGo removes the next few of a class from before a time, and tells how many it was.
func (w *Worker) letGo(ctx context.Context, tenant uuid.UUID, class string, before time.Time) (n int, err error) {
	switch class {
	case Raw:
		return w.letGoRaw(ctx, tenant, before)
	case Aside:
		return w.letGoAside(ctx, tenant, before)
	}
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if hold, err := HoldOf(ctx, tx); err != nil || hold != nil {
			return err
		}
		switch class {
		case Messages:
			n, err = conversations.Expire(ctx, tx, before, retainRows)
		case Lists:
			n, err = imports.Expire(ctx, tx, before, retainRows)
		case Looks:
			n, err = expireViews(ctx, tx, before)
		}

		return err
	})

	return n, err
}

func expireViews(ctx context.Context, tx *tenants.Tx, before time.Time) (int, error) {
	done, err := tx.ExecContext(ctx, `
		DELETE FROM contact_views v USING (SELECT contact_id, day, viewer, how FROM contact_views WHERE tenant_id = $1 AND day < $2 LIMIT $3) o
		WHERE v.tenant_id = $1 AND v.contact_id = o.contact_id AND v.day = o.day AND v.viewer = o.viewer AND v.how = o.how`, tx.Tenant, before, retainRows)
	if err != nil {
		return 0, fmt.Errorf("forget who looked: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("forget who looked: %w", err)
	}

	return int(n), nil
}

// letGoAside lets go what was set aside so long ago. A hold that is set meanwhile waits for the few that are going.
func (w *Worker) letGoAside(ctx context.Context, tenant uuid.UUID, before time.Time) (int, error) {
	var hold *Hold
	err := w.db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		hold, err = HoldOf(ctx, tx)
		return err
	})
	if err != nil || hold != nil {
		return 0, err
	}

	return ingest.ExpireAside(ctx, w.db, w.keys, tenant, before, retainRows) //nolint:wrapcheck // it says what it did
}

// again is how far back letting go looks for bytes that were still waited for when it came by.
const again = 30 * 24 * time.Hour

func (w *Worker) letGoRaw(ctx context.Context, tenant uuid.UUID, before time.Time) (n int, err error) {
	var (
		from time.Time
		hold *Hold
	)
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if hold, err = HoldOf(ctx, tx); err != nil || hold != nil {
			return err
		}
		return tx.GetContext(ctx, &from, `SELECT coalesce(upto, '2000-01-01') FROM retention WHERE tenant_id = $1 AND class = 'raw'`, tenant)
	})
	if err != nil {
		return 0, fmt.Errorf("read how far letting go has come: %w", err)
	}
	if hold != nil {
		return 0, nil
	}
	n, last, err := ingest.Expire(ctx, w.db, w.keys, tenant, from.Add(-again), before, retainRows)
	if err != nil || n == 0 {
		return n, err
	}

	return n, w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE retention SET upto = greatest(upto, $2) WHERE tenant_id = $1 AND class = 'raw'`, tenant, last); err != nil {
			return fmt.Errorf("keep how far letting go has come: %w", err)
		}

		return nil
	})
}
