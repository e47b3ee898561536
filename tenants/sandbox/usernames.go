package sandbox

import "time"

const (
	shareNewUsername = 0.20 // of those with a username: another one later
	shareNoUsername  = 0.15 // none later
	shareRetaken     = 0.40 // of those who take one while a freed one is to be had
)

// mayBeNamed lets the person take a username some day, or long ago.
func (w *World) mayBeNamed(p *person, nth int) {
	if !w.chance(shareUsernames) {
		return
	}
	from, to := w.options.Start.Add(-w.options.Span/4), w.end()
	if w.options.Calendar && from.Before(usernamesFrom) {
		from = usernamesFrom
	}
	if from.Before(to) {
		w.takeUsername(p, nth, w.moment(from, to))
	}
}

// takeUsername plans the person's life with usernames.
func (w *World) takeUsername(p *person, nth int, adopts time.Time) {
	own, next := p.name.username(w.rng, nth+1), p.name.username(w.rng, nth+1+w.options.People)
	renamed := w.chance(shareRenamed)
	w.passing(adopts, func() {
		p.username = own
		if len(w.freed) > 0 && w.chance(shareRetaken) {
			p.username, w.freed = w.freed[0], w.freed[1:]
		}
		if renamed {
			p.shows = p.name.spell(w.rng)
		}
	})
	if later := w.moment(adopts, w.end()); w.chance(shareNewUsername + shareNoUsername) {
		drops := w.chance(shareNoUsername / (shareNewUsername + shareNoUsername))
		w.passing(later, func() {
			w.freed, p.username = append(w.freed, p.username), next
			if drops {
				p.username = ""
			}
		})
	}
}

// passing lets something happen that goes over no wire: at once where it is past already.
func (w *World) passing(at time.Time, happens func()) {
	if !at.After(w.options.Start) {
		happens()
		return
	}
	w.at(at, func(time.Time) []item {
		happens()
		return nil
	})
}
