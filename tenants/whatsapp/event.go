package whatsapp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Event is one item read: who, when, what. Every string is free of NUL and of
// broken UTF-8 and of bounded length, so it fits a text column.
type Event struct {
	Kind          ItemKind
	PhoneNumberID string // the business number, "" on account-level fields
	WAMID         string // WhatsApp's message id; of a call its wacid; "" where the item has none

	// At is WhatsApp's own timestamp, UTC, whole seconds; zero where it is
	// absent, 0 or unreadable.
	At time.Time

	Digest    string // SHA-256 in hex of the item's JSON as sent
	Direction string // DirectionIn, DirectionOut, or "" where neither is meant

	// Party is the customer: sender of a message, recipient of a status, whom an
	// echo went to, the participant where it is a group's status. On a rotation
	// it holds the ids before the change.
	Party Party

	GroupID string
	Type    string // the type on the wire: "text", "image", …; "system:<subtype>"; "unknown" where it is missing

	// Text is what a person reads: a message's text, a caption, the title of the
	// button tapped, a place, "3 items", the names on shared cards, an emoji.
	Text string

	// Content is the type's own object as valid UTF-8 JSON that a jsonb column
	// takes, at most 64 KiB, or nil.
	Content json.RawMessage

	ContextID string // wamid of the message this one quotes or answers
	TargetID  string // wamid of the message this one reacts to, edits or revokes
	ClickID   string `json:",omitempty"` // of the advertisement that the message came by (ctwa_clid): domain facts 3

	Status string // sent, delivered, read, played, failed or one not known yet
	Errors []StatusError
	Tag    string `json:",omitempty"` // what the business put on the message that a status is of (biz_opaque_callback_data)

	Rotation *Rotation // set where WhatsApp says that ids were replaced
	Cards    []Card    // contact cards, type contacts
	Members  []Party   `json:",omitempty"` // of a group event, whom it names; Party is empty then
	Seconds  int       `json:",omitempty"` // how long a call lasted, where it says

	// Facts are the plain members of a notice about the business's own account or
	// number, by dotted path: "disconnection_info.reason". Nil for all else.
	Facts map[string]string `json:",omitempty"`

	// Warnings are stable codes of what was odd but did not stop the reading:
	// contact_id_mismatch, malformed_bsuid, malformed_phone, bad_timestamp,
	// content_dropped, unknown_key:<name>, unknown_type:<name>, unknown_field.
	Warnings []string
}

// The directions of an Event, as the business sees them.
const (
	DirectionIn  = "in"
	DirectionOut = "out"
)

// Party is a customer as one item names them. "" is absent: a missing key, null
// and an empty string are all the same. Phone is canonical (see Phone), PhoneRaw
// as WhatsApp wrote it and as it must be sent to.
type Party struct {
	Phone, PhoneRaw       string
	BSUID, Parent         string
	ProfileName, Username string // Username without @, otherwise as sent
}

// StatusError is one entry of an errors array. Codes: domain facts 5.2.
type StatusError struct {
	Code           int
	Title, Details string
}

const maxContent = 64 << 10

// envelope is an Item.Body with the event being read from it.
type envelope struct {
	Event
	metadata  fields
	contacts  []fields
	thread    fields
	item      fields
	field     string
	entryTime time.Time
}

// ParseEvent reads one item: kind and body are those of the Item. An error means
// that the item must be set aside; its text begins with a stable code and a
// colon: item_not_json, item_not_object, missing_wamid, missing_status.
func ParseEvent(kind ItemKind, body []byte) (Event, error) {
	if _, problem := usable(body); problem != "" {
		return Event{}, fmt.Errorf("%s: read body", problem)
	}
	outer, err := cutObject(body)
	if err != nil {
		return Event{}, fmt.Errorf("item_not_json: cut body: %w", err)
	}
	e := envelope{
		metadata: outer.object("metadata"), contacts: outer.list("contacts"),
		thread: outer.object("thread"), entryTime: outer.time("entry_time"), field: outer.text("field"),
	}
	e.Kind = kind
	e.PhoneNumberID = truncate(e.metadata.text("phone_number_id"), maxID)
	e.Digest = sum(outer["item"])

	if e.item, err = cutObject(outer["item"]); err != nil {
		if kind != KindChange {
			return Event{}, fmt.Errorf("item_not_object: cut item: %w", err)
		}
		e.item = fields{}
	}
	e.warnBeside(outer.object("beside"))
	return e.read(outer["item"])
}

func (e *envelope) read(raw []byte) (Event, error) {
	e.WAMID = e.item.text("id")
	if len(e.WAMID) > maxID {
		return Event{}, fmt.Errorf("missing_wamid: id has %d bytes", len(e.WAMID))
	}
	e.At = e.item.time("timestamp")
	if e.At.IsZero() && e.item.has("timestamp") {
		e.warn("bad_timestamp")
	}

	var err error
	switch e.Kind {
	case KindMessage, KindHistory, KindEcho:
		err = e.message()
	case KindSystem:
		err = e.system()
	case KindStatus:
		err = e.status()
	case KindError:
		e.Errors = []StatusError{statusError(e.item)}
		e.Type, e.At = "error", e.entryTime
		e.Content = e.content(raw)
		e.warnUnknown(errorKeys)
		e.Facts = map[string]string{}
		flatten(e.Facts, "", e.item, 0)
	default:
		err = e.other(raw)
	}
	if err != nil {
		return Event{}, err
	}
	return e.Event, nil
}

func (e *envelope) status() error {
	e.Direction = DirectionOut
	if e.WAMID == "" {
		return fmt.Errorf("missing_wamid: status without id")
	}
	if e.Status = e.item.text("status"); e.Status == "" {
		return fmt.Errorf("missing_status: status without status")
	}
	e.Type = "status"
	e.expect(e.Status, statusTypes)
	e.Errors, e.Tag = statusErrors(e.item), truncate(e.item.text("biz_opaque_callback_data"), maxID)
	e.warnUnknown(statusKeys)
	e.recipient()
	return nil
}

// recipient fills the party of a status from its recipient fields, which in a
// group are the participant's. recipient_parent_user_id had its parts the other
// way round for some weeks of 2026; both are read.
func (e *envelope) recipient() {
	it := e.item
	inGroup := it.text("recipient_type") == "group" ||
		it.has("recipient_participant_id") || it.has("recipient_participant_user_id")
	if inGroup {
		e.GroupID = truncate(it.text("recipient_id"), maxID)
		e.party(it.text("recipient_participant_id"), it.text("recipient_participant_user_id"),
			it.text("recipient_participant_parent_user_id"))
		return
	}
	parent := it.text("recipient_parent_user_id")
	if parent == "" {
		parent = it.text("parent_recipient_user_id")
	}
	e.party(it.text("recipient_id"), it.text("recipient_user_id"), parent)
}

func statusErrors(item fields) []StatusError {
	var all []StatusError
	for _, raw := range item.list("errors") {
		all = append(all, statusError(raw))
		if len(all) == maxParts {
			break
		}
	}
	return all
}

func statusError(raw fields) StatusError {
	return StatusError{
		Code:    raw.integer("code"),
		Title:   raw.text("title"),
		Details: first(raw.object("error_data").text("details"), raw.text("message")),
	}
}

func (e *envelope) warn(code string) {
	for _, known := range e.Warnings {
		if known == code {
			return
		}
	}
	e.Warnings = append(e.Warnings, code)
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func sum(raw []byte) string {
	digest := sha256.Sum256(raw)
	return hex.EncodeToString(digest[:])
}
