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
	signListed = "listed_phone" // B5: a list says that the phone is theirs which writes to another portfolio
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
	// Of a parent id, the portfolios of the two.
	SubjectScope string     `db:"subject_scope"`
	TargetScope  string     `db:"target_scope"`
	Kind         string     `db:"kind"`
	Via          string     `db:"via"`    // the phone or parent id that leads to the target
	At           time.Time  `db:"at"`     // when it was said
	Sent         *time.Time `db:"sent"`   // of quoted and tapped: when the message went out or had arrived, whichever WhatsApp told of first
	Sure         bool       `db:"sure"`   // else B: matching.md A6, A7
	Shared       bool       `db:"shared"` // several people use that phone
	ItemID       int64      `db:"item_id"`
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
	case hintCardRequest, hintCode, signParent, signTwin, signQuoted, signTapped:
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
	// Each step looks up by an index what the step before found (OFFSET 0 holds the planner to it): of a business that has just begun
	// it knows nothing, and would go through whole tables for every account.
	err := tx.SelectContext(ctx, &rows, `
		WITH subject AS MATERIALIZED (
			SELECT i.id, i.scope, i.contact_id, t.id AS tenure_id, t.identifier_id, t.first_seen
			FROM unnest($2::uuid[]) AS w (id)
			CROSS JOIN LATERAL (SELECT id, scope, contact_id FROM identities WHERE tenant_id = $1 AND id = w.id AND absorbed_into IS NULL OFFSET 0) i
			CROSS JOIN LATERAL (SELECT id, identifier_id, first_seen FROM tenures WHERE tenant_id = $1 AND identity_id = i.id OFFSET 0) t
		), said AS MATERIALIZED (
			SELECT s.id, s.scope, s.contact_id, h.kind, h.claim_kind, h.claim_value AS via, h.item_id, h.at, ''::text AS not_scope
			FROM subject s
			CROSS JOIN LATERAL (SELECT kind, claim_kind, claim_value, item_id, at FROM hints WHERE tenant_id = $1 AND subject_id = s.identifier_id OFFSET 0) h
			UNION ALL
			SELECT s.id, s.scope, s.contact_id, '`+hintSaved+`', 'phone', e.phone, e.item_id, e.at, ''
			FROM subject s
			CROSS JOIN LATERAL (SELECT kind, value FROM identifiers WHERE tenant_id = $1 AND id = s.identifier_id OFFSET 0) d
			CROSS JOIN LATERAL (SELECT s.* FROM saved_contacts s WHERE s.tenant_id = $1 AND s.bsuid <> '' AND s.bsuid = d.value AND s.phone <> '' AND`+liveSaved+` OFFSET 0) e
			JOIN numbers n ON n.tenant_id = $1 AND n.id = e.number_id AND n.scope = s.scope
			WHERE d.kind = 'bsuid'
			UNION ALL
			SELECT s.id, s.scope, s.contact_id, '`+signParent+`', d.kind, d.value, 0, s.first_seen, d.scope
			FROM subject s
			CROSS JOIN LATERAL (SELECT kind, value, scope FROM identifiers WHERE tenant_id = $1 AND id = s.identifier_id OFFSET 0) d
			WHERE d.kind = 'parent_bsuid'
		)
		SELECT x.id AS subject_id, x.contact_id, o.id AS target_id, o.contact_id AS target_contact, o.scope = x.scope AS together, x.scope AS subject_scope, o.scope AS target_scope,
		       x.kind, x.via, x.at, NULL::timestamptz AS sent, true AS sure, x.item_id,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND p.phone = x.via) AS shared
		FROM said x
		CROSS JOIN LATERAL (SELECT id FROM identifiers WHERE tenant_id = $1 AND kind = x.claim_kind AND value = x.via AND scope <> x.not_scope OFFSET 0) d
		CROSS JOIN LATERAL (SELECT identity_id FROM tenures WHERE tenant_id = $1 AND identifier_id = d.id OFFSET 0) t
		CROSS JOIN LATERAL (SELECT id, scope, contact_id FROM identities WHERE tenant_id = $1 AND id = t.identity_id AND absorbed_into IS NULL AND id <> x.id OFFSET 0) o
		UNION
		SELECT s.id, s.contact_id, o.id, o.contact_id, o.scope = s.scope, s.scope, o.scope,
		       CASE WHEN m.type IN ('button', 'interactive') THEN '`+signTapped+`' ELSE '`+signQuoted+`' END, d.value, m.at, min(a.at),
		       bool_or(a.status <> 'sent' AND m.at - a.at <= $3 * interval '1 second' AND NOT EXISTS (
		           SELECT 1 FROM rotations r WHERE r.tenant_id = $1 AND r.old_phone = d.id AND r.at > a.at)), m.item_id,
		       EXISTS (SELECT 1 FROM shared_phones p WHERE p.tenant_id = $1 AND p.phone = d.value)
		FROM subject s
		CROSS JOIN LATERAL (
			SELECT type, at, item_id, number_id, context_wamid FROM messages
			WHERE tenant_id = $1 AND tenure_id = s.tenure_id AND context_wamid <> '' AND direction = 'in' AND group_id = '' OFFSET 0) m
		CROSS JOIN LATERAL (
			SELECT tenure_id, at, status FROM statuses
			WHERE tenant_id = $1 AND number_id = m.number_id AND wamid = m.context_wamid AND status IN ('sent', 'delivered', 'read', 'played')
			  AND participant = '00000000-0000-0000-0000-000000000000' OFFSET 0) a
		CROSS JOIN LATERAL (SELECT identity_id, identifier_id FROM tenures WHERE tenant_id = $1 AND id = a.tenure_id OFFSET 0) t
		CROSS JOIN LATERAL (SELECT id, kind, value FROM identifiers WHERE tenant_id = $1 AND id = t.identifier_id OFFSET 0) d
		CROSS JOIN LATERAL (SELECT id, scope, contact_id FROM identities WHERE tenant_id = $1 AND id = t.identity_id AND absorbed_into IS NULL AND id <> s.id OFFSET 0) o
		WHERE d.kind = 'phone'
		GROUP BY s.id, s.contact_id, o.id, o.contact_id, o.scope, s.scope, m.type, d.id, d.value, m.at, m.item_id
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
