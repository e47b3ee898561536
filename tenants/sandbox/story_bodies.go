package sandbox

import "time"

// sendsEverything: one customer and every kind of message.
func (s *story) sendsEverything() {
	anita := s.person(200, "Anita Verma")
	first := s.ago(3 * day)
	asked := s.says(anita, first, s.say("Hello, I have a rash on my arm", "Hello, there is a scratch on my door"))
	reply := s.answered(anita, first.Add(8*time.Minute))

	media := func(mime string, more object) object {
		more["mime_type"], more["id"], more["sha256"] = mime, digitsOf(mime+s.number.PhoneNumberID), "c2FuZGJveC1tZWRpYQ=="
		return more
	}
	for i, m := range []struct {
		kind    string
		content any
	}{
		{"image", media("image/jpeg", object{"caption": s.say("Here, since Monday", "Here, near the handle")})},
		{"audio", media("audio/ogg; codecs=opus", object{"voice": true})},
		{"document", media("application/pdf", object{"filename": s.say("old-report.pdf", "insurance.pdf")})},
		{"location", object{"latitude": 23.2336, "longitude": 77.4343, "name": "10 No. Market", "address": "Arera Colony, Bhopal"}},
		{"reaction", object{"message_id": reply, "emoji": "👍"}},
		{"button", object{"payload": "CONFIRM", "text": "Yes, I will come"}},
		{"interactive", object{"type": "list_reply", "list_reply": object{"id": "evening", "title": "Evening", "description": "5 to 8"}}},
		{"order", object{"catalog_id": "198800000000001", "text": "", "product_items": []object{
			{"product_retailer_id": s.say("cream-20g", "polish-200ml"), "quantity": 2, "item_price": 140, "currency": "INR"},
		}}},
		{"edit", object{"original_message_id": asked, "message": object{
			"context": object{"id": "M0"}, "type": "text",
			"text": text(s.say("Hello, I have a rash on my left arm", "Hello, there is a scratch on my left door")),
		}}},
	} {
		s.shares(anita, first.Add(time.Duration(20+7*i)*time.Minute), m.kind, m.content)
	}
	wrong := s.says(anita, first.Add(2*time.Hour), "sorry, this was for my brother")
	s.shares(anita, first.Add(2*time.Hour+time.Minute), "revoke", object{"original_message_id": wrong})

	at := first.Add(3 * time.Hour)
	poll := inbound(s.number, anita, s.wamid(), at, "unsupported", object{"type": "poll_creation"})
	poll.body["errors"] = []object{{
		"code": 131051, "title": "Message type unknown",
		"error_data": object{"details": "Message type is currently not supported."},
	}}
	s.tell(at, poll)

	quoting := inbound(s.number, anita, s.wamid(), at.Add(time.Hour), "text", text("Yes, this one"))
	quoting.body["context"] = object{"from": s.number.DisplayPhone, "id": reply}
	s.tell(at.Add(time.Hour), quoting)
}

// sharesCards: one taps the button that asks for the number, one shares a card by
// hand. Only the first says that the number is the sender's.
func (s *story) sharesCards() {
	card := func(origin, name, phone string) object {
		c := object{
			"phones": []object{{"phone": "+91 " + national(phone), "wa_id": phone, "type": "MOBILE"}},
			"name":   object{"formatted_name": name, "first_name": name},
		}
		set(c, "origin", origin)
		return c
	}
	meena := s.person(210, "Meena Pillai")
	hidden := meena.hidden("meena.p")
	s.says(hidden, s.ago(30*time.Hour), s.say("Please call me about the test", "Please call me about the estimate"))
	s.shares(hidden, s.ago(29*time.Hour), "contacts", []object{card("contact_request", "Meena Pillai", meena.phone)})

	arjun := s.person(211, "Arjun").hidden("arjun.d")
	s.shares(arjun, s.ago(20*time.Hour), "contacts", []object{card("other", "Papa", s.phone(212))})
}

// cannotBeReached: a message to a phone failed.
func (s *story) cannotBeReached() {
	suresh := s.person(220, "Suresh")
	s.says(suresh, s.ago(37*day), s.say("Kal ka time cancel kar do", "Kal nahi aa paunga"))
	at := s.ago(35 * day)
	s.tell(at, status(s.number, suresh.early(), s.wamid(), at, "failed", true))
}

// oddDeliveries: what a careful receiver must take without losing its neighbours.
func (s *story) oddDeliveries() {
	// A message without an id, between two good ones.
	at := s.ago(31 * time.Hour)
	broken := inbound(s.number, s.person(230, "Ritu"), "", at, "text", text("?"))
	delete(broken.body, "id")
	s.tell(at,
		inbound(s.number, s.person(230, "Ritu"), s.wamid(), at, "text", text("Hello")),
		broken,
		inbound(s.number, s.person(231, "Harish"), s.wamid(), at, "text", text("नमस्ते")),
	)

	// A message that names nobody.
	at = s.ago(33 * time.Hour)
	s.tell(at, inbound(s.number, profile{}, s.wamid(), at, "text", text("Is anyone there?")))

	// The same delivery twice: the answer to the first one was lost on the way.
	at = s.ago(44 * time.Hour)
	twice := inbound(s.number, s.person(232, "Nisha Patel"), s.wamid(), at, "text", text("Thank you so much"))
	s.tell(at, twice)
	s.tell(at.Add(time.Minute), twice)

	// A number that nobody has connected.
	unknown := s.number
	unknown.PhoneNumberID, unknown.DisplayPhone = digitsOf("unknown/" + s.number.PhoneNumberID)[:15], "15550199099"
	at = s.ago(16 * time.Hour)
	s.tell(at, inbound(unknown, s.person(233, "Kiran"), s.wamid(), at, "text", text("Is this the new number?")))
}
