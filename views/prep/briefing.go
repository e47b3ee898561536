package prep

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/changes"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Briefings is where a page for a part of the team is made. It posts audience and lang to /prep/briefing, and nothing to
// /prep/briefing/{id}/revoke.
type Briefings struct {
	Frame     layout.Frame
	Now       time.Time
	Audiences []string
	Shown     Briefing
	Fresh     string // a link just made, shown this once
	Days      int    // for which a link is good
	Given     []BriefingLine
	Form      components.Filled
}

// Briefing is one page for one audience, in one language.
type Briefing struct {
	Business string
	Audience string // owner, support, marketing, developer
	Lang     string
	Now      time.Time
	Figures  BriefingFigures
	Facts    []changes.Fact // how far usernames are where it matters to the business
}

// BriefingFigures are a business's own, as they were at a moment.
type BriefingFigures struct {
	At         time.Time
	Active     int64
	WithID     int64
	Named      int64
	Hidden     int64
	Vanishing  int64
	Unknown    int64
	Cases      int
	Unanswered int
	Ready      int
	Team       int
	Countries  []string
	Counting   bool // who was heard from is still being counted
}

// BriefingLine is one that was given out.
type BriefingLine struct {
	ID       string
	Audience string
	Lang     string
	By       string
	At       time.Time
	Until    time.Time
	Over     bool
	Opens    int
	Readers  []Reader
}

// Reader is somebody who opened a briefing. Name is empty where they gave none.
type Reader struct {
	Name string
	At   time.Time
}

// SharedBriefing is what a link leads to. It posts reader to /briefing/{token}.
type SharedBriefing struct {
	Frame    layout.Frame
	Token    string
	Business string
	Audience string
	Lang     string
	By       string
	Until    time.Time
	Open     bool
	Over     bool
	Shown    Briefing
	Form     components.Filled
}

// spoken draws a part of a page in another language than the page's.
func spoken(lang string, part templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return part.Render(i18n.With(ctx, lang, i18n.Zone(ctx)), w)
	})
}

// points are the sentences of one kind for an audience: mean, do.
func (b Briefing) points(ctx context.Context, kind string) []string {
	var list []string
	for n := 1; ; n++ {
		key := "briefing." + b.Audience + "_" + kind + "_" + strconv.Itoa(n)
		if !i18n.Known(key) {
			return list
		}
		list = append(list, i18n.T(ctx, key))
	}
}

func (f BriefingFigures) lines(ctx context.Context, audience string) []string {
	var list []string
	switch {
	case f.Counting:
		list = append(list, i18n.T(ctx, "briefing.figure_counting"))
	case f.Active > 0:
		list = append(list,
			i18n.T(ctx, "briefing.figure_ids", "n", f.WithID, "of", f.Active, "percent", i18n.Percent(ctx, f.WithID, f.Active)),
			i18n.T(ctx, "briefing.figure_names", "n", f.Named, "of", f.Active),
			i18n.T(ctx, "briefing.figure_hidden", "n", f.Hidden, "of", f.Active))
	default:
		list = append(list, i18n.T(ctx, "briefing.figure_nobody"))
	}
	if f.Vanishing > 0 {
		list = append(list, i18n.T(ctx, "briefing.figure_vanishing", "n", f.Vanishing, "unknown", f.Unknown))
	}
	if audience != "marketing" {
		list = append(list, i18n.T(ctx, "briefing.figure_cases", "n", f.Cases))
	}
	if audience == "owner" || audience == "support" {
		list = append(list, i18n.T(ctx, "briefing.figure_unanswered", "n", f.Unanswered))
	}
	return append(list, i18n.T(ctx, "training.ready_of", "n", f.Ready, "of", f.Team))
}

func (p Briefings) audiences(ctx context.Context) []components.Option {
	var list []components.Option
	for _, audience := range p.Audiences {
		list = append(list, components.Option{Value: audience, Label: i18n.T(ctx, "briefing.for_"+audience)})
	}
	return list
}

func languageName(lang string) string {
	if lang == "hi" {
		return "हिन्दी"
	}
	return "English"
}
