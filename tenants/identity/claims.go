package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// A list that a business uploads claims that a handle is somebody's. A claim is never proof, so it takes no part in a derivation: it
// only makes a contact known before WhatsApp has said anything about the handle. An identifier nobody has spoken of is an account
// of its own anyway, and the evidence that comes later finds it there; what it then says is what it would have said without the list.

// Unplaced is the scope of handles that a list named before the business had connected a number. The first number gives them
// its own.
const Unplaced = "unplaced"

// Identifiers that WhatsApp has not shown yet carry these, so that the first sight of them counts whenever it comes.
var (
	neverFirst = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	neverLast  = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Known is what is known of a handle, in any portfolio.
type Known struct {
	Contacts []uuid.UUID // who has it now
	Former   bool        // somebody had it once, nobody has it now
}

// KnownHandles tells for each handle who has it. A WhatsApp ID that was replaced is still its account's.
func KnownHandles(ctx context.Context, tx *tenants.Tx, list []Handle) (map[Handle]Known, error) {
	known := map[Handle]Known{}
	kinds, values := columnsOfHandles(list)
	var rows []struct {
		Kind    whatsapp.Kind `db:"kind"`
		Value   string        `db:"value"`
		Current bool          `db:"current"`
		Contact *uuid.UUID    `db:"contact_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT d.kind, d.value, t.current OR d.kind <> 'phone' AS current, i.contact_id
		FROM unnest($2::text[], $3::text[]) AS w (kind, value)
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = w.kind AND d.value = w.value
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		ORDER BY i.contact_id`, tx.Tenant, pq.Array(kinds), pq.Array(values))
	if err != nil {
		return nil, fmt.Errorf("look handles up: %w", err)
	}

	held := map[Handle]bool{}
	for _, r := range rows {
		h := Handle{r.Kind, r.Value}
		k := known[h]
		held[h] = held[h] || r.Current
		if r.Current && r.Contact != nil && !slices.Contains(k.Contacts, *r.Contact) {
			k.Contacts = append(k.Contacts, *r.Contact)
		}
		known[h] = k
	}
	for h, k := range known {
		k.Former = !held[h]
		known[h] = k
	}

	return known, nil
}

func columnsOfHandles(list []Handle) (kinds, values []string) {
	for _, h := range list {
		kinds, values = append(kinds, string(h.Kind)), append(values, h.Value)
	}

	return kinds, values
}

// ExternalID is what the business's own system calls a customer: the system's name for the number, and the number.
type ExternalID struct{ System, Value string }

// KnownExternal tells who has each external id.
func KnownExternal(ctx context.Context, tx *tenants.Tx, list []ExternalID) (map[ExternalID][]uuid.UUID, error) {
	var systems, values, words []string
	for _, e := range list {
		systems, values, words = append(systems, e.System), append(values, e.Value), append(words, externalWord(e.Value))
	}
	var rows []struct {
		System  string    `db:"system"`
		Value   string    `db:"value"`
		Contact uuid.UUID `db:"contact_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH found AS MATERIALIZED ( -- before the contacts are looked at, also where the tables are new to the planner
			SELECT w.system, w.value, x.contact_id
			FROM unnest($2::text[], $3::text[], $4::text[]) AS w (system, value, word)
			JOIN contact_words x ON x.tenant_id = $1 AND x.word = w.word
		)
		SELECT f.system, f.value, c.id AS contact_id FROM found f
		JOIN contacts c ON c.tenant_id = $1 AND c.id = f.contact_id AND c.merged_into IS NULL AND c.external_ids ->> f.system = f.value
		ORDER BY c.id`, tx.Tenant, pq.Array(systems), pq.Array(values), pq.Array(words))
	if err != nil {
		return nil, fmt.Errorf("look external ids up: %w", err)
	}
	known := map[ExternalID][]uuid.UUID{}
	for _, r := range rows {
		e := ExternalID{r.System, r.Value}
		known[e] = append(known[e], r.Contact)
	}

	return known, nil
}

// Card is what the business itself says of a contact, and whether a phone of theirs is known.
type Card struct {
	DisplayName string
	ExternalIDs map[string]string
	HasPhone    bool
}

// Cards reads the cards of contacts that were not merged away.
func Cards(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]Card, error) {
	var rows []struct {
		ID          uuid.UUID       `db:"id"`
		DisplayName string          `db:"display_name"`
		ExternalIDs json.RawMessage `db:"external_ids"`
		HasPhone    bool            `db:"has_phone"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id, c.display_name, c.external_ids,
		       EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = c.id AND w.word >= 'p:' AND w.word < 'p;') AS has_phone
		FROM contacts c WHERE c.tenant_id = $1 AND c.id = ANY($2) AND c.merged_into IS NULL`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("read cards of contacts: %w", err)
	}
	cards := make(map[uuid.UUID]Card, len(rows))
	for _, r := range rows {
		c := Card{DisplayName: r.DisplayName, HasPhone: r.HasPhone}
		if err := json.Unmarshal(r.ExternalIDs, &c.ExternalIDs); err != nil {
			return nil, fmt.Errorf("read external ids: %w", err)
		}
		cards[r.ID] = c
	}

	return cards, nil
}

