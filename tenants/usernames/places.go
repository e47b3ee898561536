package usernames

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Places are where a business's name stands in print, in the order in which they are listed.
var Places = []string{"board", "bill", "packaging", "card", "google", "qr"}

// How far a place is.
const (
	PlaceToDo = "todo"
	PlaceDone = "done" // the real name stands there
	PlaceNone = "none" // the business has no such place
)

// Place is one of Places: who of the team sees to it, and by when.
type Place struct {
	Place string        `db:"place"`
	State string        `db:"state"` // one of Place…
	Owner uuid.NullUUID `db:"owner_id"`
	Due   *time.Time    `db:"due_on"`     // a day
	By    string        `db:"changed_by"` // who said so last; empty for nobody
	At    *time.Time    `db:"changed_at"`

	ToldTo uuid.NullUUID `db:"told_to"` // who was told that ToldOn had passed
	ToldOn *time.Time    `db:"told_on"`
}

// PrintPlaces are all of Places as tx's tenant has them.
func PrintPlaces(ctx context.Context, tx *tenants.Tx) ([]Place, error) {
	var rows []Place
	if err := tx.SelectContext(ctx, &rows, `
		SELECT place, state, owner_id, due_on, changed_by, changed_at, told_to, told_on FROM kit_places WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("list printed places: %w", err)
	}
	list := make([]Place, len(Places))
	for i, place := range Places {
		list[i] = Place{Place: place, State: PlaceToDo}
		if at := slices.IndexFunc(rows, func(p Place) bool { return p.Place == place }); at >= 0 {
			list[i] = rows[at]
		}
	}

	return list, nil
}

// SetPlace keeps how far a place is, who sees to it and by when. ErrNotFound for what is no place; Invalid "state", or "owner" for somebody who
// is not of the team.
func SetPlace(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, p Place) error {
	if !slices.Contains(Places, p.Place) {
		return tenants.ErrNotFound
	}
	if !slices.Contains([]string{PlaceToDo, PlaceDone, PlaceNone}, p.State) {
		return &tenants.Invalid{Field: "state", Key: "other"}
	}
	if err := ours(ctx, tx, p.Owner); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO kit_places (tenant_id, place, state, owner_id, due_on, changed_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, place) DO UPDATE
		SET state = excluded.state, owner_id = excluded.owner_id, due_on = excluded.due_on, changed_by = excluded.changed_by, changed_at = now()`,
		tx.Tenant, p.Place, p.State, p.Owner, p.Due, actor.Name); err != nil {
		return fmt.Errorf("keep printed place: %w", err)
	}

	detail := map[string]any{"place": p.Place, "progress": p.State}
	if p.Due != nil {
		detail["due"] = p.Due.Format(time.DateOnly)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.place", ObjectKind: "place", ObjectID: p.Place, Detail: detail,
	})
}

// Task is what somebody is to see to and has not finished: the username of a number, or a place.
type Task struct {
	Place  string // one of Places; empty for a username
	Name   Name   // of a username
	Due    *time.Time
	Wanted string // the name wanted; empty for none yet
	Told   bool   // they were told that the day has passed
}

// Tasks lists what a person of tx's tenant is to see to, the first due first and what has no day last.
func Tasks(ctx context.Context, tx *tenants.Tx, person uuid.UUID) ([]Task, error) {
	n, err := PlannedBy(ctx, tx, person)
	if err != nil || n == 0 {
		return nil, err
	}
	list, err := List(ctx, tx)
	if err != nil {
		return nil, err
	}
	places, err := PrintPlaces(ctx, tx)
	if err != nil {
		return nil, err
	}
	var tasks []Task
	for _, n := range list {
		if n.Plan.Owner.Valid && n.Plan.Owner.UUID == person && !n.Has.Holds() {
			tasks = append(tasks, Task{Name: n, Due: n.Plan.Due, Wanted: n.Plan.Wanted, Told: told(n.Plan.toldTo, n.Plan.toldOn, person, n.Plan.Due)})
		}
	}
	for _, p := range places {
		if p.Owner.Valid && p.Owner.UUID == person && p.State == PlaceToDo {
			tasks = append(tasks, Task{Place: p.Place, Due: p.Due, Told: told(p.ToldTo, p.ToldOn, person, p.Due)})
		}
	}
	slices.SortStableFunc(tasks, func(a, b Task) int {
		switch {
		case a.Due == nil && b.Due == nil:
			return 0
		case a.Due == nil:
			return 1
		case b.Due == nil:
			return -1
		}

		return a.Due.Compare(*b.Due)
	})

	return tasks, nil
}

// Overdue tells whether a day has passed where it is now. What has no day is never overdue.
func Overdue(due *time.Time, now time.Time, zone *time.Location) bool {
	return due != nil && due.Format(time.DateOnly) < now.In(zone).Format(time.DateOnly)
}

// ours refuses an owner who is not of the team. Whoever is just being removed gets nothing more.
func ours(ctx context.Context, tx *tenants.Tx, owner uuid.NullUUID) error {
	if !owner.Valid {
		return nil
	}
	var found []bool
	if err := tx.SelectContext(ctx, &found, `
		SELECT true FROM memberships WHERE tenant_id = $1 AND person_id = $2 FOR KEY SHARE`, tx.Tenant, owner.UUID); err != nil {
		return fmt.Errorf("look for the owner: %w", err)
	}
	if len(found) == 0 {
		return &tenants.Invalid{Field: "owner", Key: "member"}
	}

	return nil
}
