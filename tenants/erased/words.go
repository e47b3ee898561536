package erased

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Mask puts dots in place of these words wherever they stand by themselves: the digits of a phone inside a longer row of digits, or an id
// inside a longer one, are somebody else's.
func Mask(s string, words []string) string { return replace(s, words, Dots) }

func replace(s string, words []string, with string) string {
	for _, w := range words {
		if w == "" || !strings.Contains(s, w) {
			continue
		}
		var b strings.Builder
		rest, from := s, 0 // from is where what was not looked at begins
		for {
			i := strings.Index(rest[from:], w)
			if i < 0 {
				break
			}
			i += from
			if !alone(rest, i, w) {
				from = i + 1
				continue
			}
			b.WriteString(rest[:i] + with)
			rest, from = rest[i+len(w):], 0
			if rest == "" {
				break
			}
		}
		b.WriteString(rest)
		s = b.String()
	}

	return s
}

// alone tells whether the word at a place of s is not part of a longer one. Beside a phone letters may stand, beside an id neither.
func alone(s string, at int, word string) bool {
	part := isDigit
	if strings.IndexFunc(word, func(r rune) bool { return r < 0x80 && isLetter(byte(r)) }) >= 0 {
		part = func(c byte) bool { return isDigit(c) || isLetter(c) }
	}
	end := at + len(word)

	return (at == 0 || !part(s[at-1])) && (end == len(s) || !part(s[end]))
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// Replace puts something in place of these words in the strings of JSON, and in place of a number that is one of them. What is no JSON is
// not changed.
func Replace(body []byte, words []string, with string) (out []byte, changed bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return body, false
	}

	var walk func(value any) any
	walk = func(value any) any {
		switch v := value.(type) {
		case string:
			next := replace(v, words, with)
			changed = changed || next != v

			return next
		case json.Number:
			if next := replace(v.String(), words, with); next != v.String() {
				changed = true
				return next
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for name, member := range v {
				v[name] = walk(member)
			}
		}

		return value
	}
	value = walk(value)
	if !changed {
		return body, false
	}

	return encode(value), true
}

// encode writes a value that was read from JSON.
func encode(value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return []byte("{}")
	}

	return bytes.TrimSpace(b.Bytes())
}
