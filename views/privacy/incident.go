package privacy

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// TimeForm is how a form writes a moment, in the reader's zone.
const TimeForm = "2006-01-02T15:04"

// TypedTime is a moment as a form has it.
func TypedTime(ctx context.Context, t time.Time) string { return t.In(i18n.Zone(ctx)).Format(TimeForm) }

// NewIncident asks what happened. It posts to /privacy/incidents (what, known, from, to).
type NewIncident struct {
	Frame layout.Frame
	Form  components.Filled
}

// Incident is that customers' data came to somebody who should not have it.
type Incident struct {
	ID, What                                             string
	Consequences, Measures, Advice, Findings, Contact    string
	KnownAt, From, To, OpenedAt, ClosedAt                time.Time
	OpenedBy, ClosedBy, Viewer, ViewerName, Done, Lesson string
	Owed                                                 []Owed
}

func (i Incident) href() string { return "/privacy/incidents/" + i.ID }

func (i Incident) closed() bool { return !i.ClosedAt.IsZero() }

// over tells whether something is owed longer than it may.
func (i Incident) over() bool {
	for _, o := range i.Owed {
		if o.Over && !i.closed() {
			return true
		}
	}

	return false
}

// state is the key of how it stands with the clocks, and its tone.
func (i Incident) state() (key string, tone components.Tone) {
	switch {
	case i.closed():
		return "incident.state_closed", components.Neutral
	case i.over():
		return "incident.state_over", components.Bad
	}
	for _, o := range i.Owed {
		if o.At.IsZero() {
			return "incident.state_runs", components.Needs
		}
	}

	return "incident.state_told", components.Info
}

// Owed is one thing owed after an incident: to cert, people or board.
type Owed struct {
	To      string
	Due, At time.Time // zero: without delay; not yet
	None    bool
	Over    bool
}

// says is how it stands with it.
func (o Owed) says(ctx context.Context) (text string, tone components.Tone) {
	switch {
	case o.None:
		return i18n.T(ctx, "incident.not_needed"), components.Neutral
	case !o.At.IsZero():
		return i18n.T(ctx, "incident.told_at", "time", i18n.DateTime(ctx, o.At)), components.Good
	case o.Due.IsZero():
		return i18n.T(ctx, "incident.at_once"), components.Needs
	case o.Over:
		return i18n.T(ctx, "incident.over", "time", i18n.DateTime(ctx, o.Due)), components.Bad
	}

	return i18n.T(ctx, "incident.until", "time", i18n.DateTime(ctx, o.Due)), components.Needs
}

// viewer is whose account it was.
func (i Incident) viewer(ctx context.Context) string {
	return Viewer{Key: i.Viewer, Name: i.ViewerName}.label(ctx)
}

// Viewer is a person, an API key or an operator who saw or changed contacts in the time of an incident. Key is their kind and id.
type Viewer struct {
	Key, Name string
	People    int
}

// label is what they are called; of what is no person also what it is.
func (v Viewer) label(ctx context.Context) string {
	if strings.HasPrefix(v.Key, "api_key:") {
		return i18n.T(ctx, "incident.key", "name", v.Name)
	}

	return v.Name
}

// IncidentPage is one incident. It posts to its own address (what, known, from, to, viewer, consequences, measures, advice, findings,
// contact), and /mark (do), /people and /close (done, lesson) below it.
type IncidentPage struct {
	Frame    layout.Frame
	Business string
	Now      time.Time
	Incident Incident
	Viewers  []Viewer
	Idle     []Viewer // accounts that neither saw nor changed anybody in that time
	People   int
	Form     components.Filled
}

// viewers are whom one can choose as who saw it.
func (p IncidentPage) viewers(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "incident.anybody")}}
	known := p.Incident.Viewer == ""
	for _, v := range p.Viewers {
		list = append(list, components.Option{Value: v.Key, Label: v.label(ctx)})
		known = known || v.Key == p.Incident.Viewer
	}
	for _, v := range p.Idle {
		list = append(list, components.Option{Value: v.Key, Label: i18n.T(ctx, "incident.idle", "name", v.label(ctx))})
		known = known || v.Key == p.Incident.Viewer
	}
	if !known {
		list = append(list, components.Option{Value: p.Incident.Viewer, Label: p.Incident.viewer(ctx)})
	}

	return list
}

// letter is a text to be sent, in one language.
type letter struct{ ID, Lang, Title, Text string }

// letters are those to the people and to the Board, in both languages.
func (p IncidentPage) letters(ctx context.Context) (list []letter) {
	for _, to := range []string{"people", "board"} {
		for _, lang := range []string{"en", "hi"} {
			list = append(list, letter{
				ID: to + "-" + lang, Lang: lang, Title: i18n.T(ctx, "incident.letter_"+to+"_"+lang),
				Text: p.letterTo(i18n.With(ctx, lang, i18n.Zone(ctx)), to),
			})
		}
	}

	return list
}

// letterTo writes the fields that DPDP rule 7 asks for, in ctx's language. What is not written yet is a gap that says so.
func (p IncidentPage) letterTo(ctx context.Context, to string) string {
	i, gap := p.Incident, i18n.T(ctx, "incident.gap")
	out := []string{i18n.T(ctx, "incident.to_"+to, "business", p.Business)}
	part := func(head, text string) {
		if text == "" {
			text = gap
		}
		out = append(out, i18n.T(ctx, "incident."+head)+"\n"+text)
	}
	part("what", i.What)
	part("when", i18n.T(ctx, "incident.from_to", "from", i18n.DateTime(ctx, i.From), "to", i18n.DateTime(ctx, i.To)))
	if to == "board" {
		part("known", i18n.DateTime(ctx, i.KnownAt))
		part("concerned", i18n.N(ctx, "incident.people", p.People))
	}
	part("consequences", i.Consequences)
	part("measures", i.Measures)
	if to == "board" {
		part("findings", i.Findings)
		told := ""
		for _, o := range i.Owed {
			if o.To == "people" && !o.At.IsZero() {
				told = i18n.DateTime(ctx, o.At)
			}
		}
		part("people_told", told)
	}
	part("advice", i.Advice)
	part("contact", i.Contact)

	return strings.Join(append(out, p.Business), "\n\n")
}

// timeIn is a moment as the form has it, empty for none.
func (i Incident) timeIn(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return ""
	}

	return TypedTime(ctx, t)
}
