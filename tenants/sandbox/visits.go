package sandbox

import "time"

const (
	shareGroup    = 0.02
	shareExtra    = 0.15 // of visits in which the customer sends more than text
	shareCall     = 0.02 // of visits that begin with a call
	shareReferral = 0.10 // of first visits that come by an advertisement

	// What the owner of a hidden phone may say about who they are.
	shareTyped  = 0.08
	shareOrder  = 0.60 // of those with an order
	shareQuoted = 0.10
	shareTapped = 0.06 // taps the button that asks for the number
	shareCard   = 0.03

	groupID = "Y2FwaV9ncm91cDpzYW5kYm94"
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
	away := !p.away.IsZero() && !at.Before(p.away) && at.Before(p.back)
	return !at.Before(p.starts) && (p.ends.IsZero() || at.Before(p.ends)) && !away
}

// visit plans one exchange between a person and a number: they write, the business
// answers, they may add a word.
func (w *World) visit(p *person, at time.Time) {
	number := w.options.Numbers[p.home]
	if w.chance(shareOnceMore) {
		number = pick(w.rng, w.options.Numbers)
	}
	if len(p.met) > 0 && p.changes < mostChanges && p.ends.IsZero() && p.away.IsZero() && w.chance(shareNumberChange) {
		w.at(at, func(at time.Time) []item { return w.changeNumber(p, at) })
		at = at.Add(w.between(time.Hour, 3*day))
	}
	if !p.ends.IsZero() {
		// They leave with the last thing they wrote; the phone is closed then.
		w.at(p.ends, func(at time.Time) []item {
			w.giveUp(p, at)
			return nil
		})
	}
	if w.chance(shareCall) {
		w.at(at, func(at time.Time) []item { return w.call(p, number, at) })
		at = at.Add(w.between(time.Minute, 5*time.Minute))
	}

	talk := number.talk(w.rng, p.language)
	asked := w.wamid()
	w.at(at, func(at time.Time) []item { return w.ask(p, number, asked, talk.ask, at) })
	at = at.Add(w.between(20*time.Second, 20*time.Minute))
	w.answer(p, number, at)
	if talk.add == "" {
		return
	}
	at = at.Add(w.between(time.Minute, 90*time.Minute))
	added := w.wamid()
	w.at(at, func(at time.Time) []item { return w.write(p, number, added, at, "text", text(talk.add)) })
	if w.chance(shareExtra) {
		w.extra(p, number, asked, at.Add(w.between(5*time.Second, time.Minute)))
	}
}

// ask is the first message of a visit. Who is hidden may say more about themselves in it.
func (w *World) ask(p *person, number Number, wamid, said string, at time.Time) []item {
	if p.relative != "" && w.rng.IntN(3) == 0 {
		said += " - " + p.relative
	}
	first, hidden := len(p.met) == 0, w.hidden(p, number, at)
	quoted := ""
	switch {
	case hidden && w.chance(shareTyped):
		phone := p.phone
		if w.rng.IntN(8) == 0 {
			phone = pick(w.rng, w.people).phone // somebody's who can be reached
		}
		said += pick(w.rng, []string{". Mera number ", ". मेरा नंबर ", ". My number is "}) + typed(w.rng, phone)
	case hidden && w.chance(shareQuoted):
		quoted = p.answered[number.PhoneNumberID]
	}
	if p.order != "" && w.chance(shareOrder) {
		said += pick(w.rng, []string{". Order ", ". ऑर्डर ", ". order no. "}) + p.order
	}

	items := w.write(p, number, wamid, at, "text", text(said))
	for _, it := range items {
		if quoted != "" {
			it.body["context"] = object{"from": number.DisplayPhone, "id": quoted}
		}
		if first && w.chance(shareReferral) {
			it.body["referral"] = referral(wamid)
		}
	}
	if hidden && w.chance(shareTapped) {
		w.at(at.Add(w.between(time.Minute, 20*time.Minute)), func(at time.Time) []item { return w.tap(p, number, at) })
	}
	return items
}

