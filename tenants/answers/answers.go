// Package answers keeps what a team says when customers ask about usernames: cards with a short and a long answer, macros to send, and
// the log of what was asked. What ships is in library/; a business may write its own in its place.
//
// No card or macro knows a date or status of the rollout. These come from the fact ledger when the text is shown, and a card whose
// facts changed or were not checked for too long says so.
package answers

import (
	"slices"
	"strings"
	"time"

	"github.com/pehchan/pehchan/tenants/facts"
)

// Audiences are those a card is written for: what to tell customers, what the team needs to know, what concerns the business's own name.
var Audiences = []string{"customers", "team", "business"}

// The languages of a card, and those of a macro.
const (
	English  = "en"
	Hindi    = "hi"
	Hinglish = "hinglish" // Hindi in Latin letters, as many type it
)

// Words are a text in both languages.
type Words struct {
	EN string `json:"en"`
	HI string `json:"hi"`
}

// In is the text in a language; English for any but Hindi.
func (w Words) In(lang string) string {
	if lang == Hindi {
		return w.HI
	}

	return w.EN
}

// Content is what a card says. The texts may hold {fact:key}, {fact:key|doubt} and variables, see Fill.
type Content struct {
	Audience string   `json:"audience"`
	Country  string   `json:"country"` // ISO 3166 alpha-2; empty for everywhere
	Question Words    `json:"question"`
	Short    Words    `json:"short"`  // two lines
	Long     Words    `json:"long"`   // the whole answer
	Never    Words    `json:"never"`  // what not to say
	Source   Words    `json:"source"` // where it was read, besides the facts; may be empty for a card with facts
	Asks     []string `json:"asks"`   // how people put the question, in either script
}

// Card is an answer as one business has it.
type Card struct {
	Key string
	Content
	Facts   []string // keys of the ledger's facts that it stands on
	Edition Edition  // of the platform's words, which count where the business has none of its own
	Version int      // of the business's own text; 0 for the platform's
	Own     bool     // nothing of the platform's is beneath it
	By      string   // who wrote Version
	At      time.Time

	Under *Content // the platform's words beneath Version; nil where there are none
	Moved bool     // they have changed since the business wrote its own, or looked at them again
	base  string   // digest of the platform's words as the business knew them; empty where that was not kept
	under string   // digest of the platform's words

	CheckedBy string // who last stood by it, here
	CheckedAt time.Time

	Uses, Helpful, Unhelpful int

	Doubts []Doubt // why it is to be verified again; empty where it holds
}

// Doubt is one reason to verify a card again.
type Doubt struct {
	Code  string // unchecked, check_old, edition_old, expired, fact_old, fact_changed
	Fact  facts.Fact
	Since time.Time
}

// checkHolds is how long a business's own check of a card counts.
const checkHolds = 30 * 24 * time.Hour

// Ledger is the fact ledger as cards and macros stand on it.
type Ledger struct {
	now     map[string]facts.Fact
	shipped map[string]facts.Fact
	told    map[string]time.Time // when a fact last said something new
}

// Fact is the current version of a fact.
func (l Ledger) Fact(key string) (facts.Fact, bool) {
	f, ok := l.now[key]

	return f, ok
}

// oldSince tells from when on a fact is to be checked.
func oldSince(f facts.Fact) time.Time {
	since := f.VerifiedOn.Add(facts.FreshFor + 24*time.Hour)
	if f.ExpiresOn != nil && f.ExpiresOn.Before(since) {
		return *f.ExpiresOn
	}

	return since
}

// differs tells whether a fact says something else than what ships, on which the built-in texts stand.
func (l Ledger) differs(f facts.Fact) bool {
	s, ok := l.shipped[f.Key]

	return !ok || s.Value != f.Value || s.TextEN != f.TextEN || s.TextHI != f.TextHI || s.DoubtEN != f.DoubtEN || s.DoubtHI != f.DoubtHI
}

