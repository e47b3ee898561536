package settings

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// ForwardsAt is where webhooks passed on are managed.
const ForwardsAt = "/dev/forwards"

// Forwards lists the addresses that webhooks are passed on to. It posts address and number (an id, or "" for all) to ForwardsAt.
type Forwards struct {
	Frame     layout.Frame
	Now       time.Time
	Items     []ForwardTarget
	Numbers   []components.Option
	CanManage bool
	Most      int
	Form      components.Filled
}

func (p Forwards) numberOptions(ctx context.Context) []components.Option {
	return append([]components.Option{{Value: "", Label: i18n.T(ctx, "forwards.all_numbers")}}, p.Numbers...)
}

// ForwardTarget is one address.
type ForwardTarget struct {
	ID           string
	Host         string
	Path         string // what follows the host, as far as the list shows it; empty for those who may not see the address
	Number       string // how it is called; empty for all
	State        string // on, paused or stopped
	FailingSince time.Time
	OldUntil     time.Time // until when the secret before the last signs too; zero for none
	Made         time.Time
	By           string
	Waiting      int
	Failed       int
	LastSent     time.Time
}

func (t ForwardTarget) href() string { return ForwardsAt + "/" + t.ID }

func (t ForwardTarget) tone() components.Tone {
	switch {
	case t.State == "stopped":
		return components.Bad
	case t.State == "paused":
		return components.Neutral
	case !t.FailingSince.IsZero():
		return components.Needs
	}
	return components.Good
}

func (t ForwardTarget) words(ctx context.Context) string {
	if t.State == "on" && !t.FailingSince.IsZero() {
		return i18n.T(ctx, "forwards.state_failing")
	}
	return i18n.T(ctx, "forwards.state_"+t.State)
}

// ForwardHome is one address with the log of what was passed on. It posts to {ForwardsAt}/{id}/: state (to: paused or on), test, again
// (forward: an id, or nothing for all that failed), secret and remove (confirm: the host).
type ForwardHome struct {
	Frame     layout.Frame
	Now       time.Time
	Target    ForwardTarget
	Address   string // whole; empty for those who may not see it
	Fresh     string // a secret just made, shown this once
	CanManage bool
	Form      components.Filled
	State     string // of the lines shown, empty for any
	Lines     []ForwardLine
	Next      string // address of the next page
	Times     int    // tries of each thing, over Hours
	Hours     int
	StopDays  int // of failing, until it is stopped
	Most      int // that may wait, until it is stopped
	KeepDays  int // the log goes back
}

// ForwardLine is one thing passed on.
type ForwardLine struct {
	ID       string
	Kind     string // delivery, erased or test
	State    string // waiting, sent, failed or dropped
	Reason   string
	Status   int
	Tries    int
	Next     time.Time // when it is tried again
	Made     time.Time
	Done     time.Time
	Failures []ForwardTry
}

// ForwardTry is a try that failed.
type ForwardTry struct {
	At     time.Time
	Reason string
	Status int
	Answer string
}

// At is the address of the page with the lines of one state, empty for any.
func (p ForwardHome) At(state string) string {
	if state == "" {
		return p.Target.href()
	}
	return p.Target.href() + "?state=" + state
}

// More is the address of the page, as far as a query is added to it.
func (p ForwardHome) More() string {
	if p.State == "" {
		return p.Target.href() + "?"
	}
	return p.At(p.State) + "&"
}

func (p ForwardHome) chips(ctx context.Context) []components.Chip {
	chips := []components.Chip{{Label: i18n.T(ctx, "forwards.show_all"), Href: p.At(""), Current: p.State == ""}}
	for _, state := range []string{"waiting", "failed", "sent", "dropped"} {
		chip := components.Chip{Label: i18n.T(ctx, "forwards.line_"+state), Href: p.At(state), Current: p.State == state}
		switch state {
		case "waiting":
			chip.Count = capped(ctx, p.Target.Waiting)
		case "failed":
			chip.Count = capped(ctx, p.Target.Failed)
		}
		chips = append(chips, chip)
	}
	return chips
}

// capped is a count that goes no further than a thousand.
func capped(ctx context.Context, n int) string {
	if n >= 1000 {
		return i18n.Number(ctx, 1000) + "+"
	}
	return i18n.Number(ctx, int64(n))
}

func (l ForwardLine) tone() components.Tone {
	switch {
	case l.State == "sent":
		return components.Good
	case l.State == "failed":
		return components.Bad
	case l.State == "waiting" && l.Tries > 0:
		return components.Needs
	}
	return components.Neutral
}

// why says why the last try failed, or why nothing was passed on.
func why(ctx context.Context, reason string, status int) string {
	if reason == "" {
		return ""
	}
	return i18n.T(ctx, "forwards.why_"+reason, "status", strconv.Itoa(status))
}

// headerKey is the end of the key under which a header is explained.
func headerKey(header string) string {
	return strings.ReplaceAll(strings.ToLower(header), "-", "_")
}
