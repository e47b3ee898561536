package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	mostContacts = 20
	mostItems    = 50
)

// errNotYet says that a delivery is still being worked on.
var errNotYet = errors.New("the delivery is still being worked on")

// nothing says that there is nothing to pass on, and why.
type nothing struct{ reason string }

func (n *nothing) Error() string { return "nothing to pass on: " + n.reason }

// pack puts together what is posted for a forward. It is errNotYet, or *nothing, where that cannot be.
func (s *Sender) pack(ctx context.Context, t turn, w waiting) (parcel, error) {
	p := parcel{id: "fwd_" + w.ID.String(), secrets: t.secrets, headers: map[string]string{"X-Identity-Event": "webhook"}}
	switch w.Kind {
	case KindErased:
		p.headers["X-Identity-Event"] = "contact.erased"
		p.headers["X-Identity-Contact"] = w.Contact.UUID.String()
		body, err := json.Marshal(map[string]any{"type": "contact.erased", "contact_id": w.Contact.UUID, "at": w.MadeAt.UTC().Format(time.RFC3339)})
		p.body = body
		return p, err //nolint:wrapcheck // of strings alone
	case KindTest:
		p.headers["X-Identity-Event"] = "test"
		p.body = sample(w.MadeAt)
		return p, nil
	}

	d, err := ingest.DeliveryFor(ctx, s.db, t.Tenant, w.Event.Int64)
	if errors.Is(err, tenants.ErrNotFound) {
		return parcel{}, &nothing{Gone}
	}
	if err != nil {
		return parcel{}, err
	}
	err = s.db.As(ctx, t.Tenant, func(tx *tenants.Tx) error {
		mine, err := t.mine(ctx, tx, d)
		if err != nil {
			return err
		}
		if p.body, err = cut(d, mine); err != nil {
			return err
		}

		return name(ctx, tx, p.headers, mine)
	})

	return p, err
}

// mine are the parts of a delivery that a target may have, or *nothing.
func (t turn) mine(ctx context.Context, tx *tenants.Tx, d ingest.Delivery) ([]ingest.Part, error) {
	var free []uuid.UUID
	if err := tx.SelectContext(ctx, &free, `SELECT id FROM numbers WHERE tenant_id = $1 AND phone_free_since IS NOT NULL`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("look for numbers that keep no phones: %w", err)
	}

	var mine []ingest.Part
	why := NotMine
	for _, part := range d.Parts {
		switch {
		case !part.Tenant.Valid || part.Tenant.UUID != t.Tenant:
		case t.number.Valid && part.Number != t.number:
		case part.State == ingest.Waiting || part.CutDue:
			return nil, errNotYet
		case part.Reason == ingest.Expired, part.Reason == ingest.Erased:
			why = Gone
		case part.Sealed, d.Sealed, part.Number.Valid && slices.Contains(free, part.Number.UUID):
			why = PhoneFree
		default:
			mine = append(mine, part)
		}
	}
	if len(mine) == 0 {
		return nil, &nothing{why}
	}

	return mine, nil
}

// cut is a delivery as it was sent where each of its changes is in parts, else those alone of which nothing is not. A change without an item is
// nobody's, though it names a number.
func cut(d ingest.Delivery, parts []ingest.Part) ([]byte, error) {
	left := map[string]int{}
	for _, p := range d.Parts {
		left[change(p)]++
	}
	for _, p := range parts {
		left[change(p)]--
	}
	changes := 0
	body, kept, err := whatsapp.KeepChanges(d.Body, func(place string) bool {
		changes++
		n, known := left[place]

		return known && n == 0
	})
	switch {
	case len(parts) == len(d.Parts) && (err != nil || kept == changes):
		return d.Body, nil //nolint:nilerr // what cannot be taken apart is of whoever's app it came by
	case err != nil || kept == 0:
		return nil, &nothing{NotMine}
	}

	return body, nil
}

// change is the place of the change that a part stands in.
func change(p ingest.Part) string {
	places := strings.SplitN(p.Position, ".", 3)

	return strings.Join(places[:min(len(places), 2)], ".")
}

// name writes into the headers whom a delivery is about.
func name(ctx context.Context, tx *tenants.Tx, headers map[string]string, parts []ingest.Part) error {
	var contacts, items []string
	numbers := map[uuid.UUID]bool{}
	for _, p := range parts {
		if !p.Number.Valid {
			continue
		}
		numbers[p.Number.UUID] = true
		if len(items) == mostItems {
			continue
		}
		contact, ok, err := whose(ctx, tx, p)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		items = append(items, p.Position+"="+contact.String())
		if len(contacts) < mostContacts && !slices.Contains(contacts, contact.String()) {
			contacts = append(contacts, contact.String())
		}
	}
	if len(contacts) > 0 {
		headers["X-Identity-Contact"], headers["X-Identity-Items"] = strings.Join(contacts, ", "), strings.Join(items, ", ")
	}
	if len(numbers) == 1 {
		for number := range numbers {
			headers["X-Identity-Number"] = number.String()
		}
	}

	return nil
}

// whose is the contact that an item is about: whose thread its message stands in, else whoever it names.
func whose(ctx context.Context, tx *tenants.Tx, p ingest.Part) (contact uuid.UUID, ok bool, err error) {
	e, err := whatsapp.ParseEvent(whatsapp.ItemKind(p.Kind), p.Body)
	if err != nil {
		return uuid.Nil, false, nil //nolint:nilerr // it was set aside, and tells of nobody
	}
	if e.WAMID != "" {
		of, err := conversations.ContactsOf(ctx, tx, p.Number.UUID, []string{e.WAMID})
		if contact, ok = of[e.WAMID]; ok || err != nil {
			return contact, ok, err
		}
	}

	return identity.ContactOf(ctx, tx, p.Number.UUID, e.Party)
}

// sample is a delivery made up: a number and a customer that do not exist, as in WhatsApp's own test.
func sample(at time.Time) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"0","time":%[1]d,"changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"16505551111","phone_number_id":"123456123"},`+
		`"contacts":[{"profile":{"name":"test user name"},"user_id":"US.0000000000000000"}],`+
		`"messages":[{"from_user_id":"US.0000000000000000","id":"wamid.test","timestamp":"%[1]d","type":"text","text":{"body":"this is a text message"}}]}}]}]}`, at.Unix())
}
