package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// ev is one event as a story tells it, to be written the way WhatsApp would.
type ev struct {
	is       string // "" a text message, or status, system, call, echo, preference, history, contacts, reaction, …
	word     string // of a status, system message, preference or call: which
	id       string
	at       int    // seconds since 1790000000
	number   string // own where empty
	phone    string // wa_id and from, recipient_id or to
	bsuid    string
	parent   string
	name     string
	username string
	text     string
	phone2   string         // of a system message: the new ones; of an event with a contact that differs: the contact's
	bsuid2   string         // the same
	bsuid0   string         // of a system message: previous_user_id
	more     map[string]any // members of the item, over all others
	alone    bool           // no contacts array
}

const epoch = 1790000000

// wamid is the id that the event has on the wire.
func wamid(id string) string { return "wamid." + id }

func set(m map[string]any, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
}

// change is the event as one change of a delivery.
func (e ev) change() map[string]any {
	if e.number == "" {
		e.number = ownNumber
	}
	item := map[string]any{"id": wamid(e.id), "timestamp": fmt.Sprint(epoch + e.at)}
	contact, profile := map[string]any{}, map[string]any{}
	set(profile, "name", e.name, "username", e.username)
	if len(profile) > 0 {
		contact["profile"] = profile
	}
	set(contact, "wa_id", orElse(e.phone2, e.phone), "user_id", orElse(e.bsuid2, e.bsuid), "parent_user_id", e.parent)
	value := map[string]any{
		"messaging_product": "whatsapp",
		"metadata":          map[string]any{"display_phone_number": map[string]string{ownNumber: ownPhone, otherNumber: otherPhone}[e.number], "phone_number_id": e.number},
	}
	field, key := "messages", "messages"
	switch e.is {
	case "status":
		key = "statuses"
		set(item, "status", e.word, "recipient_id", e.phone, "recipient_user_id", e.bsuid, "recipient_parent_user_id", e.parent)
	case "system":
		e.alone = true
		system := map[string]any{"type": e.word}
		set(system, "body", e.text, "wa_id", e.phone2, "user_id", e.bsuid2, "previous_user_id", e.bsuid0)
		item["type"], item["system"] = "system", system
		set(item, "from", e.phone)
	case "call":
		field, key = "calls", "calls"
		item["event"], item["direction"] = e.word, "USER_INITIATED"
		set(item, "from", e.phone, "from_user_id", e.bsuid)
	case "echo":
		field, key = "smb_message_echoes", "message_echoes"
		item["from"], item["type"], item["text"] = ownPhone, "text", map[string]any{"body": e.text}
		set(item, "to", e.phone, "to_user_id", e.bsuid)
	case "preference":
		field, key = "user_preferences", "user_preferences"
		item = map[string]any{"category": "marketing_messages", "value": e.word, "detail": "-", "timestamp": epoch + e.at}
		set(item, "wa_id", e.phone, "user_id", e.bsuid, "parent_user_id", e.parent)
	case "saved":
		field, key, e.alone = "smb_app_state_sync", "state_sync", true
		card := map[string]any{}
		set(card, "full_name", e.name, "phone_number", e.phone, "user_id", e.bsuid)
		item = map[string]any{"type": "contact", "action": orElse(e.word, "add"), "contact": card, "metadata": map[string]any{"timestamp": fmt.Sprint(epoch + e.at)}}
	case "history":
		field, key, e.alone = "history", "history", true
		item["type"], item["text"] = "text", map[string]any{"body": e.text}
		owner := map[string]any{}
		set(owner, "wa_id", e.phone, "user_id", e.bsuid, "username", e.username)
		set(item, "from", e.phone, "from_user_id", e.bsuid)
		maps.Copy(item, e.more)
		thread := map[string]any{"context": owner, "messages": []any{item}}
		set(thread, "id", e.phone)
		item, e.more = map[string]any{"metadata": map[string]any{"phase": 0}, "threads": []any{thread}}, nil
	default:
		item["type"] = orElse(e.is, "text")
		if e.is == "" {
			item["text"] = map[string]any{"body": orElse(e.text, "hello "+e.id)}
		}
		set(item, "from", e.phone, "from_user_id", e.bsuid, "from_parent_user_id", e.parent)
	}
	maps.Copy(item, e.more)
	value[key] = []any{item}
	if !e.alone {
		value["contacts"] = []any{contact}
	}

	return map[string]any{"field": field, "value": value}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}

	return b
}

// posted is one POST that holds the events, each in a change of its own.
func posted(events ...ev) []byte {
	changes := make([]any, len(events))
	for i, e := range events {
		changes[i] = e.change()
	}

	return written(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": ownWABA, "changes": changes}}})
}

// card is a message that shares a contact card.
func card(e ev, origin, phone, waID string) ev {
	entry := map[string]any{"phone": phone, "type": "MOBILE"}
	set(entry, "wa_id", waID)
	shared := map[string]any{"name": map[string]any{"formatted_name": "Card"}, "phones": []any{entry}}
	set(shared, "origin", origin)
	e.is, e.more = "contacts", map[string]any{"contacts": []any{shared}}

	return e
}

func written(v any) []byte {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}

	return []byte(strings.TrimSpace(out.String()))
}
