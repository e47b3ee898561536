package identity

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What was stored before a number kept no phones is cleaned by the functions below, some rows at a time. Each takes the rows after a
// key, returns that of the last ("" where there was none) and can be done again. All need Lock.

// HidePhones writes as tokens the phones of a number's scope that nothing but numbers which keep none has brought: not another number,
// not a list that the business uploaded. By the identifier's id.
func HidePhones(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID    uuid.UUID `db:"id"`
		Scope string    `db:"scope"`
		Value string    `db:"value"`
		Hide  bool      `db:"hide"`
	}
	err = tx.SelectContext(ctx, &rows, `
		WITH page AS MATERIALIZED (
			SELECT id, scope, kind, value, claimed_at FROM identifiers
			WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4
		)
		SELECT d.id, d.scope, d.value, d.scope = own.scope AND d.kind = 'phone' AND d.value !~ '^p:' AND d.claimed_at IS NULL
		  AND NOT EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id
		                  JOIN numbers n ON n.tenant_id = $1 AND n.id = m.number_id AND NOT n.phone_free
		                  WHERE t.tenant_id = $1 AND t.identifier_id = d.id)
		  AND NOT EXISTS (SELECT 1 FROM (SELECT s.item_id FROM sightings s WHERE s.tenant_id = $1 AND s.identifier_id = d.id
		                                 UNION ALL SELECT unnest(ARRAY[p.first_item, p.last_item]) FROM pairings p WHERE p.tenant_id = $1 AND p.other_id = d.id) e
		                  JOIN inbox_items i ON i.id = e.item_id JOIN numbers n ON n.tenant_id = $1 AND n.id = i.number_id AND NOT n.phone_free) AS hide
		FROM numbers own CROSS JOIN page d WHERE own.tenant_id = $1 AND own.id = $2 ORDER BY d.id`, tx.Tenant, number, after, limit, uuid.Nil)
	if err != nil {
		return "", fmt.Errorf("read phones to hide: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	last = rows[len(rows)-1].ID.String()

	var list []Renamed
	var phones, tokens []string
	for _, r := range rows {
		if !r.Hide {
			continue
		}
		token := h.Phone(r.Value)
		list = append(list, Renamed{ScopedPhone: ScopedPhone{r.Scope, r.Value}, To: token, Raw: token})
		phones, tokens = append(phones, r.Value), append(tokens, token)
	}
	if len(list) == 0 {
		return last, nil
	}
	if err := RenamePhones(ctx, tx, list); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `
		WITH gone AS (
			DELETE FROM shared_phones s USING unnest($2::text[], $3::text[]) AS w (phone, token)
			WHERE s.tenant_id = $1 AND s.phone = w.phone
			  AND NOT EXISTS (SELECT 1 FROM identifiers d WHERE d.tenant_id = $1 AND d.kind = 'phone' AND d.value = w.phone)
			RETURNING w.token, s.by_name
		)
		INSERT INTO shared_phones (tenant_id, phone, by_name) SELECT $1, token, by_name FROM gone ON CONFLICT DO NOTHING`,
		tx.Tenant, pq.Array(phones), pq.Array(tokens)); err != nil {
		return "", fmt.Errorf("hide shared phones: %w", err)
	}

	if _, err := tx.ExecContext(ctx, `
		DELETE FROM link_codes c WHERE c.tenant_id = $1 AND c.phone = ANY($2)
		  AND NOT EXISTS (SELECT 1 FROM identifiers d WHERE d.tenant_id = $1 AND d.kind = 'phone' AND d.value = c.phone)`,
		tx.Tenant, pq.Array(phones)); err != nil {
		return "", fmt.Errorf("drop codes for phones that are not kept: %w", err)
	}

	return last, nil
}

