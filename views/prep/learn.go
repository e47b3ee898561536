package prep

import (
	"context"
	"strings"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Learn is where somebody sees how ready they are and what comes next. Its forms post to /prep/quiz (kind) and /prep/drill/{id}.
type Learn struct {
	Frame     layout.Frame
	Now       time.Time
	Standing  Standing
	Lessons   []LessonLine
	Drills    []DrillLine
	CanLearn  bool // others read
	Practises bool // their role has to pass practice chats
	Practised int  // different ones passed, of Needed
	Needed    int
	Kind      string        // of the quiz that may be begun: quiz, refresher
	Open      bool          // one is under way
	Wait      time.Duration // until the next try
	Last      string        // address of the last quiz; empty for none
	LastScore int
	LastOf    int
	LastAt    time.Time
	Due       time.Time // when the next refresher is; zero where a quiz comes first
}

func (p Learn) answer(ctx context.Context) string {
	if !p.CanLearn {
		return i18n.T(ctx, "training.learn_reader")
	}
	return i18n.T(ctx, "training.learn_answer")
}

// Standing is how ready somebody is, and why not.
type Standing struct {
	State string // ready, due, not_ready
	Why   []Why
}

// Why is one reason. Which fields are set goes by the code.
type Why struct {
	Code  string // training.why_<code>
	Gate  string // training.gate_<gate>
	N, Of int
	At    time.Time
	Drill string   // its title
	Facts []string // their titles
}

// LessonLine is one lesson in the list. State is read, changed or empty.
type LessonLine struct {
	ID      string
	Title   string
	Minutes int
	State   string
}

// DrillLine is one practice chat in the list. State is passed, changed, failed, gate, open or empty.
type DrillLine struct {
	ID    string
	Title string
	State string
}

func stateTone(state string) components.Tone {
	switch state {
	case "ready", "read", "passed":
		return components.Good
	case "due", "changed", "open":
		return components.Needs
	case "gate":
		return components.Bad
	}
	return components.Neutral
}

func (w Why) words(ctx context.Context) string {
	args := []any{"n", w.N, "of", w.Of, "drill", w.Drill, "facts", strings.Join(w.Facts, "; ")}
	if w.Gate != "" {
		args = append(args, "gate", i18n.T(ctx, "training.gate_"+w.Gate))
	}
	if !w.At.IsZero() {
		args = append(args, "date", i18n.Date(ctx, w.At))
	}
	return i18n.T(ctx, "training.why_"+w.Code, args...)
}

func (p Learn) unread() *LessonLine {
	for i := range p.Lessons {
		if p.Lessons[i].State != "read" {
			return &p.Lessons[i]
		}
	}
	return nil
}

// Lesson is one of them. Its form posts seq to /prep/learn/{id}.
type Lesson struct {
	Frame    layout.Frame
	ID       string
	Title    string
	Minutes  int
	Body     []string
	State    string
	Seq      string // of the fact ledger on this page
	Stale    bool   // a fact it rests on needs checking
	CanLearn bool   // may mark it read
}

// answer says how long it takes.
func (p Lesson) answer(ctx context.Context) string {
	return i18n.N(ctx, "training.minutes", p.Minutes)
}
