package web

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
	contactspages "github.com/pehchan/pehchan/views/contacts"
)

const maxShown = 64 << 10 // bytes of an item on its page

// ShowEvent is the page of a delivery as it came, without phones for who may not see them. back leads to where it was opened.
func (s *Site) ShowEvent(c *fiber.Ctx, item ingest.Item, back, name string) error {
	p := contactspages.RawEvent{Frame: s.Frame(c, "contacts.raw_title"), Back: back, Name: name, At: item.ReceivedAt, Clear: Member(c).Can("phones:clear") && !item.Sealed}
	p.Raw = Readable(item.Body, p.Clear)

	return s.Show(c, fiber.StatusOK, contactspages.RawEventPage(p))
}

// Items is how the ids of m's inbox items are written in addresses.
func (s *Site) Items(m access.Member) secrets.Veil {
	return s.Keys.Veil(m.Tenant.ID, ingest.VeilItem)
}

// ItemID reads an item's id as it stands in an address.
func ItemID(veil secrets.Veil, given string) (int64, error) {
	id, err := uuid.Parse(given)
	if err != nil {
		return 0, tenants.ErrNotFound
	}
	n, ok := veil.Read(id)
	if !ok {
		return 0, tenants.ErrNotFound
	}

	return n, nil
}

// Readable is a body for people to read: indented where it is JSON, as it stands where it is not, and cut where it is very long.
func Readable(body []byte, inClear bool) string {
	switch {
	case inClear:
	case json.Valid(body):
		body = ingest.MaskJSON(body)
	default:
		body = ingest.MaskText(body)
	}

	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err == nil {
		body = indented.Bytes()
	}
	if len(body) > maxShown {
		body = append(body[:maxShown:maxShown], "\n…"...)
	}

	return strings.ToValidUTF8(string(body), "\uFFFD")
}
