package ingest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// plainKeys are the members whose values say nothing of a customer: what kind of thing it is, when, and the business's own
// ids. Every other string and number is masked, so that a field invented tomorrow is too.
var plainKeys = map[string]bool{
	"action": true, "animated": true, "category": true, "code": true, "deprecated": true, "direction": true, "display_phone_number": true,
	"entry_id": true, "entry_time": true, "event": true, "field": true, "messaging_product": true, "metadata": true, "mime_type": true,
	"object": true, "phone_number_id": true, "pricing_model": true, "recipient_type": true, "status": true, "timestamp": true,
	"type": true, "voice": true,
}

const dots = "•••"

// MaskJSON returns an item's body for people who may not see phones in clear: its shape, kinds and times stay, and all that
// could name a person or be their words is dots. What is not JSON comes back as null.
func MaskJSON(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return []byte("null")
	}

	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(masked(value, false)); err != nil {
		return []byte("null")
	}

	return bytes.TrimSpace(out.Bytes())
}

func masked(value any, plain bool) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, member := range v {
			out[maskedKey(key)] = masked(member, plainKeys[key])
		}

		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = masked(element, plain)
		}

		return out
	case string:
		if plain || v == "" {
			return v
		}

		return dots
	case json.Number:
		if plain {
			return v
		}

		return dots
	default:
		return v
	}
}

// maskedKey hides a member's name where it is no name: a phone or a sentence.
func maskedKey(key string) string {
	if len(key) > 64 || strings.ContainsAny(key, "0123456789@+ ") {
		return dots
	}

	return key
}
