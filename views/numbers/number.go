// Package numbers draws the business's WhatsApp numbers: connecting one, its page, its health, and what Meta told about it.
package numbers

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Number is one of the business's own WhatsApp numbers.
type Number struct {
	ID            string
	Name          string // verified name, as WhatsApp shows it
	Phone         string // digits
	State         string // waiting, connected, unconfirmed or disconnected
	App           string
	WABAID        string
	PhoneNumberID string
	PortfolioID   string // empty while not known
	HasToken      bool
	TokenProblem  string // reason of a failed check, empty for none
	TokenExpires  time.Time
	ConnectedAt   time.Time
	FirstEvent    time.Time // zero until the first
	LastEvent     time.Time
	Tested        time.Time // last press of the test button in Meta's dashboard
	SetAside      int
	OnApp         bool      // in the WhatsApp Business app as well
	Onboarded     time.Time // when Meta's window last connected it; zero where it was connected by hand
	GraceUntil    time.Time // disconnected, and comes back with a press until then; else zero
	MayRenew      bool      // Meta's window can make it a new token
	WrongSecret   bool      // WhatsApp signs with another secret than the one that is known
	QuietSince    time.Time // nothing has come since, though much usually does; zero where that is not so
	PhoneFree     bool      // no customer's phone is kept of what comes or goes by it
	PhoneCleaning bool      // phones are still being taken out of what was stored before
}

// soon is how long before its end a token is worth a word.
const soon = 14 * 24 * time.Hour

// Expiring tells whether the token ends soon, and nothing else is wrong with it.
func (n Number) Expiring(now time.Time) bool {
	return n.State != "disconnected" && n.TokenProblem == "" && n.HasToken && !n.TokenExpires.IsZero() && n.TokenExpires.Sub(now) < soon
}

// Ended tells whether the token's time is over, noticed or not.
func (n Number) Ended(now time.Time) bool {
	return n.HasToken && !n.TokenExpires.IsZero() && !now.Before(n.TokenExpires)
}

// renewAt is where Meta's window makes the number a new token.
func (n Number) renewAt() string {
	if n.OnApp {
		return "/numbers/new/embedded?way=keep"
	}
	return "/numbers/new/embedded?way=fresh"
}

func (n Number) mayReturn(now time.Time) bool {
	return n.State == "disconnected" && now.Before(n.GraceUntil)
}

// at is the address of the number's page, that of all for no number.
func (n Number) at() string {
	if n.ID == "" {
		return "/numbers"
	}
	return "/numbers/" + n.ID
}

// HealthAt is where the number's health is shown.
func (n Number) HealthAt() string { return n.at() + "/health" }

// ItemsAt is where what was set aside for the number is listed, or what names no number.
func (n Number) ItemsAt() string {
	if n.ID == "" {
		return n.at() + "#items"
	}
	return n.HealthAt() + "#items"
}

// Label is how a number is named in a sentence.
func (n Number) Label() string {
	if n.Name != "" {
		return n.Name
	}
	return components.ClearPhone(n.Phone)
}

// WaitsForFirst tells whether nothing has come by the number yet.
func (n Number) WaitsForFirst() bool {
	return n.FirstEvent.IsZero() && (n.State == "waiting" || n.State == "unconfirmed")
}

// justBegan tells whether the first event came so lately that it is news.
func (n Number) justBegan(now time.Time) bool {
	return !n.FirstEvent.IsZero() && n.State != "disconnected" && now.Sub(n.FirstEvent) < 10*time.Minute
}

func (n Number) tone() components.Tone {
	switch {
	case n.State == "disconnected":
		return components.Neutral
	case n.TokenProblem != "":
		return components.Bad
	case n.State == "connected":
		return components.Good
	}
	return components.Info
}

func (n Number) stateText(ctx context.Context) string {
	switch {
	case n.State == "disconnected" && !n.GraceUntil.IsZero():
		return i18n.T(ctx, "numbers.state_grace")
	case n.TokenProblem != "" && n.State != "disconnected":
		return i18n.T(ctx, "numbers.state_token")
	}
	return i18n.T(ctx, "numbers.state_"+n.State)
}

// LastFour are the digits that are typed to confirm a disconnect.
func (n Number) LastFour() string { return n.Phone[max(0, len(n.Phone)-4):] }

// NumberCheck is one thing Meta was asked about a number.
type NumberCheck struct {
	Code   string // names the check: check.<code>
	OK     bool
	Tried  bool
	Reason string            // names why it failed: check.<reason>
	Args   map[string]string // placeholders of the reason
	Copy   string            // for a developer, in Meta's own words
}

func checks(ctx context.Context, all []NumberCheck) []components.Check {
	list := make([]components.Check, 0, len(all))
	for _, c := range all {
		line := components.Check{Title: i18n.T(ctx, "check."+c.Code), Copy: c.Copy, TestID: "check-" + c.Code}
		switch {
		case c.OK:
			line.State = components.Good
		case c.Tried:
			line.State = components.Bad
			line.Why = checkReason(ctx, c)
		default:
			line.Why = i18n.T(ctx, "check.not_tried")
		}
		list = append(list, line)
	}
	return list
}

