package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// calledFor are the links that evidence of the given kinds calls for: of tier A, to one account alone, with nothing against it.
func calledFor(ctx context.Context, tx *tenants.Tx, kinds []string, subjects []uuid.UUID) ([]ruled, error) {
	if len(kinds) == 0 || len(subjects) == 0 {
		return nil, nil
	}
	signs, err := signsOf(ctx, tx, subjects)
	if err != nil {
		return nil, err
	}
	apart, err := ruledApart(ctx, tx, subjects)
	if err != nil {
		return nil, err
	}
	signs = slices.DeleteFunc(signs, func(s sign) bool {
		_, ruled := apart[[2]uuid.UUID{s.Subject, s.Target}]
		return ruled || s.tier() != "A" || !slices.Contains(kinds, s.Kind) || !s.Together
	})
	if signs, err = unopposed(ctx, tx, signs); err != nil {
		return nil, err
	}

	first := map[uuid.UUID]ruled{}
	torn := map[uuid.UUID]bool{}
	for _, s := range signs {
		r := ruled{Rule: s.Kind, Subject: s.Subject, Target: s.Target, At: s.At, sign: s}
		switch old, known := first[s.Subject]; {
		case known && old.Target != s.Target:
			torn[s.Subject] = true
		case !known || s.At.Before(old.At):
			first[s.Subject] = r
		}
	}
	byTarget := map[uuid.UUID]ruled{}
	for subject, r := range first {
		if torn[subject] {
			continue
		}
		if old, taken := byTarget[r.Target]; !taken || earlierClaim(r, old) {
			byTarget[r.Target] = r
		}
	}
	var called []ruled
	if slices.Contains(kinds, signParent) {
		if called, err = calledByParent(ctx, tx, subjects); err != nil {
			return nil, err
		}
	}
	for _, r := range byTarget {
		called = append(called, r)
	}
	slices.SortFunc(called, func(a, b ruled) int {
		return cmp.Or(bytes.Compare(a.Subject[:], b.Subject[:]), bytes.Compare(a.Target[:], b.Target[:]))
	})

	return called, nil
}

// bothAtOnce is how near to each other two accounts write something different to be probably two people (matching.md X2).
const bothAtOnce = 10 * time.Minute

// unopposed drops signs that something speaks against (matching.md X1, X2, X4): an account of the target's own in the portfolio, a phone of the subject's own, a number that is shared, silent for long, or no longer theirs, an open conflict,
// both writing at once.
func unopposed(ctx context.Context, tx *tenants.Tx, signs []sign) ([]sign, error) {
	if len(signs) == 0 {
		return nil, nil
	}
	var (
		subjects, targets []uuid.UUID
		vias              []string
		parents           []bool
		at                []time.Time
	)
	for _, s := range signs {
		subjects, targets, vias = append(subjects, s.Subject), append(targets, s.Target), append(vias, s.Via)
		parents, at = append(parents, s.Kind == signParent), append(at, s.At)
	}
	var still []int
	err := tx.SelectContext(ctx, &still, `
		SELECT w.n - 1 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::boolean[], $6::timestamptz[]) WITH ORDINALITY AS w (subject, target, via, parent, at, n)
		WHERE (w.parent OR EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.value = w.via
		                           WHERE t.tenant_id = $1 AND t.identity_id = w.target AND t.current))
		  AND NOT EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND p.phone = w.via)
		  AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.tenant_id = $1 AND c.identity_id IN (w.subject, w.target) AND c.kind = 'conflict' AND c.state = 'open')
		  AND (w.parent OR NOT EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'phone'
		                  WHERE t.tenant_id = $1 AND t.identity_id = w.subject))
		  AND (w.parent OR NOT EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'bsuid'
		                  WHERE t.tenant_id = $1 AND t.identity_id = w.target))
		  AND (w.parent OR (SELECT max(s.last_at) FROM tenures t CROSS JOIN seen(t) AS s
		                    WHERE t.tenant_id = $1 AND t.identity_id = w.target) >= w.at - $7 * interval '1 second')
		  AND NOT EXISTS (
			SELECT 1 FROM tenures a JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = a.id AND m.direction = 'in' AND NOT m.imported
			JOIN tenures b ON b.tenant_id = $1 AND b.identity_id = w.target
			JOIN messages o ON o.tenant_id = $1 AND o.tenure_id = b.id AND o.direction = 'in' AND NOT o.imported AND o.text <> m.text
			     AND o.at BETWEEN m.at - $8 * interval '1 second' AND m.at + $8 * interval '1 second'
			WHERE a.tenant_id = $1 AND a.identity_id = w.subject)
		ORDER BY w.n`,
		tx.Tenant, pq.Array(subjects), pq.Array(targets), pq.Array(vias), pq.Array(parents), pq.Array(at), silence, bothAtOnce.Seconds())
	if err != nil {
		return nil, fmt.Errorf("look for what speaks against: %w", err)
	}
	out := make([]sign, len(still))
	for i, n := range still {
		out[i] = signs[n]
	}

	return out, nil
}
