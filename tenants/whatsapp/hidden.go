package whatsapp

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// HiddenMark stands where a phone was taken out of what somebody wrote.
const HiddenMark = "••••••"

// hiddenPrefix begins the token that stands for a phone which is not kept.
const hiddenPrefix = "p:"

// HiddenPhone makes of a keyed hash's text the token that stands for a phone
// which is not kept: the same for the same phone, and telling nothing of it.
func HiddenPhone(hash string) string { return hiddenPrefix + hash }

// IsHiddenPhone tells whether the value of an identifier of kind phone is a
// token that stands for a phone which is not kept. Nobody can be shown it and
// nothing can be sent to it.
func IsHiddenPhone(value string) bool { return strings.HasPrefix(value, hiddenPrefix) }

// digitRun finds what may hold a phone: seven digits or more of any script with
// up to three signs or spaces between two of them.
var digitRun = regexp.MustCompile(`\+?\p{Nd}(?:[\p{Z}\p{Cf}\t().,/_*·\x{2010}-\x{2015}-]{0,3}\p{Nd}){6,}`)

// What looks like a run and is none: a date, and a sum of money written with
// commas, up to hundreds of millions.
var (
	dateAhead = regexp.MustCompile(`^(?:(?:0?[1-9]|[12]\d|3[01])([-./])(?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d|(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01]))(?:\D|$)`)
	amount    = regexp.MustCompile(`^(?:\d{1,2}(?:,\d{2})*,\d{3}|\d{1,3}(?:,\d{3})+)(?:\.\d{1,2})?$`)
)

// leaveAlone finds the ids in a text that are no phone though they have many
// digits; a message id, which holds one in base64, goes instead.
var leaveAlone = regexp.MustCompile(`\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{16,128}\b|wamid\.[A-Za-z0-9+/=_-]+`)

// MaskPhones takes out of a text whatever may be a phone: every run of eight or
// more digits, seven after a plus, however it is spaced or punctuated and in any
// script's digits. So it also takes order numbers of that length. Dates, sums
// with commas and WhatsApp IDs stay.
func MaskPhones(text string) string {
	if !mayHold(text) {
		return text
	}

	var out strings.Builder
	for {
		id := leaveAlone.FindStringIndex(text)
		if id == nil {
			break
		}
		maskRuns(&out, text[:id[0]])
		if found := text[id[0]:id[1]]; strings.HasPrefix(found, "wamid.") {
			out.WriteString(HiddenMark)
		} else {
			out.WriteString(found)
		}
		text = text[id[1]:]
	}
	maskRuns(&out, text)

	return out.String()
}

func maskRuns(out *strings.Builder, text string) {
	for {
		run := digitRun.FindStringIndex(text)
		if run == nil {
			out.WriteString(text)
			return
		}
		out.WriteString(text[:run[0]])
		found := text[run[0]:run[1]]
		if date := dateAhead.FindStringIndex(found); date != nil {
			// The date stays, and what comes after it is looked at by itself.
			end := date[1]
			if end < len(found) {
				end--
			}
			out.WriteString(found[:end])
			text = found[end:] + text[run[1]:]

			continue
		}
		switch digits := digitCount(found); {
		case digits < 8 && found[0] != '+', digits < 10 && amount.MatchString(found):
			out.WriteString(found)
		default:
			out.WriteString(HiddenMark)
		}
		text = text[run[1]:]
	}
}

func digitCount(s string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Nd, r) {
			n++
		}
	}

	return n
}

// mayHold tells at little cost that a text holds no run of digits to look for.
func mayHold(text string) bool {
	return strings.Contains(text, "wamid.") || digitCount(text) >= 7
}

// MaskContent takes out of a message's own object (Event.Content) whatever may be
// a phone: what stands under a name for phones, contact cards as files, and in
// every other text and number what MaskPhones takes. A place, and the id by which
// a file is fetched, stay. What is not JSON comes back as nil.
func MaskContent(raw []byte, wamid func(string) string) []byte {
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil
	}

	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(contentMask{wamid}.value("", value)); err != nil {
		return nil
	}

	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

type contentMask struct{ wamid func(string) string }

// phoneKeys are the members whose values are phones or hold them as a file does.
var phoneKeys = map[string]bool{
	"phone": true, "phone_number": true, "wa_id": true, "new_wa_id": true, "from": true, "to": true, "input": true, "vcard": true,
	"recipient_id": true, "recipient_participant_id": true,
}

// plainKeys are the members whose values hold digits and never a phone.
var plainKeys = map[string]bool{"latitude": true, "longitude": true, "sha256": true, "mime_type": true, "timestamp": true}

func (m contentMask) value(key string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		_, file := value["mime_type"]
		out := make(map[string]any, len(value))
		for name, member := range value {
			if name == "id" && file {
				out[name] = member
				continue
			}
			out[MaskPhones(name)] = m.value(name, member)
		}

		return out
	case []any:
		for i := range value {
			value[i] = m.value(key, value[i])
		}

		return value
	case string:
		switch {
		case value == "" || plainKeys[key]:
			return value
		case phoneKeys[key] && !IsBSUID(value) && !IsParentBSUID(value):
			return HiddenMark
		case strings.HasPrefix(value, "wamid.") && m.wamid != nil:
			return m.wamid(value)
		}

		return MaskPhones(value)
	case json.Number:
		if plainKeys[key] {
			return value
		}
		if phoneKeys[key] || digitCount(value.String()) >= 8 {
			return HiddenMark
		}

		return value
	default:
		return value
	}
}
