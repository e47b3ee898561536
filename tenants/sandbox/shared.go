package sandbox

import (
	"slices"
	"time"
)

const (
	shareHistory = 0.30 // of a shared number's people who wrote before it was connected
	shareSaved   = 0.40 // of them and of others stand in the owner's address book

	historyReach = 170 * day
)

// shared tells whether a number is also on somebody's phone, in the Business app.
func (w *World) shared(number Number) bool {
	return slices.Contains(w.options.Shared, number.PhoneNumberID)
}

// openShared plans what WhatsApp sends once a shared number is connected: old chats and the owner's address book.
// Source: domain facts 3.11.
func (w *World) openShared() {
	for _, p := range w.people {
		number := w.options.Numbers[p.home]
		if !w.shared(number) {
			continue
		}
		opened := w.options.Start.Add(w.between(0, 6*time.Hour))
		// Only who wrote on this phone before can be in its chats, and not those who got the phone from somebody else later.
		if !p.heir && p.ends.IsZero() && p.starts.Before(w.options.Start.Add(w.options.Span/2)) && w.chance(shareHistory) {
			w.passing(w.options.Start, func() { w.holders[p.phone] = p })
			w.history(p, number, opened)
		}
		if w.chance(shareSaved) {
			saved := p.name.saved(w.rng).Text
			if p.relative != "" && w.rng.IntN(2) == 0 {
				saved = p.relative
			}
			w.at(later(opened, p.starts).Add(w.between(time.Hour, 2*day)), func(at time.Time) []item { return w.save(p, number, saved, at) })
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// history is a thread of old messages.
func (w *World) history(p *person, number Number, opened time.Time) {
	for range 1 + w.rng.IntN(3) {
		written := w.options.Start.Add(-w.between(day, historyReach))
		talk, wamid := number.talk(w.rng, p.language), w.wamid()
		w.at(opened, func(at time.Time) []item {
			// As they stand at the time of the request, not of the message.
			shown := w.profile(p, number, at)
			p.show("phone", shown.phone, written)
			p.show("bsuid", shown.bsuid, written)
			p.show("parent_bsuid", shown.parent, written)
			if shown.phone != "" {
				p.filed[number.PortfolioID] = shown.phone
			}
			p.wamids = append(p.wamids, wamid)

			owner := object{}
			set(owner, "wa_id", shown.phone)
			set(owner, "user_id", shown.bsuid)
			set(owner, "parent_user_id", shown.parent)
			set(owner, "username", shown.username)
			message := inbound(number, shown, wamid, written, "text", text(talk.ask)).body
			message["history_context"] = object{"status": "READ"}
			thread := object{"context": owner, "messages": []object{message}}
			set(thread, "id", shown.phone)
			it := item{number: number, field: "history", list: "history", body: object{
				"metadata": object{"phase": 0, "chunk_order": 1, "progress": 100}, "threads": []object{thread},
			}}
			it = w.tell(it, p, EventHistory, wamid, shown, written)
			it.told.Name = nil
			return []item{it}
		})
	}
}

// save is a name that the owner has in the address book.
func (w *World) save(p *person, number Number, saved string, at time.Time) []item {
	if !p.here(at) {
		return nil
	}
	shown := w.profile(p, number, at)
	if shown.phone == "" && len(p.met) == 0 {
		return nil // nothing of them to save
	}
	shown.name = ""
	p.show("phone", shown.phone, at)
	p.show("bsuid", shown.bsuid, at)
	p.show("parent_bsuid", shown.parent, at)
	contact := object{"full_name": saved, "first_name": saved}
	set(contact, "phone_number", shown.phone)
	set(contact, "user_id", shown.bsuid)
	set(contact, "parent_user_id", shown.parent)
	set(contact, "username", shown.username)
	it := item{number: number, field: "smb_app_state_sync", list: "state_sync", body: object{
		"type": "contact", "contact": contact, "action": "add", "metadata": object{"timestamp": seconds(at)},
	}}
	return []item{w.tell(it, p, EventSync, "", shown, at)}
}

// echo is a message of the business written on the phone.
func (w *World) echo(p *person, number Number, wamid string, at time.Time) []item {
	shown := w.profile(p, number, at)
	w.seen(p, number, shown, at)
	body := object{"from": number.DisplayPhone, "id": wamid, "timestamp": seconds(at), "type": "text", "text": text("👍")}
	set(body, "to", shown.phone)
	set(body, "to_user_id", shown.bsuid)
	set(body, "to_parent_user_id", shown.parent)
	it := item{number: number, field: "smb_message_echoes", list: "message_echoes", contacts: []object{shown.contact()}, body: body}
	return []item{w.tell(it, p, EventEcho, wamid, shown, at)}
}
