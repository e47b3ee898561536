package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Settle finishes a batch once its messages are stored: names, the contacts of people who wrote, what they are found by,
// and the queue.
func (b *Batch) Settle(ctx context.Context) error {
	if err := b.recordProfiles(ctx); err != nil {
		return err
	}
	if err := b.settleContacts(ctx); err != nil {
		return err
	}
	if err := b.retellDivided(ctx); err != nil {
		return err
	}
	if err := b.recordHeard(ctx); err != nil {
		return err
	}
	if err := b.recordHints(ctx); err != nil {
		return err
	}
	if err := b.touchQuoting(ctx); err != nil {
		return err
	}
	if err := b.touchRuled(ctx); err != nil {
		return err
	}
	if err := b.recordSignals(ctx); err != nil {
		return err
	}
	if err := b.recordSaved(ctx); err != nil {
		return err
	}
	if err := b.answerSaved(ctx); err != nil {
		return err
	}
	if err := b.openUnidentifiable(ctx); err != nil {
		return err
	}
	if err := b.syncProse(ctx); err != nil {
		return err
	}
	if err := b.touchRelated(ctx); err != nil {
		return err
	}

	contacts, proved, err := syncContacts(ctx, b.tx, keys(b.contacts))
	if err != nil {
		return err
	}
	b.proved = append(b.proved, proved...)
	if err := b.arrange(ctx, contacts); err != nil {
		return err
	}

	return b.journalSettled(ctx)
}

// makesContact tells whether an event brings a person into the business's book: an inbound message or call. System messages,
// statuses and the like make identities and evidence only. What came in past chats does too, but asks nobody anything.
func makesContact(e whatsapp.Event) bool {
	return (e.Kind == whatsapp.KindMessage || e.Kind == whatsapp.KindCall) && e.Direction == whatsapp.DirectionIn
}

// factStep is how far apart two last sights of a name are told, so that not every message of a conversation writes. They are
// cut to it, not skipped, so that the order of arrival does not matter.
const factStep = 10 * time.Minute

// recordProfiles keeps usernames and profile names with their dates, on the tenure they came by.
func (b *Batch) recordProfiles(ctx context.Context) error {
	type fact struct {
		tenure      uuid.UUID
		kind, value string
	}
	facts := map[fact]*seenHandle{}
	for i, s := range b.seen {
		p := s.Event.Party
		for kind, value := range map[string]string{"username": p.Username, "profile_name": p.ProfileName} {
			if value == "" || b.Placements[i].TenureID == uuid.Nil || s.Event.Rotation != nil {
				continue
			}
			f := fact{b.Placements[i].TenureID, kind, value}
			last := s.at.Truncate(factStep)
			if known, ok := facts[f]; ok {
				known.first, known.last = earlier(known.first, s.at), later(known.last, last)
				continue
			}
			facts[f] = &seenHandle{first: s.at, last: last}
		}
	}
	if len(facts) == 0 {
		return nil
	}

	var (
		tenures       []uuid.UUID
		kinds, values []string
		first, last   []time.Time
	)
	for _, f := range slices.SortedFunc(maps.Keys(facts), func(a, b fact) int {
		return cmp.Or(bytes.Compare(a.tenure[:], b.tenure[:]), strings.Compare(a.kind, b.kind), strings.Compare(a.value, b.value))
	}) {
		at := facts[f]
		tenures, kinds, values = append(tenures, f.tenure), append(kinds, f.kind), append(values, f.value)
		first, last = append(first, at.first), append(last, at.last)
	}
	// Each is looked up once: what is there is lengthened where it lies, which nobody changes meanwhile for want of the tenant's lock.
	var named []uuid.UUID
	err := b.tx.SelectContext(ctx, &named, `
		WITH told AS MATERIALIZED (
			SELECT w.*, f.ctid AS place, (w.first_seen < f.first_seen OR w.last_seen > f.last_seen) AS more
			FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS w (tenure_id, kind, value, first_seen, last_seen)
			LEFT JOIN profile_facts f ON f.tenant_id = $1 AND f.tenure_id = w.tenure_id AND f.kind = w.kind AND f.value = w.value
		), lengthened AS (
			UPDATE profile_facts f SET first_seen = least(f.first_seen, w.first_seen), last_seen = greatest(f.last_seen, w.last_seen)
			FROM told w WHERE f.tenant_id = $1 AND f.ctid = w.place AND w.more
		), added AS (
			INSERT INTO profile_facts (tenant_id, tenure_id, kind, value, first_seen, last_seen)
			SELECT $1, tenure_id, kind, value, first_seen, last_seen FROM told WHERE place IS NULL
			RETURNING tenure_id
		)
		SELECT DISTINCT i.contact_id FROM added a
		JOIN tenures t ON t.tenant_id = $1 AND t.id = a.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		WHERE i.contact_id IS NOT NULL`,
		b.tx.Tenant, pq.Array(tenures), pq.Array(kinds), pq.Array(values), pq.Array(first), pq.Array(last))
	if err != nil {
		return fmt.Errorf("keep profile facts: %w", err)
	}
	for _, id := range named {
		b.contacts[id] = true
	}

	return nil
}

