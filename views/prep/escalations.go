package prep

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Escalations is whom to tell, and what was passed on. A new one posts kind, level, reason and contact to /prep/escalations; what
// becomes of one posts do (take, raise with level, close with outcome and lesson) to /prep/escalations/{id}.
type Escalations struct {
	Frame       layout.Frame
	Now         time.Time
	Ladder      []Rung
	Kinds       []string
	Levels      []string
	Contact     string // id of whom a new one is about; empty for nobody in particular
	ContactName string
	Open        []Escalation // the most urgent first
	Closed      []Escalation // newest first
	CanSettle   bool         // what has come up to a lead
	CanPropose  bool         // a card from what was learnt
	CanReport   bool         // opens an incident of what was shown to the wrong person
	Support     string       // address of who runs the program; empty where none is named
	CanLetIn    bool         // who runs the program into this business
	At          string       // id of the one whose form was refused; empty for the form of a new one
	Form        components.Filled
}

// platformLevel is the rung of who runs the program, which is no level of a form.
const platformLevel = "L4"

// Rung is one level of the ladder.
type Rung struct {
	ID    string
	Who   string
	When  []string
	Clock string
	Do    string
}

// Escalation is one case that was passed on.
type Escalation struct {
	ID          string
	Kind        string
	Level       string
	NeedsLead   bool
	Reason      string
	Contact     string // id; empty for nobody in particular
	ContactName string
	By          string
	At          time.Time
	Owner       string // empty for nobody yet
	Due         time.Time
	Overdue     bool
	Outcome     string
	Lesson      string
	ClosedBy    string
	ClosedAt    time.Time
}

func (p Escalations) answer(ctx context.Context) string {
	overdue := 0
	for _, e := range p.Open {
		if e.Overdue {
			overdue++
		}
	}
	switch {
	case len(p.Open) == 0:
		return i18n.T(ctx, "escalate.none_open")
	case overdue > 0:
		return i18n.T(ctx, "escalate.open_overdue", "n", len(p.Open), "overdue", overdue)
	}
	return i18n.N(ctx, "escalate.open_count", len(p.Open))
}

// form is the refused form of one of them, or of a new one where id is empty.
func (p Escalations) form(id string) components.Filled {
	if p.At == id {
		return p.Form
	}
	return components.Filled{}
}

func (p Escalations) mayMove(e Escalation) bool { return !e.NeedsLead || p.CanSettle }

func (p Escalations) kinds(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "training.choose")}} // what happened is not guessed
	for _, kind := range p.Kinds {
		list = append(list, components.Option{Value: kind, Label: i18n.T(ctx, "escalate.kind_"+kind)})
	}
	return list
}

// levels are where something may be passed on to, but for one.
func (p Escalations) levels(without string) []components.Option {
	var list []components.Option
	for _, rung := range p.Ladder {
		for _, level := range p.Levels {
			if rung.ID == level && level != without {
				list = append(list, components.Option{Value: level, Label: rung.Who + " · " + rung.Clock})
			}
		}
	}
	return list
}
