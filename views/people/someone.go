// Package people draws who somebody is: their name, addresses and accounts, and what was said with them, wherever a page shows
// one.
package people

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

// Someone is a contact as this reader may see them: phones are masked
// beforehand where they must be.
type Someone struct {
	ID       string
	Name     string
	Handle   Handle // the best to tell them from others
	Accounts []Account
	LastAt   time.Time // when they last wrote; zero for never
	Posing   bool      // what they call themselves could pass for somebody official, or the business
}

// Account is one WhatsApp account of somebody.
type Account struct {
	Name     string // as WhatsApp shows it
	Username string // without @
	Hidden   bool   // the phone is not shown now
	// PhoneFree: it has a phone that is not kept, because of the number it writes to.
	PhoneFree bool
	Handles   []Handle
	Reply     Handle // where a reply goes, empty where nowhere
}

// Handle is a phone, WhatsApp ID or username.
type Handle struct {
	Kind  string // phone, bsuid, parent_bsuid, username; empty for none
	Shown string
	Full  string // to copy; empty where it must not be
	Past  bool
	First time.Time
	Last  time.Time
	// ID is to say something about it, where that can be said; Shared tells that several people use this phone.
	ID     string
	Shared bool
}

// Href is the page of the contact.
func (s Someone) Href() string { return "/contacts/" + s.ID }

// Label is a name to use in a sentence: the name, else the handle.
func (s Someone) Label(ctx context.Context) string {
	if s.Name != "" {
		return s.Name
	}
	return s.Handle.Label(ctx)
}

// Label is what somebody without a name is called: the handle, but a WhatsApp ID by its last characters only, for it says
// nothing to a person.
func (h Handle) Label(ctx context.Context) string {
	switch {
	case h.Kind == "bsuid" || h.Kind == "parent_bsuid":
		return i18n.T(ctx, "told.whatsapp_user", "last", h.Shown[max(0, len(h.Shown)-4):])
	case h.Shown != "":
		return h.Shown
	}
	return i18n.T(ctx, "person.unnamed")
}

// Hidden tells whether no phone is shown on any account.
func (s Someone) Hidden() bool {
	for _, a := range s.Accounts {
		if !a.Hidden {
			return false
		}
	}
	return len(s.Accounts) > 0
}

// NotKept tells whether a phone is hidden only because a number of the business keeps none.
func (s Someone) NotKept() bool {
	kept := false
	for _, a := range s.Accounts {
		kept = kept || a.PhoneFree
	}
	return kept && s.Hidden()
}

// Seen is when a handle was theirs, as far as was seen: a day, or from one to another.
func (h Handle) Seen(ctx context.Context) string {
	first, last := i18n.Date(ctx, h.First), i18n.Date(ctx, h.Last)
	if first == last {
		return first
	}
	return i18n.T(ctx, "contacts.seen", "first", first, "last", last)
}

// Options are the address as an identifier is drawn.
func (h Handle) Options() components.IdentifierOptions {
	return components.IdentifierOptions{Kind: h.Kind, Shown: h.Shown, Full: h.Full, Past: h.Past}
}