// settleContacts gives a contact to each identity that has written and has none, and takes it from one whose messages all
// turned out to be another's, unless a person has worked on it.
func (b *Batch) settleContacts(ctx context.Context) error {
	last := map[uuid.UUID]time.Time{}
	for i, s := range b.seen {
		id := b.Placements[i].IdentityID
		if id == uuid.Nil || !heardFrom(s.Event) {
			continue
		}
		last[id] = later(last[id], s.at)
	}

	if err := b.takeBackContacts(ctx); err != nil {
		return err
	}

	// Whose contact is known and was left alone needs no looking at.
	unsure := map[uuid.UUID]bool{}
	for id := range b.identities {
		if b.holders[id] == nil {
			unsure[id] = true
		}
	}
	if len(unsure) == 0 {
		return b.touchActivity(ctx, last)
	}

	var bare []uuid.UUID
	err := b.tx.SelectContext(ctx, &bare, `
		SELECT i.id FROM identities i
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.contact_id IS NULL AND i.absorbed_into IS NULL
		  AND EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		              WHERE t.tenant_id = $1 AND t.identity_id = i.id)
		ORDER BY i.id`, b.tx.Tenant, pq.Array(keys(unsure)))
	if err != nil {
		return fmt.Errorf("find new people: %w", err)
	}
	if len(bare) > 0 {
		contacts := make([]uuid.UUID, len(bare))
		for i := range bare {
			contacts[i] = newID()
			b.contacts[contacts[i]], b.anew[bare[i]] = true, true
		}
		if err := addContacts(ctx, b.tx, bare, contacts); err != nil {
			return err
		}
		if err := listContacts(ctx, b.tx, slices.DeleteFunc(bare, func(id uuid.UUID) bool { return !last[id].IsZero() })); err != nil {
			return err
		}
	}

	return b.touchActivity(ctx, last)
}

