package prep

import (
	"context"
	"math"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// BankItems tells how the questions of the bank do.
type BankItems struct {
	Frame layout.Frame
	Back  string // address of the page it belongs to
	Few   int    // below so many answers nothing is said of a question
	Items []ItemFigures
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
