// Package phonefree takes customers' phones out of what comes and goes by a number that is switched so, before any of it is stored:
// a phone becomes a token, the same for the same phone, that nobody can turn back without the master key, and what may be a phone in
// people's own words becomes dots. It knows no database.
package phonefree

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What begins the tokens of a message's or call's id, and of a group's.
const (
	wamidPrefix = "wamid.p:"
	groupPrefix = "g:"

	digestPrefix = "p:" // of an item's digest
)

// tokenSize is how much of a hash a token shows: 26 characters, 130 bits.
const tokenSize = 26

var base = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Hider makes the tokens of one tenant. It is safe for concurrent use.
type Hider struct{ key []byte }

// For gives a tenant's Hider. Tokens of two tenants tell nothing of each other.
func For(keys *secrets.Keyring, tenant uuid.UUID) Hider {
	return Hider{keys.Derive("phone tokens " + tenant.String())}
}

func (h Hider) hash(what, value string) []byte {
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(what + "\x00" + value))

	return mac.Sum(nil)
}

func (h Hider) token(what, value string) string {
	return base.EncodeToString(h.hash(what, value))[:tokenSize]
}

// Phone is the token of a phone in canonical form (whatsapp.Phone); of "" and of a token it is that itself.
func (h Hider) Phone(canonical string) string {
	if canonical == "" || whatsapp.IsHiddenPhone(canonical) {
		return canonical
	}

	return whatsapp.HiddenPhone(h.token("phone", canonical))
}

// WAMID is the token of the id of a message or call, which WhatsApp makes of the customer's phone; of "" and of a token it is that
// itself.
func (h Hider) WAMID(id string) string {
	if id == "" || IsHiddenID(id) {
		return id
	}

	return wamidPrefix + h.token("wamid", id)
}

// Group is the token of a group's id, which may hold the phone of whoever made it.
func (h Hider) Group(id string) string {
	if id == "" || IsHiddenID(id) {
		return id
	}

	return groupPrefix + h.token("group", id)
}

// IsHiddenID tells whether an id of a message, call or group is a token.
func IsHiddenID(id string) bool {
	return strings.HasPrefix(id, wamidPrefix) || strings.HasPrefix(id, groupPrefix)
}

// Digest is in place of the SHA-256 of an item, from which a phone could be found by trying all there are; of "" and of one made here
// it is that itself.
func (h Hider) Digest(digest string) string {
	if digest == "" || strings.HasPrefix(digest, digestPrefix) {
		return digest
	}

	return digestPrefix + hex.EncodeToString(h.hash("digest", digest))
}

// Event takes the phones out of what was read of an item. A phone of which kept says true is known in clear by another number and
// stays what it is, so that the two are one person.
func (h Hider) Event(e whatsapp.Event, kept func(phone string) bool) whatsapp.Event {
	e.WAMID, e.ContextID, e.TargetID, e.GroupID = h.WAMID(e.WAMID), h.WAMID(e.ContextID), h.WAMID(e.TargetID), h.Group(e.GroupID)
	e.Digest = h.Digest(e.Digest)
	e.Party = h.party(e.Party, kept)
	if !isPlace(e) {
		e.Text = whatsapp.MaskPhones(e.Text)
	}
	e.Content = whatsapp.MaskContent(e.Content, h.WAMID)
	e.Type = whatsapp.MaskPhones(e.Type)

	members := e.Members
	e.Members = nil
	for _, m := range members {
		e.Members = append(e.Members, h.party(m, kept))
	}
	problems := e.Errors
	e.Errors = nil
	for _, p := range problems {
		e.Errors = append(e.Errors, whatsapp.StatusError{Code: p.Code, Title: whatsapp.MaskPhones(p.Title), Details: whatsapp.MaskPhones(p.Details)})
	}
	if r := e.Rotation; r != nil {
		turned := whatsapp.Rotation{Type: r.Type, Old: h.party(r.Old, kept), New: h.party(r.New, kept)}
		for _, id := range r.BodyIDs {
			if whatsapp.IsBSUID(id) || whatsapp.IsParentBSUID(id) {
				turned.BodyIDs = append(turned.BodyIDs, id)
			}
		}
		e.Rotation = &turned
	}
	e.Cards = nil // a card is somebody's phone and little else; what is to be read of it stands in Text and Content
	e.Facts = Facts(e.Facts)

	return e
}

// isPlace tells whether the text of an event is two coordinates, which are no phone though they have its digits.
func isPlace(e whatsapp.Event) bool {
	return e.Type == "location" && strings.Trim(e.Text, "0123456789.,- ") == ""
}

func (h Hider) party(p whatsapp.Party, kept func(string) bool) whatsapp.Party {
	if p.Phone != "" && (kept == nil || !kept(p.Phone)) {
		p.Phone = h.Phone(p.Phone)
		p.PhoneRaw = p.Phone
	}
	p.ProfileName, p.Username = whatsapp.MaskPhones(p.ProfileName), whatsapp.MaskPhones(p.Username)

	return p
}

// ownFacts end the names of what a notice says of the business itself.
var ownFacts = []string{"display_phone_number", "_id", "timestamp", "expiration", "_time"}

// Facts takes phones out of what a notice of WhatsApp's says of the business (whatsapp.Event.Facts); its own numbers and ids stay.
func Facts(told map[string]string) map[string]string {
	if told == nil {
		return nil
	}
	out := make(map[string]string, len(told))
next:
	for name, value := range told {
		for _, own := range ownFacts {
			if strings.HasSuffix(name, own) && !strings.HasSuffix(name, "wa_id") && !strings.HasSuffix(name, "recipient_id") {
				out[name] = value
				continue next
			}
		}
		out[whatsapp.MaskPhones(name)] = whatsapp.MaskPhones(value)
	}

	return out
}

// What sealed bytes are: a whole delivery, which is the platform's, or an item, which is its tenant's.
const (
	sealDelivery = "inbox delivery"
	sealItem     = "inbox item"
)

// Seal encrypts the bytes of an inbox item for its tenant; uuid.Nil where it has none yet.
func Seal(keys *secrets.Keyring, tenant uuid.UUID, body []byte) ([]byte, error) {
	sealed, err := keys.Seal(tenant, sealItem, body)
	if err != nil {
		return nil, fmt.Errorf("seal item: %w", err)
	}

	return sealed, nil
}

// Open decrypts what Seal has sealed for the tenant or, before it had one, for nobody.
func Open(keys *secrets.Keyring, tenant uuid.UUID, sealed []byte) ([]byte, error) {
	body, err := keys.Open(tenant, sealItem, sealed)
	if err != nil {
		body, err = keys.Open(uuid.Nil, sealItem, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("open item: %w", err)
	}

	return body, nil
}

// SealDelivery encrypts a whole delivery, which may hold items of several tenants.
func SealDelivery(keys *secrets.Keyring, body []byte) ([]byte, error) {
	sealed, err := keys.Seal(uuid.Nil, sealDelivery, body)
	if err != nil {
		return nil, fmt.Errorf("seal delivery: %w", err)
	}

	return sealed, nil
}

// OpenDelivery decrypts what SealDelivery has sealed.
func OpenDelivery(keys *secrets.Keyring, sealed []byte) ([]byte, error) {
	body, err := keys.Open(uuid.Nil, sealDelivery, sealed)
	if err != nil {
		return nil, fmt.Errorf("open delivery: %w", err)
	}

	return body, nil
}
