package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
)

const (
	mergeMessages = 100_000 // of each of the two
	mergeRounds   = 40
	mergePeople   = 700_000_000 // seeded people from here on
)

// benchMerge measures merging two contacts and taking it back, with many messages each and beside it with one.
func benchMerge(ctx context.Context, p *place, t *table) error {
	b := p.businesses[3]
	for i, messages := range []int{1, mergeMessages} {
		first := mergePeople + 10*i
		if err := p.seedPeople(ctx, b, first, first+1); err != nil {
			return err
		}
		if err := p.seedMessages(ctx, b, first, first+1, messages); err != nil {
			return err
		}
		if err := p.analyze(ctx); err != nil {
			return err
		}
		keep, lose := seededContact(first), seededContact(first+1)
		var merges, undos []time.Duration
		for range mergeRounds {
			merge, undo, err := p.mergeAndUndo(ctx, b, keep, lose)
			if err != nil {
				return err
			}
			merges, undos = append(merges, merge), append(undos, undo)
		}
		slices.Sort(merges)
		slices.Sort(undos)
		t.line(fmt.Sprintf("merge, %d messages each", messages), fmt.Sprintf("p50 %s, p95 %s", milliseconds(quantile(merges, 0.5)), milliseconds(quantile(merges, 0.95))))
		t.line(fmt.Sprintf("undo, %d messages each", messages), fmt.Sprintf("p50 %s, p95 %s", milliseconds(quantile(undos, 0.5)), milliseconds(quantile(undos, 0.95))))
	}

	return nil
}

func (p *place) mergeAndUndo(ctx context.Context, b business, keep, lose uuid.UUID) (merge, undo time.Duration, err error) {
	ctx = tenants.Often(ctx) // as a request's is
	actor := access.Command("bench").Actor
	var link uuid.UUID
	begun := time.Now()
	err = p.db.As(ctx, b.tenant, func(tx *tenants.Tx) (err error) {
		link, err = identity.Merge(ctx, tx, actor, identity.MergeInput{Keep: keep, Lose: lose, Reason: "bench", MayRisk: true})
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	merge, begun = time.Since(begun), time.Now()
	err = p.db.As(ctx, b.tenant, func(tx *tenants.Tx) error {
		_, err := identity.Undo(ctx, tx, actor, link, true)
		return err
	})

	return merge, time.Since(begun), err
}

// seededContact is the id of a seeded person's contact, seededCase that of their case.
func seededContact(person int) uuid.UUID { return seeded(4, person) }
func seededCase(person int) uuid.UUID    { return seeded(9, person) }

// seeded is seed_id.
func seeded(kind, person int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("01900000%08x80008000%08x", person, kind))
}
