package sandbox

import "time"

// saved is somebody in the owner's address book, with the chat of before. hidden: WhatsApp shows no phone of them any more.
type saved struct {
	name, username, phone string
	hidden                bool
	wrote, said           string
}

// savedPeople are the customers of the number that stays in the Business app.
var savedPeople = []saved{
	{name: "Meena Joshi", phone: "919800002011", wrote: "Diwali ke liye 2 kilo laddu chahiye", said: "Ji, kal shaam tak taiyar"},
	{name: "रमेश यादव", phone: "919800002012", wrote: "आज दुकान कब तक खुली है?", said: "रात 9 बजे तक"},
	{name: "Farida Begum", username: "farida.b", phone: "919800002013", hidden: true, wrote: "Birthday cake order for Saturday", said: "Noted, 1 kg chocolate"},
	{name: "Anil Office", phone: "919800002014", wrote: "Bill bhej dijiye", said: "Bhej diya"},
}

// ids are the handles that WhatsApp shows of one.
func (s saved) ids(number Number) profile {
	p := profile{phone: s.phone, bsuid: BSUID(number.PortfolioID, s.phone), username: s.username}
	if s.hidden {
		p.phone = ""
	}
	return p
}

// sendApp sends what a Business app holds, a while between its parts: the contacts one by one, the chats in the three phases.
// Source: domain facts 3.11, 10.4.
func (g *Graph) sendApp(number Number, sync string) {
	callback := g.callbackOf(number.WABAID)
	if callback == "" || len(g.options.AppSecret) == 0 {
		return
	}
	bodies := appContacts(number, time.Now())
	if sync == "history" {
		bodies = appHistory(number, time.Now())
	}
	g.deliveries.Go(func() {
		for _, body := range bodies {
			select {
			case <-g.stop:
				return
			case <-time.After(g.options.Pace):
			}
			g.deliver(callback, body)
		}
	})
}

func appContacts(number Number, now time.Time) [][]byte {
	var bodies [][]byte
	for _, s := range savedPeople {
		ids := s.ids(number)
		contact := object{"full_name": s.name, "first_name": s.name, "user_id": ids.bsuid}
		set(contact, "phone_number", ids.phone)
		set(contact, "username", ids.username)
		bodies = append(bodies, pack(item{number: number, field: "smb_app_state_sync", list: "state_sync", body: object{
			"type": "contact", "contact": contact, "action": "add", "metadata": object{"timestamp": seconds(now)},
		}}))
	}
	return bodies
}

// appHistory tells the chats of yesterday, of the last three months and of before.
func appHistory(number Number, now time.Time) [][]byte {
	var bodies [][]byte
	for phase, progress := range []int{35, 70, 100} {
		var threads []object
		for i, s := range savedPeople {
			if i%3 != phase {
				continue
			}
			asked := now.Add(-day * time.Duration([]int{1, 40, 150}[phase]))
			threads = append(threads, s.thread(number, asked))
		}
		bodies = append(bodies, pack(item{number: number, field: "history", list: "history", body: object{
			"metadata": object{"phase": phase, "chunk_order": 1, "progress": progress}, "threads": threads,
		}}))
	}
	return bodies
}

func (s saved) thread(number Number, asked time.Time) object {
	ids := s.ids(number)
	owner := object{"user_id": ids.bsuid}
	set(owner, "wa_id", ids.phone)
	set(owner, "username", ids.username)
	question := inbound(number, profile{phone: ids.phone, bsuid: ids.bsuid}, newWAMID(), asked, "text", text(s.wrote)).body
	question["history_context"] = object{"status": "READ"}
	answered := object{
		"from": number.DisplayPhone, "id": newWAMID(), "timestamp": seconds(asked.Add(5 * time.Minute)), "type": "text", "text": text(s.said),
		"history_context": object{"status": "DELIVERED"},
	}
	set(answered, "to", ids.phone)
	thread := object{"context": owner, "messages": []object{question, answered}}
	set(thread, "id", ids.phone)
	return thread
}
