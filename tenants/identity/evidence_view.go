package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The kinds of Proof.
const (
	ProofMessage  = "message"  // one event of the customer named both (A1)
	ProofStatus   = "status"   // a status of our own message named both (A2)
	ProofRotation = "rotation" // WhatsApp said that one replaced the other (A3)
	ProofHint     = "hint"     // somebody's word; Code says which
	ProofTogether = "together" // a person decided that two are one
	ProofApart    = "apart"    // a person decided that two are not
	ProofNew      = "new"      // a person decided that this is somebody new
	ProofUsername = "username" // shown by WhatsApp for a while
	ProofName     = "profile_name"
	ProofEvent    = "event"         // another event of WhatsApp's named both (A1): a call, an echo, a group's list
	ProofHistory  = "history"       // a past chat named both (A1, weaker than anything live)
	ProofSaved    = "saved_name"    // the owner's own name for them
	ProofStop     = "stopped"       // they stopped marketing messages
	ProofResume   = "resumed"       // they allowed them again
	ProofSecurity = "security_code" // WhatsApp gave the account a new security code
)

// Proof is one fact that says who a contact is, or what they were called, with the events it rests on.
type Proof struct {
	Kind    string
	Code    string // of a hint: typed_number, card_request, card_other, rotation_prose; of a rotation: WhatsApp's type
	Tier    string // A, B, or "" for names and decisions
	From    time.Time
	Until   time.Time // last seen; of what happened once, From
	Handles []Handle  // the identifiers it speaks of; of a rotation the old ones
	Turned  []Handle  // of a rotation, the new ones
	Text    string    // of a name, as WhatsApp showed it
	By      string    // of a decision, the actor's id
	Undone  bool      // of a decision that was taken back
	Items   []int64   // the inbox items that carry it, first and last
}

// Handle names an identifier.
type Handle struct {
	Kind  whatsapp.Kind
	Value string // canonical
}

// Evidence is all that is known of who a contact is, newest first: what WhatsApp attested, what somebody said, what people
// decided, and the names WhatsApp showed. ErrNotFound where the tenant has no such contact.
func Evidence(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) ([]Proof, error) {
	c, err := Get(ctx, tx, contact)
	if err != nil {
		return nil, err
	}
	var held []uuid.UUID
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			held = append(held, d.ID)
		}
	}

	var proofs []Proof
	for _, read := range []func(context.Context, *tenants.Tx, []uuid.UUID) ([]Proof, error){attestedBy, namedInPast, rotatedBy, hintedBy, numbersGivenBy, decidedBy} {
		found, err := read(ctx, tx, held)
		if err != nil {
			return nil, err
		}
		proofs = append(proofs, found...)
	}
	names, err := namesOf(ctx, tx, idsOf(c.Identities))
	if err != nil {
		return nil, err
	}
	proofs = append(proofs, names...)
	ruled, err := ruledBy(ctx, tx, idsOf(c.Identities))
	if err != nil {
		return nil, err
	}
	proofs = append(proofs, ruled...)
	saved, err := savedBy(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	signals, err := signalledBy(ctx, tx, idsOf(c.Identities))
	if err != nil {
		return nil, err
	}
	proofs = append(append(proofs, saved...), signals...)
	slices.SortStableFunc(proofs, func(a, b Proof) int {
		return cmp.Or(b.Until.Compare(a.Until), b.From.Compare(a.From), cmp.Compare(a.Kind, b.Kind))
	})

	return proofs, nil
}

