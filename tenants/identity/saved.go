package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// liveSaved chooses, of alias s, the entries of the owner's address book that stand: not removed, and not removed later by the
// phone or WhatsApp ID alone.
const liveSaved = ` NOT s.removed AND NOT EXISTS (
	SELECT 1 FROM saved_contacts g
	WHERE g.tenant_id = $1 AND g.number_id = s.number_id AND g.removed AND (g.at, g.digest) > (s.at, s.digest)
	  AND (g.phone <> '' AND g.phone = s.phone OR g.bsuid <> '' AND g.bsuid = s.bsuid)) `

// recordSaved keeps the owner's address book: the last word on each entry by WhatsApp's clock. It makes nobody known and links
// nobody (edge case 88), so an entry stands under what it says and not under identifiers of ours.
func (b *Batch) recordSaved(ctx context.Context) error {
	type entry struct {
		number       uuid.UUID
		phone, bsuid string
	}
	last := map[entry]sighted{}
	for _, s := range b.seen {
		p := s.Event.Party
		e := entry{s.NumberID, p.Phone, p.BSUID}
		if s.Event.Kind != whatsapp.KindSync || p.Phone == "" && p.BSUID == "" {
			continue
		}
		if old, known := last[e]; !known || s.at.After(old.at) || s.at.Equal(old.at) && s.Event.Digest > old.Event.Digest {
			last[e] = s
		}
	}
	if len(last) == 0 {
		return nil
	}

	var (
		numbers                       []uuid.UUID
		phones, bsuids, names, digest []string
		removed                       []bool
		at                            []time.Time
		items                         []int64
	)
	for e, s := range last {
		numbers, phones, bsuids, names = append(numbers, e.number), append(phones, e.phone), append(bsuids, e.bsuid), append(names, clipName(s.Event.Text))
		digest, removed, at, items = append(digest, s.Event.Digest), append(removed, s.Event.Type == "remove"), append(at, s.at), append(items, s.ItemID)
	}
	if _, err := b.tx.ExecContext(ctx, `
		INSERT INTO saved_contacts AS s (tenant_id, number_id, phone, bsuid, name, removed, at, digest, item_id)
		SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[], $8::text[], $9::bigint[]) AS w
		ON CONFLICT (tenant_id, number_id, phone, bsuid) DO UPDATE
		SET name = excluded.name, removed = excluded.removed, at = excluded.at, digest = excluded.digest, item_id = excluded.item_id
		WHERE (excluded.at, excluded.digest) > (s.at, s.digest)`,
		b.tx.Tenant, pq.Array(numbers), pq.Array(phones), pq.Array(bsuids), pq.Array(names), pq.Array(removed), pq.Array(at), pq.Array(digest), pq.Array(items)); err != nil {
		return fmt.Errorf("keep saved contacts: %w", err)
	}

	return b.touchSaved(ctx, phones, bsuids, nil)
}

// answerSaved looks again at those whom an entry names beside a phone that is seen for the first time.
func (b *Batch) answerSaved(ctx context.Context) error {
	if len(b.newValues) == 0 {
		return nil
	}

	return b.touchSaved(ctx, nil, nil, b.newValues)
}

// touchSaved marks the contacts that hold what entries name, so that what they are found by and their cases are brought up to date.
func (b *Batch) touchSaved(ctx context.Context, phones, bsuids []string, values []uuid.UUID) error {
	var found []uuid.UUID
	err := b.tx.SelectContext(ctx, &found, `
		WITH named AS (
			SELECT 'phone' AS kind, unnest($2::text[]) AS value
			UNION SELECT 'bsuid', unnest($3::text[])
			UNION SELECT 'bsuid', s.bsuid FROM saved_contacts s WHERE s.tenant_id = $1 AND s.phone <> '' AND s.phone = ANY($2) AND s.bsuid <> ''
			UNION SELECT 'bsuid', s.bsuid FROM identifiers d
			      JOIN saved_contacts s ON s.tenant_id = $1 AND s.phone <> '' AND s.phone = d.value AND s.bsuid <> ''
			      WHERE d.tenant_id = $1 AND d.id = ANY($4) AND d.kind || '' = 'phone'
		)
		SELECT DISTINCT i.contact_id FROM named n
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = n.kind AND d.value = n.value
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE n.value <> '' AND EXISTS (SELECT 1 FROM saved_contacts WHERE tenant_id = $1)`, b.tx.Tenant, pq.Array(phones), pq.Array(bsuids), pq.Array(values))
	if err != nil {
		return fmt.Errorf("find who is in the address book: %w", err)
	}
	for _, id := range found {
		b.contacts[id] = true
	}

	return nil
}

