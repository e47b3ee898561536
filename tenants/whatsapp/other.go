package whatsapp

import (
	"fmt"
	"strings"
)

// other reads who and when out of the kinds that are not messages, as far as
// they tell it. Sources: domain facts 3.6 to 3.12.
func (e *envelope) other(raw []byte) error {
	it := e.item
	e.Content = e.content(raw)
	switch e.Kind {
	case KindPreference:
		e.Direction, e.Type, e.Status = DirectionIn, it.text("category"), it.text("value")
		e.Text = it.text("detail")
		e.expect(e.Status, preferenceTypes)
		e.warnUnknown(preferenceKeys)
		e.party(it.text("wa_id"), it.text("user_id"), it.text("parent_user_id"))
	case KindIDUpdate:
		e.idUpdate()
	case KindCall:
		return e.call()
	case KindSync:
		contact := it.object("contact")
		e.Type, e.Text = it.text("action"), first(contact.text("full_name"), contact.text("first_name"))
		e.At = it.object("metadata").time("timestamp")
		e.expect(e.Type, syncTypes)
		e.warnUnknown(syncKeys)
		e.party(contact.text("phone_number"), contact.text("user_id"), contact.text("parent_user_id"))
		e.username(contact.text("username"))
	case KindGroup:
		e.group()
	case KindUserAction:
		e.Direction, e.Type = DirectionIn, it.text("action_type")
		e.party(first(it.text("from"), it.text("wa_id")), first(it.text("from_user_id"), it.text("user_id")),
			first(it.text("from_parent_user_id"), it.text("parent_user_id")))
	default:
		e.notice()
	}
	return nil
}

// call reads one event of a call: its beginning, its end, or a status of one that
// the business made.
func (e *envelope) call() error {
	it := e.item
	if e.WAMID == "" {
		return fmt.Errorf("missing_wamid: call without id")
	}
	e.Type, e.Status = first(it.text("event"), it.text("type")), it.text("status")
	e.Seconds = max(it.integer("duration"), 0)
	e.expect(e.Type, callTypes)
	e.warnUnknown(callKeys)
	switch {
	case it.has("recipient_id") || it.has("recipient_user_id"):
		e.Direction = DirectionOut
		e.recipient()
	case it.text("direction") == "BUSINESS_INITIATED":
		e.Direction = DirectionOut
		e.party(it.text("to"), it.text("to_user_id"), it.text("to_parent_user_id"))
	default:
		e.Direction = DirectionIn
		e.party(it.text("from"), it.text("from_user_id"), it.text("from_parent_user_id"))
	}
	return nil
}

// group reads whom a group event names. What the business itself typed to remove
// somebody stands in input and is a phone or a BSUID; elsewhere ids stand beside
// a flat username. Source: domain facts 3.10.
func (e *envelope) group() {
	it := e.item
	e.Type, e.GroupID = it.text("type"), truncate(it.text("group_id"), maxID)
	named := append(it.list("added_participants"), it.list("removed_participants")...)
	if len(named) == 0 {
		named = []fields{it}
	}
	for _, m := range named[:min(len(named), maxMembers)] {
		e.party(first(m.text("wa_id"), m.text("input")), m.text("user_id"), m.text("parent_user_id"))
		e.username(m.text("username"))
		if p := e.Party; p.Phone != "" || p.BSUID != "" || p.Parent != "" {
			e.Members = append(e.Members, p)
		}
	}
	e.Party = Party{}
}

// maxMembers is the largest group WhatsApp allows a business, many times over.
const maxMembers = 1024

// noticeFields are the fields by which WhatsApp speaks of the business's own
// account, numbers and templates. Source: domain facts 3.12.
var noticeFields = map[string]bool{
	"account_alerts": true, "account_review_update": true, "account_settings_update": true, "account_update": true,
	"business_capability_update": true, "business_status_update": true, "flows": true, "message_template_components_update": true,
	"message_template_quality_update": true, "message_template_status_update": true, "partner_solutions": true,
	"payment_configuration_update": true, "phone_number_name_update": true, "phone_number_quality_update": true, "security": true,
	"template_category_update": true, "template_correct_category_detection": true,
}

// IsNotice tells whether an item of this kind and field speaks of the business's
// own account or numbers and of no customer.
func IsNotice(kind ItemKind, field string) bool {
	return kind == KindUsername || kind == KindError || kind == KindChange && noticeFields[field]
}

func (e *envelope) notice() {
	it := e.item
	e.At, e.WAMID = e.entryTime, ""
	e.Type = truncate(first(it.text("event"), it.text("decision"), it.text("alert_type"), it.text("new_category"), it.text("status")), maxName)
	switch {
	case e.Kind == KindUsername:
		e.Type, e.Text = it.text("status"), it.text("username")
		e.expect(e.Type, usernameTypes)
		e.warnUnknown(usernameKeys)
	case !noticeFields[e.field]:
		e.warn("unknown_field")
		return
	}
	e.Facts = map[string]string{}
	flatten(e.Facts, "", it, 0)
}

// The bounds of a notice's facts.
const (
	maxFacts     = 64
	maxFactDepth = 3
)

// flatten collects the strings, numbers and booleans of an object and of the
// objects in it. Of a list it takes the first object.
func flatten(into map[string]string, path string, it fields, depth int) {
	for key, raw := range it {
		if len(into) >= maxFacts || len(raw) == 0 {
			continue
		}
		name := truncate(strings.ToValidUTF8(clean(path+key), "\uFFFD"), maxName)
		switch c := raw[0]; {
		case c == '{' && depth < maxFactDepth:
			flatten(into, name+".", it.object(key), depth+1)
		case c == '[' && depth < maxFactDepth:
			if list := it.list(key); len(list) > 0 {
				flatten(into, name+".", list[0], depth+1)
			}
		case c == 't' || c == 'f':
			into[name] = string(raw)
		default:
			if value := it.text(key); value != "" {
				into[name] = truncate(value, maxName)
			}
		}
	}
}