// Claim is somebody a list names, under a handle that nobody is known to have.
type Claim struct {
	Handle
	DisplayName string
	ExternalIDs map[string]string
}

// AddClaimed makes a contact for each claim and journals it as imported, for reason. It returns them in order. Where an account
// without a contact has the handle, the contact is that account's. The handles of one call must differ. Under Lock.
func AddClaimed(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, scope, reason string, claims []Claim) ([]uuid.UUID, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	list := make([]Handle, len(claims))
	for i, c := range claims {
		list[i] = c.Handle
	}
	identifiers, err := claimIdentifiers(ctx, tx, scope, list)
	if err != nil {
		return nil, err
	}
	accounts, err := claimAccounts(ctx, tx, scope, identifiers)
	if err != nil {
		return nil, err
	}

	contacts, names, external := make([]uuid.UUID, len(claims)), make([]string, len(claims)), make([]string, len(claims))
	links, proofs := make([]uuid.UUID, len(claims)), make([]string, len(claims))
	for i, c := range claims {
		contacts[i], names[i], links[i] = newID(), c.DisplayName, newID()
		if external[i], err = encodeExternal(c.ExternalIDs); err != nil {
			return nil, err
		}
		proof, err := json.Marshal(proofOfLink{Gained: identifiers[i : i+1]})
		if err != nil {
			return nil, fmt.Errorf("encode link proof: %w", err)
		}
		proofs[i] = string(proof)
	}
	for _, step := range []struct {
		what, statement string
		args            []any
	}{
		{
			"add contacts", `INSERT INTO contacts (tenant_id, id, display_name, external_ids)
			SELECT $1, w.id, w.name, w.external::jsonb FROM unnest($2::uuid[], $3::text[], $4::text[]) AS w (id, name, external)`,
			[]any{pq.Array(contacts), pq.Array(names), pq.Array(external)},
		},
		{
			"give identities their contacts", `UPDATE identities i SET contact_id = w.contact_id, home_contact = w.contact_id
			FROM unnest($2::uuid[], $3::uuid[]) AS w (id, contact_id) WHERE i.tenant_id = $1 AND i.id = w.id`,
			[]any{pq.Array(accounts), pq.Array(contacts)},
		},
		{
			"give cases their contacts", `UPDATE cases k SET contact_id = w.contact_id
			FROM unnest($2::uuid[], $3::uuid[]) AS w (id, contact_id)
			WHERE k.tenant_id = $1 AND k.identity_id = w.id AND k.contact_id IS NULL AND k.state = 'open'`,
			[]any{pq.Array(accounts), pq.Array(contacts)},
		},
		// Of somebody never heard of the list of contacts knows no time; they come after all who were.
		{
			"list contacts", `INSERT INTO contact_activity (tenant_id, contact_id, last_at) SELECT $1, w.id, $3 FROM unnest($2::uuid[]) AS w (id)`,
			[]any{pq.Array(contacts), neverLast},
		},
		{
			"journal import", `INSERT INTO links (tenant_id, id, kind, actor_kind, actor_id, actor_name, keep_contact, identity_id, evidence, reason)
			SELECT $1, w.id, 'imported', $6, $7, $8, w.contact_id, w.identity_id, w.evidence::jsonb, $9
			FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS w (id, contact_id, identity_id, evidence)`,
			[]any{pq.Array(links), pq.Array(contacts), pq.Array(accounts), pq.Array(proofs), actor.Kind, actor.ID, actor.Name, reason},
		},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, append([]any{tx.Tenant}, step.args...)...); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
	}

	waiting, err := speakingOf(ctx, tx, list)
	if err != nil {
		return nil, err
	}

	return contacts, SyncContacts(ctx, tx, slices.Concat(contacts, waiting))
}