func attestedBy(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Source string        `db:"source"`
		From   time.Time     `db:"first_at"`
		Until  time.Time     `db:"last_at"`
		First  int64         `db:"first_item"`
		Last   int64         `db:"last_item"`
		BSUID  string        `db:"bsuid"`
		Kind   whatsapp.Kind `db:"kind"`
		Value  string        `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT p.source, p.first_at, p.last_at, p.first_item, p.last_item, b.value AS bsuid, o.kind, o.value
		FROM pairings p
		JOIN identifiers b ON b.tenant_id = $1 AND b.id = p.bsuid_id
		JOIN identifiers o ON o.tenant_id = $1 AND o.id = p.other_id
		WHERE p.tenant_id = $1 AND p.bsuid_id = ANY($2) AND p.other_id = ANY($2)
		ORDER BY p.last_at DESC LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read what was attested: %w", err)
	}

	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		kind, ok := map[string]string{string(whatsapp.KindMessage): ProofMessage, string(whatsapp.KindStatus): ProofStatus}[r.Source]
		if !ok {
			kind = ProofEvent
		}
		proofs[i] = Proof{
			Kind: kind, Tier: "A", From: r.From, Until: r.Until, Items: items(r.First, r.Last),
			Handles: []Handle{{whatsapp.KindBSUID, r.BSUID}, {r.Kind, r.Value}},
		}
	}

	return proofs, nil
}

func items(first, last int64) []int64 {
	if first == last {
		return []int64{first}
	}

	return []int64{first, last}
}

func rotatedBy(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Type     string    `db:"type"`
		At       time.Time `db:"at"`
		Item     int64     `db:"item_id"`
		OldPhone string    `db:"old_phone"`
		OldBSUID string    `db:"old_bsuid"`
		NewPhone string    `db:"new_phone"`
		NewBSUID string    `db:"new_bsuid"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT r.type, r.at, r.item_id, coalesce(op.value, '') AS old_phone, coalesce(ob.value, '') AS old_bsuid,
		       coalesce(np.value, '') AS new_phone, coalesce(nb.value, '') AS new_bsuid
		FROM rotations r
		LEFT JOIN identifiers op ON op.tenant_id = $1 AND op.id = r.old_phone
		LEFT JOIN identifiers ob ON ob.tenant_id = $1 AND ob.id = r.old_bsuid
		LEFT JOIN identifiers np ON np.tenant_id = $1 AND np.id = r.new_phone
		LEFT JOIN identifiers nb ON nb.tenant_id = $1 AND nb.id = r.new_bsuid
		WHERE r.tenant_id = $1 AND (r.old_bsuid = ANY($2) OR r.new_bsuid = ANY($2) OR r.new_phone = ANY($2)
		      OR r.old_phone = ANY($2) AND r.old_bsuid IS NULL)
		ORDER BY r.at DESC LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read rotations: %w", err)
	}

	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		proofs[i] = Proof{
			Kind: ProofRotation, Code: r.Type, Tier: "A", From: r.At, Until: r.At, Items: []int64{r.Item},
			Handles: handles(r.OldPhone, r.OldBSUID), Turned: handles(r.NewPhone, r.NewBSUID),
		}
	}

	return proofs, nil
}

func handles(phone, bsuid string) []Handle {
	var out []Handle
	if phone != "" {
		out = append(out, Handle{whatsapp.KindPhone, phone})
	}
	if bsuid != "" {
		out = append(out, Handle{whatsapp.KindBSUID, bsuid})
	}

	return out
}

func hintedBy(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Kind  string        `db:"kind"`
		Claim whatsapp.Kind `db:"claim_kind"`
		Value string        `db:"claim_value"`
		At    time.Time     `db:"at"`
		Item  int64         `db:"item_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT kind, claim_kind, claim_value, at, item_id FROM hints
		WHERE tenant_id = $1 AND subject_id = ANY($2) AND claim_kind <> 'external' ORDER BY at DESC LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read hints: %w", err)
	}

	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		proofs[i] = Proof{
			Kind: ProofHint, Code: r.Kind, Tier: tierOf(r.Kind), From: r.At, Until: r.At, Handles: []Handle{{r.Claim, r.Value}},
		}
		if r.Kind != hintImported {
			proofs[i].Items = []int64{r.Item}
		}
	}

	return proofs, nil
}

func decidedBy(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Kind   string         `db:"kind"`
		At     time.Time      `db:"decided_at"`
		By     string         `db:"actor_id"`
		Undone bool           `db:"undone"`
		AKind  whatsapp.Kind  `db:"a_kind"`
		AValue string         `db:"a_value"`
		BKind  *whatsapp.Kind `db:"b_kind"`
		BValue *string        `db:"b_value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT x.kind, x.decided_at, x.actor_id, x.revoked_at IS NOT NULL AS undone, a.kind AS a_kind, a.value AS a_value, b.kind AS b_kind, b.value AS b_value
		FROM decisions x
		JOIN identifiers a ON a.tenant_id = $1 AND a.id = x.a_id
		LEFT JOIN identifiers b ON b.tenant_id = $1 AND b.id = x.b_id
		WHERE x.tenant_id = $1 AND (x.a_id = ANY($2) OR x.b_id = ANY($2))
		ORDER BY x.decided_at DESC LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}

	kinds := map[string]string{"must_link": ProofTogether, "cannot_link": ProofApart, "is_new": ProofNew}
	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		proofs[i] = Proof{Kind: kinds[r.Kind], From: r.At, Until: r.At, By: r.By, Undone: r.Undone, Handles: []Handle{{r.AKind, r.AValue}}}
		if r.BKind != nil && r.BValue != nil {
			proofs[i].Handles = append(proofs[i].Handles, Handle{*r.BKind, *r.BValue})
		}
	}

	return proofs, nil
}

func namesOf(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) ([]Proof, error) {
	var proofs []Proof
	rows, err := tx.QueryxContext(ctx, `
		SELECT f.kind, f.value, min(f.first_seen), max(greatest(f.last_seen, f.first_seen))
		FROM tenures t JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = t.id
		WHERE t.tenant_id = $1 AND t.identity_id = ANY (ARRAY(SELECT unnest($2::uuid[])))
		GROUP BY f.kind, f.value ORDER BY max(f.last_seen) DESC LIMIT 200`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p Proof
		if err := rows.Scan(&p.Kind, &p.Text, &p.From, &p.Until); err != nil {
			return nil, fmt.Errorf("read names: %w", err)
		}
		proofs = append(proofs, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read names: %w", err)
	}

	return proofs, nil
}
