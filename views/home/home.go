// Package home draws what somebody sees first, and the first steps of a business.
package home

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/numbers"
	"github.com/pehchan/pehchan/views/overview"
	"github.com/pehchan/pehchan/views/settings"
)

// Home answers "is all well, and what do I do now?".
type Home struct {
	Frame   layout.Frame
	Now     time.Time
	Density string // "shop": a verdict and cards; "team": figures as well
	Numbers []numbers.Number
	Open    int // cases a person must decide
	// OldestOpen is when the longest-waiting open case came; zero for none.
	OldestOpen time.Time
	Unanswered int // parts of conversations in which somebody waits for an answer, at most MostUnanswered
	SetAside   int // events set aside, not yet looked at
	Held       int // the platform's, on an operator's page; a tenant's own are none
	Changes    []Change
	Countries  []changes.Fact // how far usernames are, where the business is
	Start      *StartProgress // of the first steps; nil where they are not offered
	Target     *overview.Target
	Figures    Figures         // for the team density
	Linked     int             // contacts linked by rules in the last day
	Tripped    []settings.Rule // rules that turned themselves off, told to who may switch them

	Forwards []Forward // addresses that do not take what is passed on to them, for who may put that right

	Clocks []Clock // of incidents, that run; for who may stop them
	Mine   []Mine  // what the reader was named for and has not finished, the first due first

	CanDecide  bool
	CanAnswer  bool
	CanQueue   bool // may see the queue
	CanNumbers bool // may see the numbers

	CanAnswers  bool // may see the ready answers
	News        []HomeNews
	CanOverview bool // may see how far IDs and usernames have come
	CanConnect  bool
	CanIngest   bool // may see the events of a number
}

// MostUnanswered is as far as those who wait for an answer are counted.
const MostUnanswered = 100

// Figures are what a team lead looks at first.
type Figures struct {
	People   int64 // contacts who have written
	WithID   int64 // of them, those whose WhatsApp ID is known
	Hidden   int64 // of them, those who show no phone
	Ages     Ages
	Received int64 // items, ever
	Lost     int64 // items received that are neither routed, held, set aside nor waiting
}

// Ages are open cases by how long they have waited.
type Ages struct {
	Hour, Day, Week, Older int
}

// Change is one thing that happened to who is who. Kind names its words
// (home.change_<kind>): linked, rotated, merged, undone or opened.
type Change struct {
	Kind string
	Name string // the contact
	By   string // who did it; empty for nobody in particular
	At   time.Time
	Href string
}

// task is one card: what to do, why, and the one button.
type task struct {
	id     string
	title  string
	why    string
	button string
	href   string
	key    string
}

// tasks are at most three things to do, the most urgent first.
func (p Home) tasks(ctx context.Context) []task {
	all := p.clockTask(ctx)
	if p.Start != nil {
		all = append(all, p.Start.task(ctx))
	}
	for _, n := range p.Numbers {
		switch {
		case !p.CanConnect:
		case n.TokenProblem != "" || n.Ended(p.Now):
			all = append(all, task{
				"token", i18n.T(ctx, "home.token_title", "number", n.Label()), i18n.T(ctx, "home.token_why"),
				n.RenewWords(ctx), "/numbers/" + n.ID + "#token", "",
			})
		case n.WrongSecret:
			all = append(all, task{"secret", i18n.T(ctx, "home.secret_title", "number", n.Label()), i18n.T(ctx, "home.secret_why"), i18n.T(ctx, "home.secret_go"), n.HealthAt(), ""})
		case !n.QuietSince.IsZero():
			all = append(all, task{
				"silent", i18n.T(ctx, "home.silent_title", "number", n.Label()), i18n.T(ctx, "home.silent_why", "time", i18n.Ago(ctx, n.LastEvent, p.Now)),
				i18n.T(ctx, "home.silent_go"), n.HealthAt(), "",
			})
		case n.Expiring(p.Now):
			all = append(all, task{
				"expiring", i18n.T(ctx, "home.expiring_title", "number", n.Label(), "date", i18n.Date(ctx, n.TokenExpires)), i18n.T(ctx, "home.expiring_why"),
				i18n.T(ctx, "home.expiring_go"), "/numbers/" + n.ID + "#token", "",
			})
		}
	}
	for _, f := range p.Forwards {
		why := i18n.T(ctx, "home.forward_stopped")
		if !f.Stopped {
			why = i18n.T(ctx, "home.forward_why", "time", i18n.Ago(ctx, f.Since, p.Now))
		}
		all = append(all, task{"forward", i18n.T(ctx, "home.forward_title", "host", f.Host), why, i18n.T(ctx, "home.forward_go"), f.Href, ""})
	}
	if len(p.Numbers) == 0 && p.CanConnect {
		all = append(all, task{"connect", i18n.T(ctx, "home.connect_title"), i18n.T(ctx, "home.connect_why"), i18n.T(ctx, "home.connect_go"), "/numbers/new", ""})
	}
	if p.Open > 0 && p.CanDecide {
		all = append(all, task{
			"decide", i18n.N(ctx, "home.decide_title", p.Open), i18n.T(ctx, "home.decide_why", "time", i18n.Ago(ctx, p.OldestOpen, p.Now)),
			i18n.T(ctx, "home.decide_go"), "/resolve/next", "Enter",
		})
	}
	if p.Unanswered > 0 && p.CanAnswer {
		title := i18n.N(ctx, "home.answer_title", p.Unanswered)
		if p.Unanswered >= MostUnanswered {
			title = i18n.T(ctx, "home.answer_many", "count", MostUnanswered)
		}
		all = append(all, task{"answer", title, i18n.T(ctx, "home.answer_why"), i18n.T(ctx, "home.answer_go"), "/inbox?state=waiting", ""})
	}
	for _, n := range p.Numbers {
		if n.WaitsForFirst() && p.CanConnect {
			all = append(all, task{
				"first", i18n.T(ctx, "home.first_title", "number", n.Label()), i18n.T(ctx, "home.first_why"),
				i18n.T(ctx, "home.first_go"), "/numbers/" + n.ID, "",
			})
		}
	}
	if p.SetAside > 0 && p.CanIngest {
		all = append(all, task{"aside", i18n.N(ctx, "home.aside_title", p.SetAside), i18n.T(ctx, "home.aside_why"), i18n.T(ctx, "home.aside_go"), p.asideHref(), ""})
	}
	return all[:min(3, len(all))]
}

