package identity

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Seen is one event as it bears on identity.
type Seen struct {
	ItemID     int64
	NumberID   uuid.UUID
	Scope      string // "portfolio:<id>" or "waba:<id>"
	ReceivedAt time.Time
	Event      whatsapp.Event
	Codes      [][]byte // CodeKey.In of the event
}

// Placement is where an event belongs: nil ids where it names nobody.
type Placement struct {
	TenureID   uuid.UUID
	IdentityID uuid.UUID
	Identifier uuid.UUID // the one that decided: BSUID, else phone, else parent
}

// Batch is a set of events of one tenant being resolved together. Observe makes it; after the caller has stored the
// messages, Settle finishes contacts and cases. All in one transaction, under Lock.
type Batch struct {
	Placements []Placement // one per event, in order

	tx         *tenants.Tx
	seen       []sighted
	identities map[uuid.UUID]bool       // touched
	divided    map[uuid.UUID]bool       // of those, the known ones that a derivation changed
	anew       map[uuid.UUID]bool       // accounts that a derivation made or changed, or that were given their contact
	lost       []uuid.UUID              // identifiers that a derivation took from a known account
	contacts   map[uuid.UUID]bool       // whose words or cases may have changed
	newValues  []uuid.UUID              // identifiers first seen in this batch
	claimed    map[uuid.UUID]bool       // known so far only from a list
	proved     []uuid.UUID              // cases that these events have closed
	codes      map[int][]hint           // what codes prove, by the event they came in
	prose      bool                     // what WhatsApp says in prose may have to be looked at again
	tenures    map[uuid.UUID][]tenure   // by identifier, as they now are; what a derivation may have changed is left out
	holders    map[uuid.UUID]*uuid.UUID // the contact of each identity, if any; what a derivation may have changed is left out
}

// sighted is a Seen with its identifiers found and its time settled.
type sighted struct {
	Seen
	at                   time.Time
	phone, bsuid, parent uuid.UUID
	turnedInto           uuid.UUID // of a rotation: the new BSUID
}

// maxSkew bounds how far ahead of our clock WhatsApp's may be before its timestamp is not believed.
const maxSkew = 366 * 24 * time.Hour

// Observe records what events say about identifiers, derives the accounts anew where that is news, and tells for each event
// which tenure it belongs to.
func Observe(ctx context.Context, tx *tenants.Tx, seen []Seen) (*Batch, error) {
	b := &Batch{
		tx: tx, identities: map[uuid.UUID]bool{}, divided: map[uuid.UUID]bool{}, anew: map[uuid.UUID]bool{}, contacts: map[uuid.UUID]bool{}, claimed: map[uuid.UUID]bool{},
		tenures: map[uuid.UUID][]tenure{}, holders: map[uuid.UUID]*uuid.UUID{},
	}
	for _, s := range seen {
		at := s.Event.At
		if at.IsZero() || at.After(s.ReceivedAt.Add(maxSkew)) {
			at = s.ReceivedAt.UTC().Truncate(time.Second)
		}
		b.seen = append(b.seen, sighted{Seen: s, at: at})
	}

	ids, err := b.recordIdentifiers(ctx)
	if err != nil {
		return nil, err
	}

	news, err := b.recordEvidence(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(news) > 0 {
		if err := b.rederive(ctx, news); err != nil {
			return nil, err
		}
	}

	if err := b.place(ctx); err != nil {
		return nil, err
	}
	if err := b.wroteAgain(ctx); err != nil {
		return nil, err
	}

	return b, nil
}

// At is the time event i counts for: WhatsApp's, or that of receipt where WhatsApp's is missing or absurd.
func (b *Batch) At(i int) time.Time { return b.seen[i].at }

// place finds the tenure of each event: its BSUID's, else the one that held its phone, else its parent's, at its time.
func (b *Batch) place(ctx context.Context) error {
	wanted := map[uuid.UUID]bool{}
	for _, s := range b.seen {
		if id := s.leading(); id != uuid.Nil && b.tenures[id] == nil {
			wanted[id] = true
		}
	}
	read, err := tenuresOf(ctx, b.tx, keys(wanted))
	if err != nil {
		return err
	}
	maps.Copy(b.tenures, read)

	b.Placements = make([]Placement, len(b.seen))
	for i, s := range b.seen {
		for _, t := range b.tenures[s.leading()] {
			if t.covers(s.at) {
				b.Placements[i] = Placement{TenureID: t.ID, IdentityID: t.IdentityID, Identifier: t.IdentifierID}
				b.identities[t.IdentityID] = true
			}
		}
	}

	return nil
}

// leading is the identifier that decides whose event it is.
func (s sighted) leading() uuid.UUID {
	switch {
	case s.bsuid != uuid.Nil:
		return s.bsuid
	case s.phone != uuid.Nil:
		return s.phone
	default:
		return s.parent
	}
}

func keys[V any](m map[uuid.UUID]V) []uuid.UUID {
	out := make([]uuid.UUID, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })

	return out
}
