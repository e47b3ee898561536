package training

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// Asked are the questions of a quiz as they are asked now: those that were drawn, but where the only one that tempts at a gate was taken
// back, another that does stands in its place, the same each time. A quiz that is finished is as it was answered. ok is false where there
// is no such other: nobody could say of who passed that they keep the gate, so the quiz has to be drawn anew.
func Asked(ctx context.Context, tx *tenants.Tx, bank *content.Bank, q Quiz) (items []string, ok bool, err error) {
	if q.Finished || q.Kind != KindQuiz {
		return q.Items, true, nil
	}
	away, err := Withdrawn(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	retired, err := retiredFacts(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	items, ok = replaced(bank, q, away, retired)

	return items, ok, nil
}

func replaced(bank *content.Bank, q Quiz, away map[string]ItemAct, retired map[string]bool) (items []string, ok bool) {
	items = slices.Clone(q.Items)
	kept := map[string]bool{}
	for _, key := range items {
		if item, known := bank.Item(key); known && away[key].Item == "" {
			for _, gate := range item.Tempts() {
				kept[gate] = true
			}
		}
	}
	var pool []content.Item
	for _, item := range without(bank, away).Items {
		if !slices.Contains(items, item.ID) && !item.RestsOn(retired) {
			pool = append(pool, item)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(q.Seed), uint64(len(items))))
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	slices.SortStableFunc(pool, func(a, b content.Item) int { return cmp.Compare(other(a, q.Form), other(b, q.Form)) })

	for i, key := range items {
		item, known := bank.Item(key)
		if !known || away[key].Item == "" {
			continue
		}
		lost := slices.DeleteFunc(item.Tempts(), func(gate string) bool { return kept[gate] })
		if len(lost) == 0 {
			continue
		}
		at := slices.IndexFunc(pool, func(o content.Item) bool {
			return !slices.ContainsFunc(lost, func(gate string) bool { return !slices.Contains(o.Tempts(), gate) })
		})
		if at < 0 {
			return nil, false
		}
		items[i] = pool[at].ID
		for _, gate := range pool[at].Tempts() {
			kept[gate] = true
		}
		pool = slices.Delete(pool, at, at+1)
	}

	return items, true
}