func (p Home) asideHref() string {
	for _, n := range p.Numbers {
		if n.SetAside > 0 {
			return n.ItemsAt()
		}
	}
	return numbers.Number{}.ItemsAt()
}

// broken tells whether messages of customers are at risk.
func (p Home) broken() bool {
	for _, n := range p.Numbers {
		if n.TokenProblem != "" || n.WrongSecret || !n.QuietSince.IsZero() {
			return true
		}
	}
	return p.Figures.Lost != 0
}

// aside tells whether something was set aside, which somebody should look at.
func (p Home) aside() bool { return p.SetAside > 0 }

func (p Home) tone() (class, icon string) {
	switch {
	case p.broken() || p.late():
		return "verdict bad", "circle-alert"
	case p.aside() || len(p.Clocks) > 0 || len(p.Forwards) > 0:
		return "verdict look", "triangle-alert"
	case len(p.Numbers) == 0:
		return "verdict", "info"
	}
	return "verdict ok", "shield-check"
}

func (p Home) verdict(ctx context.Context) string {
	switch {
	case p.broken():
		return i18n.T(ctx, "home.verdict_broken")
	case p.late():
		return i18n.T(ctx, "home.verdict_late")
	case len(p.Clocks) > 0:
		return i18n.T(ctx, "home.verdict_clock")
	case p.aside():
		return i18n.N(ctx, "home.verdict_aside", p.SetAside)
	case len(p.Forwards) > 0:
		return i18n.T(ctx, "home.verdict_forward")
	case len(p.Numbers) == 0:
		return i18n.T(ctx, "home.verdict_new")
	}
	return i18n.T(ctx, "home.verdict_ok")
}

func (p Home) waiting(ctx context.Context) string {
	switch {
	case len(p.Numbers) == 0:
		return ""
	case p.Open == 0:
		return i18n.T(ctx, "home.nobody_waits")
	}
	return i18n.N(ctx, "home.waiting", p.Open)
}

// where is the address of a figure's page, empty for who may not open it.
func where(may bool, href string) string {
	if !may {
		return ""
	}
	return href
}

func openDetail(ctx context.Context, p Home) string {
	if p.Open == 0 {
		return i18n.T(ctx, "home.open_none")
	}
	return i18n.T(ctx, "home.open_oldest", "time", i18n.Ago(ctx, p.OldestOpen, p.Now))
}

// HomeNews is an announcement on somebody's start page. It posts nothing to /news/{id}/read.
type HomeNews struct {
	ID, Text string
	At       time.Time
}

// Forward is an address of the business's own that does not take the webhooks passed on to it, for an hour at least.
type Forward struct {
	Host    string
	Href    string
	Since   time.Time
	Stopped bool // nothing more is passed on to it
}

// Mine is something that the reader is to see to: the username of a number, or a place that the business's name is to be printed in.
type Mine struct {
	Number  string // how the number is called; empty for a place
	Place   string // kit.place_<Place>; empty for a username
	Wanted  string // the name that is wanted; empty for none yet
	Href    string
	Due     time.Time // a day; zero for none
	Overdue bool
}

// mostMine are shown at once; the rest stands where it is looked after.
const mostMine = 5

func (m Mine) title(ctx context.Context) string {
	if m.Place != "" {
		return i18n.T(ctx, "home.mine_place", "place", i18n.T(ctx, "kit.place_"+m.Place))
	}
	return i18n.T(ctx, "home.mine_username", "number", m.Number)
}
