package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// ItemKind says what an item of a delivery is about.
type ItemKind string

// The kinds of item. A message is one a customer or the business wrote; a change
// is a whole change whose field is not taken apart.
const (
	KindMessage    ItemKind = "message"
	KindStatus     ItemKind = "status"
	KindSystem     ItemKind = "system"
	KindError      ItemKind = "error"
	KindUserAction ItemKind = "user_action"
	KindPreference ItemKind = "preference"
	KindIDUpdate   ItemKind = "id_update"
	KindCall       ItemKind = "call"
	KindEcho       ItemKind = "echo"
	KindSync       ItemKind = "sync"
	KindHistory    ItemKind = "history"
	KindGroup      ItemKind = "group"
	KindUsername   ItemKind = "username"
	KindChange     ItemKind = "change"
)

// Item is the smallest part of a delivery that is routed and processed by itself.
type Item struct {
	Position      string // stable place in the body: "0.1.messages.2", or "0.1" for a whole change
	Field         string // the webhook field: "messages", "calls", …
	Kind          ItemKind
	EntryID       string // the WABA, for a few partner events the portfolio, "0" from the dashboard's test button
	PhoneNumberID string // "" on account-level fields
	DisplayPhone  string // the business number in digits, "" where the field names none

	// Body is a JSON object that can be read without the rest of the delivery:
	// field, entry_id, entry_time, metadata, contacts (only those the item may
	// concern), thread (history only), beside (what the value holds besides and
	// nobody has documented; the first item of a change only) and item. All are the
	// bytes that were sent.
	Body []byte

	// Problem is empty, or the stable code of why this item cannot be read:
	// item_not_object, item_not_json, item_too_deep, list_malformed,
	// change_not_object, value_not_object, entry_not_object. What is not JSON is
	// null in Body and remains in the delivery alone.
	Problem string
}

// maxItems is ten times what Meta documents as the largest batch.
const maxItems = 10_000

// maxShared bounds, in bytes, each thing that is copied into every item of a change.
const maxShared = 8 << 10

// list names a key of a change's value that holds items.
type list struct {
	key  string
	kind ItemKind
}

// lists says where each field keeps its items. Source: domain facts 3.2–3.11.
var lists = map[string][]list{
	"messages": {
		{"messages", KindMessage},
		{"statuses", KindStatus},
		{"errors", KindError},
		{"user_actions", KindUserAction},
	},
	"user_preferences":          {{"user_preferences", KindPreference}},
	"user_id_update":            {{"user_id_update", KindIDUpdate}},
	"calls":                     {{"calls", KindCall}, {"statuses", KindCall}},
	"smb_message_echoes":        {{"message_echoes", KindEcho}},
	"message_echoes":            {{"message_echoes", KindEcho}},
	"smb_app_state_sync":        {{"state_sync", KindSync}},
	"history":                   {{"messages", KindHistory}, {"message_echoes", KindHistory}, {"errors", KindError}},
	"group_participants_update": {{"groups", KindGroup}},
	"group_lifecycle_update":    {{"groups", KindGroup}},
	"group_settings_update":     {{"groups", KindGroup}},
	"group_status_update":       {{"groups", KindGroup}},
}

// usernameFields are the names the field for the business's own username has had.
var usernameFields = map[string]bool{
	"business_username_updates":    true,
	"business_username_update":     true,
	"phone_number_username_update": true,
}

// Split takes one webhook body apart into items, in the order they stand in it.
// It fails only where the envelope itself is unusable: not an object with entry,
// or with more than ten thousand items. An odd item has a Problem and leaves its
// neighbours unharmed; unknown fields become one item of kind change. Entries
// without changes give no items.
func Split(body []byte) ([]Item, error) {
	body = bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	start := skipSpace(body, 0)
	end, err := skipValue(body, start)
	if err != nil {
		return nil, fmt.Errorf("cut envelope: %w", err)
	}
	if skipSpace(body, end) != len(body) {
		return nil, fmt.Errorf("cut envelope: %w after its end", errSyntax)
	}
	envelope, err := cutObject(body)
	if err != nil {
		return nil, fmt.Errorf("cut envelope: %w", err)
	}
	if _, ok := envelope["entry"]; !ok {
		return nil, fmt.Errorf("cut envelope: entry is missing")
	}
	entries, err := cutArray(envelope["entry"])
	if err != nil {
		return nil, fmt.Errorf("cut entry: %w", err)
	}

	s := splitter{}
	for i, entry := range entries {
		s.entry(strconv.Itoa(i), entry)
		if s.full {
			return nil, fmt.Errorf("split body: more than %d items", maxItems)
		}
	}
	return s.items, nil
}

