package queue

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Merge shows what putting two contacts together would do, before it is done.
// It posts to /merges: keep, lose, keep_version, lose_version, reason.
type Merge struct {
	Frame       layout.Frame
	Now         time.Time
	Keep, Lose  people.Someone
	After       people.Someone
	KeepVersion int
	LoseVersion int
	Blocked     []string // sentences; any means it cannot be done
	Warnings    []string
	NotYou      bool // a warning, and this reader may not decide against one
	Identities  int
	Messages    int
	ManyMore    bool // more messages than were counted
	OpenCases   int
	Changed     bool // one of the two changed since the page before
	Form        components.Filled
}

func (p Merge) swap() string {
	return "/merges/preview?" + url.Values{"keep": {p.Lose.ID}, "lose": {p.Keep.ID}}.Encode()
}

func (p Merge) can() bool { return len(p.Blocked) == 0 && !p.NotYou }

// Receipt is a link: what it joined, by whom and why, and what taking it back
// would do. Undo posts to /merges/{id}/undo.
type Receipt struct {
	Frame       layout.Frame
	Now         time.Time
	ID          string
	Kind        string // merged, attested, rotated, split, cut, imported
	At          time.Time
	By          string // empty for WhatsApp's own proof, and for a rule
	Rule        string // the rule that made it, empty for none
	Why         string // of a rule, the evidence in a sentence
	Event       string // address of the event that carried it
	Reason      string
	Keep        people.Someone
	Loser       string          // name of what was merged in
	LoserHref   string          // its address, where it stands by itself again
	Handles     []people.Handle // what it joined
	Old, New    []people.Handle // of a change, what was replaced by what
	Case        string          // address of the case that led to it
	UndoneAt    time.Time
	UndoneBy    string
	Back        []people.Account // what would go back
	NewMessages int
	Blocked     []string
	CanUndo     bool
	Next        string // next case, where one waits
}

func (p Receipt) answer(ctx context.Context) string {
	if !p.UndoneAt.IsZero() {
		return i18n.T(ctx, "merge.answer_undone")
	}
	return i18n.T(ctx, "merge.answer_"+p.kind())
}

// kind is what to call it.
func (p Receipt) kind() string {
	if p.Rule != "" {
		return "by_rule"
	}
	return p.Kind
}

func (p Receipt) by(ctx context.Context) string {
	switch {
	case p.Rule != "":
		return i18n.T(ctx, "merge.by_rule")
	case p.By == "":
		return i18n.T(ctx, "merge.by_whatsapp")
	}
	return p.By
}

func (p Receipt) undoneBy(ctx context.Context) string {
	if p.UndoneBy == "" || p.UndoneBy == "system" {
		return i18n.T(ctx, "merge.by_whatsapp")
	}
	return p.UndoneBy
}
