package identity

import (
	"context"
	"fmt"
	"regexp"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The kinds of hint, each with the tier at which it may suggest a person (matching.md section 1).
const (
	hintCardRequest = "card_request"   // A4: tapped "Share contact info"; certain, but links only where the owner allows it
	hintCardOther   = "card_other"     // B1: shared a card by hand, which may be anybody's
	hintTyped       = "typed_number"   // B2: wrote a number
	hintSaved       = "saved_contact"  // B: the owner's phone has the WhatsApp ID saved with a number, which a person typed
	hintProse       = "rotation_prose" // WhatsApp named the old id in a sentence only (edge case 28)
	hintCode        = "link_code"      // A8: sent a code made for a phone, which counts once; links only where the owner allows it
	hintPrinted     = "printed_code"   // A8, printed: sent a code that may be sent by many
)

// phoneLike finds what might be a typed phone number; TypedPhone judges it.
var phoneLike = regexp.MustCompile(`\+?[0-9][0-9 ()-]{6,18}[0-9]`)

// recordHints keeps what events suggest about who somebody is. Only people without a phone need it. An identifier seen for
// the first time may be what an earlier hint spoke of.
func (b *Batch) recordHints(ctx context.Context) error {
	if err := b.answerHints(ctx); err != nil {
		return err
	}
	if err := b.redeemCodes(ctx); err != nil {
		return err
	}
	for i, s := range b.seen {
		for _, h := range append(hintsIn(s), b.codes[i]...) {
			b.prose = b.prose || h.kind == hintProse
			res, err := b.tx.ExecContext(ctx, `
				INSERT INTO hints AS o (tenant_id, id, subject_id, kind, claim_kind, claim_value, at, item_id)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (tenant_id, subject_id, kind, claim_kind, claim_value) DO UPDATE
				SET at = excluded.at, item_id = excluded.item_id WHERE excluded.at < o.at -- said first counts, not delivered first`,
				b.tx.Tenant, newID(), h.subject, h.kind, h.claim, h.value, s.at, s.ItemID)
			if err != nil {
				return fmt.Errorf("keep hint: %w", err)
			}
			if n, err := res.RowsAffected(); err != nil {
				return fmt.Errorf("keep hint: %w", err)
			} else if n > 0 {
				if err := b.touchHolder(ctx, h.subject); err != nil {
					return err
				}
			}
		}
	}

	return nil
}

func (b *Batch) answerHints(ctx context.Context) error {
	if len(b.newValues) == 0 {
		return nil
	}

	var subjects []uuid.UUID
	err := b.tx.SelectContext(ctx, &subjects, `
		SELECT DISTINCT h.subject_id FROM identifiers d
		JOIN hints h ON h.tenant_id = $1 AND h.claim_kind = d.kind AND h.claim_value = d.value
		WHERE d.tenant_id = $1 AND d.id = ANY($2)`, b.tx.Tenant, pq.Array(b.newValues))
	if err != nil {
		return fmt.Errorf("find hints that speak of new identifiers: %w", err)
	}
	b.prose = b.prose || len(subjects) > 0
	for _, id := range subjects {
		if err := b.touchHolder(ctx, id); err != nil {
			return err
		}
	}

	return nil
}

func (b *Batch) touchHolder(ctx context.Context, identifier uuid.UUID) error {
	var holders []struct {
		Identity uuid.UUID  `db:"id"`
		Contact  *uuid.UUID `db:"contact_id"`
	}
	err := b.tx.SelectContext(ctx, &holders, `
		SELECT i.id, i.contact_id FROM tenures t JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		WHERE t.tenant_id = $1 AND t.identifier_id = $2 ORDER BY i.id`, b.tx.Tenant, identifier)
	if err != nil {
		return fmt.Errorf("find holder: %w", err)
	}
	for _, h := range holders {
		b.touch(h.Contact)
		b.identities[h.Identity] = true
	}

	return nil
}

type hint struct {
	subject uuid.UUID
	kind    string
	claim   whatsapp.Kind
	value   string
}

func hintsIn(s sighted) []hint {
	e := s.Event
	if r := e.Rotation; r != nil {
		return proseHints(s, r)
	}
	if s.bsuid == uuid.Nil || s.phone != uuid.Nil || !makesContact(e) {
		return nil
	}

	var out []hint
	if e.Type == "text" {
		for _, phone := range PhonesIn(e.Text) {
			out = append(out, hint{s.bsuid, hintTyped, whatsapp.KindPhone, phone})
		}
	}
	out = append(out, givenHints(s.bsuid, e)...)
	for _, card := range e.Cards {
		if h, ok := cardHint(s.bsuid, card); ok {
			out = append(out, h)
		}
	}

	return out
}

// PhonesIn are the numbers that somebody typed in a text, in canonical form, of the first three that look like one.
func PhonesIn(text string) []string {
	var phones []string
	for _, typed := range phoneLike.FindAllString(text, 3) {
		if phone, ok := whatsapp.TypedPhone(typed, "IN"); ok {
			phones = append(phones, phone)
		}
	}

	return phones
}

// PhoneOn is the number on a shared contact card in canonical form, "" where there is not exactly one unambiguous (edge case 48). own:
// it is the sender's own, which only a card says whose origin is exactly contact_request and whose wa_id WhatsApp named (edge case 47).
func PhoneOn(card whatsapp.Card) (phone string, own bool) {
	if len(card.Phones) != 1 {
		return "", false
	}
	p := card.Phones[0]
	value, named := whatsapp.Phone(p.WaID)
	typed, given := whatsapp.TypedPhone(p.Raw, "IN")
	switch {
	case named && given && typed != value:
		return "", false
	case named:
		return value, card.Origin == whatsapp.OriginRequest
	case given:
		return typed, false
	}

	return "", false
}

func cardHint(subject uuid.UUID, card whatsapp.Card) (hint, bool) {
	switch phone, own := PhoneOn(card); {
	case phone == "":
		return hint{}, false
	case own:
		return hint{subject, hintCardRequest, whatsapp.KindPhone, phone}, true
	default:
		return hint{subject, hintCardOther, whatsapp.KindPhone, phone}, true
	}
}

// proseHints keeps the old id that only WhatsApp's sentence names, so that a person can look. Prose never links.
func proseHints(s sighted, r *whatsapp.Rotation) []hint {
	if s.turnedInto == uuid.Nil || r.Old.BSUID != "" || r.Old.Phone != "" {
		return nil
	}

	var out []hint
	for _, id := range r.BodyIDs {
		if whatsapp.IsBSUID(id) && id != r.New.BSUID {
			out = append(out, hint{s.turnedInto, hintProse, whatsapp.KindBSUID, id})
		}
	}

	return out
}
