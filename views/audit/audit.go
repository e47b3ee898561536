// Package audit draws the journal of who did what.
package audit

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Audit lists who did what. Its filter is ?about=people|numbers|contacts|keys|settings;
// checking the chain posts to /audit/verify.
type Audit struct {
	Frame     layout.Frame
	Now       time.Time
	Scope     string // what this reader sees: own, team or all
	About     string // the filter in force; empty for everything
	Entries   []Entry
	Next      string // address of the next page, empty on the last
	CanVerify bool
	Verified  *ChainCheck // result of a check just made
}

// Entry is one thing done.
type Entry struct {
	Seq    int64
	At     time.Time
	Actor  string // name; empty for the product itself
	Kind   string // of the actor: person, api_key, operator, command or system
	Action string // "contact.merge", named by audit.contact_merge
	Object string // what it was done to, as this reader may see it; empty where that adds nothing
	Href   string // of the object; empty where there is no page for it
	Detail []AuditDetail
}

// AuditDetail is one setting before and after, or one fact of the act.
type AuditDetail struct {
	Name   string
	Before string // empty where there was none
	After  string
}

// ChainCheck is the result of checking the whole chain.
type ChainCheck struct {
	Entries int64
	Broken  int64 // sequence number of the first entry that does not fit; 0 when all do
}

var auditSubjects = []string{"", "people", "numbers", "contacts", "answers", "training", "keys", "privacy", "settings"}

func (p Audit) chips(ctx context.Context) []components.Chip {
	var chips []components.Chip
	for _, subject := range auditSubjects {
		chip := components.Chip{Label: i18n.T(ctx, "audit.about_all"), Href: "/audit", Current: subject == p.About}
		if subject != "" {
			chip.Label, chip.Href = i18n.T(ctx, "audit.about_"+subject), "/audit?about="+subject
		}
		chips = append(chips, chip)
	}
	return chips
}

// By says who did it.
func (e Entry) By(ctx context.Context) string {
	if e.Actor != "" {
		return e.Actor
	}
	return i18n.T(ctx, "audit.by_system")
}

// Did says in words what was done.
func (e Entry) Did(ctx context.Context) string {
	key := "audit.did_" + strings.ReplaceAll(e.Action, ".", "_")
	if !i18n.Known(key) {
		return e.Action
	}
	return i18n.T(ctx, key)
}

// Icon is the picture of the kind of subject.
func (e Entry) Icon() string {
	subject, _, _ := strings.Cut(e.Action, ".")
	switch subject {
	case "contact", "link", "merge":
		return "merge"
	case "case":
		return "list-checks"
	case "member", "person", "operator", "session":
		return "user"
	case "number":
		return "smartphone"
	case "app", "api_key", "apikey":
		return "key-round"
	case "phone":
		return "eye"
	case "training", "briefing", "escalation":
		return "graduation-cap"
	case "ingest":
		return "refresh-cw"
	}
	return "settings"
}
