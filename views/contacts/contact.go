// Package contacts draws customers: the list, one with their timeline, and imports.
package contacts

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
	"github.com/pehchan/pehchan/views/privacy"
)

// Contact is who somebody is, how we know, and what was said. Editing posts
// to /contacts/{id} (display_name, notes, version), showing the phone to
// /contacts/{id}/reveal, whether several people use a phone to
// /contacts/{id}/shared (identifier, shared), taking a link back to /merges/{id}/undo.
type Contact struct {
	Frame       layout.Frame
	Now         time.Time
	Who         people.Someone
	DisplayName string
	ProfileName string
	SavedName   string            // what the owner's phone has them saved as
	Consents    []privacy.Consent // what they said about offers, newest first
	Objects     bool              // also to being suggested by name
	Channels    []string
	Today       string
	ConsentForm components.Filled
	Looks       []privacy.Look
	CanLooks    bool   // may see who looked
	AsksHref    string // where a request about their data is opened; empty for who may open none
	Marketing   *Wish  // nil where they never told WhatsApp
	Notes       string
	ExternalIDs []ExternalID
	Version     int
	MergedFrom  bool // asked for by the id of somebody who is part of this contact now
	OpenCase    string
	Proofs      []Proof
	Moments     []Moment
	Said        []people.Said
	Older       string // address of older messages, empty when these are all
	CanEdit     bool
	CanMerge    bool
	CanLog      bool // may log what they ask
	CanPass     bool // may pass them on to a lead
	CanReveal   bool
	CanTalk     bool             // may open the conversation
	CanAsk      bool             // this reader asks customers for their number
	AskHref     string           // where; empty where it is known or shared already
	Asked       []people.AskLine // how they were, newest first
	CodeHref    string           // where a code is made for them; empty where no phone is known, or this reader may not
	Revealed    bool
	Editing     bool
	Form        components.Filled
	Changed     []Edited // what a colleague changed meanwhile
}

// ExternalID is a number this customer has in another system.
type ExternalID struct{ Name, Value string }

// Edited is a field as it stands now, beside what this reader wanted.
type Edited struct{ Field, Now, Yours string }

// Proof is one piece of evidence.
type Proof struct {
	Tier  string
	Text  string
	Facts []components.ReceiptFact
	Raw   string
}

// Moment is one entry of the history of an identity.
type Moment struct {
	Kind    string // a link (attested, rotated, changed, merged, by_rule, split, imported, cut), a decision (apart, new), a name (username, profile_name, saved_name) or a word of theirs (stopped, resumed, security_code)
	At      time.Time
	By      string
	Undone  bool
	Text    string // of a name; of a merge the other's name; of a change what was before; else the handles
	Became  string // of a change, what is now
	Why     string // of a link by a rule, its evidence in a sentence
	Reason  string
	Receipt string // address; empty for none
	Undo    string // where it is taken back; empty where this reader may not
}

var momentIcons = map[string]string{
	"attested": "link-2", "settled": "check", "rotated": "refresh-cw", "changed": "refresh-cw", "merged": "merge", "by_rule": "link-2", "split": "split", "cut": "unlink-2", "imported": "inbox",
	"apart": "unlink-2", "new": "user", "username": "at-sign", "profile_name": "pencil",
	"saved_name": "smartphone", "stopped": "ban", "resumed": "check", "security_code": "lock",
}

func (m Moment) tone() components.Tone {
	switch m.Kind {
	case "attested", "rotated", "changed", "by_rule":
		return components.Good
	case "merged", "apart", "new", "cut":
		return components.Accent
	}
	return components.Neutral
}

func (p Contact) title(ctx context.Context) string { return p.Who.Label(ctx) }

// alias is what they call themselves, where the business calls them otherwise.
func (p Contact) alias() string {
	if p.ProfileName != p.Who.Name {
		return p.ProfileName
	}
	return ""
}

func (p Contact) answer(ctx context.Context) string {
	if p.Who.NotKept() {
		return i18n.T(ctx, "phonefree.answer")
	}
	if p.Who.Hidden() {
		return i18n.T(ctx, "contacts.answer_hidden")
	}
	return i18n.N(ctx, "contacts.answer_accounts", len(p.Who.Accounts))
}

// RawEvent is the stored event that a piece of evidence rests on.
type RawEvent struct {
	Frame layout.Frame
	Back  string
	Name  string // where back leads
	At    time.Time
	Raw   string
	Clear bool
}

// Wish is what somebody told WhatsApp about marketing messages.
type Wish struct {
	Value  string // stop or resume
	Source string // the channel: whatsapp, objection, before (they were erased since), or a way of telling the team
	At     time.Time
}

// text says when they said so, and to whom.
func (w Wish) text() string {
	if key := "told.marketing_" + w.Value + "_" + w.Source; i18n.Known(key) {
		return key
	}

	return "told.marketing_" + w.Value + "_team"
}

func (w Wish) tone() components.Tone {
	if w.Value == "stop" {
		return components.Bad
	}
	return components.Good
}
