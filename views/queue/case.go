package queue

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Case asks who somebody is: what is known of them, whom they might be, and
// why. Its form posts to /resolve/{id}: decision (same, not_same, new, hold,
// unsure), contact, reason, days, version, seen, tab, number.
type Case struct {
	Frame      layout.Frame
	Now        time.Time
	ID         string
	Kind       string // unresolved, suggested, conflict or unidentifiable
	Tab        string // of the queue, to go on in
	NumberID   string // the filter of the queue, to go on in
	AskedKind  string // the same
	AskedAge   string // the same
	Version    int
	Seen       string // what this page shows, so that a refusal can say what changed
	Who        *people.Someone
	Said       []people.Said // their last messages
	Number     string        // the business number they wrote to
	Since      time.Time
	Waiting    int // cases of this tab
	Candidates []Candidate
	At         int    // which candidate is shown
	Certain    string // what would settle it soonest; empty where nothing needs to
	Raw        string // address of the event of a case that names nobody
	LeaseUntil time.Time
	LeasedBy   string // a colleague who has it open; empty for nobody
	CanGoOn    bool   // this reader may take the next case instead
	Unsure     []string
	Proposal   *Proposal // of one person, against a warning
	AnswerBy   time.Time // until when an answer can go out; zero where nobody waits for one
	HoldUntil  time.Time
	CanDecide  bool // this reader, now
	MayLink    bool // this reader may decide against a warning
	Changes    []string
	Query      string // looked for among all contacts
	Found      []people.Someone
	Form       components.Filled
	Outcome    string // of a case that is done
	ClosedAt   time.Time
	ClosedBy   string
	Receipt    string // address of the link it made
	Last       *LastDecision
	Asked      []people.AskLine // how they were asked for their number, newest first
	CanAsk     bool             // it is not known
	WrongCodes int              // codes of theirs that do not count
}

// Proposal is one person's "same person" against a warning: a second person
// must say so too.
type Proposal struct {
	By      string
	Mine    bool   // this reader's
	Contact string // id of whom they named
	Reason  string
}

// Candidate is somebody the case might be about.
type Candidate struct {
	people.Someone
	Tier     string // A, B, C, or empty where nothing but this reader's search names them
	Reasons  []Because
	Against  []string
	Compared []Compared
	Said     []people.Said
	Risky    bool   // something speaks against it
	Code     string // where a code is made for them; empty where this reader may not, or no phone is known
}

// Because is one reason in words.
type Because struct {
	Text string
	Tier string // empty for what is no sign either way
	Raw  string // address of the event it rests on; empty for none
}

// Compared is one line of the comparison of two people.
type Compared struct {
	Label  string // resolve.row_<label>
	Mine   string
	Theirs string
	Same   bool
	Differ bool // neither: one of them is not known
}

func (p Case) candidate() *Candidate {
	if p.At < 0 || p.At >= len(p.Candidates) {
		return nil
	}
	return &p.Candidates[p.At]
}

func (p Case) query() url.Values {
	q := url.Values{"tab": {p.Tab}}
	if p.NumberID != "" {
		q.Set("number", p.NumberID)
	}
	narrow(q, p.AskedKind, p.AskedAge)
	return q
}

func (p Case) back() string { return "/resolve?" + p.query().Encode() }

func (p Case) next() string {
	q := p.query()
	q.Set("after", p.ID)
	return "/resolve/next?" + q.Encode()
}

func (p Case) address() string { return "/resolve/" + p.ID }

// other is the address of another candidate, round in a circle.
func (p Case) other(step int) string {
	q := p.query()
	q.Set("c", strconv.Itoa((p.At+step+len(p.Candidates))%len(p.Candidates)))
	return p.address() + "?" + q.Encode()
}

func (p Case) choose(id string) string {
	q := p.query()
	q.Set("who", id)
	return p.address() + "?" + q.Encode()
}

// way is the ending of the words about a message that names nobody: one of the business's own has words of its own.
func (p Case) way() string {
	if len(p.Said) > 0 && p.Said[0].Out {
		return "out"
	}
	return "in"
}

func (p Case) title(ctx context.Context) string {
	if p.Who == nil {
		return i18n.T(ctx, "resolve.who_nobody")
	}
	return i18n.T(ctx, "resolve.who", "name", p.Who.Label(ctx))
}

// canSay tells whether this reader may say that the candidate is the same.
func (p Case) canSay() bool {
	c := p.candidate()
	return p.CanDecide && c != nil && (!c.Risky || p.MayLink || p.takesTwo() && !p.proposed(true))
}

// takesTwo: something speaks against it, and this reader may not decide that
// alone, but with a second person.
func (p Case) takesTwo() bool {
	c := p.candidate()
	return c.Risky && !p.MayLink && (c.Tier == "A" || c.Tier == "B")
}

// proposed tells whether somebody, this reader or a colleague, has said "same"
// of the candidate shown.
func (p Case) proposed(mine bool) bool {
	c := p.candidate()
	return p.Proposal != nil && c != nil && p.Proposal.Contact == c.ID && p.Proposal.Mine == mine
}

// needsReason: a name proves nothing, and a warning needs an answer.
func (p Case) needsReason() bool {
	c := p.candidate()
	second := c != nil && p.takesTwo() && p.proposed(false)
	return c != nil && !second && (c.Risky || c.Tier == "C" || c.Tier == "")
}

func (p Case) verdict(ctx context.Context) string {
	c := p.candidate()
	switch {
	case p.takesTwo() && p.proposed(true):
		return i18n.T(ctx, "bulk.verdict_yours")
	case p.takesTwo() && p.proposed(false):
		return i18n.T(ctx, "bulk.verdict_second")
	case p.takesTwo():
		return i18n.T(ctx, "bulk.verdict_two")
	case c.Risky && !p.MayLink:
		return i18n.T(ctx, "resolve.verdict_lead")
	case c.Risky:
		return i18n.T(ctx, "resolve.verdict_against")
	case p.Kind == "conflict" && c.Tier != "A":
		return i18n.T(ctx, "resolve.verdict_conflict")
	case c.Tier == "":
		return i18n.T(ctx, "resolve.verdict_own")
	}
	return i18n.T(ctx, "resolve.verdict_"+strings.ToLower(c.Tier))
}

func (p Case) icon() string {
	c := p.candidate()
	switch {
	case c.Risky, p.Kind == "conflict" && c.Tier != "A":
		return "triangle-alert"
	case c.Tier == "A":
		return "shield-check"
	}
	return "info"
}

func (c Compared) class() string {
	switch {
	case c.Same:
		return "same"
	case c.Differ:
		return "differs"
	}
	return ""
}

// WithoutTier is a reason without the words that its mark says already.
func WithoutTier(ctx context.Context, reason string) string {
	for _, tier := range []string{"tier.strong", "tier.hint"} {
		if rest, ok := strings.CutPrefix(reason, i18n.T(ctx, tier)+": "); ok {
			first, size := utf8.DecodeRuneInString(rest)
			return string(unicode.ToUpper(first)) + rest[size:]
		}
	}
	return reason
}
