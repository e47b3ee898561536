// Package settings draws what somebody chooses for themselves and for the business: keys, rules, quiet hours, mails and closing.
package settings

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Rules are the kinds of evidence that may link by themselves: what each does now, how it has done, and the links that it made.
type Rules struct {
	Frame     layout.Frame
	Now       time.Time
	Items     []Rule
	Looked    int  // customers looked at so far, while links are worked out again
	Running   bool // they are
	CanSwitch bool
	Links     []RuleLink
	Next      string // address of older links, empty when these are all
}

// Rule is one kind of evidence.
type Rule struct {
	Kind     string // card_request, link_code, quoted_reply, tapped or same_parent; named by rules.name_<kind>
	Mode     string // shadow, on or off
	Since    time.Time
	By       string // who switched it, empty for nobody
	Tripped  bool   // it turned itself off
	ReadyAt  time.Time
	Ready    bool // it has watched for long enough
	Would    int  // cases that wait and that it would have closed
	ManyMore bool // there are more than were counted
	Agreed   int  // such cases in 90 days that people decided as it would have
	Decided  int
	Linked   int // in 90 days
	Undone   int // of them, by people
	Standing int // links that it made and that stand
}

// RuleLink is a link that a rule made. Taking it back posts to Undo.
type RuleLink struct {
	Who, Name string // what was linked, and to whom
	Href      string // of the contact
	Why       string
	At        time.Time
	Undone    bool
	Receipt   string // empty where this reader may not open it
	Undo      string // empty where it is not theirs to take back
}

// RuleChange is one kind of evidence alone: whom it would link now, and with To what a switch would do. It posts to
// /settings/links/{kind}: mode, and confirm=linked for same_parent.
type RuleChange struct {
	Frame     layout.Frame
	Now       time.Time
	Rule      Rule
	To        string // shadow, on or off; empty to look alone
	CanSwitch bool
	Items     []RuleCase
	Form      components.Filled
}

// RuleCase is a case that a rule would have closed.
type RuleCase struct {
	Who, Name string
	Why       string
	Since     time.Time
	Href      string // of the case, empty where this reader may not open it
}

// Name says what kind of proof the rule is about.
func (r Rule) Name(ctx context.Context) string { return i18n.T(ctx, "rules.name_"+r.Kind) }

func (r Rule) href() string { return "/settings/links/" + r.Kind }

func (r Rule) tone() components.Tone {
	switch {
	case r.Tripped:
		return components.Bad
	case r.Mode == "on":
		return components.Good
	case r.Mode == "off":
		return components.Neutral
	}
	return components.Info
}

func (r Rule) state(ctx context.Context) string {
	return i18n.T(ctx, "rules.state_"+r.Mode, "date", i18n.Date(ctx, r.Since))
}

func (r Rule) would(ctx context.Context) string {
	switch {
	case r.Would == 0:
		return i18n.T(ctx, "rules.would_none")
	case r.ManyMore:
		return i18n.T(ctx, "rules.would_many", "count", r.Would)
	}
	return i18n.N(ctx, "rules.would", r.Would)
}

func (r Rule) agreed(ctx context.Context) string {
	if r.Decided == 0 {
		return i18n.T(ctx, "rules.agreed_none")
	}
	return i18n.T(ctx, "rules.agreed", "agreed", r.Agreed, "decided", r.Decided)
}

// may lists what it can be switched to now.
func (r Rule) may() []string {
	switch {
	case r.Tripped:
		return []string{"shadow"}
	case r.Mode == "on":
		return []string{"shadow", "off"}
	case r.Mode == "off":
		return []string{"shadow"}
	case r.Ready:
		return []string{"on", "off"}
	}
	return []string{"off"}
}

// will says what a switch does.
func (p RuleChange) will(ctx context.Context) []string {
	if p.To == "on" {
		first := i18n.T(ctx, "rules.will_on_none")
		if p.Rule.Would > 0 {
			first = i18n.N(ctx, "rules.will_on", p.Rule.Would)
		}
		return []string{first, i18n.T(ctx, "rules.will_on_back")}
	}

	first := i18n.T(ctx, "rules.will_off_none")
	if p.Rule.Standing > 0 {
		first = i18n.N(ctx, "rules.will_off", p.Rule.Standing)
	}
	if p.To == "shadow" {
		first += " " + i18n.T(ctx, "rules.will_shadow")
	}
	return []string{first, i18n.T(ctx, "rules.will_keep")}
}