func checkReason(ctx context.Context, c NumberCheck) string {
	if !i18n.Known("check." + c.Reason) {
		return i18n.T(ctx, "check.other")
	}
	args := make([]any, 0, 2*len(c.Args))
	for name, value := range c.Args {
		args = append(args, name, value)
	}
	return i18n.T(ctx, "check."+c.Reason, args...)
}

// Numbers lists the business's numbers. It posts to /numbers/replay (item, or
// none for all events that are set aside and name no number).
type Numbers struct {
	Frame      layout.Frame
	Now        time.Time
	Items      []Number
	Aside      []InboxItem // set aside, and of no number
	CanConnect bool
	CanReplay  bool
}

func (p Numbers) inbox() inbox { return inbox{p.Frame, p.Now, "/numbers", p.CanReplay} }

func (p Numbers) answer(ctx context.Context) string {
	connected, trouble := 0, 0
	for _, n := range p.Items {
		switch {
		case n.State == "disconnected":
		case n.TokenProblem != "":
			trouble++
		case n.State == "connected":
			connected++
		}
	}
	switch {
	case len(p.Items) == 0:
		return ""
	case trouble > 0:
		return i18n.N(ctx, "numbers.answer_trouble", trouble)
	case connected == 0:
		return i18n.T(ctx, "numbers.answer_waiting")
	}
	return i18n.N(ctx, "numbers.answer", connected)
}

// NumberNew asks how a number shall be connected. Window: Meta's own window can be opened here.
type NumberNew struct {
	Frame  layout.Frame
	Window bool
}

// NumberManual connects a number by what Meta's dashboard shows. It posts
// app, waba_id, phone_number_id, display_phone_number, portfolio_id and
// access_token to /numbers.
type NumberManual struct {
	Frame   layout.Frame
	Apps    []string // names of the apps this business may use
	CanApps bool     // may add an app
	Form    components.Filled

	MustProve bool          // who they are, before they type a token
	Checks    []NumberCheck // of the refused try; empty at first
}

func (p NumberManual) apps() []components.Option {
	options := []components.Option{}
	for _, name := range p.Apps {
		options = append(options, components.Option{Value: name, Label: name})
	}
	return options
}

// NumberHome is the page of one number: how it is set up, and in short how it
// does. It posts to /numbers/{id}/check, /token (access_token), /disconnect
// (confirm), /reconnect and /sync.
type NumberHome struct {
	MustProve  bool // who they are, before they type a token
	Frame      layout.Frame
	Now        time.Time
	Number     Number
	Checks     []NumberCheck // empty when Meta was never asked
	Meter      Meter
	WebhookURL string
	Told       []Told
	Trouble    *Told // what cuts the number off, nil for nothing
	Username   OwnUsername
	Stream     string // address of the server-sent events that announce changes; empty where there is none
	TokenForm  components.Filled
	// TokenChecks are what Meta did not confirm of a new token; empty where none was refused.
	TokenChecks []NumberCheck
	Confirm     components.Filled // of the disconnect form
	// Failed is why the number could not be brought back, or its contacts and chats not be asked for; ReturnChecks what Meta did not
	// confirm of it.
	Failed       components.Filled
	ReturnChecks []NumberCheck
	Sync         *AppSync // nil where the number has nothing to bring

	CanConnect bool

	Version string  // of WhatsApp's API that is spoken
	Shapes  []Shape // all that are known, in their order
}

func (p NumberHome) answer(ctx context.Context) string {
	switch {
	case p.Number.mayReturn(p.Now):
		return i18n.T(ctx, "numbers.is_grace", "date", i18n.Date(ctx, p.Number.GraceUntil))
	case p.Number.State == "disconnected":
		return i18n.T(ctx, "numbers.is_disconnected")
	case p.Trouble != nil:
		return i18n.T(ctx, "told.answer_cut")
	case p.Number.Ended(p.Now):
		return i18n.T(ctx, "numbers.is_expired")
	case p.Number.TokenProblem != "":
		return i18n.T(ctx, "numbers.is_token")
	case p.Number.Expiring(p.Now):
		return i18n.T(ctx, "numbers.is_expiring", "date", i18n.Date(ctx, p.Number.TokenExpires))
	case p.Number.WaitsForFirst():
		return i18n.T(ctx, "numbers.is_waiting")
	case !p.Number.QuietSince.IsZero():
		return i18n.T(ctx, "health.silent", "time", i18n.Ago(ctx, p.Number.QuietSince, p.Now))
	case p.Meter.Lost() != 0:
		return i18n.N(ctx, "numbers.is_losing", int(p.Meter.Lost()))
	case p.Meter.SetAside > 0:
		return i18n.N(ctx, "numbers.aside_on", int(p.Meter.SetAside))
	}
	return i18n.T(ctx, "numbers.is_well", "time", i18n.Ago(ctx, p.Number.LastEvent, p.Now))
}

// NumberChoice is one of the business's numbers, to filter by.
type NumberChoice struct{ ID, Name string }
