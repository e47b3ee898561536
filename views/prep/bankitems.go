package prep

import (
	"context"
	"math"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// BankItems tells how the questions of the bank do.
type BankItems struct {
	Frame layout.Frame
	Back  string // address of the page it belongs to
	Few   int    // below so many answers nothing is said of a question
	Items []ItemFigures

	Operator   bool // each question leads to its own page
	Away       []ItemLink
	Unanswered []ItemLink
}

// ItemLink is a question without figures. Reason, By and At say why it is taken back, where it is.
type ItemLink struct {
	ID, Question, Reason, By string
	At                       time.Time
}

// BankItem is one question as operators see it. Its form posts do, version and reason.
type BankItem struct {
	Frame    layout.Frame
	ID       string
	Texts    []ItemText
	Figures  ItemFigures
	Acts     []ItemAct // the newest first
	Version  int       // of the newest act, 0 for none
	Away     bool      // it is asked nobody
	CanWrite bool
	Form     components.Filled
}

// ItemText is a question in one language.
type ItemText struct {
	Lang, Question, Explanation string
	Options                     []OptionFigures
}

// ItemAct is what an operator did to a question: withdraw or return.
type ItemAct struct {
	Did, Reason, By string
	At              time.Time
}

// ItemFigures are how one question does. Difficulty and Discrimination are NaN where too few have answered.
type ItemFigures struct {
	ID             string
	Question       string
	Domain         string
	N              int64
	Difficulty     float64 // share of right answers
	Discrimination float64 // -1 to 1
	Gap            bool    // one language does worse
	EN, HI         float64 // share of right answers in each
	Options        []OptionFigures
}

// OptionFigures are how often an answer was chosen.
type OptionFigures struct {
	Text  string
	Right bool
	N     int64
}

func (f ItemFigures) enough() bool { return !math.IsNaN(f.Difficulty) }

func percent(ctx context.Context, share float64) string {
	return i18n.Percent(ctx, int64(math.Round(share*1000)), 1000)
}

// weak tells whether those who do well elsewhere do no better here: the question may mislead.
func (f ItemFigures) weak() bool { return f.Discrimination < 0.1 }

// act is what can be done to a question now.
func (p BankItem) act() string {
	if p.Away {
		return "return"
	}

	return "withdraw"
}

func (p BankItem) look() components.Look {
	if p.Away {
		return components.Primary
	}

	return components.Danger
}
