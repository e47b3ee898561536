package usernames

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// KindOverdue is the kind of the job that tells people once a day by mail whose day has passed. Each tenant has one for ever.
const KindOverdue = "overdue"

// Overdues are the jobs that tell them.
var Overdues = tenants.Rota{Kind: KindOverdue, AtOnce: 8, Limit: 5 * time.Minute}

const overdueHour = 9 // in the tenant's zone

// NextOverdue ends the job of tx's tenant for today.
func NextOverdue(ctx context.Context, tx *tenants.Tx, now time.Time, zone *time.Location) error {
	at := now.In(zone)
	next := time.Date(at.Year(), at.Month(), at.Day(), overdueHour, 0, 0, 0, zone)
	if !next.After(now) {
		next = time.Date(at.Year(), at.Month(), at.Day()+1, overdueHour, 0, 0, 0, zone)
	}

	return Overdues.Next(ctx, tx, next)
}

// Untold are what a person of tx's tenant was to see to and has not, whose day has passed, and of which they were not told yet.
func Untold(ctx context.Context, tx *tenants.Tx, person uuid.UUID, now time.Time, zone *time.Location) ([]Task, error) {
	tasks, err := Tasks(ctx, tx, person)
	if err != nil {
		return nil, err
	}
	var untold []Task
	for _, t := range tasks {
		if !t.Told && Overdue(t.Due, now, zone) {
			untold = append(untold, t)
		}
	}

	return untold, nil
}

// Tell notes that a person was told of a task whose day has passed.
func Tell(ctx context.Context, tx *tenants.Tx, person uuid.UUID, t Task) error {
	query, key := `UPDATE number_usernames SET told_to = $3, told_on = due_on WHERE tenant_id = $1 AND number_id = $2::uuid`, t.Name.Number.ID.String()
	if t.Place != "" {
		query, key = `UPDATE kit_places SET told_to = $3, told_on = due_on WHERE tenant_id = $1 AND place = $2`, t.Place
	}
	if _, err := tx.ExecContext(ctx, query, tx.Tenant, key, person); err != nil {
		return fmt.Errorf("note who was told: %w", err)
	}

	return nil
}

// told tells whether a person was told that a day had passed.
func told(to uuid.NullUUID, on *time.Time, person uuid.UUID, due *time.Time) bool {
	return to.Valid && to.UUID == person && on != nil && due != nil && on.Equal(*due)
}
