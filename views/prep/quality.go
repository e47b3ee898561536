package prep

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Quality is how well a team answers, week by week. Single people are shown to those who lead, and to everybody their own.
type Quality struct {
	Frame  layout.Frame
	Empty  bool // nothing was done yet
	Few    int  // decisions of a person below which nothing is said of those taken back
	All    Work
	Weeks  []WorkWeek // the oldest first
	Mine   *Work      // nil for who has no part in it
	Agreed Agreement  // of the team
	People []Worker   // a part of the team by name; empty for who does not lead
	Next   string     // address of the next part; empty for none

	MyAgreement Agreement // goes with Mine

	CanTeam   bool
	CanAsked  bool                    // may see what customers ask
	Open      int                     // groups of questions that no card answers
	Asked     []answers.QuestionGroup // most asked of them
	Macros    []MacroUse              // most sent first
	Doubted   []CardVotes             // cards that were said not to help
	Helpful   int64
	Unhelpful int64
}

// Work is what was done in some time.
type Work struct {
	Answers         int64
	Half, Most      time.Duration // within which half of the answers went out, and nine of ten
	Quizzes         int64
	Right, Asked    int64 // questions of quizzes
	Drills, Passed  int64
	Decided, Undone int64
}

// WorkWeek is a week of a team.
type WorkWeek struct {
	From      time.Time // its Monday, as a day
	Questions int64
	Macros    int64
	Work
}

// Worker is one of the team.
type Worker struct {
	ID, Name, Role string
	Work
	Agreement
}

// Agreement is how somebody's judgements of whether two customers are one person came out.
type Agreement struct {
	Gold, Right   int64 // of cases whose answer is known
	Looked, Alike int64 // of those that others have judged too
}

// MacroUse is how often a macro was sent.
type MacroUse struct {
	Title string
	N     int64
}

// CardVotes is what was said of an answer.
type CardVotes struct {
	Key, Title         string
	Helpful, Unhelpful int
}

func (p Quality) answer(ctx context.Context) string {
	if p.All.Answers == 0 {
		return i18n.T(ctx, "quality.answer_none", "weeks", len(p.Weeks))
	}
	return i18n.T(ctx, "quality.answer", "weeks", len(p.Weeks), "n", p.All.Answers, "half", i18n.Span(ctx, p.All.Half), "most", i18n.Span(ctx, p.All.Most))
}

func (p Quality) sent() (n int64) {
	for _, w := range p.Weeks {
		n += w.Macros
	}
	return n
}

func (p Quality) helpfulShare(ctx context.Context) string {
	if p.Helpful+p.Unhelpful == 0 {
		return "–"
	}
	return i18n.Percent(ctx, p.Helpful, p.Helpful+p.Unhelpful)
}

func (p Quality) minutes() (list []int64) {
	for _, w := range p.Weeks {
		list = append(list, int64((w.Half+time.Minute-1)/time.Minute))
	}
	return list
}

func (p Quality) answered() (list []int64) {
	for _, w := range p.Weeks {
		list = append(list, w.Answers)
	}
	return list
}

func (p Quality) learnt() bool { return p.All.Quizzes+p.All.Drills > 0 }

// learning draws the share of questions answered rightly, and of practice chats passed.
func (p Quality) learning(ctx context.Context) components.ChartOptions {
	o := components.ChartOptions{
		Label: i18n.T(ctx, "quality.learning_chart"), Lines: []components.Line{{Name: i18n.T(ctx, "quality.line_quiz")}, {Name: i18n.T(ctx, "quality.line_drill")}}, Open: true,
	}
	share := func(part, whole int64) float64 {
		if whole == 0 {
			return -1
		}
		return float64(part) / float64(whole)
	}
	for _, w := range p.Weeks {
		o.Lines[0].Values = append(o.Lines[0].Values, share(w.Right, w.Asked))
		o.Lines[1].Values = append(o.Lines[1].Values, share(w.Passed, w.Drills))
	}
	if n := len(p.Weeks); n > 0 {
		o.From, o.To = i18n.Day(ctx, p.Weeks[0].From), i18n.Day(ctx, p.Weeks[n-1].From)
	}
	return o
}

func (w Work) half(ctx context.Context) string {
	if w.Answers == 0 {
		return "–"
	}
	return i18n.Span(ctx, w.Half)
}

func (w Work) most(ctx context.Context) string {
	if w.Answers == 0 {
		return "–"
	}
	return i18n.Span(ctx, w.Most)
}

func (w Work) right(ctx context.Context) string {
	if w.Asked == 0 {
		return "–"
	}
	return i18n.Percent(ctx, w.Right, w.Asked)
}

func (w Work) passed(ctx context.Context) string {
	if w.Drills == 0 {
		return "–"
	}
	return i18n.T(ctx, "quality.of", "n", w.Passed, "of", w.Drills)
}

// gold says how many judgements of known cases were right, once there are enough of them to say so.
func (a Agreement) gold(ctx context.Context, few int) string {
	return enough(ctx, a.Right, a.Gold, few)
}

// alike says how many judgements others shared, once there are enough of them to say so.
func (a Agreement) alike(ctx context.Context, few int) string {
	return enough(ctx, a.Alike, a.Looked, few)
}

func enough(ctx context.Context, part, whole int64, few int) string {
	if whole < int64(few) {
		return i18n.T(ctx, "quality.too_few", "n", whole, "few", few)
	}
	return i18n.Percent(ctx, part, whole) + " (" + i18n.T(ctx, "quality.of", "n", part, "of", whole) + ")"
}

// undone says how many decisions were taken back, once there are enough of them to say so.
func (w Work) undone(ctx context.Context, few int) string {
	if w.Decided < int64(few) {
		return i18n.T(ctx, "quality.too_few", "n", w.Decided, "few", few)
	}
	return i18n.T(ctx, "quality.of", "n", w.Undone, "of", w.Decided)
}
