package whatsapp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The webhook body is cut into spans of raw bytes level by level instead of
// being decoded as a whole: a span that is odd inside is still cut cleanly, so
// one bad item in a batch of a thousand harms nobody but itself, and what is
// kept is what was sent.

// maxDepth bounds the nesting of one item. Meta's deepest shapes stay below 15.
const maxDepth = 64

// maxString is the longest string kept in an Event, in runes.
const maxString = 4096

// maxID is the longest id of ours or theirs that is taken for one, in bytes. A
// wamid has about 60.
const maxID = 512

var errSyntax = errors.New("malformed JSON")

// fields is one JSON object cut into its members; of repeated keys the last
// counts. Keys match exactly: encoding/json would take "ID" for "id".
type fields map[string]json.RawMessage

// cutObject cuts a JSON object into its members.
func cutObject(raw []byte) (fields, error) {
	i := skipSpace(raw, 0)
	if i >= len(raw) || raw[i] != '{' {
		return nil, errSyntax
	}
	cut := fields{}
	if i = skipSpace(raw, i+1); i < len(raw) && raw[i] == '}' {
		return cut, nil
	}

	for {
		end, err := skipString(raw, i)
		if err != nil {
			return nil, err
		}
		key := decodeString(raw[i:end])
		if i = skipSpace(raw, end); i >= len(raw) || raw[i] != ':' {
			return nil, errSyntax
		}
		i = skipSpace(raw, i+1)
		if end, err = skipValue(raw, i); err != nil {
			return nil, err
		}
		cut[key] = raw[i:end:end]

		i = skipSpace(raw, end)
		switch {
		case i < len(raw) && raw[i] == ',':
			i = skipSpace(raw, i+1)
		case i < len(raw) && raw[i] == '}':
			return cut, nil
		default:
			return nil, errSyntax
		}
	}
}

// cutArray cuts a JSON array into its elements. An object standing where a list
// belongs counts as a list of one; null and a missing value are an empty list.
func cutArray(raw []byte) ([]json.RawMessage, error) {
	i := skipSpace(raw, 0)
	switch {
	case i >= len(raw) || bytes.Equal(raw[i:], []byte("null")):
		return nil, nil
	case raw[i] == '{':
		return []json.RawMessage{raw}, nil
	case raw[i] != '[':
		return nil, errSyntax
	}
	if i = skipSpace(raw, i+1); i < len(raw) && raw[i] == ']' {
		return nil, nil
	}

	var cut []json.RawMessage
	for {
		end, err := skipValue(raw, i)
		if err != nil {
			return nil, err
		}
		cut = append(cut, raw[i:end:end])

		i = skipSpace(raw, end)
		switch {
		case i < len(raw) && raw[i] == ',':
			i = skipSpace(raw, i+1)
		case i < len(raw) && raw[i] == ']':
			return cut, nil
		default:
			return nil, errSyntax
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index after the string that begins at i. Raw control
// characters and broken UTF-8 inside do not stop it.
func skipString(b []byte, i int) (int, error) {
	if i >= len(b) || b[i] != '"' {
		return 0, errSyntax
	}
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1, nil
		}
	}
	return 0, errSyntax
}

// skipValue returns the index after the value that begins at i. It counts
// brackets instead of recursing, so no nesting can exhaust the stack.
func skipValue(b []byte, i int) (int, error) {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			end, err := skipString(b, i)
			if err != nil {
				return 0, err
			}
			i = end
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return 0, errSyntax
			}
			depth--
			i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return 0, errSyntax
			}
			i++
			continue
		default:
			for i < len(b) && strings.IndexByte(",:{}[] \n\t\r\"", b[i]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i, nil
		}
	}
	return 0, errSyntax
}

// usable returns raw as valid JSON of bounded depth. Raw control characters in
// strings are escaped, as people's texts have been seen to hold them; anything
// else that is wrong is refused with a stable code.
func usable(raw []byte) ([]byte, string) {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			end, err := skipString(raw, i)
			if err != nil {
				return nil, "item_not_json"
			}
			i = end - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil, "item_too_deep"
			}
		case '}', ']':
			depth--
		}
	}
	if json.Valid(raw) {
		return raw, ""
	}
	if raw = escapeControls(raw); json.Valid(raw) {
		return raw, ""
	}
	return nil, "item_not_json"
}

func escapeControls(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+16)
	inString, escaped := false, false
	for _, c := range raw {
		if inString && c < ' ' {
			out = fmt.Appendf(out, `\u%04x`, c)
			escaped = false
			continue
		}
		if c == '"' && !escaped {
			inString = !inString
		}
		escaped = inString && c == '\\' && !escaped
		out = append(out, c)
	}
	return out
}

// text reads a member as a string: a JSON string, or the digits of a number
// where WhatsApp sends one for an id. Anything else reads as absent.
func (f fields) text(key string) string {
	raw := f[key]
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '"':
		return clean(decodeString(raw))
	case c == '-' || c >= '0' && c <= '9':
		return clean(string(raw))
	}
	return ""
}

// object reads a member as an object; anything else reads as empty.
func (f fields) object(key string) fields {
	cut, err := cutObject(f[key])
	if err != nil {
		return fields{}
	}
	return cut
}

// list reads a member as the objects of a list; other elements are passed over.
func (f fields) list(key string) []fields {
	elements, err := cutArray(f[key])
	if err != nil {
		return nil
	}
	objects := make([]fields, 0, len(elements))
	for _, element := range elements {
		if cut, err := cutObject(element); err == nil {
			objects = append(objects, cut)
		}
	}
	return objects
}

// has reports whether the member is there and not null.
func (f fields) has(key string) bool {
	raw := f[key]
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// time reads a member as WhatsApp's timestamp: Unix seconds as string or number.
// Milliseconds are recognised by their size and cut to seconds. Zero, negative,
// after the year 2100 or unreadable is the zero time.
func (f fields) time(key string) time.Time {
	const year2100, milliseconds = 4102444800, 1e11

	value, err := strconv.ParseFloat(strings.TrimSpace(f.text(key)), 64)
	if err != nil || math.IsNaN(value) {
		return time.Time{}
	}
	if value >= milliseconds {
		value /= 1000
	}
	if value < 1 || value >= year2100 {
		return time.Time{}
	}
	return time.Unix(int64(value), 0).UTC()
}

// decodeString decodes a JSON string literal; broken UTF-8 and lone surrogates
// become U+FFFD.
func decodeString(raw []byte) string {
	if len(raw) < 2 {
		return ""
	}
	inner := raw[1 : len(raw)-1]
	if !bytes.ContainsRune(inner, '\\') && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return string(bytes.ToValidUTF8(inner, []byte("\uFFFD")))
	}
	return s
}

// clean makes s fit for a text column: no NUL, and of bounded length.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	return truncate(s, maxString)
}

func truncate(s string, runes int) string {
	if len(s) <= runes {
		return s
	}
	for i := range s {
		if runes == 0 {
			return s[:i]
		}
		runes--
	}
	return s
}
