package sandbox

import "time"

const (
	shareNumberChange = 0.03
	shareGroup        = 0.02
	shareExtra        = 0.15 // of visits in which the customer sends more than text
	shareSkipped      = 0.10 // of messages read so fast that delivered never comes
	shareRead         = 0.80
	shareFailed       = 0.03

	mostChanges = 2
	groupID     = "Y2FwaV9ncm91cDpzYW5kYm94"
)

// visitor chooses who writes next: some write often and many seldom.
func (w *World) visitor(at time.Time) *person {
	for range 20 {
		f := w.rng.Float64()
		p := w.people[int(f*f*float64(len(w.people)))]
		if len(p.met) > 0 && p.here(at) {
			return p
		}
	}
	return nil
}

func (p *person) here(at time.Time) bool {
	return !at.Before(p.starts) && (p.ends.IsZero() || at.Before(p.ends))
}

// visit plans one exchange between a person and a number: they write, the business
// answers, they may add a word.
func (w *World) visit(p *person, at time.Time) {
	number := w.options.Numbers[p.home]
	if w.rng.Float64() < shareOnceMore {
		number = pick(w.rng, w.options.Numbers)
	}
	if len(p.met) > 0 && p.changes < mostChanges && p.ends.IsZero() && w.rng.Float64() < shareNumberChange {
		w.at(at, func(at time.Time) []item { return w.changeNumber(p, at) })
		at = at.Add(w.between(time.Hour, 3*day))
	}
	if !p.ends.IsZero() {
		// They leave with the last thing they wrote; the phone is closed then.
		w.at(p.ends, func(at time.Time) []item {
			p.giveUp(at)
			return nil
		})
	}

	talk := number.talk(w.rng, p.language)
	asked := w.wamid()
	w.at(at, func(at time.Time) []item { return w.write(p, number, asked, at, "text", text(w.sign(p, talk.ask))) })
	at = at.Add(w.between(20*time.Second, 20*time.Minute))
	w.answer(p, number, at)
	if talk.add == "" {
		return
	}
	at = at.Add(w.between(time.Minute, 90*time.Minute))
	added := w.wamid()
	w.at(at, func(at time.Time) []item { return w.write(p, number, added, at, "text", text(talk.add)) })
	if w.rng.Float64() < shareExtra {
		w.extra(p, number, asked, at.Add(w.between(5*time.Second, time.Minute)))
	}
}

func (w *World) sign(p *person, said string) string {
	if p.relative != "" && w.rng.IntN(3) == 0 {
		return said + " - " + p.relative
	}
	return said
}

// write is one message of the person. Messages are theirs in the truth; reactions
// and the like are about a message and are not.
func (w *World) write(p *person, number Number, wamid string, at time.Time, kind string, content any) []item {
	if !p.here(at) {
		return nil
	}
	shown := p.profile(number, at)
	p.seen(number, shown, at)
	if kind != "reaction" {
		p.wamids = append(p.wamids, wamid)
	}
	it := inbound(number, shown, wamid, at, kind, content)
	if kind == "text" && w.rng.Float64() < shareGroup {
		it.body["group_id"] = groupID
	}
	return []item{it}
}

// extra is something other than text.
func (w *World) extra(p *person, number Number, asked string, at time.Time) {
	wamid := w.wamid()
	kind, content := "reaction", object{"message_id": asked, "emoji": pick(w.rng, []string{"👍", "🙏", "❤️"})}
	switch w.rng.IntN(4) {
	case 0:
		kind, content = "image", object{"id": digitsOf(wamid), "mime_type": "image/jpeg", "sha256": "c2FuZGJveC1pbWFnZQ=="}
	case 1:
		kind, content = "location", object{"latitude": 23.2599, "longitude": 77.4126, "name": "New Market", "address": "Bhopal"}
	case 2:
		kind, content = "audio", object{"id": digitsOf(wamid), "mime_type": "audio/ogg; codecs=opus", "sha256": "c2FuZGJveC1hdWRpbw==", "voice": true}
	}
	w.at(at, func(at time.Time) []item { return w.write(p, number, wamid, at, kind, content) })
}

// answer is a message of the business: to the phone it knows, as Meta advises,
// else to the BSUID. Only its statuses come over the wire.
func (w *World) answer(p *person, number Number, at time.Time) {
	wamid := w.wamid()
	fails, skips, reads := w.rng.Float64() < shareFailed, w.rng.Float64() < shareSkipped, w.rng.Float64() < shareRead
	readAfter := w.between(10*time.Second, time.Hour)

	w.at(at, func(at time.Time) []item {
		if len(p.met) == 0 || !p.here(at) {
			return nil
		}
		toPhone := p.dialed[number.PortfolioID] == p.phone
		if toPhone {
			p.used[number.PhoneNumberID] = at
		}
		to := p.profile(number, at)
		if fails {
			if toPhone {
				to.bsuid = ""
			} else {
				to.phone = ""
			}
			p.seen(number, to, at)
			return []item{status(number, to, wamid, at, "failed", toPhone)}
		}

		changes := p.changes
		report := func(state string) func(time.Time) []item {
			return func(at time.Time) []item {
				if p.changes != changes {
					return nil
				}
				p.seen(number, to, at)
				return []item{status(number, to, wamid, at, state, toPhone)}
			}
		}
		if !skips || !reads {
			w.at(at.Add(2*time.Second), report("delivered"))
		}
		if reads {
			w.at(at.Add(readAfter), report("read"))
		}
		return report("sent")(at)
	})
}

// changeNumber gives the person a new phone and with it a new BSUID, and tells
// every number they have dealt with.
func (w *World) changeNumber(p *person, at time.Time) []item {
	before := make([]profile, len(p.met))
	for i, number := range p.met {
		before[i] = p.profile(number, at)
		p.show("phone", before[i].phone, at)
		p.show("bsuid", before[i].bsuid, at)
	}
	p.giveUp(at)
	p.phone = w.newPhone()
	p.changes++
	clear(p.dialed)

	var told []item
	for i, number := range p.met {
		after := p.profile(number, at)
		after.phone = ""
		if before[i].phone != "" {
			after.phone = p.phone
			p.dialed[number.PortfolioID] = p.phone
		}
		p.show("phone", after.phone, at)
		p.show("bsuid", after.bsuid, at)
		told = append(told, rotated(number, p.name.shown, before[i], after, w.wamid(), at))
	}
	clear(p.used)
	return told
}