// ships tells whether a card says what this release says.
func (c Card) ships() bool { return c.Version == 0 && !c.Edition.Own }

// doubts are the reasons to verify a card again. A check by the business clears what was there when it looked, for thirty days; one by
// the platform's operators does so for every business that has their words.
func (l Ledger) doubts(c Card, now time.Time) []Doubt {
	checked := c.CheckedAt
	if now.Sub(checked) > checkHolds {
		checked = time.Time{}
	}
	written := c.At
	if c.Version == 0 {
		written = c.Edition.WrittenAt
	}

	var list []Doubt
	switch until := c.Edition.Until(); {
	case c.Version > 0 && c.CheckedAt.IsZero():
		list = append(list, Doubt{Code: "unchecked", Since: c.At})
	case c.Version > 0 && checked.IsZero():
		list = append(list, Doubt{Code: "check_old", Since: c.CheckedAt})
	case c.Version > 0 || until.IsZero():
	case now.Before(until):
		if looked := c.Edition.looked(); looked.After(checked) {
			checked = looked
		}
	case checked.After(until):
	case c.Edition.Expired(now):
		list = append(list, Doubt{Code: "expired", Since: *c.Edition.ExpiresOn})
	case c.Edition.Own:
		list = append(list, Doubt{Code: "edition_old", Since: *c.Edition.VerifiedOn})
	}
	for _, key := range c.Facts {
		f, ok := l.now[key]
		if !ok {
			continue
		}
		if c.ships() {
			written = time.Time{}
		}
		switch {
		case c.ships() && !l.differs(f):
		case l.told[key].After(written) && l.told[key].After(checked):
			list = append(list, Doubt{Code: "fact_changed", Fact: f, Since: l.told[key]})
			continue
		}
		if since := oldSince(f); !now.Before(since) && !checked.After(since) {
			list = append(list, Doubt{Code: "fact_old", Fact: f, Since: f.VerifiedOn})
		}
	}

	return list
}

// Held tells whether a card's short answer is not to be passed on as it stands: a fact of the card has changed since it was written, one that
// stands in those words was not checked for too long, or the day has come by which an operator wanted it looked at.
func (c Card) Held() bool {
	named := factsIn(c.Short.EN, c.Short.HI)

	return slices.ContainsFunc(c.Doubts, func(d Doubt) bool {
		return d.Code == "fact_changed" || d.Code == "expired" || d.Code == "fact_old" && slices.Contains(named, d.Fact.Key)
	})
}

// Verified is the day a card's oldest fact was checked, or the business or an operator stood by it, and from when on it is to be verified again. Both are zero
// for one that nobody has checked, and for one that rests on how the product works.
func (l Ledger) Verified(c Card) (on, until time.Time) {
	if c.Version > 0 {
		if c.CheckedAt.IsZero() {
			return time.Time{}, time.Time{}
		}
		on, until = c.CheckedAt, c.CheckedAt.Add(checkHolds)
	}
	for _, key := range c.Facts {
		f, ok := l.now[key]
		if !ok {
			continue
		}
		if c.ships() && (on.IsZero() || f.VerifiedOn.Before(on)) {
			on = f.VerifiedOn
		}
		if since := oldSince(f); c.ships() && (until.IsZero() || since.Before(until)) {
			until = since
		}
	}
	if e := c.Edition; c.Version == 0 && e.VerifiedOn != nil && (e.Own || e.VerifiedOn.After(on)) {
		on, until = *e.VerifiedOn, e.Until()
	}
	if c.Version == 0 && c.CheckedAt.After(on) {
		on, until = c.CheckedAt, c.CheckedAt.Add(checkHolds)
	}

	return on, until
}

// Sources are those of a card's facts, each once.
func (l Ledger) Sources(c Card) facts.Sources {
	var list facts.Sources
	for _, key := range c.Facts {
		for _, s := range l.now[key].Sources {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}

	return list
}

// lines takes a text apart that holds one thing a line.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}

	return list
}
