package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Of a number that keeps no phone, bytes lie sealed and what is read of them loses its phones before anything is stored.

// errNoKeys: what comes by a number that keeps no phone needs the master key. It waits rather than being stored in clear.
var errNoKeys = errors.New("a number keeps no phones and there is no master key at hand")

// opened gives items with their bytes as they came. Those of ordinary numbers are not touched.
func opened(keys *secrets.Keyring, tenant uuid.UUID, items []waitingItem) ([]waitingItem, error) {
	if !slices.ContainsFunc(items, func(it waitingItem) bool { return it.Sealed }) {
		return items, nil
	}
	if keys == nil {
		return nil, errNoKeys
	}

	items = slices.Clone(items)
	for i, it := range items {
		if !it.Sealed {
			continue
		}
		body, err := phonefree.Open(keys, tenant, it.Body)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", it.ID, err)
		}
		items[i].Body = body
	}

	return items, nil
}

// open gives the delivery with its bytes as they came.
func (e *event) open(keys *secrets.Keyring) error {
	if !e.Sealed {
		return nil
	}
	if keys == nil {
		return errNoKeys
	}
	body, err := phonefree.OpenDelivery(keys, e.Body)
	if err != nil {
		return fmt.Errorf("delivery %d: %w", e.ID, err)
	}
	e.Body = body

	return nil
}

// home says where a number's customers have their identifiers, and whether their phones are kept.
type home struct {
	Scope     string `db:"scope"`
	PhoneFree bool   `db:"phone_free"`
	Mixed     bool   `db:"mixed"` // some number of the scope keeps no phones, or did once
}

// hide takes phones out of what events say that came by numbers that keep none. Where the same portfolio has numbers of both sorts, a
// phone is one identifier all the same: in clear as soon as an ordinary number has seen it, else its token.
//
// sealed are the items whose bytes were. They came while their number kept no phones, and say the same when they are processed again
// after it was switched back. A notice among them that names no number is about the account of one that keeps none.
func hide(
	ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, homes map[uuid.UUID]home, seen []identity.Seen, told []notices.Heard, sealed map[int64]bool,
) error {
	if len(sealed) == 0 && !anyMixed(homes) {
		return nil
	}
	if keys == nil {
		return errNoKeys
	}

	h := phonefree.For(keys, tx.Tenant)
	quiet := func(s identity.Seen) bool {
		at := homes[s.NumberID]
		return at.PhoneFree || at.Mixed && sealed[s.ItemID]
	}
	inClear, err := meet(ctx, tx, h, homes, seen, quiet)
	if err != nil {
		return err
	}
	for i := range seen {
		s := &seen[i]
		if quiet(*s) {
			s.Event = h.Event(s.Event, func(phone string) bool { return inClear[identity.ScopedPhone{Scope: s.Scope, Value: phone}] })
		}
	}
	for i := range told {
		if homes[told[i].NumberID.UUID].PhoneFree || !told[i].NumberID.Valid && sealed[told[i].ItemID] {
			told[i].Event = h.Event(told[i].Event, nil)
		}
	}

	return nil
}

func anyMixed(homes map[uuid.UUID]home) bool {
	for _, at := range homes {
		if at.Mixed {
			return true
		}
	}

	return false
}

