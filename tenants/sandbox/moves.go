package sandbox

import "time"

const (
	shareNumberChange = 0.05
	shareOldShape     = 0.25 // of number changes told as before August 2026, where the calendar does not count
	shareUntold       = 0.15 // a new phone and account, and nobody says a word

	mostChanges = 2
)

// changeNumber gives the person a new phone and with it a new BSUID, and tells
// every number they have dealt with, unless they began anew on the new phone.
func (w *World) changeNumber(p *person, at time.Time) []item {
	before := make([]profile, len(p.met))
	told := !w.chance(shareUntold)
	for i, number := range p.met {
		before[i] = w.profile(p, number, at)
		if told {
			p.show("phone", before[i].phone, at)
			p.show("bsuid", before[i].bsuid, at)
			p.show("parent_bsuid", before[i].parent, at)
		}
	}
	old := !told || w.chance(shareOldShape)
	if w.options.Calendar {
		old = at.Before(previousFrom)
	}
	w.giveUp(p, at)
	p.phone = w.newPhone()
	w.holders[p.phone] = p
	p.changes++
	clear(p.known)
	clear(p.booked)
	if !told {
		clear(p.used)
		return nil
	}

	var items []item
	for i, number := range p.met {
		after := w.profile(p, number, at)
		after.phone, after.username = "", ""
		if before[i].phone != "" {
			after.phone = p.phone
			p.filed[number.PortfolioID] = p.phone
			if after.bsuid != "" {
				p.known[number.PortfolioID] = p.phone
			}
		}
		if before[i].bsuid == "" {
			after.bsuid, after.parent = "", ""
		}
		p.show("phone", after.phone, at)
		p.show("bsuid", after.bsuid, at)
		p.show("parent_bsuid", after.parent, at)
		wamid := w.wamid()
		it := rotated(number, p.shows.Text, before[i], after, wamid, at)
		was := Shown{Phone: before[i].phone, BSUID: before[i].bsuid, Parent: before[i].parent}
		if old {
			// The old BSUID then stands in the sentence only.
			system := it.body["system"].(object) //nolint:forcetypeassert // rotated has made it
			delete(system, "previous_user_id")
			delete(system, "previous_parent_user_id")
			was.BSUID, was.Parent = "", ""
		}
		it = w.tell(it, p, EventSystem, wamid, after, at)
		it.told.Was, it.told.Name = &was, nil
		items = append(items, it)
	}
	clear(p.used)
	return items
}