func encodeExternal(ids map[string]string) (string, error) {
	if ids == nil {
		return "{}", nil
	}
	encoded, err := json.Marshal(ids)
	if err != nil {
		return "", fmt.Errorf("encode external ids: %w", err)
	}

	return string(encoded), nil
}

// claimIdentifiers makes sure that each handle has its identifier, marked as claimed, and returns them in order.
func claimIdentifiers(ctx context.Context, tx *tenants.Tx, scope string, list []Handle) ([]uuid.UUID, error) {
	ids := make([]uuid.UUID, len(list))
	for i := range list {
		ids[i] = newID()
	}
	kinds, values := columnsOfHandles(list)
	var rows []identifierRow
	err := tx.SelectContext(ctx, &rows, `
		INSERT INTO identifiers AS d (tenant_id, id, scope, kind, value, raw, first_seen, last_seen, claimed_at)
		SELECT $1, w.id, $5, w.kind, w.value, w.value, $6, $7, now() FROM unnest($2::uuid[], $3::text[], $4::text[]) AS w (id, kind, value)
		ON CONFLICT (tenant_id, kind, value, scope) DO UPDATE SET claimed_at = coalesce(d.claimed_at, now())
		RETURNING id, kind, value`, tx.Tenant, pq.Array(ids), pq.Array(kinds), pq.Array(values), scope, neverFirst, neverLast)
	if err != nil {
		return nil, fmt.Errorf("claim identifiers: %w", err)
	}
	for _, r := range rows {
		ids[slices.Index(list, Handle{r.Kind, r.Value})] = r.ID
	}

	return ids, nil
}

// claimAccounts returns the account that has each identifier, and makes one where nobody has.
func claimAccounts(ctx context.Context, tx *tenants.Tx, scope string, identifiers []uuid.UUID) ([]uuid.UUID, error) {
	held, err := tenuresOf(ctx, tx, identifiers)
	if err != nil {
		return nil, err
	}
	accounts := make([]uuid.UUID, len(identifiers))
	var fresh, anchors []uuid.UUID
	for i, id := range identifiers {
		for _, t := range held[id] {
			accounts[i] = t.IdentityID
		}
		if len(held[id]) == 0 {
			accounts[i] = newID()
			fresh, anchors = append(fresh, accounts[i]), append(anchors, id)
		}
	}
	if len(fresh) == 0 {
		return accounts, nil
	}

	if _, err := tx.ExecContext(ctx, `
		INSERT INTO identities (tenant_id, id, scope, anchor_id) SELECT $1, w.id, $4, w.anchor FROM unnest($2::uuid[], $3::uuid[]) AS w (id, anchor)`,
		tx.Tenant, pq.Array(fresh), pq.Array(anchors), scope); err != nil {
		return nil, fmt.Errorf("add claimed identities: %w", err)
	}
	var now time.Time
	if err := tx.GetContext(ctx, &now, `SELECT date_trunc('second', now())`); err != nil {
		return nil, fmt.Errorf("read the time: %w", err)
	}
	tenures := make([]tenure, len(fresh))
	for i := range fresh {
		tenures[i] = tenure{ID: newID(), IdentityID: fresh[i], IdentifierID: anchors[i], FirstSeen: now, LastSeen: now, Current: true}
	}

	return accounts, insertTenures(ctx, tx, tenures)
}

// speakingOf are the contacts of whom something said earlier speaks of these handles.
func speakingOf(ctx context.Context, tx *tenants.Tx, list []Handle) ([]uuid.UUID, error) {
	kinds, values := columnsOfHandles(list)
	var contacts []uuid.UUID
	err := tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT i.contact_id FROM unnest($2::text[], $3::text[]) AS w (kind, value)
		JOIN hints h ON h.tenant_id = $1 AND h.claim_kind = w.kind AND h.claim_value = w.value
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = h.subject_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL`, tx.Tenant, pq.Array(kinds), pq.Array(values))
	if err != nil {
		return nil, fmt.Errorf("find who speaks of handles: %w", err)
	}

	return contacts, nil
}

// AdoptUnplaced gives what lists named before any number was connected the scope of the first number.
func AdoptUnplaced(ctx context.Context, tx *tenants.Tx, scope string) error {
	var unplaced bool
	if err := tx.GetContext(ctx, &unplaced, `SELECT EXISTS (SELECT 1 FROM identities WHERE tenant_id = $1 AND scope = $2)`, tx.Tenant, Unplaced); err != nil {
		return fmt.Errorf("look for unplaced handles: %w", err)
	}
	if !unplaced {
		return nil
	}

	return WidenScope(ctx, tx, Unplaced, scope)
}
