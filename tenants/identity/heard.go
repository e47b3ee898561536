package identity

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// recordHeard tells the counts of adoption who was heard from by a batch and what WhatsApp showed of them, and which phones and numbers
// had to do with each other.
func (b *Batch) recordHeard(ctx context.Context) error {
	var (
		signs []adoption.Sign
		calls []adoption.Call
	)
	for i, s := range b.seen {
		if heardFrom(s.Event) && b.Placements[i].TenureID != uuid.Nil {
			p := b.Placements[i]
			signs = append(signs, adoption.Sign{
				Identity: p.IdentityID, Tenure: p.TenureID, Number: s.NumberID, Scope: s.Scope, At: s.at, BSUID: s.bsuid != uuid.Nil,
				Named: s.Event.Party.Username != "", Phoned: s.phone != uuid.Nil, Handle: s.handle(),
			})
		}
		if c, ok := s.call(); ok {
			c.WithID = b.hasPhone(s)
			calls = append(calls, c)
		}
	}
	if err := adoption.Record(ctx, b.tx, signs); err != nil {
		return err
	}

	return adoption.RecordCalls(ctx, b.tx, calls)
}

// heardFrom tells whether a customer was heard from: now, or in chats from before.
func heardFrom(e whatsapp.Event) bool {
	return makesContact(e) || e.Kind == whatsapp.KindHistory && e.Direction == whatsapp.DirectionIn
}

// handle is the identifier that decides whose event it is, as WhatsApp calls it.
func (s sighted) handle() string {
	switch {
	case s.bsuid != uuid.Nil:
		return s.Event.Party.BSUID
	case s.phone != uuid.Nil:
		return s.Event.Party.Phone
	default:
		return s.Event.Party.Parent
	}
}

// call tells whether an event shows that the number and the customer's phone had to do with each other: what came from it, what the
// business sent it by its own phone, and what went out and was not refused. Groups do not count.
func (s sighted) call() (adoption.Call, bool) {
	c := adoption.Call{Phone: s.phone, Number: s.NumberID, At: s.at}
	if s.phone == uuid.Nil || s.Event.GroupID != "" {
		return c, false
	}
	switch s.Event.Kind {
	case whatsapp.KindMessage, whatsapp.KindCall, whatsapp.KindHistory, whatsapp.KindEcho:
		return c, true
	case whatsapp.KindStatus:
		if s.bsuid != uuid.Nil {
			c.WAMID = s.Event.WAMID
		}
		return c, s.Event.Status == "sent"
	default:
		return c, false
	}
}

// hasPhone tells of most events that show a phone and a WhatsApp ID that the ID's account is the only one which ever had the phone, and
// has it: what the batch has read of both says so.
func (b *Batch) hasPhone(s sighted) bool {
	held := b.tenures[s.phone]

	return s.bsuid != uuid.Nil && len(held) == 1 && held[0].Current &&
		slices.ContainsFunc(b.tenures[s.bsuid], func(t tenure) bool { return t.IdentityID == held[0].IdentityID })
}

// hands is what a derivation changes for the counts: the accounts that lose or gain an identifier that was somebody's before, the
// tenures, with their identifiers, of those whose time is divided anew, and the phones whose holder may be another.
type hands struct {
	accounts map[uuid.UUID]bool
	divided  map[uuid.UUID]uuid.UUID
	phones   []uuid.UUID
}

// changeHands looks at what a plan will do, before it is done.
func (p *plan) changeHands() hands {
	h := hands{accounts: map[uuid.UUID]bool{}, divided: map[uuid.UUID]uuid.UUID{}}
	desired := p.desired()
	for _, n := range p.nodes {
		have, want := p.tenures[n.id], desired[n.id]
		if len(have) == 0 {
			continue
		}
		if n.kind == whatsapp.KindPhone {
			h.phones = append(h.phones, n.id)
		}
		kept, moves := matchTenures(have, want)
		for i := range want {
			if kept[i] == nil {
				continue
			}
			want[i].ID = kept[i].ID
			if kept[i].IdentityID != want[i].IdentityID {
				h.accounts[kept[i].IdentityID], h.accounts[want[i].IdentityID] = true, true
			}
		}
		if !dividedAnew(have, want, moves) {
			continue
		}
		for _, t := range have {
			h.accounts[t.IdentityID], h.divided[t.ID] = true, n.id
		}
		for _, t := range want {
			h.accounts[t.IdentityID] = true
		}
	}

	return h
}

// dividedAnew tells whether an identifier's time was divided in another way than it is now.
func dividedAnew(have, want, moves []tenure) bool {
	return len(have) > 0 && (len(have) != len(want) || len(moves) > 0 || len(have) > 1 && !sameBounds(have, want))
}

// lift takes the accounts out of the counts; the returned function puts them back once the plan has been carried out.
func (p *plan) lift(ctx context.Context, b *Batch) (func() error, error) {
	h := p.changeHands()
	if len(h.accounts) == 0 {
		return func() error { return adoption.MovePhones(ctx, b.tx, h.phones) }, nil
	}
	lifted, err := adoption.Lift(ctx, b.tx, keys(h.accounts))
	if err != nil {
		return nil, err
	}

	return func() error {
		if err := lifted.Settle(ctx, b.tx, h.divided); err != nil {
			return err
		}

		return adoption.MovePhones(ctx, b.tx, h.phones)
	}, nil
}