// meet tells which phones of the events are, or are to be, identifiers in clear. A token whose phone an ordinary number has seen now
// turns into that phone, so that both numbers know one person.
func meet(
	ctx context.Context, tx *tenants.Tx, h phonefree.Hider, homes map[uuid.UUID]home, seen []identity.Seen, quiet func(identity.Seen) bool,
) (map[identity.ScopedPhone]bool, error) {
	ordinary, asked := map[identity.ScopedPhone]string{}, map[identity.ScopedPhone]bool{}
	for _, s := range seen {
		at := homes[s.NumberID]
		if !at.Mixed || s.Event.Kind == whatsapp.KindSync {
			continue
		}
		for _, p := range partiesOf(s.Event) {
			if p.Phone == "" {
				continue
			}
			phone := identity.ScopedPhone{Scope: s.Scope, Value: p.Phone}
			asked[phone], asked[identity.ScopedPhone{Scope: s.Scope, Value: h.Phone(p.Phone)}] = true, true
			if !quiet(s) {
				ordinary[phone] = p.PhoneRaw
			}
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}

	known, err := identity.KnownPhones(ctx, tx, keysOf(asked))
	if err != nil {
		return nil, err
	}
	inClear := map[identity.ScopedPhone]bool{}
	var shown []identity.Renamed
	for phone := range asked {
		if whatsapp.IsHiddenPhone(phone.Value) {
			continue
		}
		token := identity.ScopedPhone{Scope: phone.Scope, Value: h.Phone(phone.Value)}
		raw, heard := ordinary[phone]
		switch {
		case heard && known[token] && !known[phone]:
			shown = append(shown, identity.Renamed{ScopedPhone: token, To: phone.Value, Raw: raw})
			inClear[phone] = true
		case known[phone] && !known[token], heard && !known[token]:
			inClear[phone] = true
		}
	}
	if len(shown) == 0 {
		return inClear, nil
	}

	return inClear, identity.RenamePhones(ctx, tx, shown)
}

// partiesOf are the customers an event names by their ids.
func partiesOf(e whatsapp.Event) []whatsapp.Party {
	if e.Rotation != nil {
		return []whatsapp.Party{e.Rotation.Old, e.Rotation.New}
	}

	return []whatsapp.Party{e.Party}
}

// quiet tells of which items and deliveries the bytes must lie sealed.
type quiet struct {
	numbers map[string]bool    // by phone_number_id, also of those disconnected since
	wabas   map[string]bool    // that have such a number
	apps    map[uuid.UUID]bool // by which such a number's deliveries come
}

// item tells it of an item. What names no number of its own is judged by the WABA, and what names nothing by the app that signed it.
func (q quiet) item(it item) bool {
	switch {
	case it.PhoneNumberID != "" && it.WABA != testEntry:
		return q.numbers[it.PhoneNumberID]
	case it.tenant != uuid.Nil && it.kind != kindDelivery:
		return q.wabas[it.WABA]
	default:
		return q.wabas[it.WABA] || q.apps[it.App]
	}
}

// quietOf reads what quiet tells of these addresses.
func quietOf(ctx context.Context, tx *tenants.Tx, addresses []address) (quiet, error) {
	phones, wabas, apps := map[string]bool{}, map[string]bool{}, map[uuid.UUID]bool{}
	for _, a := range addresses {
		phones[a.PhoneNumberID], wabas[a.WABA], apps[a.App] = true, true, true
	}
	var rows []struct {
		PhoneNumberID string    `db:"phone_number_id"`
		WABA          string    `db:"waba_id"`
		App           uuid.UUID `db:"app_id"`
	}
	// Of few numbers, by an index that holds them alone.
	err := tx.SelectContext(ctx, &rows, `
		SELECT phone_number_id, waba_id, app_id FROM number_directory
		WHERE phone_free AND (phone_number_id = ANY($1) OR waba_id = ANY($2) OR app_id = ANY($3))`,
		pq.Array(keysOf(phones)), pq.Array(keysOf(wabas)), pq.Array(keysOf(apps)))
	if err != nil {
		return quiet{}, fmt.Errorf("look up numbers that keep no phones: %w", err)
	}

	q := quiet{numbers: map[string]bool{}, wabas: map[string]bool{}, apps: map[uuid.UUID]bool{}}
	for _, r := range rows {
		q.numbers[r.PhoneNumberID], q.wabas[r.WABA], q.apps[r.App] = true, true, true
	}

	return q, nil
}

// seal seals what must lie so: the bytes of such items, and the deliveries they were cut from. It tells of which deliveries the stored
// bytes have to be written anew.
func (q quiet) seal(keys *secrets.Keyring, events []event, items []item) (rewritten []event, err error) {
	due := map[int64]bool{}
	for i := range items {
		it := &items[i]
		if !q.item(*it) {
			continue
		}
		if keys == nil {
			return nil, errNoKeys
		}
		if it.body, err = phonefree.Seal(keys, it.tenant, it.body); err != nil {
			return nil, err
		}
		it.sealed, due[it.event.ID] = true, true
	}
	for _, e := range events {
		if !due[e.ID] || e.Sealed {
			continue
		}
		if e.Body, err = phonefree.SealDelivery(keys, e.Body); err != nil {
			return nil, err
		}
		rewritten = append(rewritten, e)
	}

	return rewritten, nil
}

// rewrite stores sealed deliveries in place of what was there in clear.
func rewrite(ctx context.Context, tx *tenants.Tx, events []event) error {
	for _, e := range events {
		if _, err := tx.ExecContext(ctx, `UPDATE inbox_events SET body = $2, sealed = true WHERE id = $1`, e.ID, e.Body); err != nil {
			return fmt.Errorf("seal delivery %d: %w", e.ID, err)
		}
	}

	return nil
}
