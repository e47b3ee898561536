package overview

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
	"github.com/pehchan/pehchan/views/people"
)

// Forecast is GET /adoption/forecast: whose phones may stop coming in the next days, and why. ?within= 7, 14 or 30 and ?known=1 choose
// whom to list, ?at= a number or portfolio.
type Forecast struct {
	Frame   layout.Frame
	Now     time.Time
	Asked   Adopted
	Figures []Vanishing // 7, 14 and 30 days
	Books   []Book
	Filling bool
	Within  int
	Known   bool
	Items   []Fading
	Next    string

	CanSay bool // may say whether a contact book is on
}

// Vanishing counts phones that may stop coming in the next days, by whether the WhatsApp ID of who has them is known.
type Vanishing struct {
	Days           int
	Unknown, Known int64
}

func (v Vanishing) all() int64 { return v.Unknown + v.Known }

// Book is what was said of a portfolio's contact book: on, off, or "" for nothing.
type Book struct {
	Scope, Name, State string
	Numbers            int
}

// Fading is a phone that may stop coming at a number.
type Fading struct {
	people.Someone
	Number string
	LastAt time.Time // when they last had to do with each other
	Until  time.Time
}

func (p Forecast) figure() Vanishing {
	for _, v := range p.Figures {
		if v.Days == p.Within {
			return v
		}
	}
	return Vanishing{}
}

// booked tells whether every portfolio has its contact book on: then nothing vanishes.
func (p Forecast) booked() bool {
	for _, b := range p.Books {
		if b.State != "on" {
			return false
		}
	}
	return len(p.Books) > 0
}

func (p Forecast) answer(ctx context.Context) string {
	month := Vanishing{}
	if n := len(p.Figures); n > 0 {
		month = p.Figures[n-1]
	}
	switch {
	case p.Filling:
		return i18n.T(ctx, "adoption.counting")
	case p.booked():
		return i18n.T(ctx, "forecast.all_booked")
	case month.all() == 0:
		return i18n.T(ctx, "forecast.none")
	case month.Unknown == 0:
		return i18n.T(ctx, "forecast.all_known", "all", month.all())
	}
	return i18n.T(ctx, "forecast.answer", "known", month.Known, "all", month.all(), "week", p.Figures[0].Unknown)
}

func (p Forecast) list(within int, known bool) string {
	who := ""
	if known {
		who = "1"
	}
	return p.Asked.More("/adoption/forecast", "within", []string{7: "7", 14: "14", 30: "30"}[within], "known", who) + "#list"
}

func (p Forecast) chips(ctx context.Context) []components.Chip {
	f := p.figure()
	return []components.Chip{
		{Label: i18n.T(ctx, "forecast.unknown"), Href: p.list(p.Within, false), Current: !p.Known, Count: i18n.Number(ctx, f.Unknown)},
		{Label: i18n.T(ctx, "forecast.known"), Href: p.list(p.Within, true), Current: p.Known, Count: i18n.Number(ctx, f.Known)},
	}
}
