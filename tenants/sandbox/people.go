package sandbox

import (
	"fmt"
	"time"
)

// Phones of the world lie in the block 98000 xxxxx; the first ten thousand belong
// to stories and recorded payloads. A world too large for the block takes more of
// 980 xxxxxxx.
const (
	firstPhone = 10_000
	phoneBlock = 100_000
)

const (
	visibleFor = 30 * day // how long a phone stays visible after it was used; domain facts 4
	recycled   = 95 * day // how long an operator keeps a given-up number back

	shareUsernames = 0.35
	shareFormer    = 0.04
	shareFamilies  = 0.10
	shareOnceMore  = 0.15 // of visits that go to another number than the usual
)

// person is one WhatsApp account holder.
type person struct {
	id       string
	name     name
	language int
	relative string    // who else writes from this phone, "" where nobody does
	starts   time.Time // when they first write
	ends     time.Time // when they give their number up and leave; zero: never
	adopts   time.Time // when they take their username; zero: never
	home     int       // index of the number they usually write to

	phone   string
	former  bool // somebody else will hold their phone
	changes int

	used   map[string]time.Time // by phone number id: when their phone was last used with it
	dialed map[string]string    // by portfolio: their phone as the business knows it
	met    []Number             // numbers they have dealt with, in order
	shown  []*Identifier        // what the wire has shown
	wamids []string
}

// settle makes the people and plans when each comes in.
func (w *World) settle() {
	var left []*person // whose phone a later one takes over
	for i := range w.options.People {
		p := &person{
			id: fmt.Sprintf("p%05d", i+1), name: newName(w.rng, i), language: pick(w.rng, []int{0, 0, 1, 1, 2, 2, 2}),
			home: w.rng.IntN(len(w.options.Numbers)),
			used: map[string]time.Time{}, dialed: map[string]string{},
		}
		p.starts = w.options.Start.Add(w.between(0, w.options.Span*7/10))
		if w.rng.Float64() < shareUsernames {
			p.adopts = w.options.Start.Add(w.between(-w.options.Span/4, w.options.Span))
		}
		if w.rng.Float64() < shareFamilies {
			p.relative = newName(w.rng, i).full
		}

		switch {
		case len(left) > 0 && w.rng.IntN(4) == 0:
			p.phone = left[0].phone
			p.starts = left[0].ends.Add(recycled + w.between(0, w.options.Span/20+1))
			left = left[1:]
		default:
			p.phone = w.newPhone()
			// The first one always stays, so that there is somebody to write.
			if w.rng.Float64() < shareFormer && i > 0 && w.options.Span > recycled*3/2 {
				p.former = true
				p.starts = w.options.Start.Add(w.between(0, w.options.Span/10))
				p.ends = p.starts.Add(w.between(w.options.Span/20, w.options.Span/5))
				left = append(left, p)
			}
		}
		w.people = append(w.people, p)
		w.at(p.starts, func(at time.Time) []item {
			w.visit(p, at)
			return nil
		})
	}
	// A phone that nobody took over still has its holder.
	for _, p := range left {
		p.former = false
	}
}

func (w *World) newPhone() string {
	w.nextPhone++
	if w.options.People*3/2 < phoneBlock-firstPhone {
		return fmt.Sprintf("9198000%05d", firstPhone+w.nextPhone%(phoneBlock-firstPhone))
	}
	return fmt.Sprintf("91980%07d", phoneBlock+w.nextPhone)
}

func (p *person) bsuid(number Number) string {
	scope := number.PortfolioID
	if scope == "" {
		scope = "waba:" + number.WABAID
	}
	if p.former {
		return formerBSUID(scope, p.phone)
	}
	return BSUID(scope, p.phone)
}

// hidden reports whether WhatsApp withholds the person's phone from a number.
// Source: domain facts 4; the contact book is switched off here.
func (p *person) hidden(number Number, at time.Time) bool {
	if p.adopts.IsZero() || at.Before(p.adopts) {
		return false
	}
	last, ok := p.used[number.PhoneNumberID]
	return !ok || at.Sub(last) > visibleFor
}

// profile is the person as WhatsApp shows them to a number at one moment.
func (p *person) profile(number Number, at time.Time) profile {
	shown := profile{name: p.name.shown, bsuid: p.bsuid(number)}
	if !p.adopts.IsZero() && !at.Before(p.adopts) {
		shown.username = p.name.username
	}
	if !p.hidden(number, at) {
		shown.phone = p.phone
	}
	return shown
}

// seen records what a number has been shown of the person.
func (p *person) seen(number Number, shown profile, at time.Time) {
	p.show("phone", shown.phone, at)
	p.show("bsuid", shown.bsuid, at)
	if shown.phone != "" {
		p.used[number.PhoneNumberID] = at
		p.dialed[number.PortfolioID] = shown.phone
	}
	for _, met := range p.met {
		if met.PhoneNumberID == number.PhoneNumberID {
			return
		}
	}
	p.met = append(p.met, number)
}

func (p *person) show(kind, value string, at time.Time) {
	if value == "" {
		return
	}
	for _, known := range p.shown {
		if known.Kind == kind && known.Value == value {
			return
		}
	}
	p.shown = append(p.shown, &Identifier{Kind: kind, Value: value, From: at})
}

// giveUp closes every identifier the person holds.
func (p *person) giveUp(at time.Time) {
	for _, shown := range p.shown {
		if shown.To == nil {
			shown.To = &at
		}
	}
}
