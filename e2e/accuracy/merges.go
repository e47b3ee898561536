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

// mergePairs merges random pairs of contacts through the API, and looks whether the two and nobody else are then one. Nobody is
// in two pairs.
func (c *customer) mergePairs(ctx context.Context, chance *rand.Rand, s *state, r *result) ([]pair, error) {
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
		err = c.call(ctx, http.MethodPost, "/merges", body, &made)
		var no *refusal
		if errors.As(err, &no) && no.Status == http.StatusConflict {
			// Both were there a moment ago: another merge took one of them.
			r.misjudged(map[string]any{"what": "cannot be merged", "keep": s.contacts[p.keep], "lose": s.contacts[p.lose], "answer": no.Body})
			continue
		}
		if err != nil {
			return nil, err
		}
		p.link = made.Link
		pairs = append(pairs, p)

		var one contact
		if err := c.get(ctx, "/contacts/"+p.keep, nil, &one); err != nil {
			return nil, err
		}
		c.unlisted(&one)
		both := append(slices.Clone(s.contacts[p.keep].Identities), s.contacts[p.lose].Identities...)
		right := one.canonical() == contact{DisplayName: one.DisplayName, Notes: one.Notes, ExternalIDs: one.ExternalIDs, Identities: both}.canonical()
		r.Merges.count(right)
		if !right {
			r.misjudged(map[string]any{"what": "wrong merge", "keep": s.contacts[p.keep], "lose": s.contacts[p.lose], "became": one})
		}
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

// mergeAndUndo merges and undoes with nothing in between, compares everything the API tells, and returns it.
func (c *customer) mergeAndUndo(ctx context.Context, chance *rand.Rand, before *state, r *result) (*state, error) {
	pairs, err := c.mergePairs(ctx, chance, before, r)
	if err != nil {
		return nil, err
	}
	if err := c.undo(ctx, chance, pairs, &r.Undo); err != nil {
		return nil, err
	}
	after, err := c.export(ctx)
	if err != nil {
		return nil, err
	}
	r.Undo.Pairs = len(pairs)
	r.Undo.compare(before, after)

	return after, nil
}
