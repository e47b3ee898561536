package sandbox

import "time"

// regulars are customers about whom nothing is in doubt.
func (s *story) regulars() {
	sunita := s.person(10, "Sunita Yadav")
	s.says(sunita, s.ago(75*day), s.say("Namaste, kal ka appointment milega?", "Namaste, kal service ke liye aa sakti hu?"))
	s.answered(sunita, s.ago(75*day-10*time.Minute))
	s.says(sunita, s.ago(75*day-40*time.Minute), "Ji theek hai, dhanyavaad 🙏")
	s.says(sunita, s.ago(26*time.Hour), s.say("Report aa gayi kya?", "Gaadi ho gayi kya?"))
	s.answered(sunita, s.ago(25*time.Hour))

	vikram := s.person(11, "विक्रम सिंह")
	s.says(vikram, s.ago(48*day), s.say("नमस्ते, क्लिनिक कितने बजे खुलता है?", "नमस्ते, गैराज कितने बजे खुलता है?"))
	s.answered(vikram, s.ago(48*day-5*time.Minute))
	s.says(vikram, s.ago(5*time.Hour), s.say("आज शाम 6 बजे आ रहा हूँ", "आज शाम 6 बजे गाड़ी लेने आ रहा हूँ"))

	fatima := s.person(12, "Fatima")
	s.says(fatima, s.ago(33*day), s.say("Do you have the flu vaccine for children?", "Do you repair scooters too?"))
	s.answered(fatima, s.ago(33*day-15*time.Minute))
	s.says(fatima, s.ago(3*day), "Thank you for the quick help")

	// Three people in one delivery, as WhatsApp sends them when many write at once.
	at := s.ago(7 * time.Hour)
	s.tell(at,
		inbound(s.number, s.person(13, "Rohan Mehta"), s.wamid(), at, "text", text("Are you open on Sunday?")),
		inbound(s.number, s.person(14, "पूजा"), s.wamid(), at, "text", text("पता भेज दीजिए")),
		inbound(s.number, s.person(15, "Joseph D"), s.wamid(), at, "text", text("What are the charges?")),
	)
}

// comesBackHidden: a customer from before BSUIDs returns with a username only and
// types her number. That is a claim, so it is for a person to decide.
func (s *story) comesBackHidden() {
	savitri := s.person(101, "Savitri Tiwari")
	s.says(savitri.early(), s.ago(425*day), s.say("Doctor sahab se milna hai, kal aa jaun?", "Scooty ki service karani hai, kal aa jaun?"))
	s.says(savitri.early(), s.ago(425*day-time.Hour), "Savitri Tiwari, Kolar Road")
	s.says(savitri.early(), s.ago(410*day), s.say("Dawai se aaram hai, dhanyavaad", "Scooty ab badhiya chal rahi hai, dhanyavaad"))

	now := savitri.hidden("savitri.t")
	now.name = "Savitri"
	s.says(now, s.ago(2*day), s.say("Namaste, pichle saal dikhaya tha, phir se aana hai", "Namaste, pichle saal scooty ki service karwayi thi"))
	s.says(now, s.ago(2*day-3*time.Minute), "Mera number hai "+national(savitri.phone)+", my number is "+national(savitri.phone))
}

// soundAlike: two people with one name in two scripts. Names prove nothing.
func (s *story) soundAlike() {
	hindi := s.person(110, "राजेश शर्मा")
	s.says(hindi, s.ago(52*day), s.say("मेरी रिपोर्ट व्हाट्सऐप पर भेज दीजिए", "मेरी बोलेरो की सर्विस कब होगी?"))
	s.answered(hindi, s.ago(52*day-20*time.Minute))
	s.says(hindi, s.ago(11*day), "धन्यवाद")

	latin := s.person(111, "Rajesh Sharma").hidden("rajesh.sharma_22")
	s.says(latin, s.ago(6*time.Hour), s.say("Hi, this is Rajesh. Is my report ready?", "Hi, this is Rajesh. When is my car ready?"))
}

// changesNumber: WhatsApp says so before the first message under the new ids.
func (s *story) changesNumber() {
	before, after := s.person(120, "Imran Khan"), s.person(121, "Imran Khan")
	s.says(before, s.ago(64*day), s.say("Salaam, fees kitni hai?", "Salaam, tyre badalwane hai"))
	s.answered(before, s.ago(64*day-time.Hour))
	s.says(before, s.ago(21*day), "Shukriya bhai")
	at := s.ago(9 * day)
	s.tell(at, rotated(s.number, before.name, before, after, s.wamid(), at))
	s.says(after, s.ago(8*day), "Ye mera naya number hai")
}

