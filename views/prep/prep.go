// Package prep draws how a team gets ready: lessons, quizzes, drills, briefings, escalations and their figures.
package prep

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/mails"
)

// Prep is how ready a team is. Its forms post to /prep/nudge/{person}, where person may be all.
type Prep struct {
	Frame       layout.Frame
	Now         time.Time
	Team        int // who has something to learn
	Ready       int
	Due         int
	Mine        *Standing // the reader's own; nil where they have nothing to learn
	CanTeam     bool      // sees names and reasons
	CanLearn    bool
	CanRead     bool // the lessons, without learning them
	CanBrief    bool
	CanEscalate bool
	People      []Pupil // a part of them, the least ready first
	Next        string  // address of the next part
	AnyToNudge  bool
	Escalations int // open
	Overdue     int

	Doubtful int                     // answers to be verified again
	CanAsked bool                    // may see what customers ask
	Asked    []answers.QuestionGroup // most asked, at most five
}

// Pupil is one person of the team.
type Pupil struct {
	ID        string
	Name      string
	Role      string
	Standing  Standing
	Quiz      string // address of the last quiz; empty for none
	Score, Of int
	Practised int
	Nudged    time.Time // zero for not lately
	CanNudge  bool
}

func (p Prep) answer(ctx context.Context) string {
	return i18n.T(ctx, "training.ready_of", "n", p.Ready, "of", p.Team)
}

func (p Prep) notReady() int { return p.Team - p.Ready - p.Due }

// Poster is what hangs beside the counter, in one language.
type Poster struct {
	Frame layout.Frame
	Lang  string
	Title string
	Do    []Point
	Dont  []Point
}

// Point is one line of the poster.
type Point struct{ Text, Why string }

// NudgeMail reminds somebody of what they still have to do.
func NudgeMail(ctx context.Context, by, business string, s Standing, href string) mails.Mail {
	m := mails.Mail{
		Subject: i18n.T(ctx, "training.nudge_subject", "business", business), Lines: []string{i18n.T(ctx, "training.nudge_text", "by", by)},
		Go: i18n.T(ctx, "training.nudge_go"), Href: href, Why: i18n.T(ctx, "training.nudge_why", "by", by, "business", business),
	}
	for _, w := range s.Why {
		m.Items = append(m.Items, mails.Item{Title: w.words(ctx)})
	}
	return m
}
