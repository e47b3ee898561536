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

// Evidence of another kind than hints: read from what is stored, never stored again.
const (
	signParent = "same_parent"  // A5: two portfolios' accounts carry one parent id
	signQuoted = "quoted_reply" // A6: answered a message that WhatsApp delivered to a phone
	signTapped = "tapped"       // A7: tapped a button of one
	signTwin   = "same_phone"   // writes from one phone to two portfolios
)

// quotedFor is how long after its delivery an answer to a message proves who got it; later it is a strong sign only.
const quotedFor = 90 * 24 * time.Hour

// sign is one piece of evidence that an account (the subject) is somebody known under another (the target).
type sign struct {
	Subject  uuid.UUID  `db:"subject_id"`
	Contact  *uuid.UUID `db:"contact_id"`
	Target   uuid.UUID  `db:"target_id"`
	Known    *uuid.UUID `db:"target_contact"` // the target's contact
	Together bool       `db:"together"`       // in one portfolio
	Kind     string     `db:"kind"`
	Via      string     `db:"via"`  // the phone or parent id that leads to the target
	At       time.Time  `db:"at"`   // when it was said
	Sent     *time.Time `db:"sent"` // of quoted and tapped: when the message had arrived
	Sure     bool       `db:"sure"`
	Shared   bool       `db:"shared"` // several people use that phone
	ItemID   int64      `db:"item_id"`
}

func (s sign) tier() string {
	tier := tierOf(s.Kind)
	if !s.Sure {
		tier = "B"
	}
	if s.Shared {
		tier = map[string]string{"A": "B", "B": "C"}[tier]
	}

	return tier
}

func (s sign) reason() Reason {
	at := s.At
	if s.Sent != nil {
		at = *s.Sent
	}

	return Reason{Code: s.Kind, Args: map[string]string{"via": s.Via, "at": at.UTC().Format(time.RFC3339)}, ItemID: s.ItemID, Tier: s.tier()}
}

// tierOf is the tier of a kind of evidence at its best (matching.md section 1).
func tierOf(kind string) string {
	switch kind {
	case hintCardRequest, signParent, signTwin, signQuoted, signTapped:
		return "A"
	default:
		return "B"
	}
}

// signsOf reads every sign about the given accounts, in an order that does not depend on when they came.
func signsOf(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) ([]sign, error) {
	if len(identities) == 0 {
		return nil, nil
	}

	var rows []sign
	err := tx.SelectContext(ctx, &rows, `
		WITH subject AS (
			SELECT i.id, i.scope, i.contact_id, t.id AS tenure_id, t.identifier_id
			FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.absorbed_into IS NULL
		), said AS (
			SELECT s.id, s.scope, s.contact_id, h.kind, h.claim_kind, h.claim_value AS via, h.item_id, h.at, ''::text AS not_scope
			FROM subject s JOIN hints h ON h.tenant_id = $1 AND h.subject_id = s.identifier_id
			UNION ALL
			SELECT s.id, s.scope, s.contact_id, '`+hintSaved+`', 'phone', e.phone, e.item_id, e.at, ''
			FROM subject s
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = s.identifier_id AND d.kind = 'bsuid'
			CROSS JOIN LATERAL (SELECT s.* FROM saved_contacts s WHERE s.tenant_id = $1 AND s.bsuid <> '' AND s.bsuid = d.value AND s.phone <> '' AND`+liveSaved+`) e
			JOIN numbers n ON n.tenant_id = $1 AND n.id = e.number_id AND n.scope = s.scope
			UNION ALL
			SELECT s.id, s.scope, s.contact_id, '`+signParent+`', d.kind, d.value, 0, t.first_seen, d.scope
			FROM subject s
			JOIN tenures t ON t.tenant_id = $1 AND t.id = s.tenure_id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = s.identifier_id AND d.kind = 'parent_bsuid'
		)
		SELECT x.id AS subject_id, x.contact_id, o.id AS target_id, o.contact_id AS target_contact, o.scope = x.scope AS together,
		       x.kind, x.via, x.at, NULL::timestamptz AS sent, true AS sure, x.item_id,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND p.phone = x.via) AS shared
		FROM said x
		JOIN identifiers d ON d.tenant_id = $1 AND d.kind = x.claim_kind AND d.value = x.via AND d.scope <> x.not_scope
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
		JOIN identities o ON o.tenant_id = $1 AND o.id = t.identity_id AND o.absorbed_into IS NULL AND o.id <> x.id
		UNION
		SELECT s.id, s.contact_id, o.id, o.contact_id, o.scope = s.scope,
		       CASE WHEN m.type IN ('button', 'interactive') THEN '`+signTapped+`' ELSE '`+signQuoted+`' END, d.value, m.at, min(a.at),
		       bool_or(m.at - a.at <= $3 * interval '1 second' AND NOT EXISTS (
		           SELECT 1 FROM rotations r WHERE r.tenant_id = $1 AND r.old_phone = d.id AND r.at > a.at)), m.item_id,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND p.phone = d.value)
		FROM subject s
		JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = s.tenure_id AND m.context_wamid <> '' AND m.direction = 'in' AND m.group_id = ''
		JOIN statuses a ON a.tenant_id = $1 AND a.number_id = m.number_id AND a.wamid = m.context_wamid AND a.status IN ('delivered', 'read', 'played')
		     AND a.participant = '00000000-0000-0000-0000-000000000000'
		JOIN tenures t ON t.tenant_id = $1 AND t.id = a.tenure_id
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'phone'
		JOIN identities o ON o.tenant_id = $1 AND o.id = t.identity_id AND o.absorbed_into IS NULL AND o.id <> s.id
		GROUP BY s.id, s.contact_id, o.id, o.contact_id, o.scope, s.scope, m.type, d.value, m.at, m.item_id
		ORDER BY subject_id, kind, via, at, target_id`, tx.Tenant, pq.Array(identities), quotedFor.Seconds())
	if err != nil {
		return nil, fmt.Errorf("read signs: %w", err)
	}

	return rows, nil
}

// touchQuoting marks who quoted a message in this batch, and those whose quoted messages turn out to have arrived.
func (b *Batch) touchQuoting(ctx context.Context) error {
	var (
		numbers []uuid.UUID
		wamids  []string
		writers []uuid.UUID
	)
	for i, s := range b.seen {
		switch {
		case makesContact(s.Event) && s.Event.ContextID != "" && s.phone == uuid.Nil && b.Placements[i].IdentityID != uuid.Nil:
			writers = append(writers, b.Placements[i].IdentityID)
		case s.Event.Kind == whatsapp.KindStatus && s.bsuid == uuid.Nil && s.phone != uuid.Nil:
			numbers, wamids = append(numbers, s.NumberID), append(wamids, s.Event.WAMID)
		}
	}
	if len(writers)+len(wamids) == 0 {
		return nil
	}

	var contacts []uuid.UUID
	err := b.tx.SelectContext(ctx, &contacts, `
		SELECT i.contact_id FROM identities i WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.contact_id IS NOT NULL
		UNION
		SELECT i.contact_id FROM unnest($3::uuid[], $4::text[]) AS w (number_id, wamid)
		JOIN messages m ON m.tenant_id = $1 AND m.context_wamid = w.wamid AND m.context_wamid <> '' AND m.number_id = w.number_id AND m.direction = 'in'
		JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL`,
		b.tx.Tenant, pq.Array(writers), pq.Array(numbers), pq.Array(wamids))
	if err != nil {
		return fmt.Errorf("find who quoted: %w", err)
	}
	for _, id := range contacts {
		b.contacts[id] = true
	}

	return nil
}
