package whatsapp

import (
	"encoding/json"
	"slices"
)

// maxPeople bounds the contacts one item takes along; more than two is unheard of.
const maxPeople = 4

// people is the contacts array of one change, indexed by the ids in it: a batch
// may hold a thousand people, and each item takes only its own along.
type people struct {
	raw  []json.RawMessage
	byID map[string][]int
}

// idKeys are the members of an item that name a person.
var idKeys = []string{
	"from", "from_user_id", "to", "to_user_id",
	"recipient_id", "recipient_user_id",
	"recipient_participant_id", "recipient_participant_user_id",
	"wa_id", "user_id",
}

func newPeople(raw []byte) people {
	elements, err := cutArray(raw)
	if err != nil {
		return people{}
	}
	p := people{byID: map[string][]int{}}
	for _, element := range elements {
		element, problem := usable(element)
		if problem != "" || len(element) > maxShared {
			continue
		}
		contact, err := cutObject(element)
		if err != nil {
			continue
		}
		at := len(p.raw)
		p.raw = append(p.raw, element)
		for _, key := range []string{"user_id", "wa_id"} {
			if id := joinKey(contact.text(key)); id != "" {
				p.byID[id] = append(p.byID[id], at)
			}
		}
	}
	return p
}

// of returns the contacts whose ids the item names, in their order. A contact
// that stands alone comes along in any case: it may lend its profile name.
func (p people) of(item fields) []json.RawMessage {
	if len(p.raw) <= 1 {
		return p.raw
	}
	var found []int
	for _, key := range idKeys {
		at := p.byID[joinKey(item.text(key))]
		found = append(found, at[:min(len(at), maxPeople)]...)
	}
	slices.Sort(found)
	found = slices.Compact(found)

	var own []json.RawMessage
	for _, at := range found[:min(len(found), maxPeople)] {
		own = append(own, p.raw[at])
	}
	return own
}

// joinKey makes the spellings of one phone equal, so that a contact and a message
// still meet where WhatsApp writes the number in two ways.
func joinKey(id string) string {
	if phone, ok := Phone(id); ok {
		return phone
	}
	return id
}
