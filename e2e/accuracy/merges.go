package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
)

// Pairs merged in one world at a time: at most so many, and no more than a quarter of the people.
const mostPairs = 250

// pair is a merge that was made.
type pair struct {
	keep, lose string
	link       string
}

// mergePairs merges random pairs of contacts through the API. Nobody is in two pairs.
func (c *customer) mergePairs(ctx context.Context, chance *rand.Rand, s *state) ([]pair, error) {
	ids := slices.Sorted(maps.Keys(s.contacts))
	chance.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var pairs []pair
	for i := 0; i+1 < len(ids) && len(pairs) < min(mostPairs, len(ids)/8); i += 2 {
		p := pair{keep: ids[i], lose: ids[i+1]}
		body, err := json.Marshal(map[string]string{"keep": p.keep, "lose": p.lose, "reason": "measured"})
		if err != nil {
			return nil, err
		}
		var made struct {
			Link string `json:"link_id"`
		}
		if err := c.call(ctx, http.MethodPost, "/merges", body, &made); err != nil {
			return nil, err
		}
		p.link = made.Link
		pairs = append(pairs, p)
	}

	return pairs, nil
}

// undo takes merges back in any order and counts those that the product refuses to take back, since WhatsApp has shown in the
// meantime that the two are one account.
func (c *customer) undo(ctx context.Context, chance *rand.Rand, pairs []pair, r *sameness) error {
	pairs = slices.Clone(pairs)
	chance.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	for _, p := range pairs {
		var undone map[string]any
		err := c.call(ctx, http.MethodPost, "/links/"+p.link+"/undo", []byte("{}"), &undone)
		var no *refusal
		if errors.As(err, &no) && no.Status == http.StatusConflict {
			r.Refused++
			r.only = append(r.only, "refused: "+no.Body)
			continue
		}
		if err != nil {
			return err
		}
	}

	return nil
}

// mergeAndUndo merges and undoes with nothing in between, and compares everything the API tells.
func (c *customer) mergeAndUndo(ctx context.Context, chance *rand.Rand, before *state, r *sameness) error {
	pairs, err := c.mergePairs(ctx, chance, before)
	if err != nil {
		return err
	}
	if err := c.undo(ctx, chance, pairs, r); err != nil {
		return err
	}
	after, err := c.export(ctx)
	if err != nil {
		return err
	}
	r.Pairs = len(pairs)
	r.compare(before, after)

	return nil
}
