package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
)

// object is a JSON object under construction. A key that WhatsApp omits is left
// out, never sent empty.
type object map[string]any

// item is one entry of a list of a change, with its contacts.
type item struct {
	number   Number
	field    string // "" is "messages"
	list     string // the key of the change's value
	contacts []object
	body     object
	told     EventTruth
}

// entry is what one WABA got in a webhook body.
type entry struct {
	waba    string
	changes []change
}

// change is a run of items for one number and list.
type change struct {
	number   Number
	field    string
	list     string
	contacts []object
	bodies   []object
}

// pack writes items as one webhook body: one entry for each WABA and in it one
// change for each number and list, in the order they came.
func pack(items ...item) []byte {
	var entries []entry
	for _, it := range items {
		at := slices.IndexFunc(entries, func(e entry) bool { return e.waba == it.number.WABAID })
		if at < 0 {
			at = len(entries)
			entries = append(entries, entry{waba: it.number.WABAID})
		}
		entries[at].add(it)
	}
	wire := make([]object, len(entries))
	for i, e := range entries {
		wire[i] = e.wire()
	}
	return encode(object{"object": "whatsapp_business_account", "entry": wire})
}

func (e *entry) add(it item) {
	n := len(e.changes)
	if n == 0 || !e.changes[n-1].takes(it) {
		e.changes = append(e.changes, change{number: it.number, field: it.field, list: it.list})
		n++
	}
	last := &e.changes[n-1]
	last.bodies = append(last.bodies, it.body)
	last.contacts = mergeContacts(last.contacts, it.contacts)
}

// takes tells whether an item may stand in a change. Items without contacts keep to themselves: a change of failed statuses or
// of system messages has no contacts at all.
func (c change) takes(it item) bool {
	return c.field == it.field && c.list == it.list && c.number.PhoneNumberID == it.number.PhoneNumberID &&
		(len(c.contacts) == 0) == (len(it.contacts) == 0)
}

func (e entry) wire() object {
	changes := make([]object, len(e.changes))
	for i, c := range e.changes {
		value := object{
			"messaging_product": "whatsapp",
			"metadata":          object{"display_phone_number": c.number.DisplayPhone, "phone_number_id": c.number.PhoneNumberID},
			c.list:              c.bodies,
		}
		if len(c.contacts) > 0 {
			value["contacts"] = c.contacts
		}
		changes[i] = object{"field": cmp.Or(c.field, "messages"), "value": value}
	}
	return object{"id": e.waba, "changes": changes}
}

// mergeContacts keeps one entry a person, as WhatsApp does in a batch.
func mergeContacts(all, more []object) []object {
	for _, contact := range more {
		known := slices.ContainsFunc(all, func(c object) bool {
			return c["user_id"] == contact["user_id"] && c["wa_id"] == contact["wa_id"]
		})
		if !known {
			all = append(all, contact)
		}
	}
	return all
}

// encode writes JSON as Meta does, everything but ASCII as \u escapes.
func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("encode a body made of strings and maps: %v", err))
	}
	plain := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
	escaped := make([]byte, 0, len(plain)+len(plain)/2)
	for _, r := range string(plain) {
		switch {
		case r < 0x80:
			escaped = append(escaped, byte(r))
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// profile is who writes as WhatsApp shows them at one moment; empty is not sent.
type profile struct {
	name, username, phone, bsuid, parent string
}

func (p profile) contact() object {
	contact := object{}
	shown := object{}
	set(shown, "name", p.name)
	set(shown, "username", p.username)
	if len(shown) > 0 {
		contact["profile"] = shown
	}
	set(contact, "wa_id", p.phone)
	set(contact, "user_id", p.bsuid)
	set(contact, "parent_user_id", p.parent)
	return contact
}

// inbound is a message from a customer. kind is the wire type, content its object.
func inbound(number Number, p profile, wamid string, at time.Time, kind string, content any) item {
	body := object{"id": wamid, "timestamp": seconds(at), "type": kind}
	set(body, "from", p.phone)
	set(body, "from_user_id", p.bsuid)
	set(body, "from_parent_user_id", p.parent)
	if content != nil {
		body[kind] = content
	}
	return item{number: number, list: "messages", contacts: []object{p.contact()}, body: body}
}

func text(body string) object { return object{"body": body} }

// status is the state of a message the business sent to a phone, or to a BSUID
// where toPhone is false. Source: domain facts 3.4.
func status(number Number, p profile, wamid string, at time.Time, state string, toPhone bool) item {
	body := object{"id": wamid, "status": state, "timestamp": seconds(at)}
	if p.phone != "" {
		body["recipient_id"] = p.phone
	}
	if state == "failed" {
		if !toPhone {
			set(body, "recipient_user_id", p.bsuid)
			delete(body, "recipient_id")
		}
		body["errors"] = []object{{
			"code": 131049, "title": "This message was not delivered to maintain healthy ecosystem engagement.",
			"error_data": object{"details": "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."},
		}}
		return item{number: number, list: "statuses", body: body}
	}
	if p.bsuid == "" && p.username == "" {
		// As before there were BSUIDs.
		return item{number: number, list: "statuses", body: body}
	}
	set(body, "recipient_user_id", p.bsuid)
	set(body, "recipient_parent_user_id", p.parent)
	if state == "sent" {
		p.username = ""
	}
	return item{number: number, list: "statuses", contacts: []object{p.contact()}, body: body}
}

// rotated is the system message of a number change: old and new belong together,
// each with the ids that WhatsApp shows. Source: domain facts 3.5.
func rotated(number Number, name string, before, after profile, wamid string, at time.Time) item {
	system := object{
		"type": "user_changed_user_id", "user_id": after.bsuid, "previous_user_id": before.bsuid,
		"body": "User " + name + " changed from " + before.bsuid + " to " + after.bsuid,
	}
	body := object{"id": wamid, "timestamp": seconds(at), "type": "system", "system": system}
	set(system, "parent_user_id", after.parent)
	set(system, "previous_parent_user_id", before.parent)
	if after.bsuid == "" {
		// As before there were BSUIDs.
		delete(system, "user_id")
		delete(system, "previous_user_id")
	}
	if before.phone != "" {
		body["from"] = before.phone
		system["type"], system["wa_id"] = "user_changed_number", after.phone
		system["body"] = "User " + name + " changed from " + before.phone + " to " + after.phone
	}
	return item{number: number, list: "messages", body: body}
}

func set(o object, key, value string) {
	if value != "" {
		o[key] = value
	}
}