// changesOutOfOrder: the first message under the new id overtakes the news of it.
func (s *story) changesOutOfOrder() {
	before := s.person(130, "Lakshmi Nair")
	s.says(before, s.ago(96*day), s.say("Hello, I need a check-up date", "Hello, my car needs an oil change"))
	hidden := before.hidden("lakshmi_nair")
	s.says(hidden, s.ago(41*day), "Please send the bill again")
	after := s.person(131, "Lakshmi Nair").hidden("lakshmi_nair")
	s.says(after, s.ago(3*day), s.say("Can I come on Friday?", "Can I bring it on Friday?"))
	written := s.ago(3*day + time.Hour)
	s.tell(s.ago(3*day-2*time.Hour), rotated(s.number, before.name, hidden, after, s.wamid(), written))
}

// numberRecycled: a stranger has the phone of an old customer. Their histories
// must not be joined.
func (s *story) numberRecycled() {
	gopal := s.person(140, "Gopal Das")
	gopal.bsuid = formerBSUID(s.number.PortfolioID, gopal.phone)
	s.says(gopal, s.ago(228*day), s.say("Sugar ki report aayi kya?", "Alto ka insurance claim hua kya?"))
	s.answered(gopal, s.ago(228*day-2*time.Hour))
	s.says(gopal, s.ago(221*day), s.say("Sugar ab theek hai", "Claim mil gaya, thanks"))

	farhan := s.person(140, "Farhan Ali")
	s.says(farhan, s.ago(6*day), s.say("Hello, do you check eyes also?", "Hello, do you sell helmets?"))
	s.says(farhan, s.ago(22*time.Hour), "Ok, thanks")
}

// silentTooLong: a phone without a BSUID, silent for more than 180 days, comes back
// with one. It may be the same person or the next holder.
func (s *story) silentTooLong() {
	mohan := s.person(150, "मोहन लाल")
	s.says(mohan.early(), s.ago(390*day), s.say("बीपी की दवाई ख़त्म हो गई है", "ट्रैक्टर का पुर्ज़ा मिल जाएगा क्या?"))
	mohan.name = "Mohan"
	s.says(mohan, s.ago(4*day), s.say("डॉक्टर साहब आज मिलेंगे?", "आज गैराज खुला है क्या?"))
}

// joinedByMessage: a phone seen alone not long ago comes with its BSUID; WhatsApp
// itself shows that both are one.
func (s *story) joinedByMessage() {
	deepa := s.person(160, "Deepa Gupta")
	s.says(deepa.early(), s.ago(88*day), s.say("Bacche ka vaccine card kho gaya", "Car ki dusri chabi ban jayegi?"))
	s.says(deepa, s.ago(12*day), s.say("Card mil gaya, kal aati hu", "Chabi lene kal aati hu"))
}

// joinedByStatus: a hidden customer is recognised when a message sent to her old
// phone reports who received it.
func (s *story) joinedByStatus() {
	kavita := s.person(170, "Kavita Rao")
	s.says(kavita.early(), s.ago(71*day), s.say("Appointment for my father please", "Pick-up for my Activa please"))
	s.says(kavita.hidden("kavita.rao"), s.ago(15*day), s.say("Did the doctor see the X-ray?", "Did you find the noise?"))
	kavita.username = "kavita.rao"
	s.answered(kavita, s.ago(14*day))
}

// writesInGroup: a group's message makes its sender known and stays in the group.
func (s *story) writesInGroup() {
	at := s.ago(28 * time.Hour)
	it := inbound(s.number, s.person(180, "Anil Joshi"), s.wamid(), at, "text",
		text(s.say("Camp is on Sunday at 9, all please come", "Rally is on Sunday at 6, bring helmets")))
	it.body["group_id"] = groupID
	s.tell(at, it)
}

// strangersToday: people with usernames whom nobody knows yet.
func (s *story) strangersToday() {
	for i, stranger := range []struct {
		name, username, says string
		ago                  time.Duration
	}{
		{"Neha 🌸", "neha.bpl", s.say("Hi, do you have a skin doctor?", "Hi, do you wash cars too?"), 9 * time.Hour},
		{"अमित", "amit_kumar77", s.say("दाँत में दर्द है, आज दिखा सकता हूँ?", "गाड़ी बीच रास्ते में बंद हो गई है"), 3 * time.Hour},
		{"S. Banerjee", "sbanerjee.01", "Kindly share your address", 50 * time.Minute},
		{"ज़ोया", "zoya_k", s.say("Report ka link bhej dijiye", "Kitna time lagega?"), 10 * time.Minute},
	} {
		s.says(s.person(190+i, stranger.name).hidden(stranger.username), s.ago(stranger.ago), stranger.says)
	}
}
