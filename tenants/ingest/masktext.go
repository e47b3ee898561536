package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// MaskText returns bytes that are no JSON for people who may not see phones in clear. The marks that JSON is built of stay, with the line
// breaks and the names that WhatsApp documents, so that one can see how far it is right; everything else is dots.
func MaskText(body []byte) []byte {
	var out bytes.Buffer
	dotted, plain := false, false // dots were just written; the value of a plain member follows
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			word, next := quoted(body, i)
			out.WriteByte('"')
			switch {
			case named(body, next):
				key := string(word)
				plain = plainKeys[key]
				out.WriteString(maskedText(key, plain || knownNames[key]))
			default:
				out.WriteString(maskedText(string(word), plain && next <= len(body) && body[next-1] == '"'))
				plain = false
			}
			if next > i+1 && body[next-1] == '"' {
				out.WriteByte('"')
			}
			i, dotted = next, false
		case bytes.IndexByte([]byte("{}[]:,\n"), c) >= 0:
			plain = plain && c == ':'
			out.WriteByte(c)
			i, dotted = i+1, false
		case c == ' ' || c == '\t':
			out.WriteByte(' ')
			i, dotted = i+1, false
		default:
			_, size := utf8.DecodeRune(body[i:])
			if !dotted {
				out.WriteString(dots)
			}
			i, dotted = i+size, true
		}
	}

	return out.Bytes()
}

// knownNames are the names of members, besides plainKeys, that a delivery is built of. In text that is broken a name may be anybody's words.
var knownNames = map[string]bool{
	"body": true, "button": true, "changes": true, "contacts": true, "context": true, "conversation": true, "entry": true, "errors": true,
	"from": true, "from_user_id": true, "group_id": true, "id": true, "image": true, "input": true, "interactive": true, "messages": true,
	"name": true, "parent_user_id": true, "pricing": true, "profile": true, "recipient_id": true, "recipient_user_id": true,
	"statuses": true, "system": true, "text": true, "title": true, "user_id": true, "username": true, "value": true, "wa_id": true,
}

// quoted is the text between a quotation mark and the one that closes it, and where reading goes on. A line that ends before it closes ends it.
func quoted(body []byte, at int) (word []byte, next int) {
	for i := at + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return body[at+1 : i], i + 1
		case '\n':
			return body[at+1 : i], i
		}
	}

	return body[at+1:], len(body)
}

// named tells whether what ends at a place is the name of a member.
func named(body []byte, at int) bool {
	for ; at < len(body); at++ {
		if body[at] != ' ' && body[at] != '\t' {
			return body[at] == ':'
		}
	}

	return false
}

func maskedText(s string, plain bool) string {
	if plain || s == "" {
		return s
	}

	return dots
}

// The ways in which bytes are no delivery, for Unreadable.
const (
	UnreadableEmpty  = "empty"
	UnreadableText   = "text"   // no JSON from the first mark on
	UnreadableCut    = "cut"    // JSON that stops before its end
	UnreadableBroken = "broken" // JSON with a mark in it that cannot stand there
	UnreadableShape  = "shape"  // JSON, but no delivery of WhatsApp's
)

// Unreadable says in what way bytes are no delivery, and on which line and at which mark of it (from 1) reading stopped, 0 for none in particular.
func Unreadable(body []byte) (why string, line, mark int) {
	if len(bytes.TrimSpace(body)) == 0 {
		return UnreadableEmpty, 0, 0
	}
	var into json.RawMessage
	err := json.Unmarshal(body, &into)
	var wrong *json.SyntaxError
	if !errors.As(err, &wrong) {
		return UnreadableShape, 0, 0
	}
	first := bytes.TrimLeft(body, " \t\r\n")[0]
	if first != '{' && first != '[' {
		return UnreadableText, 0, 0
	}
	at := min(max(int(wrong.Offset)-1, 0), len(body))
	before := body[:at]
	line = bytes.Count(before, []byte("\n")) + 1
	mark = utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	if int(wrong.Offset) >= len(body) && wrong.Error() == "unexpected end of JSON input" {
		return UnreadableCut, line, mark + 1
	}

	return UnreadableBroken, line, mark
}