// HideNames takes phones out of what the holders of tenures called themselves. Two names that are one then are put together.
func HideNames(ctx context.Context, tx *tenants.Tx, tenures []uuid.UUID) error {
	var rows []struct {
		Tenure uuid.UUID `db:"tenure_id"`
		Kind   string    `db:"kind"`
		Value  string    `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT f.tenure_id, f.kind, f.value FROM profile_facts f WHERE f.tenant_id = $1 AND f.tenure_id = ANY($2)
		UNION ALL
		SELECT DISTINCT t.identifier_id, '', c.words FROM tenures t JOIN called c ON c.tenant_id = $1 AND c.identifier_id = t.identifier_id
		WHERE t.tenant_id = $1 AND t.id = ANY($2)
		ORDER BY 1, 2, 3`, tx.Tenant, pq.Array(tenures))
	if err != nil {
		return fmt.Errorf("read names to clean: %w", err)
	}
	changed := false
	for _, r := range rows {
		masked := whatsapp.MaskPhones(r.Value)
		if masked == r.Value {
			continue
		}
		changed = true
		statement, args := `
			WITH gone AS (DELETE FROM called WHERE tenant_id = $1 AND identifier_id = $2 AND words = $3 RETURNING first_at)
			INSERT INTO called AS c (tenant_id, identifier_id, words, first_at) SELECT $1, $2, $4, first_at FROM gone
			ON CONFLICT (tenant_id, identifier_id, words) DO UPDATE SET first_at = least(c.first_at, excluded.first_at)`,
			[]any{tx.Tenant, r.Tenure, r.Value, masked}
		if r.Kind != "" {
			statement, args = `
				WITH gone AS (DELETE FROM profile_facts WHERE tenant_id = $1 AND tenure_id = $2 AND kind = $5 AND value = $3 RETURNING first_seen, last_seen)
				INSERT INTO profile_facts AS f (tenant_id, tenure_id, kind, value, first_seen, last_seen)
				SELECT $1, $2, $5, $4, first_seen, last_seen FROM gone
				ON CONFLICT (tenant_id, tenure_id, kind, value) DO UPDATE
				SET first_seen = least(f.first_seen, excluded.first_seen), last_seen = greatest(f.last_seen, excluded.last_seen)`,
				append(args, r.Kind)
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("clean names: %w", err)
		}
	}
	if !changed {
		return nil
	}

	var contacts []uuid.UUID
	if err := tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT i.contact_id FROM tenures t JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE t.tenant_id = $1 AND t.id = ANY($2) ORDER BY i.contact_id`, tx.Tenant, pq.Array(tenures)); err != nil {
		return fmt.Errorf("find whose names were cleaned: %w", err)
	}

	return SyncContacts(ctx, tx, contacts)
}

// HideSaved takes phones out of the address book that a number's app shared. By what the entries stand under.
func HideSaved(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	phone, bsuid, _ := strings.Cut(after, " ")
	var rows []struct {
		Phone  string    `db:"phone"`
		BSUID  string    `db:"bsuid"`
		Name   string    `db:"name"`
		At     time.Time `db:"at"`
		Digest string    `db:"digest"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT phone, bsuid, name, at, digest FROM saved_contacts
		WHERE tenant_id = $1 AND number_id = $2 AND (phone, bsuid) > ($3, $4) AND phone !~ '^p:' ORDER BY phone, bsuid LIMIT $5`,
		tx.Tenant, number, phone, bsuid, limit); err != nil {
		return "", fmt.Errorf("read saved contacts to clean: %w", err)
	}
	for _, r := range rows {
		token := h.Phone(r.Phone)
		// Of an entry that came again since, the last word counts.
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM saved_contacts WHERE tenant_id = $1 AND number_id = $2 AND phone = $3 AND bsuid = $4 AND $3 <> $5 AND at < $6`,
			tx.Tenant, number, token, r.BSUID, r.Phone, r.At); err != nil {
			return "", fmt.Errorf("drop older saved contact: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			WITH gone AS (
				DELETE FROM saved_contacts WHERE tenant_id = $1 AND number_id = $2 AND phone = $3 AND bsuid = $4
				  AND EXISTS (SELECT 1 FROM saved_contacts o WHERE o.tenant_id = $1 AND o.number_id = $2 AND o.phone = $5 AND o.bsuid = $4 AND $5 <> $3)
				RETURNING 1
			)
			UPDATE saved_contacts SET phone = $5, name = $6, digest = $7
			WHERE tenant_id = $1 AND number_id = $2 AND phone = $3 AND bsuid = $4 AND NOT EXISTS (SELECT 1 FROM gone)`,
			tx.Tenant, number, r.Phone, r.BSUID, token, whatsapp.MaskPhones(r.Name), h.Digest(r.Digest)); err != nil {
			return "", fmt.Errorf("clean saved contact: %w", err)
		}
	}
	if len(rows) == 0 {
		return "", nil
	}

	return rows[len(rows)-1].Phone + " " + rows[len(rows)-1].BSUID, nil
}

// HideRotations takes the phone out of the ids of the messages by which WhatsApp spoke of changes to a number. By the rotation's id.
func HideRotations(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		WAMID  string    `db:"wamid"`
		Digest string    `db:"digest"`
		Hide   bool      `db:"hide"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		WITH page AS MATERIALIZED (
			SELECT id, wamid, digest, item_id FROM rotations
			WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4
		)
		SELECT r.id, r.wamid, r.digest, r.digest !~ '^p:' AND EXISTS (SELECT 1 FROM inbox_items i WHERE i.id = r.item_id AND i.number_id = $2) AS hide
		FROM page r ORDER BY r.id`,
		tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read rotations to clean: %w", err)
	}
	for _, r := range rows {
		if !r.Hide {
			continue
		}
		wamid, digest := h.WAMID(r.WAMID), h.Digest(r.Digest)
		if _, err := tx.ExecContext(ctx, `DELETE FROM rotations WHERE tenant_id = $1 AND wamid = $2 AND digest = $3`, tx.Tenant, wamid, digest); err != nil {
			return "", fmt.Errorf("drop repeat of rotation: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE rotations SET wamid = $3, digest = $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, r.ID, wamid, digest); err != nil {
			return "", fmt.Errorf("clean rotation: %w", err)
		}
	}
	if len(rows) == 0 {
		return "", nil
	}

	return rows[len(rows)-1].ID.String(), nil
}

// HideHints drops what people said by a number that holds a phone: a number they typed, and the phone on a card. By the hint's id.
func HideHints(ctx context.Context, tx *tenants.Tx, _ phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	var rows []struct {
		ID    uuid.UUID `db:"id"`
		Claim string    `db:"claim_kind"`
		Value string    `db:"claim_value"`
		Own   bool      `db:"own"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		WITH page AS MATERIALIZED (
			SELECT id, claim_kind, claim_value, item_id FROM hints
			WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4
		)
		SELECT h.id, h.claim_kind, h.claim_value, EXISTS (SELECT 1 FROM inbox_items i WHERE i.id = h.item_id AND i.number_id = $2) AS own
		FROM page h ORDER BY h.id`,
		tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read hints to clean: %w", err)
	}
	var gone []uuid.UUID
	for _, r := range rows {
		if r.Own && (r.Claim == string(whatsapp.KindPhone) || whatsapp.MaskPhones(r.Value) != r.Value) {
			gone = append(gone, r.ID)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM hints WHERE tenant_id = $1 AND id = ANY($2)`, tx.Tenant, pq.Array(gone)); err != nil {
		return "", fmt.Errorf("clean hints: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}

	return rows[len(rows)-1].ID.String(), nil
}

// written finds what may be a phone among the values that a case or a link keeps, and in what a case is about.
var written = regexp.MustCompile(`(^|[":])\+?(\d{8,15})([":]|$)`)

// HideCases takes phones out of what cases say of the evidence and are about, closed ones too: where the phone is hidden by now, and all
// where the case is about somebody who wrote to the number. By the case's id.
func HideCases(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	return hideWritten(ctx, tx, h, number, after, limit, `
		WITH page AS MATERIALIZED (
			SELECT id, candidates::text AS words, key, identity_id FROM cases
			WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4
		)`+scopedTo, `
		UPDATE cases SET candidates = $3::jsonb,
		       key = $4 || CASE WHEN EXISTS (SELECT 1 FROM cases o WHERE o.tenant_id = $1 AND o.key = $4 AND o.id <> $2) THEN ' ' || id ELSE '' END
		WHERE tenant_id = $1 AND id = $2`)
}

// HideLinks is HideCases for the journal of links.
func HideLinks(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error) {
	return hideWritten(ctx, tx, h, number, after, limit, `
		WITH page AS MATERIALIZED (
			SELECT id, evidence::text AS words, '' AS key, identity_id FROM links
			WHERE tenant_id = $1 AND id > coalesce(nullif($3, '')::uuid, $5) ORDER BY id LIMIT $4
		)`+scopedTo,
		`UPDATE links SET evidence = $3::jsonb WHERE tenant_id = $1 AND id = $2 AND $4::text IS NOT NULL`)
}

// scopedTo tells of each row of a page whether its account is of number $2's scope, and whether it wrote to, or was written to from, that
// number.
const scopedTo = `
		SELECT k.id, k.words, k.key, n.scope, i.scope IS NOT NULL AS within,
		       EXISTS (SELECT 1 FROM tenures t JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id AND p.number_id = $2
		               WHERE t.tenant_id = $1 AND t.identity_id = i.id) AS own
		FROM numbers n CROSS JOIN page k LEFT JOIN identities i ON i.tenant_id = $1 AND i.id = k.identity_id AND i.scope = n.scope
		WHERE n.tenant_id = $1 AND n.id = $2 ORDER BY k.id`

func hideWritten(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int, read, write string) (last string, err error) {
	var rows []struct {
		ID     uuid.UUID `db:"id"`
		Words  string    `db:"words"`
		Key    string    `db:"key"`
		Scope  string    `db:"scope"`
		Within bool      `db:"within"`
		Own    bool      `db:"own"`
	}
	if err := tx.SelectContext(ctx, &rows, read, tx.Tenant, number, after, limit, uuid.Nil); err != nil {
		return "", fmt.Errorf("read evidence to clean: %w", err)
	}
	if len(rows) == 0 {
		return "", nil
	}
	last = rows[len(rows)-1].ID.String()
	asked := map[ScopedPhone]bool{}
	for _, r := range rows {
		if !r.Within {
			continue
		}
		for _, phone := range slices.Concat(written.FindAllStringSubmatch(r.Words, -1), written.FindAllStringSubmatch(r.Key, -1)) {
			asked[ScopedPhone{r.Scope, h.Phone(phone[2])}] = true
		}
	}
	hidden, err := KnownPhones(ctx, tx, slices.Collect(maps.Keys(asked)))
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if !r.Within {
			continue
		}
		mask := func(text string) string {
			// Twice, for what ends one may begin the next.
			for range 2 {
				text = written.ReplaceAllStringFunc(text, func(found string) string {
					m := written.FindStringSubmatch(found)
					if token := h.Phone(m[2]); r.Own || hidden[ScopedPhone{r.Scope, token}] {
						return m[1] + token + m[3]
					}
					return found
				})
			}
			return text
		}
		words, key := mask(r.Words), mask(r.Key)
		if words == r.Words && key == r.Key {
			continue
		}
		if _, err := tx.ExecContext(ctx, write, tx.Tenant, r.ID, words, key); err != nil {
			return "", fmt.Errorf("clean evidence: %w", err)
		}
	}

	return last, nil
}