type splitter struct {
	items []Item
	full  bool
}

// change is what the items of one change share.
type change struct {
	item      Item // filled in but for Position, Kind and Body
	entryTime json.RawMessage
	metadata  json.RawMessage
	contacts  people
	beside    fields
}

func (s *splitter) entry(position string, raw []byte) {
	entry, err := cutObject(raw)
	if err != nil {
		c := change{}
		s.add(&c, position, KindChange, raw, "entry_not_object")
		return
	}
	c := change{item: Item{EntryID: truncate(entry.text("id"), maxID)}, entryTime: entry["time"]}

	changes, err := cutArray(entry["changes"])
	if err != nil {
		s.add(&c, position, KindChange, raw, "list_malformed")
		return
	}
	for i, raw := range changes {
		s.change(c, position+"."+strconv.Itoa(i), raw)
		if s.full {
			return
		}
	}
}

func (s *splitter) change(c change, position string, raw []byte) {
	cut, err := cutObject(raw)
	if err != nil {
		s.add(&c, position, KindChange, raw, "change_not_object")
		return
	}
	c.item.Field = truncate(cut.text("field"), maxID)
	known, takenApart := lists[c.item.Field]
	takenApart = takenApart || usernameFields[c.item.Field]

	value, err := cutObject(cut["value"])
	if err != nil {
		problem := ""
		if takenApart {
			problem = "value_not_object"
		}
		s.add(&c, position, KindChange, cut["value"], problem)
		return
	}

	c.metadata = value["metadata"]
	metadata := value.object("metadata")
	c.item.PhoneNumberID = truncate(metadata.text("phone_number_id"), maxID)
	c.item.DisplayPhone = truncate(Digits(metadata.text("display_phone_number")), maxID)
	if c.item.DisplayPhone == "" {
		c.item.DisplayPhone = truncate(Digits(value.text("display_phone_number")), maxID)
	}

	if usernameFields[c.item.Field] {
		s.add(&c, position, KindUsername, cut["value"], "")
		return
	}
	c.contacts = newPeople(value["contacts"])
	if takenApart {
		c.beside = undocumented(value, known)
	}
	before := len(s.items)
	for _, l := range known {
		s.list(&c, position+"."+l.key, l.kind, value[l.key])
	}
	if c.item.Field == "history" {
		s.history(&c, position, value)
	}
	if len(s.items) == before && !s.full {
		s.add(&c, position, KindChange, cut["value"], "")
	}
}

// undocumented are the members of a value that are neither items nor known to
// stand beside them.
func undocumented(value fields, known []list) fields {
	var odd fields
	for key, raw := range value {
		if slices.Contains(valueKeys, key) || slices.ContainsFunc(known, func(l list) bool { return l.key == key }) {
			continue
		}
		if odd == nil {
			odd = fields{}
		}
		odd[key] = raw
	}
	return odd
}

func (s *splitter) list(c *change, position string, kind ItemKind, raw []byte) {
	elements, err := cutArray(raw)
	if err != nil {
		s.add(c, position, kind, raw, "list_malformed")
		return
	}
	for i, element := range elements {
		s.element(c, position+"."+strconv.Itoa(i), kind, element, nil)
	}
}