const maxSavedName = 200

func clipName(name string) string {
	if runes := []rune(name); len(runes) > maxSavedName {
		return string(runes[:maxSavedName])
	}

	return name
}

// savedRow is an entry of the address book that names an account of a contact.
type savedRow struct {
	Contact  uuid.UUID `db:"contact_id"`
	Identity uuid.UUID `db:"identity_id"`
	Name     string    `db:"name"`
	Phone    string    `db:"phone"`
	BSUID    string    `db:"bsuid"`
	At       time.Time `db:"at"`
	ItemID   int64     `db:"item_id"`
}

// savedOf reads the standing entries about contacts, newest first: by WhatsApp ID, or by the phone they had when it was saved.
func savedOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) ([]savedRow, error) {
	var saved bool
	if err := tx.GetContext(ctx, &saved, `SELECT `+anySaved, tx.Tenant); err != nil {
		return nil, fmt.Errorf("look for saved contacts: %w", err)
	}
	if !saved {
		return nil, nil
	}

	return readSaved(ctx, tx, contacts)
}

// anySaved tells whether the tenant $1 shares an address book. Most do not, and to plan what readSaved asks takes longer than to answer it.
const anySaved = `EXISTS (SELECT 1 FROM saved_contacts WHERE tenant_id = $1)`

// readSaved is savedOf where there is an address book.
func readSaved(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) ([]savedRow, error) {
	var rows []savedRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT h.contact_id, h.identity_id, s.name, s.phone, s.bsuid, s.at, s.item_id
		FROM (SELECT i.contact_id, i.id AS identity_id, i.scope, d.kind, d.value, t.from_at, t.to_at
		      FROM identities i
		      JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		      JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind IN ('phone', 'bsuid')
		      WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL) h
		CROSS JOIN LATERAL (
			SELECT s.* FROM saved_contacts s WHERE h.kind = 'bsuid' AND s.tenant_id = $1 AND s.bsuid <> '' AND s.bsuid = h.value
			UNION ALL
			SELECT s.* FROM saved_contacts s WHERE h.kind = 'phone' AND s.tenant_id = $1 AND s.phone <> '' AND s.phone = h.value
			   AND (h.from_at IS NULL OR s.at >= h.from_at) AND (h.to_at IS NULL OR s.at < h.to_at)
			   AND (s.bsuid = '' OR NOT EXISTS (
			       SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'bsuid' AND d.value <> s.bsuid
			       WHERE t.tenant_id = $1 AND t.identity_id = h.identity_id))) s
		JOIN numbers n ON n.tenant_id = $1 AND n.id = s.number_id AND n.scope = h.scope
		WHERE`+liveSaved+`
		ORDER BY h.contact_id, s.at DESC, s.digest DESC`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("read saved contacts: %w", err)
	}

	return rows, nil
}

// savedBy are the owner's own entries about a contact, as proofs: the name they saved, and where they saved a WhatsApp ID beside
// a phone that is not known to be theirs, a hint.
func savedBy(ctx context.Context, tx *tenants.Tx, c Contact) ([]Proof, error) {
	rows, err := savedOf(ctx, tx, []uuid.UUID{c.ID})
	if err != nil {
		return nil, err
	}

	held := map[string]bool{}
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			held[d.Value] = true
		}
	}

	var proofs []Proof
	seen := map[string]bool{}
	for _, r := range rows {
		if r.Name != "" && !seen["name "+r.Name] {
			proofs = append(proofs, Proof{Kind: ProofSaved, Text: r.Name, From: r.At, Until: r.At, Items: []int64{r.ItemID}})
			seen["name "+r.Name] = true
		}
		if r.Phone != "" && r.BSUID != "" && !held[r.Phone] && !seen[r.Phone+" "+r.BSUID] {
			proofs = append(proofs, Proof{
				Kind: ProofHint, Code: hintSaved, Tier: tierOf(hintSaved), From: r.At, Until: r.At, Items: []int64{r.ItemID},
				Handles: []Handle{{whatsapp.KindPhone, r.Phone}, {whatsapp.KindBSUID, r.BSUID}},
			})
			seen[r.Phone+" "+r.BSUID] = true
		}
	}

	return proofs, nil
}
