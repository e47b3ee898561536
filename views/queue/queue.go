// Package queue draws the unresolved: the list, one case side by side, deciding many, merging and undoing.
package queue

import (
	"context"
	"net/url"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/people"
)

// Queue lists the cases that a person must decide, the urgent first. Its
// filters are ?tab=, ?number= and ?sign=; starting leads to /resolve/next, and
// what is ticked is posted to /resolve/many (case or all, decision, tab,
// number, sign).
type Queue struct {
	Frame      layout.Frame
	Now        time.Time
	Tab        string // new, suggested, conflicts, waiting, approvals or done; open for all of them that nobody has put off
	Kind       string // of the open: narrowed down to a kind of case
	Age        string // the same to an age: day, week, month or older
	Asked      bool   // the reader chose this tab; else it is what the page begins with
	Counts     map[string]int
	Number     string // id of the number filtered by, empty for all
	Numbers    []numbers.NumberChoice
	Items      []QueueItem
	Next       string       // address of the next page, empty on the last
	Sign       string       // the kind of sign filtered by, empty for all
	Signs      []SignChoice // of the suggested
	CanDecide  bool
	NoNumber   bool // none is connected yet
	CanConnect bool
	Week       Week
	Last       *LastDecision
}

// QueueItem is one case of the list.
type QueueItem struct {
	ID        string
	Kind      string // unresolved, suggested, conflict or unidentifiable
	Who       *people.Someone
	Since     time.Time
	Last      *people.Said // what they wrote last
	Candidate string
	Tier      string // of the candidate
	Conflict  bool   // the candidate contradicts rather than suggests
	Lease     string // who has it open, empty for nobody
	LeaseMine bool
	HoldUntil time.Time
	Unsure    []string  // who could not tell
	AnswerBy  time.Time // until when an answer can go out; zero where nobody waits for one
	Money     bool      // their last words are about an order or a payment
	Asked     time.Time // when they were last asked for their number; zero for never
	Proposed  string    // who said "same person" against a warning
	Outcome   string
	ClosedAt  time.Time
	ClosedBy  string
}

// SignChoice is one kind of sign that cases rest on.
type SignChoice struct {
	Code, Name string
	Count      int
}

// SignName is a kind of sign in a few words.
func SignName(ctx context.Context, code string) string {
	if key := "bulk.sign_" + code; i18n.Known(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, "bulk.sign_other")
}

// Week is what became of the queue in the last seven days.
type Week struct{ ByPeople, ByProof, Undone int }

// LastDecision is what this person decided last and may take back by posting
// to Undo.
type LastDecision struct {
	Decision string
	Name     string
	Count    int // how many it was about; 0 for one
	Undo     string
	Next     string // where to go afterwards
}

var queueTabs = []string{"new", "suggested", "conflicts", "waiting", "approvals", "done"}

func (p Queue) address(tab, number string) string {
	q := url.Values{"tab": {tab}}
	if number != "" {
		q.Set("number", number)
	}
	if tab == "open" {
		narrow(q, p.Kind, p.Age)
	}
	return "/resolve?" + q.Encode()
}

// narrow adds a kind of case and an age to the query of the queue.
func narrow(q url.Values, kind, age string) {
	if kind != "" {
		q.Set("kind", kind)
	}
	if age != "" {
		q.Set("age", age)
	}
}

// narrowed says what is shown of all that is open.
func (p Queue) narrowed(ctx context.Context) string {
	kind := i18n.T(ctx, "resolve.every_kind")
	if p.Kind != "" {
		kind = i18n.T(ctx, "adoption.kind_"+p.Kind)
	}
	if p.Age == "" {
		return i18n.T(ctx, "resolve.narrowed_kind", "kind", kind)
	}
	return i18n.T(ctx, "resolve.narrowed", "kind", kind, "age", i18n.T(ctx, "resolve.age_"+p.Age))
}

func (p Queue) tabs(ctx context.Context) []components.Chip {
	var chips []components.Chip
	for _, tab := range queueTabs {
		chip := components.Chip{Label: i18n.T(ctx, "resolve.tab_"+tab), Href: p.address(tab, p.Number), Current: tab == p.Tab}
		if n, counted := p.Counts[tab]; counted {
			chip.Count = i18n.Number(ctx, int64(n))
		}
		chips = append(chips, chip)
	}
	return chips
}

func (p Queue) numbers(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "resolve.all_numbers"), Href: p.address(p.Tab, ""), Current: p.Number == ""}}
	for _, n := range p.Numbers {
		chips = append(chips, components.Chip{Label: n.Name, Href: p.address(p.Tab, n.ID), Current: p.Number == n.ID})
	}
	return chips
}

// due is how many cases somebody can decide now.
func (p Queue) due() int {
	return p.Counts["new"] + p.Counts["suggested"] + p.Counts["conflicts"] + p.Counts["approvals"]
}

func (p Queue) answer(ctx context.Context) string {
	if p.NoNumber && p.due() == 0 {
		return ""
	}
	if p.due() == 0 {
		return i18n.T(ctx, "resolve.answer_clear")
	}
	return i18n.N(ctx, "resolve.answer", p.due())
}

// start is where the next case is. Whoever chose no tab is led to the first case that is free, in whichever it stands.
func (p Queue) start() string {
	q := url.Values{}
	if p.Asked {
		q.Set("tab", p.Tab)
	}
	if p.Number != "" {
		q.Set("number", p.Number)
	}
	narrow(q, p.Kind, p.Age)
	if len(q) == 0 {
		return "/resolve/next"
	}
	return "/resolve/next?" + q.Encode()
}

// canPick tells whether many of these may be decided at once: new people, or
// suggestions that rest on one kind of sign.
func (p Queue) canPick() bool {
	return p.CanDecide && len(p.Items) > 0 && (p.Tab == "new" || p.Tab == "suggested" && p.Sign != "")
}

// matching is how many cases the filter shows; 0 where it is not counted.
func (p Queue) matching() int {
	if p.Number != "" {
		return 0
	}
	for _, s := range p.Signs {
		if s.Code == p.Sign {
			return s.Count
		}
	}
	return p.Counts[p.Tab]
}

func (p Queue) signs(ctx context.Context) []components.Chip {
	q := func(sign string) string {
		href := p.address(p.Tab, p.Number)
		if sign != "" {
			href += "&sign=" + url.QueryEscape(sign)
		}
		return href
	}
	chips := []components.Chip{{Label: i18n.T(ctx, "bulk.any_sign"), Href: q(""), Current: p.Sign == ""}}
	for _, s := range p.Signs {
		chips = append(chips, components.Chip{Label: s.Name, Href: q(s.Code), Current: s.Code == p.Sign, Count: i18n.Number(ctx, int64(s.Count))})
	}
	return chips
}

// bySign tells whether the cases can be narrowed down to one kind of sign.
func (p Queue) bySign() bool { return p.CanDecide && p.Tab == "suggested" && len(p.Signs) > 0 }

func (p Queue) narrows() bool { return len(p.Numbers) > 1 || p.bySign() }

func (p Queue) canStart() bool { return p.CanDecide && p.Tab != "done" && len(p.Items) > 0 }

func (p Queue) open(item QueueItem) string {
	q := url.Values{"tab": {p.Tab}}
	if p.Number != "" {
		q.Set("number", p.Number)
	}
	narrow(q, p.Kind, p.Age)
	return "/resolve/" + item.ID + "?" + q.Encode()
}
