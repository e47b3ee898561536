package sandbox

import "time"

// PersonTruth is what really belongs to one person: the answer that a resolver is
// measured against. Only what was shown on the wire is in it. A family that shares
// a phone and so an account counts as one person.
type PersonTruth struct {
	Person      string       `json:"person"`
	Name        string       `json:"name"`
	Identifiers []Identifier `json:"identifiers"`
	WAMIDs      []string     `json:"wamids"` // of the messages they wrote
}

// Identifier is one handle of a person. From is when it was first shown, To when
// they gave it up, null while they hold it.
type Identifier struct {
	Kind  string     `json:"kind"` // "phone", "bsuid" or "parent_bsuid"
	Value string     `json:"value"`
	From  time.Time  `json:"from"`
	To    *time.Time `json:"to"`
}

// The kinds of an EventTruth.
const (
	EventMessage = "message"
	EventStatus  = "status"
	EventSystem  = "system"
	EventEcho    = "echo"
	EventHistory = "history"
	EventSync    = "sync"
	EventCall    = "call"
)

// EventTruth is what really stands behind one item of the wire.
type EventTruth struct {
	Event  string    `json:"event"` // wamid; of a call its wacid; "" where the item has none
	Kind   string    `json:"kind"`
	State  string    `json:"state,omitempty"` // of a status
	At     time.Time `json:"at"`
	Number string    `json:"phone_number_id"`
	Person string    `json:"person"` // "" where nobody holds what was dialed
	Shown  Shown     `json:"shown"`
	Was    *Shown    `json:"was,omitempty"`  // on a number change: what is gone, as far as WhatsApp names it
	Name   *Spelling `json:"name,omitempty"` // the profile name, where the item shows one
}

// Shown is what an item names of a person.
type Shown struct {
	Phone    string `json:"phone,omitempty"`
	BSUID    string `json:"bsuid,omitempty"`
	Parent   string `json:"parent_bsuid,omitempty"`
	Username string `json:"username,omitempty"`
}

// Truth says who is who among all that has been made so far. Once Next has
// returned false that is all that was delivered.
func (w *World) Truth() []PersonTruth {
	truth := []PersonTruth{}
	for _, p := range w.people {
		if len(p.shown) == 0 {
			continue
		}
		told := PersonTruth{Person: p.id, Name: p.name.full(), WAMIDs: append([]string{}, p.wamids...)}
		for _, shown := range p.shown {
			told.Identifiers = append(told.Identifiers, *shown)
		}
		truth = append(truth, told)
	}
	return truth
}

// Events says of everything made so far whose it is, in the order in which it happened.
func (w *World) Events() []EventTruth { return w.told }

// tell notes in an item whose it is and what it shows.
func (w *World) tell(it item, p *person, kind, event string, shown profile, at time.Time) item {
	it.told = EventTruth{
		Event: event, Kind: kind, At: at, Number: it.number.PhoneNumberID,
		Shown: Shown{shown.phone, shown.bsuid, shown.parent, shown.username},
	}
	if p != nil {
		it.told.Person = p.id
		if shown.name != "" {
			spelling := p.shows
			it.told.Name = &spelling
		}
	}
	return it
}