// history takes the past chats of a number shared with the Business app apart:
// chunks of threads of messages, each thread with its owner in its context.
func (s *splitter) history(c *change, position string, value fields) {
	chunks, err := cutArray(value["history"])
	if err != nil {
		s.add(c, position+".history", KindHistory, value["history"], "list_malformed")
		return
	}
	for i, raw := range chunks {
		at := position + ".history." + strconv.Itoa(i)
		chunk, err := cutObject(raw)
		if err != nil {
			s.add(c, at, KindHistory, raw, "item_not_object")
			continue
		}
		s.list(c, at+".errors", KindError, chunk["errors"])

		threads, err := cutArray(chunk["threads"])
		if err != nil {
			s.add(c, at+".threads", KindHistory, chunk["threads"], "list_malformed")
			continue
		}
		for j, raw := range threads {
			s.thread(c, at+".threads."+strconv.Itoa(j), raw)
		}
	}
}

func (s *splitter) thread(c *change, position string, raw []byte) {
	thread, err := cutObject(raw)
	if err != nil {
		s.add(c, position, KindHistory, raw, "item_not_object")
		return
	}
	messages, err := cutArray(thread["messages"])
	if err != nil {
		s.add(c, position+".messages", KindHistory, thread["messages"], "list_malformed")
		return
	}
	for i, message := range messages {
		s.element(c, position+".messages."+strconv.Itoa(i), KindHistory, message, thread)
	}
}

func (s *splitter) element(c *change, position string, kind ItemKind, raw []byte, thread fields) {
	cut, err := cutObject(raw)
	if err != nil {
		s.add(c, position, kind, raw, "item_not_object")
		return
	}
	if kind == KindMessage && cut.text("type") == "system" {
		kind = KindSystem
	}
	s.addWith(c, position, kind, raw, "", cut, thread)
}

func (s *splitter) add(c *change, position string, kind ItemKind, raw []byte, problem string) {
	s.addWith(c, position, kind, raw, problem, nil, nil)
}

func (s *splitter) addWith(c *change, position string, kind ItemKind, raw []byte, problem string, cut, thread fields) {
	if len(s.items) == maxItems {
		s.full = true
		return
	}
	if len(raw) == 0 {
		raw = []byte("null")
	}
	raw, code := usable(raw)
	if code != "" {
		raw = []byte("null")
	}
	if problem == "" {
		problem = code
	}

	item := c.item
	item.Position, item.Kind, item.Problem = position, kind, problem
	var body bytes.Buffer
	body.WriteString(`{"field":`)
	body.Write(quote(item.Field))
	body.WriteString(`,"entry_id":`)
	body.Write(quote(item.EntryID))
	body.WriteString(`,"entry_time":`)
	body.Write(orNull(c.entryTime))
	body.WriteString(`,"metadata":`)
	body.Write(orNull(c.metadata))
	if c.beside != nil {
		body.WriteString(`,"beside":{`)
		for i, key := range slices.Sorted(maps.Keys(c.beside)) {
			if i > 0 {
				body.WriteByte(',')
			}
			body.Write(quote(key))
			body.WriteByte(':')
			body.Write(orNull(c.beside[key]))
		}
		body.WriteByte('}')
		c.beside = nil
	}
	body.WriteString(`,"contacts":[`)
	if cut != nil {
		for i, contact := range c.contacts.of(cut) {
			if i > 0 {
				body.WriteByte(',')
			}
			body.Write(contact)
		}
	}
	if thread != nil {
		body.WriteString(`],"thread":{"id":`)
		body.Write(orNull(thread["id"]))
		body.WriteString(`,"context":`)
		body.Write(orNull(thread["context"]))
		body.WriteString(`},"item":`)
	} else {
		body.WriteString(`],"item":`)
	}
	body.Write(raw)
	body.WriteByte('}')
	item.Body = body.Bytes()
	s.items = append(s.items, item)
}

// orNull passes raw through where it is usable JSON, else says null. Every item
// carries a copy, so it also says null to what is beyond all reason in size.
func orNull(raw []byte) []byte {
	if len(raw) > maxShared {
		return []byte("null")
	}
	if raw, problem := usable(raw); problem == "" {
		return raw
	}
	return []byte("null")
}

func quote(s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`)
	}
	return quoted
}
