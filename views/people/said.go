package people

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

// Said is a message as a conversation shows it.
type Said struct {
	ID        string
	Out       bool
	At        time.Time
	Type      string // as WhatsApp names it
	Text      string
	Count     int    // products of an order, cards shared
	Status    string // of our own messages
	Error     string // in WhatsApp's words
	Edited    bool
	Revoked   bool
	Group     bool
	Reactions []string
	Quote     *Said
	Via       Handle // the address it came or went by
	Number    string // the business number, where there are several
	Seconds   int    // how long a call lasted
	Missed    bool   // of a call: it ended before anybody spoke
	Imported  bool   // came with chats of before
	Reworded  bool   // came a second time in other words
	Other     string // where the other words are; empty where this page does not lead there
	File      *File  // of a picture, sound, video, document or sticker
	Place     string // of a location: latitude and longitude, to copy and to open
	Cards     []SharedCard
	By        string   // the colleague who sent it
	Sending   *Sending // of our own, what became of it
	Asked     *AskLine // of a question for their number, what came of it
}

// File is what a message carries.
type File struct {
	Kind string // image, sticker, audio, video or document
	Src  string // where it is fetched from; empty where this reader may not
	Name string // of a document
	Gone bool   // WhatsApp keeps it no longer
	Link bool   // it is opened on its own, not shown in place
}

// SharedCard is a contact card in a message.
type SharedCard struct {
	Name   string
	Own    bool // the sender's own, shared by WhatsApp's button
	Phones []string
}

// Sending is what became of a message of ours, beyond its status.
type Sending struct {
	Text   string // in a few words
	Next   string // what to do now; empty for nothing
	Meta   string // the reason in Meta's own words; empty where it gave none
	Bad    bool
	Doubt  bool
	Cancel string // id to take it back by; empty where it is too late
}

func (m Said) plain() bool { return m.Type == "text" || m.Type == "" }

func (m Said) label(ctx context.Context) string {
	key := "messages.type_" + m.Type
	if m.Count > 0 && m.Type == "order" {
		return i18n.N(ctx, "messages.order", m.Count)
	}
	if m.Missed {
		return i18n.T(ctx, "messages.call_missed")
	}
	if m.Seconds > 0 {
		return i18n.T(ctx, "messages.call_lasted", "time", i18n.Span(ctx, time.Duration(m.Seconds)*time.Second))
	}
	if !i18n.Known(key) {
		return i18n.T(ctx, "messages.type_unknown")
	}
	return i18n.T(ctx, key)
}

var saidIcons = map[string]string{
	"image": "image", "sticker": "image", "video": "image", "document": "file", "location": "map-pin", "contacts": "contact", "order": "store",
	"audio": "activity", "voice": "activity", "call": "phone", "ask": "phone",
}

func (m Said) icon() string {
	if icon, ok := saidIcons[m.Type]; ok {
		return icon
	}
	return "message-circle"
}

func (m Said) statusTone() components.Tone {
	if m.Status == "failed" {
		return components.Bad
	}
	return components.Neutral
}

// status says how far a message of ours came.
func (m Said) status(ctx context.Context) string {
	key := "messages.status_" + m.Status
	if !i18n.Known(key) {
		return m.Status
	}
	return i18n.T(ctx, key)
}

// Gist is a message in one line.
func (m Said) Gist(ctx context.Context) string {
	text := []rune(m.Text)
	switch {
	case m.Revoked:
		return i18n.T(ctx, "messages.revoked")
	case len(text) == 0:
		return m.label(ctx)
	case len(text) > 120:
		return string(text[:119]) + "…"
	}
	return m.Text
}

// AskLine is one question that was asked, and what came of it.
type AskLine struct {
	At      time.Time
	By      string
	Outcome string // ask.outcome_<outcome>
	Text    string
	Prove   string // of a number that they only claim: where a code is made for who is known by it
	Write   string // and where that one is written to
}

func (a AskLine) tone() components.Tone {
	switch a.Outcome {
	case "shared":
		return components.Good
	case "typed", "without_number":
		return components.Needs
	case "unsent":
		return components.Bad
	}
	return components.Neutral
}
