package sandbox

import (
	"fmt"
	"slices"
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
	shareAway      = 0.18 // customers of before BSUIDs who come back with a username, where the calendar counts
	shareRenamed   = 0.40 // of those who take a username write their name anew with it
	shareOrders    = 0.25
)

// person is one WhatsApp account holder.
type person struct {
	id       string
	name     name
	shows    Spelling // the profile name
	username string   // "" where they have none
	language int
	relative string    // who else writes from this phone, "" where nobody does
	order    string    // the number of something they ordered, "" where nothing
	starts   time.Time // when they first write
	ends     time.Time // when they give their number up and leave; zero: never
	away     time.Time // when they fall silent, until back; zero: never
	back     time.Time
	home     int // index of the number they usually write to

	phone   string
	former  bool // somebody else will hold their phone
	heir    bool // somebody else has held it
	changes int

	used     map[string]time.Time // by phone number id: when their phone was last used with it
	known    map[string]string    // by portfolio: their phone as the business knows it of their present BSUID
	filed    map[string]string    // by portfolio: a phone the business has of them, whether or not it knows of whom now
	booked   map[string]bool      // portfolios whose contact book they are in
	answered map[string]string    // by phone number id: the last message of the business to their phone
	met      []Number             // numbers they have dealt with, in order
	shown    []*Identifier        // what the wire has shown
	wamids   []string
}

// settle makes the people and plans when each comes in.
func (w *World) settle() {
	var left []*person // whose phone a later one takes over
	for i := range w.options.People {
		p := &person{
			id: fmt.Sprintf("p%05d", i+1), name: newName(w.rng, w.options.Names), language: pick(w.rng, []int{0, 0, 1, 1, 2, 2, 2}),
			home: w.rng.IntN(len(w.options.Numbers)),
			used: map[string]time.Time{}, known: map[string]string{}, filed: map[string]string{}, booked: map[string]bool{},
			answered: map[string]string{},
		}
		p.shows = p.name.spell(w.rng)
		p.starts = w.options.Start.Add(w.between(0, w.options.Span*7/10))
		if w.chance(shareFamilies) {
			p.relative = newName(w.rng, w.options.Names).full()
		}
		if w.chance(shareOrders) {
			p.order = fmt.Sprintf("%s-%d", pick(w.rng, []string{"GAS", "BILL", "SRV"}), 1000+i*7%9000)
		}

		switch {
		case len(left) > 0 && w.rng.IntN(4) == 0:
			p.phone, p.heir = left[0].phone, true
			p.starts = left[0].ends.Add(recycled + w.between(0, w.options.Span/20+1))
			left = left[1:]
			w.mayBeNamed(p, i)
		case w.options.Calendar && w.options.Start.Before(bsuidsFrom) && w.end().After(usernamesFrom.Add(30*day)) && w.chance(shareAway):
			p.phone = w.newPhone()
			w.goAway(p, i)
		default:
			p.phone = w.newPhone()
			// The first one always stays, so that there is somebody to write.
			if w.chance(shareFormer) && i > 0 && w.options.Span > recycled*3/2 {
				p.former = true
				p.starts = w.options.Start.Add(w.between(0, w.options.Span/10))
				p.ends = p.starts.Add(w.between(w.options.Span/20, w.options.Span/5))
				left = append(left, p)
			}
			w.mayBeNamed(p, i)
		}
		w.people = append(w.people, p)
		w.at(p.starts, func(at time.Time) []item {
			w.holders[p.phone] = p
			w.visit(p, at)
			return nil
		})
		w.mayHearOfUs(p)
	}
	// A phone that nobody took over still has its holder.
	for _, p := range left {
		p.former = false
	}
}

// goAway makes a customer of before BSUIDs who comes back with a username, as a stranger would.
func (w *World) goAway(p *person, nth int) {
	p.starts = w.moment(w.options.Start, bsuidsFrom)
	p.away = bsuidsFrom
	adopts := w.moment(usernamesFrom, w.end().Add(-20*day))
	p.back = w.moment(adopts, w.end())
	w.takeUsername(p, nth, adopts)
	w.at(p.back, func(at time.Time) []item {
		w.visit(p, at)
		return nil
	})
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

// parent is the id that all enrolled portfolios of a business share.
func (p *person) parent() string {
	if p.former {
		return "IN.ENT." + digitsOf("parent/"+p.phone+"/former")
	}
	return "IN.ENT." + digitsOf("parent/"+p.phone)
}

// hidden reports whether WhatsApp withholds the person's phone from a number now.
// Source: domain facts 4.
func (w *World) hidden(p *person, number Number, at time.Time) bool {
	if p.username == "" || w.early(at) || p.booked[number.PortfolioID] {
		return false
	}
	last, ok := p.used[number.PhoneNumberID]
	return !ok || at.Sub(last) > visibleFor
}

// profile is the person as WhatsApp shows them to a number now.
func (w *World) profile(p *person, number Number, at time.Time) profile {
	if w.early(at) {
		return profile{name: p.shows.Text, phone: p.phone}
	}
	shown := profile{name: p.shows.Text, bsuid: p.bsuid(number), username: p.username}
	if w.options.Parents {
		shown.parent = p.parent()
	}
	if !w.hidden(p, number, at) {
		shown.phone = p.phone
	}
	return shown
}

// seen records what a number has been shown of the person.
func (w *World) seen(p *person, number Number, shown profile, at time.Time) {
	p.show("phone", shown.phone, at)
	p.show("bsuid", shown.bsuid, at)
	p.show("parent_bsuid", shown.parent, at)
	if shown.phone != "" {
		p.used[number.PhoneNumberID] = at
		p.filed[number.PortfolioID] = shown.phone
		if shown.bsuid != "" {
			p.known[number.PortfolioID] = shown.phone
			w.book(p, number)
		}
	}
	if !slices.ContainsFunc(p.met, func(met Number) bool { return met.PhoneNumberID == number.PhoneNumberID }) {
		p.met = append(p.met, number)
	}
}

// book writes the person into the portfolio's contact book, where that is on.
func (w *World) book(p *person, number Number) {
	if slices.Contains(w.options.Books, number.PortfolioID) {
		p.booked[number.PortfolioID] = true
	}
}

func (p *person) show(kind, value string, at time.Time) {
	if value == "" {
		return
	}
	for _, known := range p.shown {
		if known.Kind == kind && known.Value == value {
			if at.Before(known.From) {
				known.From = at // an old chat came to light
			}
			return
		}
	}
	p.shown = append(p.shown, &Identifier{Kind: kind, Value: value, From: at})
}

// giveUp closes every identifier the person holds.
func (w *World) giveUp(p *person, at time.Time) {
	for _, shown := range p.shown {
		if shown.To == nil {
			shown.To = &at
		}
	}
	delete(w.holders, p.phone)
}
