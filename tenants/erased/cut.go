package erased

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Person is who is to be taken out of what came.
type Person struct {
	// Is tells whether an identifier in canonical form is theirs.
	Is func(id string) bool

	// Words are their identifiers as they may stand in what others wrote; Inside is what the ids of messages show of their phones.
	Words, Inside []string

	held   []Held
	hidden func(phone string) string
}

// Held is an identifier in canonical form that somebody else had before or after: from one time until before another, zero where that
// is not known.
type Held struct {
	Value string    `json:"value"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// Holding is the person with what they held for a time: it is theirs only At a time.
func (p Person) Holding(held []Held, hidden func(phone string) string) Person {
	p.held, p.hidden = held, hidden

	return p
}

// At is the person with what they held at a time. held tells whether that is anything.
func (p Person) At(t time.Time) (at Person, held bool) {
	then := map[string]bool{}
	for _, h := range p.held {
		if (h.From.IsZero() || !t.Before(h.From)) && (h.To.IsZero() || t.Before(h.To)) {
			then[h.Value] = true
		}
	}
	always, hidden := p.Is, p.hidden
	p.Is = func(id string) bool {
		return always(id) || then[id] || len(then) > 0 && whatsapp.Digits(id) == id && then[hidden(id)]
	}

	return p, len(then) > 0
}

// Named is the person known by these identifiers in canonical form. hidden gives the token of a phone where phones are not kept.
func Named(ids []string, hidden func(phone string) string) Person {
	p, known := Person{}, map[string]bool{}
	for _, id := range ids {
		known[id] = true
		p.Words = append(p.Words, id)
		if whatsapp.Digits(id) == id {
			p.Inside = append(p.Inside, inBase64(id)...)
		}
	}
	p.Is = func(id string) bool { return known[id] || whatsapp.Digits(id) == id && known[hidden(id)] }

	return p
}

// Needles are all that bytes hold in which this person is named: whoever looks for them need read nothing else.
func (p Person) Needles() [][]byte {
	var out [][]byte
	for _, w := range p.Words {
		out = append(out, []byte(w))
	}
	for _, w := range p.Inside {
		out = append(out, []byte(w))
	}
	for _, h := range p.held {
		out = append(out, []byte(h.Value))
	}

	return out
}

// inBase64 is what digits look like inside base64, at each of the three places they may begin.
func inBase64(digits string) []string {
	var out []string
	for lead := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", lead) + digits))
		from, to := (lead*8+5)/6, (lead+len(digits))*8/6
		out = append(out, encoded[from:to])
	}

	return out
}

// inParts are the lists that are part of what they stand in, not one person's an element.
var inParts = map[string]bool{"phones": true, "emails": true, "urls": true, "addresses": true, "org": true}

// ownTimes hold digits that are no phone.
var ownTimes = map[string]bool{"timestamp": true, "entry_time": true, "time": true}

// theBusiness is what names the business's own number beside everything that came to it. It tells nothing of whose that is.
var theBusiness = map[string]bool{"metadata": true, "display_phone_number": true, "phone_number_id": true}

// written is what somebody wrote or is called: whoever is named in it need not be whose it is.
var written = map[string]bool{
	"body": true, "caption": true, "text": true, "title": true, "description": true, "payload": true, "filename": true, "url": true, "headline": true,
	"name": true, "formatted_name": true, "first_name": true, "middle_name": true, "last_name": true, "prefix": true, "suffix": true,
	"response_json": true, "product_text": true, "note": true, "address": true,
}

// Dots stand where somebody was named.
const Dots = "•••"

// Cut takes a person out of JSON. The smallest element of a list that is theirs becomes {}, so that the places of its neighbours stay;
// in the words of others their identifiers become dots. whole: all of it is theirs, or it is no JSON, and nothing of it may stay.
func (p Person) Cut(body []byte) (out []byte, whole, changed bool) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, true, true
	}

	c := cutter{Person: p}
	value, theirs := c.cut(value, "")
	if theirs {
		return nil, true, true
	}
	if !c.changed {
		return body, false, false
	}

	return encode(value), false, true
}

type cutter struct {
	Person

	changed bool
	cuts    int // elements that were theirs
}

// cut returns the value without the person, and whether what it stands in is theirs.
func (c *cutter) cut(value any, key string) (out any, theirs bool) {
	if theBusiness[key] {
		return value, false
	}
	switch v := value.(type) {
	case string:
		if ownTimes[key] {
			return v, false
		}

		return c.word(v, key)
	case map[string]any:
		cut := c.cuts
		for name, member := range v {
			next, mine := c.cut(member, name)
			v[name] = next
			theirs = theirs || mine || c.isID(name)
		}
		if c.cuts > cut {
			c.unnamed(v["contacts"])
		}

		return v, theirs
	case []any:
		for i, element := range v {
			next, mine := c.cut(element, key)
			_, object := element.(map[string]any)
			switch {
			case mine && object && !inParts[key]:
				v[i], c.changed, c.cuts = map[string]any{}, true, c.cuts+1
			default:
				v[i], theirs = next, theirs || mine
			}
		}

		return v, theirs
	default:
		return v, false
	}
}

// unnamed empties the profiles beside something of the person's that say not whose they are.
func (c *cutter) unnamed(contacts any) {
	list, _ := contacts.([]any)
	for i, element := range list {
		object, ok := element.(map[string]any)
		if ok && len(object) > 0 && object["wa_id"] == nil && object["user_id"] == nil {
			list[i] = map[string]any{}
		}
	}
}

func (c *cutter) word(s, key string) (out string, theirs bool) {
	switch {
	case c.isID(s) && !written[key]:
		return s, true
	case c.isID(s):
		out = Dots
	case strings.HasPrefix(s, "wamid.") && c.shows(s):
		out = ""
	default:
		out = Mask(s, c.Words)
	}
	c.changed = c.changed || out != s

	return out, false
}

// shows tells whether one of the person's phones lies in the id of a message, and not a longer one that begins or ends as theirs.
func (c *cutter) shows(wamid string) bool {
	if !slices.ContainsFunc(c.Inside, func(w string) bool { return strings.Contains(wamid, w) }) {
		return false
	}
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(wamid, "wamid."), "="))

	return err != nil || Mask(string(plain), c.Words) != string(plain)
}

// isID tells whether a string is one of the person's identifiers, in whatever way it is written.
func (c *cutter) isID(s string) bool {
	if s == "" || len(s) > 160 {
		return false
	}
	if c.Is(s) {
		return true
	}
	if strings.Trim(s, "+0123456789 -()") != "" {
		return false
	}
	phone, ok := whatsapp.Phone(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(s))

	return ok && c.Is(phone)
}
