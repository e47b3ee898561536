package whatsapp

import (
	"fmt"
	"regexp"
)

// Rotation is WhatsApp's word that one account's ids were replaced. Only its
// fields are proof; BodyIDs are ids found in the human text, a hint for a person
// and never a reason to link. Old and New hold no names. Old.Phone with New.BSUID
// is a pair that never existed: old belongs to old and new to new.
// Source: domain facts 3.5 and 3.6.
type Rotation struct {
	Type     string // user_changed_number, user_changed_user_id, customer_changed_number, user_id_update
	Old, New Party
	BodyIDs  []string
}

// rotations are the system subtypes that replace ids. customer_changed_number is
// the name of user_changed_number in older payloads.
var rotations = map[string]bool{
	"user_changed_number":     true,
	"user_changed_user_id":    true,
	"customer_changed_number": true,
}

var idInProse = regexp.MustCompile(`\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}\b|\+?\b\d{7,15}\b`)

const maxBodyIDs = 8

func (e *envelope) system() error {
	it := e.item
	if e.WAMID == "" {
		return fmt.Errorf("missing_wamid: system message without id")
	}
	system := it.object("system")
	subtype := truncate(first(system.text("type"), "unknown"), maxName)
	e.Direction, e.Type = DirectionIn, "system:"+subtype
	e.Text = system.text("body")
	e.Content = e.content(it["system"])
	e.Errors = statusErrors(it)
	e.expect(subtype, systemTypes)

	if !rotations[subtype] {
		// An unknown subtype does not tell whether system's ids are before or
		// after, so they are taken only where the message names nobody itself,
		// and never as a pair.
		bsuid := it.text("from_user_id")
		if it.text("from") == "" && bsuid == "" {
			bsuid = system.text("user_id")
		}
		e.party(it.text("from"), bsuid, it.text("from_parent_user_id"))
		return nil
	}

	r := &Rotation{Type: subtype, BodyIDs: bodyIDs(e.Text)}
	r.New = e.ids(first(system.text("wa_id"), system.text("new_wa_id")), system.text("user_id"), system.text("parent_user_id"))
	r.Old = e.ids(it.text("from"), system.text("previous_user_id"), system.text("previous_parent_user_id"))

	// from_user_id is not documented here. Where it comes it stands beside from,
	// the old number, unless it plainly is the new id.
	beside := e.ids("", it.text("from_user_id"), it.text("from_parent_user_id"))
	r.Old.BSUID = e.before(r.Old.BSUID, beside.BSUID, r.New.BSUID)
	r.Old.Parent = e.before(r.Old.Parent, beside.Parent, r.New.Parent)
	e.Rotation, e.Party = r, r.Old
	return nil
}

// before chooses the id before a change: the previous one if it is given, else
// the sender's where that is not the one after the change.
func (e *envelope) before(previous, sender, after string) string {
	if sender == "" || sender == after || sender == previous {
		return previous
	}
	if previous != "" {
		e.warn("contact_id_mismatch")
		return previous
	}
	return sender
}

func (e *envelope) idUpdate() {
	bsuid, parent := e.item.object("user_id"), e.item.object("parent_user_id")
	r := &Rotation{Type: "user_id_update"}
	r.Old = e.ids("", bsuid.text("previous"), parent.text("previous"))
	r.New = e.ids(e.item.text("wa_id"), bsuid.text("current"), parent.text("current"))
	e.Direction, e.Type, e.Text = DirectionIn, r.Type, e.item.text("detail")
	e.Rotation, e.Party = r, r.Old
}

func bodyIDs(text string) []string {
	var ids []string
	for _, id := range idInProse.FindAllString(text, maxBodyIDs) {
		_, phone := Phone(id)
		if phone || IsBSUID(id) || IsParentBSUID(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
