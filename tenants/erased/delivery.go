package erased

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// CutDelivery takes a person out of those changes of a delivery in which items at these places stand ("0.1.messages.2"); the place "" is
// the whole of it. The items at the places in theirs go, whomever they name. What is no JSON goes.
func (p Person) CutDelivery(body []byte, places, theirs []string) []byte {
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

	for _, place := range theirs {
		takeOut(delivery, place)
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

// takeOut empties the item at a place of a delivery, and the profiles beside it of whoever no other item of the change names.
func takeOut(delivery map[string]any, place string) {
	parts := strings.Split(place, ".")
	if len(parts) < 4 {
		return // a whole change, which may tell of others
	}
	entry, _ := element(delivery["entry"], parts[0])
	object, _ := entry.(map[string]any)
	change, _ := element(object["changes"], parts[1])
	object, _ = change.(map[string]any)
	value, _ := object["value"].(map[string]any)
	at := any(value)
	for i, part := range parts[2:] {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			if i == len(parts)-3 {
				item, _ := element(v, part)
				if left, _ := item.(map[string]any); len(left) > 0 {
					empty(v, part)
					unaccompanied(value, item)
				}
				return
			}
			at, _ = element(v, part)
		}
	}
}

// unaccompanied empties the profiles of whom an item named that was taken out, unless another item of the value names them too, and those
// that say not whose they are.
func unaccompanied(value map[string]any, item any) {
	contacts, _ := value["contacts"].([]any)
	gone := map[string]bool{}
	eachString(item, func(s string) { gone[s] = s != "" })
	for key, rest := range value {
		if key != "contacts" && !theBusiness[key] {
			eachString(rest, func(s string) { delete(gone, s) })
		}
	}
	for i, element := range contacts {
		profile, _ := element.(map[string]any)
		phone, _ := profile["wa_id"].(string)
		id, _ := profile["user_id"].(string)
		if gone[phone] || gone[id] || phone == "" && id == "" {
			contacts[i] = map[string]any{}
		}
	}
}

// eachString gives each string of a value that was read from JSON.
func eachString(value any, each func(string)) {
	switch v := value.(type) {
	case string:
		each(v)
	case map[string]any:
		for _, member := range v {
			eachString(member, each)
		}
	case []any:
		for _, element := range v {
			eachString(element, each)
		}
	}
}
