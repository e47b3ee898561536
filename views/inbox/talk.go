package inbox

import (
	"context"
	"strconv"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Talk is the conversation with one person, over all accounts that are theirs. That no answer is needed is posted to
// /inbox/{id}/done (done=yes|no), a note to /inbox/{id}/notes (text), who looks after it to /inbox/{id}/assign (person), and what has
// not been sent yet is taken back at /inbox/{id}/cancel (message).
type Talk struct {
	Frame      layout.Frame
	Now        time.Time
	Who        people.Someone
	MergedFrom bool   // asked for by the id of somebody who is part of this contact now
	Lines      []Line // oldest first
	Older      string // address of what was said before, empty where these are all
	Paged      bool   // what was said before, which is added to the newest
	Waiting    bool   // somebody waits for an answer
	CanAnswer  bool
	CanLog     bool      // may log what they ask
	CanPass    bool      // may pass them on to a lead
	AskHref    string    // where they are asked for their number; empty where that is known, or this reader may not
	Pace       int       // seconds until the page asks for news
	Composer   *Composer // nil where this reader does not answer

	Assignee     string // id of a colleague, empty for nobody
	AssigneeName string
	Colleagues   []components.Option // the first who may look after them, by name

	AllColleagues int
	Assign        components.Filled
	Note          components.Filled
}

// Line is one entry of a conversation.
type Line struct {
	At   time.Time
	Said *people.Said
	Note *NoteLine

	Elsewhere bool // other software answered: its words are not ours to show
}

// NoteLine is what a colleague wrote down.
type NoteLine struct{ Text, By string }

func (p Talk) colleagues(ctx context.Context) []components.Option {
	return append([]components.Option{{Label: i18n.T(ctx, "talks.nobody")}}, p.Colleagues...)
}

func (p Talk) href() string { return "/inbox/" + p.Who.ID }

func (p Talk) pace() string { return strconv.Itoa(max(p.Pace, 1)) }

func (p Talk) title(ctx context.Context) string { return p.Who.Label(ctx) }

// day is the day of a line, where it is another than that of the line before.
func (p Talk) day(ctx context.Context, n int) string {
	day := i18n.Date(ctx, p.Lines[n].At)
	if n > 0 && i18n.Date(ctx, p.Lines[n-1].At) == day {
		return ""
	}
	return day
}

// keys are those of this page.
func (p Talk) keys() []string {
	if !p.CanAnswer {
		return []string{"i"}
	}
	keys := []string{"r", "t", "n", "a", "e", "i"}
	if p.AskHref != "" {
		keys = append(keys, "q")
	}
	if p.Composer != nil && p.Composer.Macros != nil {
		keys = append(keys, "m")
	}
	return keys
}
