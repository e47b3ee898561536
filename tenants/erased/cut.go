package erased

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Person is who is to be taken out of what came.
type Person struct {
	// Is tells whether an identifier in canonical form is theirs.
	Is func(id string) bool

	// Words are their identifiers as they may stand in what others wrote; Inside is what the ids of messages show of their phones.
	Words, Inside []string
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

const masked = "•••"

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
		out = masked
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

// CutDelivery takes a person out of those changes of a delivery in which items at these places stand ("0.1.messages.2"); the place "" is
// the whole of it. What is no JSON goes.
func (p Person) CutDelivery(body []byte, places []string) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var delivery map[string]any
	if err := dec.Decode(&delivery); err != nil {
		return []byte("{}")
	}

	c := cutter{Person: p}
	for _, place := range places {
		parts := strings.Split(place, ".")
		entry, list := element(delivery["entry"], parts[0])
		if list == nil {
			if _, theirs := c.cut(delivery, ""); theirs {
				return []byte("{}")
			}
			continue
		}
		object, _ := entry.(map[string]any)
		var change any
		var changes []any
		if len(parts) > 1 {
			change, changes = element(object["changes"], parts[1])
		}
		if changes == nil {
			if _, theirs := c.cut(entry, ""); theirs {
				empty(list, parts[0])
			}
			continue
		}
		before := c.cuts
		_, theirs := c.cut(change, "")
		// What is not taken apart cannot be known to hold nothing more of them.
		if theirs || len(parts) == 2 && c.cuts > before {
			empty(changes, parts[1])
		}
	}

	return encode(delivery)
}

// element is the one at a place of a list, and the list; nil where there is none.
func element(value any, place string) (any, []any) {
	list, ok := value.([]any)
	i, err := strconv.Atoi(place)
	if !ok || err != nil || i < 0 || i >= len(list) {
		return nil, nil
	}

	return list[i], list
}

func empty(list []any, place string) {
	if i, err := strconv.Atoi(place); err == nil {
		list[i] = map[string]any{}
	}
}
