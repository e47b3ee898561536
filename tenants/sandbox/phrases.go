package sandbox

import "math/rand/v2"

// talk is one short exchange: what the customer writes, what the business answers,
// and what the customer may add. An empty part is left out.
type talk struct{ ask, answer, add string }

// talks are the exchanges of a trade in the languages people write in: English,
// Hindi, and Hindi in Latin letters.
var talks = map[Trade][][]talk{
	Clinic: {
		{
			{"Good morning, is the doctor in today?", "Yes, from 10 to 1 and 5 to 8.", "Ok I will come at 11"},
			{"Can I get an appointment for Thursday evening?", "Thursday 6:30 pm is free. Shall I book it?", "Yes please"},
			{"Are my blood reports ready?", "They will be ready by 4 pm today.", "Thank you"},
			{"What is the fee for a first visit?", "The consultation is 400 rupees.", ""},
			{"My mother has had fever since last night, 101", "Please bring her today before 1 pm.", "We are coming"},
			{"Do you have the flu vaccine?", "Yes, any day before noon.", ""},
			{"Please send the bill for Monday's visit", "Sending it now.", "Got it, thanks"},
			{"I want to move my appointment to Saturday", "Done, Saturday 11 am.", "Thanks a lot"},
			{"Is the clinic open on Sunday?", "No, we open on Monday at 10.", "Ok"},
			{"The tablets make me feel dizzy, should I stop?", "Please do not take the next one. The doctor will call you.", "Ok waiting"},
		},
		{
			{"नमस्ते, आज डॉक्टर साहब बैठेंगे?", "जी, 10 से 1 और शाम 5 से 8 बजे तक।", "ठीक है, 11 बजे आता हूँ"},
			{"गुरुवार शाम का समय मिल सकता है क्या?", "गुरुवार 6:30 बजे खाली है। लिख दूँ?", "हाँ लिख दीजिए"},
			{"मेरी खून की जाँच की रिपोर्ट आ गई?", "आज शाम 4 बजे तक आ जाएगी।", "धन्यवाद"},
			{"पहली बार दिखाने की फीस कितनी है?", "फीस 400 रुपये है।", ""},
			{"माँ को कल रात से बुखार है, 101", "आज 1 बजे से पहले ले आइए।", "आ रहे हैं"},
			{"बच्चे का टीका कब लगेगा?", "बुधवार सुबह ले आइए, कार्ड साथ लाएँ।", "जी ठीक है"},
			{"रविवार को क्लिनिक खुला है?", "नहीं, सोमवार सुबह 10 बजे खुलेगा।", "अच्छा"},
			{"दवाई खाने के बाद चक्कर आ रहे हैं", "अगली गोली न लें, डॉक्टर आपको फ़ोन करेंगे।", "ठीक है"},
		},
		{
			{"Namaste, aaj doctor sahab hai kya?", "Ji, 10 se 1 aur shaam 5 se 8.", "Theek hai aata hu"},
			{"Thursday shaam ka appointment milega?", "6:30 baje khali hai, likh du?", "Haan likh do"},
			{"Report aa gayi kya meri?", "Aaj 4 baje tak aa jayegi.", "ok thanks"},
			{"Fees kitni hai first time ki", "400 rupaye.", ""},
			{"Mummy ko kal raat se bukhar hai 101", "Aaj 1 baje se pehle le aaiye.", "Aa rahe hai"},
			{"Sugar ki dawai khatam ho gayi, same wali likh doge?", "Ek baar sugar check karwa lijiye, phir likh denge.", "Kal aata hu"},
			{"Sunday ko khula hai kya", "Nahi, Monday 10 baje.", "ok"},
			{"Bill bhej dena monday wala", "Abhi bhejte hai.", "mil gaya"},
		},
	},
	Garage: {
		{
			{"Is my car ready?", "Washing now, ready by 5.", "Coming at 5:30"},
			{"What will a full service for a Swift cost?", "About 4,200 with oil and filter.", "Ok, Saturday then"},
			{"The brakes are making a noise", "Please do not drive far, bring it today.", "Ok"},
			{"Can you pick up the bike from home?", "Yes, tomorrow at 10.", "Great"},
			{"Do you change tyres of a Bullet?", "Yes, MRF and CEAT are in stock.", ""},
			{"AC is not cooling at all", "Could be gas. Checking takes 30 minutes.", "Coming now"},
			{"Please send the bill on WhatsApp", "Sending it now.", "Thanks"},
			{"Battery is dead, car will not start", "Sending Ramu with a battery, share the place.", ""},
		},
		{
			{"भैया गाड़ी तैयार हो गई क्या?", "धुल रही है, 5 बजे तक मिल जाएगी।", "ठीक है 5:30 पर आता हूँ"},
			{"स्विफ्ट की पूरी सर्विस कितने में होगी?", "तेल और फ़िल्टर के साथ करीब 4,200।", "तो शनिवार को लाता हूँ"},
			{"ब्रेक से आवाज़ आ रही है", "ज़्यादा मत चलाइए, आज ही ले आइए।", "ठीक"},
			{"बाइक घर से ले जाओगे क्या?", "हाँ, कल सुबह 10 बजे।", "बढ़िया"},
			{"टायर बदलवाने हैं बुलेट के", "MRF और CEAT दोनों रखे हैं।", ""},
			{"एसी ठंडा नहीं कर रहा", "गैस हो सकती है, आधे घंटे में देख लेंगे।", "अभी आता हूँ"},
		},
		{
			{"Bhaiya gaadi ready hui kya?", "Dhul rahi hai, 5 baje tak.", "Ok 5:30 pe aata hu"},
			{"Swift ki full service kitne me hogi", "Oil filter ke saath 4200 ke aas paas.", "Saturday ko lata hu"},
			{"Brake se awaaz aa rahi hai", "Zyada mat chalao, aaj hi le aao.", "ok"},
			{"Bike ghar se le jaoge?", "Haan kal 10 baje.", "badhiya"},
			{"Battery down hai, start nahi ho rahi", "Ramu ko bhejte hai, location bhejo.", ""},
			{"Bill bhej do whatsapp pe", "Abhi bhejte hai.", "mil gaya thanks"},
		},
	},
}

func (n Number) talk(rng *rand.Rand, language int) talk {
	byLanguage, ok := talks[n.Trade]
	if !ok {
		byLanguage = talks[Clinic]
	}
	return pick(rng, byLanguage[language%len(byLanguage)])
}
