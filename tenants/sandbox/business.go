package sandbox

import "time"

const (
	shareSkipped  = 0.10 // of messages read so fast that delivered never comes
	shareRead     = 0.80
	shareFailed   = 0.03
	shareCampaign = 0.30 // of customers who are sent an offer to the phone on file
	shareReplied  = 0.25 // of offers that are answered
)

// answer is a message of the business: to the phone it knows, as Meta advises,
// else to the BSUID. Only its statuses come over the wire, or where the number is
// also on a phone and somebody writes from there, its echo.
func (w *World) answer(p *person, number Number, at time.Time) {
	wamid := w.wamid()
	fails, skips, reads := w.chance(shareFailed), w.chance(shareSkipped), w.chance(shareRead)
	readAfter := w.between(10*time.Second, time.Hour)
	byHand := w.shared(number) && w.rng.IntN(2) == 0

	w.at(at, func(at time.Time) []item {
		if len(p.met) == 0 || !p.here(at) {
			return nil
		}
		toPhone := w.early(at) || p.known[number.PortfolioID] == p.phone
		if toPhone {
			p.used[number.PhoneNumberID] = at
			p.answered[number.PhoneNumberID] = wamid
		}
		if byHand {
			return w.echo(p, number, wamid, at)
		}
		if fails {
			return w.fail(p, number, wamid, at, toPhone)
		}
		w.report(p, number, wamid, at, toPhone, reads, !skips || !reads, readAfter)
		return nil
	})
}

// report plans the statuses of a message: sent now, then what became of it.
func (w *World) report(p *person, number Number, wamid string, at time.Time, toPhone, read, delivered bool, readAfter time.Duration) {
	to, changes := w.profile(p, number, at), p.changes
	state := func(state string) func(time.Time) []item {
		return func(at time.Time) []item {
			if p.changes != changes || w.holders[p.phone] != p {
				return nil
			}
			w.seen(p, number, to, at)
			it := w.tell(status(number, to, wamid, at, state, toPhone), p, EventStatus, wamid, to, at)
			it.told.State = state
			return []item{it}
		}
	}
	w.at(at, state("sent"))
	if delivered {
		w.at(at.Add(2*time.Second), state("delivered"))
	}
	if read {
		w.at(at.Add(readAfter), state("read"))
	}
}

func (w *World) fail(p *person, number Number, wamid string, at time.Time, toPhone bool) []item {
	to := w.profile(p, number, at)
	if toPhone {
		to.bsuid, to.parent = "", ""
	} else {
		to.phone, to.parent = "", ""
	}
	w.seen(p, number, to, at)
	it := w.tell(status(number, to, wamid, at, "failed", toPhone), p, EventStatus, wamid, to, at)
	it.told.State, it.told.Name = "failed", nil
	return []item{it}
}

// mayHearOfUs plans an offer to the phone that the business has on file of the person, whoever holds that now.
func (w *World) mayHearOfUs(p *person) {
	if !w.chance(shareCampaign) {
		return
	}
	at := w.options.Start.Add(w.between(w.options.Span*2/5, w.options.Span))
	w.at(at, func(at time.Time) []item {
		if len(p.met) == 0 {
			return nil
		}
		number := p.met[0]
		phone := p.filed[number.PortfolioID]
		if phone == "" {
			return nil
		}
		wamid := w.wamid()
		holder := w.holders[phone]
		if holder == nil {
			it := w.tell(status(number, profile{phone: phone}, wamid, at, "failed", true), nil, EventStatus, wamid, profile{phone: phone}, at)
			it.told.State = "failed"
			return []item{it}
		}
		holder.used[number.PhoneNumberID] = at
		w.report(holder, number, wamid, at, true, true, true, w.between(time.Minute, 5*time.Hour))
		if w.chance(shareReplied) {
			w.at(at.Add(w.between(6*time.Hour, 2*day)), func(at time.Time) []item {
				items := w.write(holder, number, w.wamid(), at, "text", text(pick(w.rng, []string{"Interested", "हाँ, बताइए", "Rate batao", "Stop"})))
				for _, it := range items {
					it.body["context"] = object{"from": number.DisplayPhone, "id": wamid}
				}
				return items
			})
		}
		return nil
	})
}
