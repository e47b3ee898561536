package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Words of contact_words begin with what they are, so that one index serves all: n: a name's word, s: how it sounds, u: a
// username, p: a phone, 4: its last four digits, b: a WhatsApp ID, x: what another system calls them.
const maxWord = 64

func wordsOf(names, usernames []string, handles []handle) []string {
	var words []string
	add := func(prefix, w string) {
		if w != "" {
			words = append(words, prefix+clip(w))
		}
	}
	for _, n := range names {
		for _, w := range nameWords(n) {
			add("n:", w)
			add("s:", skeleton(w))
		}
	}
	for _, u := range usernames {
		_, folded := whatsapp.Username(u)
		add("u:", folded)
	}
	for _, h := range handles {
		switch h.kind {
		case whatsapp.KindPhone:
			if whatsapp.IsHiddenPhone(h.value) {
				continue
			}
			add("p:", h.value)
			add("4:", h.value[len(h.value)-4:])
		default:
			words = append(words, "b:"+h.value)
		}
	}

	return words
}

func externalWord(id string) string { return "x:" + clip(strings.ToLower(strings.TrimSpace(id))) }

func clip(w string) string {
	if len(w) <= maxWord {
		return w
	}

	return strings.ToValidUTF8(w[:maxWord], "")
}

// syncWords writes anew the words of contacts whose names or identifiers may have changed, and returns those that did. A tombstone is
// not found by anything.
func syncWords(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) ([]string, error) {
	var rows []struct {
		Contact  uuid.UUID `db:"contact_id"`
		Kind     string    `db:"kind"`
		Value    string    `db:"value"`
		Existing bool      `db:"existing"`
	}
	// Contacts are read one by one by their key (OFFSET 0), which the planner does not choose while a business is new to it.
	err := tx.SelectContext(ctx, &rows, `
		WITH card AS MATERIALIZED (
			SELECT c.id, c.display_name, c.external_ids FROM (SELECT DISTINCT id FROM unnest($2::uuid[]) AS w (id)) w
			CROSS JOIN LATERAL (SELECT id, display_name, external_ids FROM contacts WHERE tenant_id = $1 AND id = w.id AND merged_into IS NULL OFFSET 0) c
		)
		SELECT i.contact_id, d.kind, d.value, false AS existing
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL
		UNION ALL
		SELECT i.contact_id, f.kind, f.value, false
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = t.id
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL
		UNION ALL
		SELECT c.id, 'name', c.display_name, false FROM card c WHERE c.display_name <> ''
		UNION ALL
		SELECT c.id, 'external', e.value, false FROM card c CROSS JOIN LATERAL jsonb_each_text(c.external_ids) e WHERE e.value <> ''
		UNION ALL
		SELECT w.contact_id, '', w.word, true FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = ANY($2)`,
		tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("read what contacts are found by: %w", err)
	}

	saved, err := savedOf(ctx, tx, contacts)
	if err != nil {
		return nil, err
	}

	type entry struct {
		contact uuid.UUID
		word    string
	}
	have, want := map[entry]bool{}, map[entry]bool{}
	for _, r := range rows {
		var words []string
		switch {
		case r.Existing:
			have[entry{r.Contact, r.Value}] = true
		case r.Kind == "external":
			words = []string{externalWord(r.Value)}
		case r.Kind == "username":
			words = wordsOf(nil, []string{r.Value}, nil)
		case r.Kind == "name" || r.Kind == "profile_name":
			words = wordsOf([]string{r.Value}, nil, nil)
		default:
			words = wordsOf(nil, nil, []handle{{kind: whatsapp.Kind(r.Kind), value: r.Value}})
		}
		for _, w := range words {
			want[entry{r.Contact, w}] = true
		}
	}

	for _, r := range saved {
		for _, w := range wordsOf([]string{r.Name}, nil, nil) {
			want[entry{r.Contact, w}] = true
		}
	}

	var addTo, dropFrom []uuid.UUID
	var add, drop []string
	for e := range want {
		if !have[e] {
			addTo, add = append(addTo, e.contact), append(add, e.word)
		}
	}
	for e := range have {
		if !want[e] {
			dropFrom, drop = append(dropFrom, e.contact), append(drop, e.word)
		}
	}
	if len(add) > 0 {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO contact_words (tenant_id, contact_id, word) SELECT $1, w.* FROM unnest($2::uuid[], $3::text[]) AS w`,
			tx.Tenant, pq.Array(addTo), pq.Array(add)); err != nil {
			return nil, fmt.Errorf("add search words: %w", err)
		}
	}
	if len(drop) > 0 {
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM contact_words c USING unnest($2::uuid[], $3::text[]) AS w (contact_id, word)
			WHERE c.tenant_id = $1 AND c.contact_id = w.contact_id AND c.word = w.word`,
			tx.Tenant, pq.Array(dropFrom), pq.Array(drop)); err != nil {
			return nil, fmt.Errorf("drop search words: %w", err)
		}
	}

	// How somebody is reached changes with their words; of who has none it may not be kept yet.
	now := map[uuid.UUID][]string{}
	for e := range want {
		now[e.contact] = append(now[e.contact], e.word)
	}
	reach := map[uuid.UUID]string{}
	for _, id := range slices.Concat(addTo, dropFrom) {
		reach[id] = reachBy(now[id])
	}
	for _, id := range contacts {
		if len(now[id]) == 0 {
			reach[id] = ReachNeither
		}
	}
	if err := syncReach(ctx, tx, reach); err != nil {
		return nil, err
	}

	return append(add, drop...), nil
}
