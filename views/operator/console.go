// Package operator draws the console of who runs the platform, and what a business grants them.
package operator

import (
	"context"
	"strconv"
	"time"

	"github.com/pehchan/pehchan/views/audit"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
)

// LifeStates are the states of a business, as they are filtered by.
var LifeStates = []string{"active", "limited", "suspended", "closing", "erased"}

// Card is one business with its counts, as an operator sees it.
type Card struct {
	ID, Slug, Name, State, Reason, By, Lang, Standing, Plan string
	Since, EraseAfter, CreatedAt                            time.Time
	APIPerMinute, MostPeople                                int
	Numbers, Tokens, Blocked, Members, Novel                int
	Received, SetAside, Waiting, Lost                       int64
	Oldest                                                  time.Duration
	Needs                                                   bool
}

func (b Card) href() string { return "/op/tenants/" + b.ID }

// troubles are in words what somebody has to look at.
func (b Card) troubles(ctx context.Context) []string {
	var list []string
	if b.Lost != 0 {
		list = append(list, i18n.N(ctx, "console.red_lost", int(b.Lost)))
	}
	if b.SetAside > 0 {
		list = append(list, i18n.N(ctx, "console.red_aside", int(b.SetAside)))
	}
	if b.Oldest > time.Minute {
		list = append(list, i18n.T(ctx, "console.red_lag", "time", i18n.Span(ctx, b.Oldest)))
	}
	if b.Tokens > 0 {
		list = append(list, i18n.N(ctx, "console.red_token", b.Tokens))
	}
	if b.Blocked > 0 {
		list = append(list, i18n.N(ctx, "console.red_blocked", b.Blocked))
	}
	return list
}

func (b Card) tone() components.Tone {
	switch b.State {
	case "active":
		return components.Good
	case "limited":
		return components.Needs
	}
	return components.Bad
}

// Tenants lists and finds businesses.
type Tenants struct {
	Frame    layout.Frame
	Now      time.Time
	Query    string
	State    string
	CanWrite bool
	Items    []Card
	Next     string
}

func (p Tenants) chips(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "console.all"), Href: "/op/tenants", Current: p.State == ""}}
	for _, state := range LifeStates {
		chips = append(chips, components.Chip{Label: i18n.T(ctx, "console.state_"+state), Href: "/op/tenants?state=" + state, Current: p.State == state})
	}
	return chips
}

// TenantNew sets up a business. It posts name, slug, lang and email to /op/tenants.
type TenantNew struct {
	Frame layout.Frame
	Form  components.Filled
}

// Note is what an operator wrote down.
type Note struct {
	Text, By string
	At       time.Time
}

// Used is what a business used in a month.
type Used struct {
	ID, Name, Slug, Plan       string
	Month                      time.Time
	Heard, Sent, API, Contacts int64
}

// Tenant is one business. It posts to /op/tenants/{id}/state (was, state, reason), /limits (plan, api_per_minute, most_people) and /notes (text).
type Tenant struct {
	Frame                          layout.Frame
	Now                            time.Time
	Business                       Card
	Moves                          []string // states it can be put in
	CanWrite, CanAsk               bool
	Notes                          []Note
	Usage                          []Used
	StateForm, LimitForm, NoteForm components.Filled
}

func (p Tenant) moves(ctx context.Context) []components.Option {
	var list []components.Option
	for _, state := range p.Moves {
		list = append(list, components.Option{Value: state, Label: i18n.T(ctx, "console.move_"+state)})
	}
	return list
}

// Drift lists what came that no documentation speaks of.
type Drift struct {
	Frame layout.Frame
	Now   time.Time
	Items []numbers.Drift
}

// Job is background work that failed.
type Job struct {
	ID, Tenant, Business, Kind, Problem string
	Tries                               int
	At                                  time.Time
	Again                               bool // can be tried again
}

// why says what becomes of work that cannot be tried again from here.
func (j Job) why(ctx context.Context) string {
	if !j.Again && (j.Kind == "import" || j.Kind == "tenant_erase") {
		return i18n.T(ctx, "console.why_"+j.Kind)
	}
	return ""
}

// Mail is a mail that was given up. Whom it is to, and what it says, stays sealed.
type Mail struct {
	ID, Tenant, Business string
	Kind                 string // console.mail_<Kind>
	Problem, Code        string // console.mail_problem_<Problem>, and the number that a mail server refused it with
	At                   time.Time
	Why                  string // why it cannot be sent again: console.mail_why_<Why>; empty where it can
}

func (m Mail) problem(ctx context.Context) string {
	words := i18n.T(ctx, "console.mail_problem_"+m.Problem)
	if m.Code != "" {
		words += " (" + m.Code + ")"
	}
	return words
}

// Jobs lists background work that failed, and mails. It posts job, an id or "all", to /op/jobs/retry, and mail likewise.
type Jobs struct {
	Frame                     layout.Frame
	Now                       time.Time
	CanWrite                  bool
	MailsWaiting, MailsFailed int64
	Items                     []Job
	Mails                     []Mail
	KeptDays                  int // for how long a failed mail can be sent again
}

func (p Jobs) mailsAgain() bool {
	for _, m := range p.Mails {
		if m.Why == "" {
			return p.CanWrite
		}
	}
	return false
}

func (p Jobs) again() bool {
	for _, j := range p.Items {
		if j.Again {
			return p.CanWrite
		}
	}
	return false
}

// Usage lists what businesses used in a month.
type Usage struct {
	Frame                layout.Frame
	Month, Before, After time.Time // After is zero in the running month
	Items                []Used
}

func monthOf(t time.Time) string { return t.Format("2006-01") }

// Announcement is something operators told all businesses.
type Announcement struct {
	ID, EN, HI, Audience, By string
	At, EndsAt               time.Time
	Over                     bool
}

// News lists announcements. It posts en, hi, audience and days to /op/news, and nothing to /op/news/{id}/end.
type News struct {
	Frame    layout.Frame
	Now      time.Time
	CanWrite bool
	Most     int // days
	Items    []Announcement
	Form     components.Filled
}

func dayChoices(ctx context.Context, most int) []components.Option {
	var list []components.Option
	for _, n := range []int{1, 3, 7, 14, 30, 90} {
		if n <= most {
			list = append(list, components.Option{Value: strconv.Itoa(n), Label: i18n.N(ctx, "console.days", n)})
		}
	}
	return list
}

// Audit is what operators and commands did to the platform.
type Audit struct {
	Frame    layout.Frame
	Now      time.Time
	All      bool // else one's own acts alone
	Entries  []audit.Entry
	Next     string
	Verified *audit.ChainCheck
}
