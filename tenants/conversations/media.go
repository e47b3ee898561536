package conversations

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Media is the file of a message. What it says of itself was written by whoever sent it.
type Media struct {
	NumberID uuid.UUID // the business's number it came to
	ID       string    // Meta's media id
	Kind     string    // image, video, audio, document or sticker
	MIME     string    // the type it says it has, without parameters
	Filename string    // of a document, as its sender named it
	At       time.Time // WhatsApp's clock
}

// mediaKinds are the types of message whose object is a file.
var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

// Media is the file that a message is; ok is false where it is none.
func (m Message) Media() (Media, bool) {
	var own struct {
		ID       string `json:"id"`
		MIME     string `json:"mime_type"`
		Filename string `json:"filename"`
	}
	if !slices.Contains(mediaKinds, m.Type) || json.Unmarshal([]byte(m.Content), &own) != nil || own.ID == "" {
		return Media{}, false
	}
	kind, _, err := mime.ParseMediaType(own.MIME)
	if err != nil {
		kind = ""
	}

	return Media{NumberID: m.NumberID, ID: own.ID, Kind: m.Type, MIME: kind, Filename: own.Filename, At: m.At}, true
}

// Gone tells whether WhatsApp keeps the file no longer.
func (f Media) Gone(now time.Time) bool {
	return now.After(f.At.AddDate(0, 0, whatsapp.MediaDays))
}

// MediaOf is the file of a message. ErrNotFound where the tenant has no such message, where it is no file, and where its author has
// taken it back.
func MediaOf(ctx context.Context, tx *tenants.Tx, message uuid.UUID) (Media, error) {
	var m Message
	err := tx.GetContext(ctx, &m, `
		SELECT `+messageColumns+` FROM messages m WHERE m.tenant_id = $1 AND m.id = $2
		  AND NOT EXISTS (SELECT 1 FROM messages r WHERE r.tenant_id = $1 AND r.target_wamid <> '' AND r.target_wamid = m.wamid
		                  AND r.number_id = m.number_id AND r.type = 'revoke' AND r.direction = m.direction)`, tx.Tenant, message)
	if errors.Is(err, sql.ErrNoRows) {
		return Media{}, tenants.ErrNotFound
	}
	if err != nil {
		return Media{}, fmt.Errorf("read message: %w", err)
	}
	file, ok := m.Media()
	if !ok {
		return Media{}, tenants.ErrNotFound
	}

	return file, nil
}

// Place is where a message of type location points to.
type Place struct {
	Latitude, Longitude float64
}

// Place is the place that a message is; ok is false where it is none.
func (m Message) Place() (p Place, ok bool) {
	var own struct {
		Latitude  json.Number `json:"latitude"`
		Longitude json.Number `json:"longitude"`
	}
	if m.Type != "location" || json.Unmarshal([]byte(m.Content), &own) != nil {
		return Place{}, false
	}
	var errs [2]error
	p.Latitude, errs[0] = strconv.ParseFloat(own.Latitude.String(), 64)
	p.Longitude, errs[1] = strconv.ParseFloat(own.Longitude.String(), 64)
	ok = errors.Join(errs[:]...) == nil && p.Latitude >= -90 && p.Latitude <= 90 && p.Longitude >= -180 && p.Longitude <= 180

	return p, ok
}

// Card is one contact card in a message.
type Card struct {
	Name   string
	Own    bool     // shared by WhatsApp's own button: the sender's own number
	Phones []string // as they stand on it
}

// Cards are the contact cards that a message of type contacts holds.
func (m Message) Cards() []Card {
	var own []struct {
		Origin string `json:"origin"`
		Name   struct {
			Formatted string `json:"formatted_name"`
			First     string `json:"first_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
			WaID  string `json:"wa_id"`
		} `json:"phones"`
	}
	if m.Type != "contacts" || json.Unmarshal([]byte(m.Content), &own) != nil {
		return nil
	}

	cards := make([]Card, 0, len(own))
	for _, c := range own[:min(len(own), maxCards)] {
		card := Card{Name: c.Name.Formatted, Own: c.Origin == whatsapp.OriginRequest}
		if card.Name == "" {
			card.Name = c.Name.First
		}
		for _, p := range c.Phones[:min(len(c.Phones), maxCards)] {
			switch {
			case p.Phone != "":
				card.Phones = append(card.Phones, p.Phone)
			case p.WaID != "":
				card.Phones = append(card.Phones, "+"+p.WaID)
			}
		}
		cards = append(cards, card)
	}

	return cards
}

// maxCards bounds what is shown of a message with very many cards, or a card with very many phones.
const maxCards = 20
