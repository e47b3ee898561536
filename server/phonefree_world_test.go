package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// guest is a customer of a world made to be kept without phones: their phone stands wherever WhatsApp and people put one.
type guest struct{ phone, bsuid string }

// wamidOf is a message id as WhatsApp makes it: the phone lies in it.
func (g guest) wamidOf(n int) string {
	return "wamid." + base64.StdEncoding.EncodeToString([]byte("\x1d\x05\x13\x0c"+g.phone+"\x15\x02\x00\x12\x18\x16"+fmt.Sprintf("3EB0%08X", n)))
}

func (g guest) spaced() string { return "+" + g.phone[:2] + " " + g.phone[2:7] + "-" + g.phone[7:] }

func (g guest) devanagari() string {
	return strings.Map(func(r rune) rune { return r - '0' + '०' }, g.phone[2:])
}

func parcel(number, field string, value map[string]any) []byte {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]any{"display_phone_number": map[string]string{ownNumber: ownPhone, otherNumber: otherPhone}[number], "phone_number_id": number}
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{
		map[string]any{"id": ownWABA, "time": epoch, "changes": []any{map[string]any{"field": field, "value": value}}},
	}})
	if err != nil {
		panic(err)
	}

	return body
}

// guestWorld is what WhatsApp sends of a guest, and of a friend whose phone is spoken of: every kind of event, and bodies that cannot be
// read. seed tells the ids of two worlds apart.
func guestWorld(number string, seed int, g, friend guest) (bodies [][]byte) {
	n := seed * 100
	item := func(more map[string]any) map[string]any {
		n++
		m := map[string]any{"from": g.phone, "id": g.wamidOf(n), "timestamp": fmt.Sprint(epoch + n)}
		if g.bsuid != "" {
			m["from_user_id"] = g.bsuid
		}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	contact := map[string]any{"wa_id": g.phone, "profile": map[string]any{"name": "Ravi " + g.spaced(), "username": "ravi." + g.phone[2:]}}
	if g.bsuid != "" {
		contact["user_id"] = g.bsuid
	}
	says := func(more map[string]any) {
		bodies = append(bodies, parcel(number, "messages", map[string]any{"contacts": []any{contact}, "messages": []any{item(more)}}))
	}
	text := func(body string) map[string]any {
		return map[string]any{"type": "text", "text": map[string]any{"body": body}}
	}
	says(text("my number is " + g.spaced() + ", or " + g.phone[2:] + ", or " + g.devanagari()))
	says(text("order 4471; ask " + friend.spaced() + " (https://wa.me/" + friend.phone + ")"))
	says(map[string]any{"type": "contacts", "contacts": []any{map[string]any{
		"name": map[string]any{"formatted_name": "Nadia " + friend.phone}, "phones": []any{map[string]any{"phone": friend.spaced(), "wa_id": friend.phone, "type": "CELL"}},
		"vcard": "BEGIN:VCARD\nTEL;waid=" + friend.phone + ":" + friend.spaced() + "\nEND:VCARD",
	}}})
	says(map[string]any{"type": "document", "document": map[string]any{"id": "1234567890123456", "mime_type": "application/pdf", "filename": "IMG-" + g.phone + ".pdf", "caption": g.spaced()}})
	says(map[string]any{"type": "reaction", "reaction": map[string]any{"message_id": g.wamidOf(1), "emoji": "👍"}})
	says(map[string]any{"type": "text", "text": map[string]any{"body": "answering"}, "context": map[string]any{"from": g.phone, "id": g.wamidOf(1)}})
	says(map[string]any{"type": "interactive", "interactive": map[string]any{"type": "nfm_reply", "nfm_reply": map[string]any{
		"name": "flow", "body": "Sent", "response_json": `{"phone":"` + friend.phone + `"}`,
	}}})
	says(map[string]any{"type": "location", "location": map[string]any{"latitude": 12.97160001, "longitude": 77.59460001, "name": "call " + g.phone}})
	says(map[string]any{"type": "brand_new", "brand_new": map[string]any{g.phone: g.phone, "n": json.Number(g.phone)}})
	says(map[string]any{"type": "text", "text": map[string]any{"body": "in a group"}, "group_id": g.phone + "-1600000000@g.us"})
	says(map[string]any{"type": "system", "system": map[string]any{"type": "customer_identity_changed", "body": "code of " + g.phone + " changed"}})

	status := func(word string, more map[string]any) {
		n++
		s := map[string]any{"id": g.wamidOf(seed*100 + 77), "status": word, "timestamp": fmt.Sprint(epoch + n), "recipient_id": g.phone}
		for k, v := range more {
			s[k] = v
		}
		bodies = append(bodies, parcel(number, "messages", map[string]any{"contacts": []any{contact}, "statuses": []any{s}}))
	}
	status("sent", nil)
	status("failed", map[string]any{"errors": []any{map[string]any{
		"code": 131026, "title": "Not on WhatsApp: " + g.phone, "message": g.phone, "error_data": map[string]any{"details": "to " + g.spaced()},
	}}})
	bodies = append(bodies,
		parcel(number, "messages", map[string]any{"errors": []any{map[string]any{"code": 130429, "title": "Rate limit hit for " + g.phone, "message": g.phone}}}),
		parcel(number, "calls", map[string]any{"contacts": []any{contact}, "calls": []any{map[string]any{
			"id": "wacid." + strings.TrimPrefix(g.wamidOf(n+50), "wamid."), "from": g.phone, "event": "terminate", "direction": "USER_INITIATED",
			"timestamp": fmt.Sprint(epoch + n), "duration": 12, "status": "COMPLETED",
		}}}),
		parcel(number, "user_preferences", map[string]any{"user_preferences": []any{map[string]any{
			"wa_id": g.phone, "category": "marketing_messages", "value": "stop", "detail": g.phone + " stopped", "timestamp": epoch + n,
		}}}),
		parcel(number, "smb_message_echoes", map[string]any{"message_echoes": []any{map[string]any{
			"from": ownPhone, "to": g.phone, "id": g.wamidOf(n + 51), "timestamp": fmt.Sprint(epoch + n), "type": "text", "text": map[string]any{"body": "call " + friend.phone},
		}}}),
		parcel(number, "smb_app_state_sync", map[string]any{"state_sync": []any{map[string]any{
			"type": "contact", "action": "add", "contact": map[string]any{"full_name": "Shop " + friend.phone, "phone_number": friend.phone}, "metadata": map[string]any{"timestamp": fmt.Sprint(epoch + n)},
		}}}),
		parcel(number, "history", map[string]any{"history": []any{map[string]any{
			"metadata": map[string]any{"phase": 0, "chunk_order": 1, "progress": 100},
			"threads": []any{map[string]any{"id": g.phone, "messages": []any{map[string]any{
				"from": g.phone, "id": g.wamidOf(n + 52), "timestamp": fmt.Sprint(epoch - n), "type": "text", "text": map[string]any{"body": "old " + g.phone}, "history_context": map[string]any{"status": "READ"},
			}}}},
		}}}),
		parcel(number, "a_field_of_tomorrow", map[string]any{"who": g.phone}),
		parcel(number, "messages", map[string]any{"messages": "all of " + g.phone}),                                     // no list
		parcel(number, "messages", map[string]any{"messages": []any{map[string]any{"from": g.phone}}}),                  // no id
		[]byte(`{"object":"whatsapp_business_account","entry":["`+g.phone+`"]}`),                                        // no entry
		[]byte(`{"entry":[{"id":"`+ownWABA+`","changes":[{"field":"messages","value":"`+g.phone+`"}]}`+"\n{"),           // no JSON
		[]byte(`{"entry":[{"id":"`+ownWABA+`","changes":["`+g.phone+`"]}]}`),                                            // no change
		[]byte(`{"entry":[{"id":"`+ownWABA+`","changes":[{"field":"account_alerts","value":{"who":"`+g.phone+`"}}]}]}`), // of the account
	)

	return bodies
}

// corpusPhones are all phones of customers that stand in the payload files under a name for one.
func corpusPhones(t *testing.T) (phones []string) {
	t.Helper()
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, member := range v {
				walk(k, member)
			}
		case []any:
			for _, member := range v {
				walk(key, member)
			}
		case string:
			digits := strings.Map(func(r rune) rune {
				if r < '0' || r > '9' {
					return -1
				}
				return r
			}, v)
			named := slices.Contains([]string{"wa_id", "from", "to", "phone", "phone_number", "recipient_id", "recipient_participant_id", "input", "id", "new_wa_id"}, key)
			if named && len(digits) >= 10 && len(digits) <= 13 && !strings.ContainsAny(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ.=_") && !strings.HasPrefix(digits, "1555") && len(digits) == len(strings.Trim(strings.ReplaceAll(strings.ReplaceAll(v, " ", ""), "-", ""), "+")) {
				phones = append(phones, digits)
			}
		}
	}
	for _, n := range corpus(t) {
		var v any
		if err := json.Unmarshal(payload(t, n), &v); err == nil {
			walk("", v)
		}
	}
	slices.Sort(phones)

	return slices.Compact(phones)
}

// corpus are the numbers of all payload files.
func corpus(t *testing.T) (numbers []string) {
	t.Helper()
	files, err := filepath.Glob("../tenants/whatsapp/testdata/[0-9]*.json")
	if err != nil || len(files) != 106 {
		t.Fatalf("found %d payloads, %v", len(files), err)
	}
	for _, f := range files {
		numbers = append(numbers, filepath.Base(f)[:3])
	}

	return numbers
}
