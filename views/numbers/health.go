package numbers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Meter is the zero-loss equation: Received = Routed + Held + SetAside +
// Waiting, always.
type Meter struct {
	Received, Routed, Held, SetAside, Waiting int64

	Duplicates    int64         // repeats of items; counted as routed too
	OldestWaiting time.Duration // zero when nothing waits

	// From acceptance to being seen, of the events of the last hour; zero when none came.
	LagHalf, LagMost time.Duration

	Items string // address of the list of its events, empty where this reader may not see it
}

// list is where the events of a state are.
func (m Meter) list(state string) string {
	if m.Items == "" {
		return ""
	}
	return m.Items + "?state=" + state
}

// Lost is how many events are nowhere: none, or something is wrong with us.
func (m Meter) Lost() int64 { return m.Received - m.Routed - m.Held - m.SetAside - m.Waiting }

// Refusals are the deliveries of a number's app whose signature was missing or wrong.
type Refusals struct {
	Day, All int64     // in the last 24 hours, and ever
	At       time.Time // the last; zero for none
	Own      bool      // the app is this business's own; else what is refused may have been meant for others
}

// SeenField is a webhook field, and what has come by it.
type SeenField struct {
	Name  string
	Last  time.Time // zero where nothing ever came
	Items int64
}

// Health is how one number does: whether anything is lost, how much comes, and what was set aside. It posts to
// /numbers/{id}/replay (item, or none for all that are set aside).
type Health struct {
	Frame     layout.Frame
	Now       time.Time
	Number    Number
	Meter     Meter
	Minutes   []int64 // events of the last 60 minutes, the running one last
	Hours     []int64 // events of the last 8 days
	Refused   Refusals
	Fields    []SeenField
	Drift     []Drift // what came to this business and is in no documentation
	Items     []InboxItem
	NextItems string // address of the next page, empty on the last

	CanReplay bool
}

func (p Health) inbox() inbox { return inbox{p.Frame, p.Now, p.Number.at(), p.CanReplay} }

func (p Health) answer(ctx context.Context) string {
	switch {
	case p.Number.State == "disconnected":
		return i18n.T(ctx, "numbers.is_disconnected")
	case p.Number.WrongSecret:
		return i18n.T(ctx, "health.is_refused")
	case p.Number.WaitsForFirst():
		return i18n.T(ctx, "numbers.is_waiting")
	case p.Meter.Lost() != 0:
		return i18n.N(ctx, "numbers.is_losing", int(p.Meter.Lost()))
	case !p.Number.QuietSince.IsZero():
		return i18n.T(ctx, "health.is_silent")
	case p.Meter.SetAside > 0:
		return i18n.N(ctx, "numbers.is_aside", int(p.Meter.SetAside))
	}
	return i18n.T(ctx, "numbers.is_well", "time", i18n.Ago(ctx, p.Number.LastEvent, p.Now))
}

// lately is how many events came in the last whole minute, hour in the last 60.
func (p Health) lately() int64 { return p.Minutes[len(p.Minutes)-2] }

func (p Health) hour() (n int64) {
	for _, m := range p.Minutes {
		n += m
	}
	return n
}

// day is what came on one day, in the reader's time zone.
type day struct {
	name           string
	items, busiest int64
}

func (p Health) days(ctx context.Context) []day {
	var list []day
	for i := range p.Hours {
		at := p.Now.Add(-time.Duration(len(p.Hours)-1-i) * time.Hour)
		name := i18n.Date(ctx, at)
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, day{name: name})
		}
		d := &list[len(list)-1]
		d.items, d.busiest = d.items+p.Hours[i], max(d.busiest, p.Hours[i])
	}
	slices.Reverse(list)
	return list
}

// wanted are the webhook fields that a number should send, and with the Business app beside it. Source: domain facts 3.
var (
	wanted    = []string{"messages", "account_update", "user_preferences", "business_username_updates", "message_template_status_update", "phone_number_quality_update", "calls"}
	wantedApp = []string{"smb_message_echoes", "smb_app_state_sync", "history"}
)

// fields are those that came and those that should, the ones that matter most first.
func (p Health) fields() []SeenField {
	names := slices.Clone(wanted)
	if p.Number.OnApp {
		names = append(names, wantedApp...)
	}
	rank := func(f SeenField) int {
		if i := slices.Index(names, f.Name); i >= 0 {
			return i
		}
		return len(names)
	}
	list := slices.Clone(p.Fields)
	for _, name := range names {
		if !slices.ContainsFunc(list, func(f SeenField) bool { return f.Name == name }) {
			list = append(list, SeenField{Name: name})
		}
	}
	slices.SortStableFunc(list, func(a, b SeenField) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name)) })
	return list
}

// use says what a field is for.
func (f SeenField) use(ctx context.Context) string {
	if i18n.Known("health.use_" + f.Name) {
		return i18n.T(ctx, "health.use_"+f.Name)
	}
	return i18n.T(ctx, "health.use_other")
}
