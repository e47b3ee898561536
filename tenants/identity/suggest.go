package identity

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// maxSuggested is how many people a case shows by name alone: more would be noise, and names never prove anything.
const maxSuggested = 3

// minSound is how many consonants one word must share to say anything: Meena and Mohan share two.
const minSound = 3

// Suggest adds to an open case the contacts whose names sound like its own, best first, each with how many others sound the
// same. A name only orders what a person looks at; it never links, opens a case or changes its kind.
func Suggest(ctx context.Context, tx *tenants.Tx, c Case) (Case, error) {
	if c.Contact == nil || c.State != "open" || c.Kind == CaseConflict {
		return c, nil
	}

	mine := map[string]string{} // sound → as written
	for _, i := range c.Contact.Identities {
		for _, w := range nameWords(i.ProfileName) {
			mine["s:"+clip(skeleton(w))] = w
		}
	}
	for _, w := range nameWords(c.Contact.DisplayName) {
		mine["s:"+clip(skeleton(w))] = w
	}
	sounds := make([]string, 0, len(mine))
	for s := range mine {
		if len(s) > len("s:")+1 {
			sounds = append(sounds, s)
		}
	}
	if len(sounds) == 0 {
		return c, nil
	}
	slices.Sort(sounds)

	except := []uuid.UUID{c.Contact.ID}
	for _, k := range c.Candidates {
		except = append(except, k.Contact.ID)
	}
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		Shared  int       `db:"shared"`
		Exact   int       `db:"exact"`
		Like    int       `db:"alike"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH alike AS (
			SELECT w.contact_id, count(DISTINCT w.word) AS shared
			FROM unnest($2::text[]) AS s (word)
			CROSS JOIN LATERAL (SELECT c.contact_id, c.word FROM contact_words c WHERE c.tenant_id = $1 AND c.word = s.word LIMIT 2000) w
			WHERE w.contact_id <> ALL($3)
			  AND EXISTS (SELECT 1 FROM contact_words p WHERE p.tenant_id = $1 AND p.contact_id = w.contact_id AND p.word >= 'p:' AND p.word < 'p;')
			GROUP BY w.contact_id
			HAVING count(DISTINCT w.word) > 1 OR max(length(w.word)) >= $7
		)
		SELECT a.contact_id, a.shared,
		       (SELECT count(*) FROM contact_words e WHERE e.tenant_id = $1 AND e.contact_id = a.contact_id AND e.word = ANY($4)) AS exact,
		       (SELECT count(*) FROM alike o WHERE o.shared = a.shared) AS alike
		FROM alike a
		WHERE NOT EXISTS (
			SELECT 1 FROM decisions x
			JOIN tenures ta ON ta.tenant_id = $1 AND ta.identifier_id = x.a_id
			JOIN tenures tb ON tb.tenant_id = $1 AND tb.identifier_id = x.b_id
			JOIN identities i ON i.tenant_id = $1 AND i.id IN (ta.identity_id, tb.identity_id) AND i.contact_id = a.contact_id
			WHERE x.tenant_id = $1 AND x.revoked_at IS NULL AND x.kind = 'cannot_link' AND $5 IN (ta.identity_id, tb.identity_id))
		ORDER BY a.shared DESC, exact DESC, a.contact_id LIMIT $6`,
		tx.Tenant, pq.Array(sounds), pq.Array(except), pq.Array(exactWords(mine)), *c.IdentityID, maxSuggested, len("s:")+minSound)
	if err != nil {
		return Case{}, fmt.Errorf("find names that sound alike: %w", err)
	}

	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.Contact
	}
	people, err := hydrate(ctx, tx, ids)
	if err != nil {
		return Case{}, err
	}
	for i, p := range people {
		c.Candidates = append(c.Candidates, Candidate{
			Contact: p, Tier: "C",
			Reasons: []Reason{{Code: "sounds_alike", Args: map[string]string{
				"mine": c.Contact.Name(), "theirs": p.Name(), "others": strconv.Itoa(rows[i].Like - 1),
			}}},
			Against: against(p, *c.Contact),
		})
	}

	return c, nil
}

func exactWords(mine map[string]string) []string {
	out := make([]string, 0, len(mine))
	for _, w := range mine {
		out = append(out, "n:"+clip(strings.ToLower(w)))
	}

	return out
}