func referral(seed string) object {
	return object{
		"source_type": "ad", "source_id": digitsOf("ad/" + seed), "source_url": "https://fb.me/sandbox",
		"headline": "Diwali offer", "body": "Chat with us", "ctwa_clid": "clid" + digitsOf(seed),
	}
}

// write is one message of the person. Messages are theirs in the truth; reactions
// and the like are about a message and are not.
func (w *World) write(p *person, number Number, wamid string, at time.Time, kind string, content any) []item {
	if !p.here(at) {
		return nil
	}
	shown := w.profile(p, number, at)
	w.seen(p, number, shown, at)
	if kind != "reaction" {
		p.wamids = append(p.wamids, wamid)
	}
	it := inbound(number, shown, wamid, at, kind, content)
	if kind == "text" && w.chance(shareGroup) {
		it.body["group_id"] = groupID
	}
	return []item{w.tell(it, p, EventMessage, wamid, shown, at)}
}

// extra is something other than text.
func (w *World) extra(p *person, number Number, asked string, at time.Time) {
	wamid := w.wamid()
	kind, content := "reaction", any(object{"message_id": asked, "emoji": pick(w.rng, []string{"👍", "🙏", "❤️"})})
	switch f := w.rng.Float64(); {
	case f < shareCard:
		kind, content = "contacts", []object{card("other", pick(w.rng, w.people))}
	case f < 0.27:
		kind, content = "image", object{"id": digitsOf(wamid), "mime_type": "image/jpeg", "sha256": "c2FuZGJveC1pbWFnZQ=="}
	case f < 0.52:
		kind, content = "location", object{"latitude": 23.2599, "longitude": 77.4126, "name": "New Market", "address": "Bhopal"}
	case f < 0.76:
		kind, content = "audio", object{"id": digitsOf(wamid), "mime_type": "audio/ogg; codecs=opus", "sha256": "c2FuZGJveC1hdWRpbw==", "voice": true}
	}
	w.at(at, func(at time.Time) []item { return w.write(p, number, wamid, at, kind, content) })
}

// tap is the answer to the button that asks for the number.
func (w *World) tap(p *person, number Number, at time.Time) []item {
	items := w.write(p, number, w.wamid(), at, "contacts", []object{card("contact_request", p)})
	if len(items) > 0 {
		w.book(p, number)
		p.known[number.PortfolioID], p.filed[number.PortfolioID] = p.phone, p.phone
	}
	return items
}

func card(origin string, of *person) object {
	c := object{
		"origin": origin, "phones": []object{{"phone": "+" + of.phone, "wa_id": of.phone, "type": "MOBILE"}},
		"name": object{"formatted_name": of.name.full(), "first_name": upperFirst(of.name.given.latin[0])},
	}
	if origin == "other" {
		c["vcard"] = "BEGIN:VCARD\nVERSION:3.0\nFN:" + of.name.full() + "\nEND:VCARD"
	}
	return c
}

// call is a call of the person that nobody takes.
func (w *World) call(p *person, number Number, at time.Time) []item {
	if !p.here(at) {
		return nil
	}
	shown := w.profile(p, number, at)
	w.seen(p, number, shown, at)
	id := "wacid." + digitsOf(w.wamid())
	body := object{
		"id": id, "event": "connect", "timestamp": seconds(at), "direction": "USER_INITIATED", "to": number.DisplayPhone,
		"session": object{"sdp_type": "offer", "sdp": "v=0\r\n"},
	}
	set(body, "from", shown.phone)
	set(body, "from_user_id", shown.bsuid)
	set(body, "from_parent_user_id", shown.parent)
	it := item{number: number, field: "calls", list: "calls", contacts: []object{shown.contact()}, body: body}
	return []item{w.tell(it, p, EventCall, id, shown, at)}
}