// addContacts brings identities into the book, each as a contact of its own.
func addContacts(ctx context.Context, tx *tenants.Tx, identities, contacts []uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO contacts (tenant_id, id) SELECT $1, w.id FROM unnest($2::uuid[]) AS w (id)`, tx.Tenant, pq.Array(contacts)); err != nil {
		return fmt.Errorf("add contacts: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE identities i SET contact_id = w.contact_id, home_contact = w.contact_id
		FROM unnest($2::uuid[], $3::uuid[]) AS w (id, contact_id)
		WHERE i.tenant_id = $1 AND i.id = w.id`, tx.Tenant, pq.Array(identities), pq.Array(contacts)); err != nil {
		return fmt.Errorf("give identities their contacts: %w", err)
	}
	// A conflict is found before the message that makes its subject a contact has been counted.
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases k SET contact_id = w.contact_id
		FROM unnest($2::uuid[], $3::uuid[]) AS w (id, contact_id)
		WHERE k.tenant_id = $1 AND k.identity_id = w.id AND k.contact_id IS NULL AND k.state = 'open'`,
		tx.Tenant, pq.Array(identities), pq.Array(contacts)); err != nil {
		return fmt.Errorf("give cases their contacts: %w", err)
	}

	return nil
}

// takeBackContacts looks only at identities that a derivation changed: late evidence can show that the messages which made
// somebody a contact were somebody else's. The contact then goes with the messages.
func (b *Batch) takeBackContacts(ctx context.Context) error {
	if len(b.divided) == 0 {
		return nil
	}

	var silent []struct {
		Identity uuid.UUID `db:"id"`
		Contact  uuid.UUID `db:"contact_id"`
	}
	err := b.tx.SelectContext(ctx, &silent, `
		SELECT i.id, i.contact_id FROM identities i
		JOIN contacts c ON c.tenant_id = $1 AND c.id = i.contact_id
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.absorbed_into IS NULL
		  AND c.display_name = '' AND c.notes = '' AND c.external_ids = '{}'
		  AND NOT EXISTS (SELECT 1 FROM identities o WHERE o.tenant_id = $1 AND (o.contact_id = c.id OR o.home_contact = c.id)
		                  AND o.id <> i.id AND o.absorbed_into IS DISTINCT FROM i.id)
		  AND NOT EXISTS (SELECT 1 FROM contacts m WHERE m.tenant_id = $1 AND m.merged_into = c.id
		                  AND (m.display_name <> '' OR m.notes <> '' OR m.external_ids <> '{}'))
		  AND NOT EXISTS (SELECT 1 FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.claimed_at IS NOT NULL
		                  WHERE t.tenant_id = $1 AND t.identity_id = i.id)
		  AND NOT EXISTS (SELECT 1 FROM decisions d JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id IN (d.a_id, d.b_id)
		                  WHERE d.tenant_id = $1 AND d.revoked_at IS NULL AND t.identity_id = i.id)
		  AND NOT EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		                  WHERE t.tenant_id = $1 AND t.identity_id = i.id)
		ORDER BY i.id`, b.tx.Tenant, pq.Array(keys(b.divided)))
	if err != nil {
		return fmt.Errorf("find contacts without messages: %w", err)
	}

	if len(silent) == 0 {
		return nil
	}
	for _, s := range silent {
		if err := b.passOn(ctx, s.Identity, s.Contact); err != nil {
			return err
		}
	}

	return bringConflicts(ctx, b.tx, keys(b.identities))
}

// passOn gives a contact to an identity that has written and has none; where there is none such, it becomes a tombstone of
// whoever has the messages now, so that its id still answers.
func (b *Batch) passOn(ctx context.Context, from, contact uuid.UUID) error {
	if _, err := b.tx.ExecContext(ctx, `
		UPDATE identities SET contact_id = NULL, home_contact = NULL WHERE tenant_id = $1 AND (id = $2 OR absorbed_into = $2)`, b.tx.Tenant, from); err != nil {
		return fmt.Errorf("take contact back: %w", err)
	}
	b.contacts[contact] = true

	var heirs []struct {
		Identity uuid.UUID  `db:"id"`
		Contact  *uuid.UUID `db:"contact_id"`
	}
	err := b.tx.SelectContext(ctx, &heirs, `
		SELECT i.id, i.contact_id FROM identities i
		WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.id <> $3 AND i.absorbed_into IS NULL
		  AND EXISTS (SELECT 1 FROM tenures t JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in'
		              WHERE t.tenant_id = $1 AND t.identity_id = i.id)
		ORDER BY i.contact_id IS NOT NULL, i.id LIMIT 1`, b.tx.Tenant, pq.Array(keys(b.identities)), from)
	if err != nil {
		return fmt.Errorf("find heir of contact: %w", err)
	}
	for _, h := range heirs {
		b.anew[h.Identity] = true
		if h.Contact == nil {
			_, err = b.tx.ExecContext(ctx, `UPDATE identities SET contact_id = $3, home_contact = $3 WHERE tenant_id = $1 AND id = $2`, b.tx.Tenant, h.Identity, contact)
		} else {
			_, err = b.tx.ExecContext(ctx, `UPDATE contacts SET merged_into = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2`, b.tx.Tenant, contact, *h.Contact)
		}
		if err != nil {
			return fmt.Errorf("pass contact on: %w", err)
		}
	}

	return nil
}
