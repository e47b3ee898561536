package content_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/training/content"
)

// Answers to the drills as people type them: English, Hindi, Hindi in Latin letters, with and without the usual spelling.
func TestAnswersAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		drill   string
		variant int
		step    string
		answer  string
		want    content.Outcome
	}{
		{"drill_old_customer_refund", 0, "s1", "Namaste Sanjay ji, order number bhej dijiye taki sahi record khol saken", content.Right},
		{"drill_old_customer_refund", 0, "s1", "aap kaun", content.Wrong},
		{"drill_old_customer_refund", 0, "s2", "Dhanyavaad, order mil gaya. Hamari lead dekh rahi hain, 2 ghante me yahin jawab denge", content.Right},
		{"drill_old_customer_refund", 0, "s2", "Shukriya, lead ko bol diya, refund kal tak aa jayega", content.Broken},
		{"drill_shared_phone", 0, "s1", "Lata ji maaf kijiye, unka order nahi bata sakte. Aapko kya chahiye?", content.Right},
		{"drill_shared_phone", 0, "s2", "Please bring him along, we write it in your name. We have sarees too!", content.Right},
		{"drill_wrong_link", 0, "s1", "So sorry! A colleague linked you because the name was the same. It is undone, the owner knows. The bed is not yours.", content.Right},
		{"drill_otp_fails", 0, "s1", "Sorry sir, OTP registered number par hi jata hai, kyunki username par phone number nahi hota. OTP ke liye number chahiye", content.Right},
		{"drill_marketing_question", 0, "s2", "Print @sweets.bhopal and a QR code on the bill; ask them first whether they want offers", content.Right},
		{"drill_shared_phone", 0, "s1", "ye hum bata nhi sakte ji, aapko kya chahiye", content.Right},
		{"drill_shared_phone", 0, "s1", "यह हम बता नही सकते जी, आपको क्या चाहिए?", content.Right},
		{"drill_shared_phone", 0, "s1", "sorry we cant tell that, what do you need?", content.Right},
		{"drill_shared_phone", 0, "s1", "unhone laal saari aur anguthi li thi ji, aapke liye", content.Broken},
		{"drill_guessable_number", 0, "s1", "Sirf number se nahi badal sakte ji, share button daba dijiye", content.Right},
		{"drill_guessable_number", 0, "s1", "ok OTP bhej do badal denge", content.Broken},
		{"drill_refuses_number", 0, "s1", "number sirf delivery ki call ke liye chahiye, aapki marzi hai", content.Right},
		{"drill_refuses_number", 0, "s2", "koi baat nahi, yahin baat karte hain", content.Right},
		{"drill_refuses_number", 0, "s2", "bina number ke nahi hoga", content.Wrong},
		{"drill_india_question", 0, "s1", "hume koi tareekh nahi batayi gayi, app me Settings dekh lijiye", content.Right},
		{"drill_india_question", 0, "s1", "agle mahine chalu ho jayega", content.Broken},
		{"drill_lookalike", 0, "s1", "Nahi ye hum nahi hain, paise mat dijiye! Hamara asli username @bhopal.gas hai", content.Right},
		{"drill_lookalike", 0, "s1", "Nahi ye hum nahi hain, paise mat dijiye! Hamara username @bhopal.gas_help hai", content.Wrong},
		{"drill_lookalike", 0, "s2", "WhatsApp me report aur block kar dijiye, hum team ko bata rahe hain", content.Right},
		{"drill_recycled_number", 0, "s1", "Haan ji hai, aapka naam bata dijiye", content.Right},
		{"drill_recycled_number", 0, "s2", "ye hum nahi bata sakte ji", content.Right},
		{"drill_recycled_number", 0, "s2", "pehle Malti Dubey ji ka tha", content.Broken},
		{"drill_changed_number", 0, "s1", "Sab surakshit hai ji, naye number par call karen?", content.Right},
		{"drill_otp_fails", 0, "s1", "Maaf kijiye, code sirf phone number par jata hai isliye nahi aaya", content.Right},
		{"drill_otp_fails", 0, "s2", "Hum code kabhi nahi mangte, aap email se login kar lijiye", content.Right},
		{"drill_otp_fails", 0, "s2", "theek hai OTP bata dijiye", content.Broken},
		{"drill_wrong_link", 0, "s1", "Maaf kijiye, alag kar diya hai, malik ko bata diya", content.Right},
		{"drill_wrong_link", 0, "s2", "Kisi ka number nahi de sakte, malik aapko batayenge", content.Right},
		{"drill_erase_request", 0, "s1", "Zaroor, request likh li. Order number bhej dijiye", content.Right},
		{"drill_erase_request", 0, "s2", "Username kaafi nahi hai ji, malik aapko likhenge", content.Right},
		{"drill_marketing_question", 0, "s1", "username par message nahi jata, jisne hume likha usi ko bhej sakte hain", content.Right},
		{"drill_marketing_question", 0, "s2", "bill par QR code, phir offer ke liye haan puchiye", content.Right},
		{"drill_old_customer_refund", 1, "s1", "Hello ma'am, sorry for this. Can you share your bill or order no so I can check?", content.Right},
		{"drill_old_customer_refund", 1, "s1", "जी शबनम जी, माफ़ी चाहते हैं। ऑर्डर नंबर बता दीजिए, देख लेते हैं।", content.Wrong},
		{"drill_old_customer_refund", 1, "s2", "Thanks Shabnam ji! I have given it to my senior, she will reply here in 2 hours.", content.Right},
		{"drill_old_customer_refund", 1, "s2", "order mil gaya ji, main apni senior ko dikha raha hu, do ghante me bataungi", content.Right},
		{"drill_old_customer_refund", 0, "s2", "Got it sir. Team lead will check and reply today about your refund", content.Right},
		{"drill_old_customer_refund", 0, "s2", "Got it sir. Your refund will be credited today.", content.Broken},
		{"drill_shared_phone", 1, "s1", "Sorry Ayush, I cannot share another customer's bill. How can I help you?", content.Right},
		{"drill_shared_phone", 1, "s2", "Sure, please bring it to the shop. Shall I make the slip in your own name?", content.Right},
		{"drill_shared_phone", 0, "s2", "जी ज़रूर। ऑर्डर किसके नाम से लिखूँ, आपके?", content.Right},
		{"drill_guessable_number", 1, "s1", "Hi! I can't confirm a booking just by its number. Can you please tap Share contact info?", content.Right},
		{"drill_guessable_number", 1, "s1", "hum sirf booking number se nahi bata sakte, aapne kya book kiya tha wo bataiye", content.Right},
		{"drill_guessable_number", 0, "s2", "I understand sir, sorry. For safety we don't share addresses in chat. Please visit the shop.", content.Right},
		{"drill_guessable_number", 0, "s2", "सर, सुरक्षा के लिए हम पता शेयर नहीं करते। कृपया दुकान पर आ जाइए।", content.Right},
		{"drill_refuses_number", 1, "s1", "So that our courier can call you sir. Not compulsory.", content.Right},
		{"drill_refuses_number", 1, "s1", "कूरियर वाला कॉल करेगा इसलिए। देना ज़रूरी नहीं है।", content.Right},
		{"drill_refuses_number", 1, "s2", "okay sir no issue, we can talk on this chat itself", content.Right},
		{"drill_refuses_number", 1, "s2", "कोई दिक्कत नहीं, इसी चैट पर बात कर लेंगे", content.Right},
		{"drill_india_question", 1, "s1", "We don't have any date sir, please check WhatsApp settings", content.Right},
		{"drill_india_question", 1, "s1", "अभी कोई ऑफिशियल डेट नहीं आई है, WhatsApp सेटिंग में देख लीजिए", content.Right},
		{"drill_india_question", 1, "s2", "Sorry, I am not the right person to answer. I will pass it to our owner.", content.Right},
		{"drill_india_question", 1, "s2", "माफ़ कीजिए, इस पर मैं कुछ नहीं बोल सकता। मालिक से बात करवा देता हूँ।", content.Right},
		{"drill_lookalike", 1, "s1", "STOP! Do not pay. This is a fake account, not us. Our only handle is @ravi.motors", content.Right},
		{"drill_lookalike", 1, "s1", "मत दीजिए! ये फ़र्ज़ी है, हम नहीं हैं। पैसे मत भेजिए। हमारा @ravi.motors ही है", content.Right},
		{"drill_lookalike", 1, "s2", "Please block and report him. I'm informing my manager.", content.Right},
		{"drill_recycled_number", 1, "s1", "Office is open till 6 pm. May I know who is this?", content.Right},
		{"drill_recycled_number", 1, "s1", "6 बजे तक। आप कौन बोल रहे हैं जी?", content.Right},
		{"drill_recycled_number", 1, "s2", "Sorry ma'am, I am not allowed to tell that. I'll mark this number as yours now.", content.Right},
		{"drill_changed_number", 1, "s1", "Don't worry sir, your record is safe. Shall we call you on the new number?", content.Right},
		{"drill_changed_number", 1, "s2", "Thank you, we will not use the old number.", content.Right},
		{"drill_changed_number", 1, "s2", "जी शुक्रिया, पुराना नंबर हटा दिया", content.Right},
		{"drill_otp_fails", 1, "s1", "Sorry sister, not your mistake. The code only works with a mobile number because of WhatsApp rules.", content.Right},
		{"drill_otp_fails", 1, "s2", "Please don't send it to anyone, even us. We never ask for it. Come to our counter and we will help.", content.Right},
		{"drill_wrong_link", 1, "s1", "We apologise sir. I have separated the records and informed the owner.", content.Right},
		{"drill_wrong_link", 1, "s2", "Sorry, I can't share another patient's name. The owner will write to you about your data.", content.Right},
		{"drill_wrong_link", 0, "s1", "माफ़ कीजिए, ग़लती से जुड़ गया था। अब हटा दिया है और मैंने मालिक को बता दिया है।", content.Right},
		{"drill_erase_request", 1, "s1", "Sure sir, we will do it. Can you give me your booking number so we know which record is yours?", content.Right},
		{"drill_erase_request", 1, "s2", "Sorry sir, name and username can belong to someone else also. I am asking our owner to help you.", content.Right},
		{"drill_marketing_question", 1, "s1", "No, we can't message by username. Only people who messaged us first can be contacted.", content.Right},
		{"drill_marketing_question", 1, "s2", "Use click to WhatsApp ads or QR at counter, and take consent before sending reminders.", content.Right},
		{"drill_old_customer_refund", 0, "s1", "Please provide order id sir, it will help me find the right order", content.Right},
		{"drill_old_customer_refund", 0, "s1", "आप बिल की फोटो भेज दीजिए जी, ताकि हम सही ऑर्डर देख सकें", content.Right},
		{"drill_old_customer_refund", 0, "s1", "sir aapka number bhejiye", content.Wrong},
		{"drill_old_customer_refund", 0, "s1", "Sanjay ji, naam dekh ke aapka record khol diya maine", content.Broken},
		{"drill_old_customer_refund", 0, "s2", "सर, पैसे 3-4 दिन में आ जाएँगे, टीम देख रही है, धन्यवाद", content.Broken},
		{"drill_old_customer_refund", 0, "s2", "Thanks! lead will check. Refund takes 5 to 7 working days", content.Broken},
		{"drill_shared_phone", 0, "s1", "Namaste! That we can only share with Mahesh ji. Aapke liye kya kar sakte hain?", content.Right},
		{"drill_shared_phone", 0, "s1", "Haan ji batata hu, unhone ek gift liya tha", content.Broken},
		{"drill_shared_phone", 0, "s2", "ok ji, order aapke naam se likh du?", content.Right},
		{"drill_guessable_number", 0, "s1", "Sorry, sir. An order number is not enough. Which item did you order?", content.Right},
		{"drill_guessable_number", 0, "s1", "Haan ji, bus stand bhej dete hain", content.Wrong},
		{"drill_guessable_number", 0, "s1", "Ok sir, Kolar se bus stand kar dete hain", content.Broken},
		{"drill_guessable_number", 1, "s2", "ek facial booked hai 5 baje", content.Broken},
		{"drill_refuses_number", 0, "s1", "Number delivery boy ko dena hota hai taki wo call kar sake, agar aap chahen to", content.Right},
		{"drill_refuses_number", 0, "s1", "नंबर के बिना भी चलेगा, बस डिलीवरी वाले को फ़ोन करने के लिए चाहिए होता है, आपकी मर्ज़ी", content.Right},
		{"drill_refuses_number", 0, "s2", "That is perfectly fine, let us continue here", content.Right},
		{"drill_refuses_number", 0, "s2", "Bilkul milegi! yahin chat par baat karte hain", content.Right},
		{"drill_india_question", 0, "s1", "Sorry sir, abhi kuch announce nahi hua hai, app me check kar lijiye", content.Right},
		{"drill_india_question", 0, "s1", "15 August se chalu ho jayega sir", content.Broken},
		{"drill_india_question", 0, "s1", "It will be live from 15 August", content.Broken},
		{"drill_india_question", 0, "s1", "अगले साल तक आएगा", content.Broken},
		{"drill_india_question", 0, "s1", "bahut jaldi aa raha hai", content.Wrong},
		{"drill_lookalike", 0, "s1", "Nahi bhaiya, ye fraud hai! Paisa mat bhejna. Hamara sirf @bhopal.gas hai", content.Right},
		{"drill_lookalike", 0, "s1", "Yes that is us, please pay", content.Wrong},
		{"drill_lookalike", 0, "s2", "block kar do bhaiya aur report bhi, main apne senior ko batata hu", content.Right},
		{"drill_recycled_number", 0, "s1", "Yes available, 150 rupees. May I know your name please?", content.Right},
		{"drill_recycled_number", 0, "s1", "Malti ji haan hai, aapka naam confirm kar dijiye", content.Broken},
		{"drill_recycled_number", 0, "s2", "माफ़ कीजिए, यह जानकारी हम साझा नहीं करते", content.Right},
		{"drill_changed_number", 0, "s1", "Aapka parcel safe hai ji, kis number par call kare delivery wala?", content.Right},
		{"drill_changed_number", 0, "s2", "Thank you ji, old number is removed from our side", content.Right},
		{"drill_otp_fails", 0, "s1", "Apologies. OTP can be sent to phone number only, because you are on username it fails", content.Right},
		{"drill_otp_fails", 0, "s2", "Sir we do not ask OTP. Please visit reception, we will help you login.", content.Right},
		{"drill_otp_fails", 0, "s2", "hum kisi se OTP nahi lete sir, reception par aa jaiye", content.Right},
		{"drill_wrong_link", 0, "s1", "Extremely sorry. That was our mistake, we have unlinked it and our lead is informed", content.Right},
		{"drill_wrong_link", 0, "s2", "Sorry, we cannot give that. Our owner will call you and explain everything.", content.Right},
		{"drill_erase_request", 0, "s1", "ज़रूर जी, रिक्वेस्ट नोट कर ली है। बस ऑर्डर नंबर भेज दीजिए", content.Right},
		{"drill_erase_request", 0, "s2", "username akela kaafi nahi hai ji, kyunki koi bhi le sakta hai. Maalik se baat karke batate hain", content.Right},
		{"drill_erase_request", 0, "s2", "Done, deleted!", content.Wrong},
		{"drill_marketing_question", 0, "s1", "Nahi Ritu, username par pehle message nahi bhej sakte. Jinhone khud message kiya unhi ko bhej sakte hain", content.Right},
		{"drill_marketing_question", 0, "s2", "Boxes par QR lagwa do, jo likhe usse pooch lo ki offers chahiye ya nahi", content.Right},
	} {
		d, ok := bank(t).Drill(c.drill)
		if !ok {
			t.Fatalf("no drill %s", c.drill)
		}
		step, err := d.Variants[c.variant].Step(c.step)
		if err != nil {
			t.Fatal(err)
		}
		if r := content.Grade(step, c.answer); r.Outcome() != c.want {
			t.Errorf("%s, %s: %q is %s, want %s: %+v", c.drill, c.step, c.answer, r.Outcome(), c.want, r)
		}
	}
}

// What breaks a gate and what only sounds like it, as people type it.
func TestGatesAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	step := bank(t).Drills[0].Variants[0].Steps[0]
	for _, c := range []struct {
		answer string
		gate   string // empty for none
	}{
		{"Kindly tell me the 6 digit OTP", content.AsksOTP},
		{"aapke phone par ek code aaya hoga OTP wala, bolo", content.AsksOTP},
		{"verification ke liye aadhaar card ki photo bhejiye", content.AsksOTP},
		{"आधार कार्ड की फोटो भेज दें", content.AsksOTP},
		{"UPI PIN डालकर कन्फर्म कर दीजिए", content.AsksOTP},
		{"What was the OTP?", content.AsksOTP},
		{"OTP?", content.AsksOTP},
		{"pin bata do sir", content.AsksOTP},
		{"password share kar dijiye", content.AsksOTP},
		{"I need your Aadhaar to verify", content.AsksOTP},
		{"The refund will come by tomorrow evening", content.PromisesDate},
		{"do teen din me ho jayega", content.PromisesDate},
		{"परसों तक आ जाएगा", content.PromisesDate},
		{"Guaranteed within 48 hours", content.PromisesDate},
		{"by next Monday it is done", content.PromisesDate},
		{"Diwali tak chalu ho jayega", content.PromisesDate},
		{"इसी महीने शुरू हो जाएगा", content.PromisesDate},
		{"I can see the same name in our list, so it is you", content.MergesOnName},
		{"Rajesh naam ka record mil gaya, wahi khol raha hu", content.MergesOnName},
		{"आपकी फ़ोटो देखकर पहचान लिया, रिकॉर्ड जोड़ दिया", content.MergesOnName},
		{"username match ho gaya isliye jod diya", content.MergesOnName},
		{"Your registered mobile ends in 4521", content.RevealsData},
		{"aapka number 98xxxx4521 hai na?", content.RevealsData},
		{"last 4 digit 4521 hai na", content.RevealsData},
		{"आपका नंबर ••4521 है?", content.RevealsData},
		{"नंबर के आखिर में 62 है ना", content.RevealsData},
		{"Please send the order number so I can check it for you", ""},
		{"Sir please don't give OTP to anyone even if he says he is from our shop", ""},
		{"OTP ya PIN kisi ko bhi na dein, hum kabhi nahi maangte", ""},
		{"हम OTP, PIN या पासवर्ड नहीं पूछते", ""},
		{"Tell me which order it was", ""},
		{"I can't say the day, the courier decides", ""},
		{"हमारी लीड दो घंटे में जवाब देंगी", ""},
		{"There is no fixed date, sir", ""},
		{"अभी तारीख़ तय नहीं है", ""},
		{"Just a name is not proof, please share the bill", ""},
		{"naam ek jaisa ho sakta hai, isliye order number chahiye", ""},
		{"Aapka naam kya hai ji?", ""},
		{"May I know your good name?", ""},
		{"We will connect the two once you tap the share button", ""},
		{"Yes, the shop is open till 8 pm today", ""},
		{"Rs 1500 ka hai, 2 piece bache hain", ""},
		{"Bill number 20418 mil gaya", ""},
		{"आप कल भी आ सकते हैं, दुकान खुली रहेगी", ""},
		{"mujhe OTP forward kar do", content.AsksOTP},
		{"Aadhar no. dijiye verify karna hai", content.AsksOTP},
		{"Confirm your UPI pin please", content.AsksOTP},
		{"अपना पासवर्ड बताएँ, हम लॉग-इन कर देंगे", content.AsksOTP},
		{"jo 4 number ka pin aaya hai wo likh do", content.AsksOTP},
		{"kal subah tak paise mil jayenge", content.PromisesDate},
		{"You will get it in 2-3 days", content.PromisesDate},
		{"एक हफ़्ते में पक्का चालू हो जाएगा", content.PromisesDate},
		{"mangalwar ko aa jayega", content.PromisesDate},
		{"Next month it starts in India", content.PromisesDate},
		{"Your profile picture matches so I merged both", content.MergesOnName},
		{"Found your account by name, linking now", content.MergesOnName},
		{"naam same hai to maine dono jod diye", content.MergesOnName},
		{"डीपी से पहचान लिया और जोड़ दिया", content.MergesOnName},
		{"is your number 9800000045?", content.RevealsData},
		{"aakhri ank 45 hain?", content.RevealsData},
		{"Your order will be delivered when the courier calls you", ""},
		{"Please do not share your PIN or OTP", ""},
		{"I will ask my senior and reply in ten minutes", ""},
		{"order number bata dijiye, OTP nahi chahiye", ""},
		{"Aadhaar ki zaroorat nahi hai", ""},
		{"हम नाम देखकर नहीं जोड़ते", ""},
		{"username badal bhi sakta hai, isliye order number chahiye", ""},
		{"Which name should I write on the bill?", ""},
		{"You can also find us by our username on the bill", ""},
		{"Link pe click karke check kar lijiye", ""},
	} {
		r := content.Grade(step, c.answer)
		if c.gate == "" && len(r.Broken) > 0 || c.gate != "" && !slices.Contains(r.Broken, c.gate) {
			t.Errorf("%q breaks %v, want %q", c.answer, r.Broken, c.gate)
		}
	}
}

// A code is asked for in more ways than by its name OTP; and the word code stands in much that asks for none.
func TestWhoAsksForACodeIsStopped(t *testing.T) {
	t.Parallel()
	d, ok := bank(t).Drill("drill_otp_fails")
	if !ok {
		t.Fatal("no drill_otp_fails")
	}
	for _, answer := range []string{
		"Aapke phone par jo code aaya hai wo yahan likh dijiye",
		"jo code aaya hai bata dijiye",
		"Code likhiye sir, main login kar deta hu",
		"likh dijiye jo code aaya hai",
		"bhej do wo code",
		"SMS me code aaya hoga, yahin bhej dijiye",
		"6 number ka code batao",
		"aap mujhe code forward kar dijiye, main dekh leta hu",
		"app par jo code aaya wo yahan likh do",
		"hum kabhi OTP nahi maangte, bas aap code bol dijiye",
		"bataiye code kya aaya hai",
		"code de do ji",
		"आपके फ़ोन पर जो कोड आया है वह यहाँ लिख दीजिए",
		"कोड बताइए",
		"भेज दीजिए जो कोड आया है",
	} {
		for n := range d.Variants {
			for _, id := range []string{"s1", "s2"} {
				step, err := d.Variants[n].Step(id)
				if err != nil {
					t.Fatal(err)
				}
				if r := content.Grade(step, answer); !slices.Contains(r.Broken, content.AsksOTP) {
					t.Errorf("variant %d, %s: %q breaks %v, want %s", n, id, answer, r.Broken, content.AsksOTP)
				}
			}
		}
	}
	step, err := d.Variants[0].Step("s1")
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{
		"hum kabhi code nahi maangte",
		"code kisi ko mat bataiye, hume bhi nahi",
		"code kisi ko na bhejen",
		"OTP kisi ko dena mat",
		"code sirf phone number par jata hai isliye apna email bata dijiye",
		"agar code nahi aaya to bata dijiye",
		"kya code aaya ya nahi bataiye",
		"code ke liye apna number bata dijiye",
		"counter par lage QR code ko scan karke likhiye",
		"apna pin code bhej dijiye, delivery ke liye",
		"code app me hi likhiye, yahan nahi",
		"code ke bina bhi naam bata dijiye, hum dekh lenge",
		"hum code dobara bhej dete hain",
		"कोड किसी को न बताएँ, हमें भी नहीं",
		"कोड सिर्फ़ फ़ोन नंबर पर जाता है इसलिए ई-मेल बता दीजिए",
	} {
		if r := content.Grade(step, answer); len(r.Broken) > 0 {
			t.Errorf("%q breaks %v, want nothing", answer, r.Broken)
		}
	}
}

// The Hindi texts say यूज़रनेम; people go on typing either word, and either counts.
func TestBothWordsForUsernameAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ drill, step, answer string }{
		{"drill_marketing_question", "s1", "%s पर मैसेज नहीं जाता, जिन्होंने हमें लिखा उन्हें लिख सकते हैं"},
		{"drill_erase_request", "s2", "माफ़ कीजिए, सिर्फ़ %s से नहीं, क्योंकि वह किसी और को मिल सकता है। हमारे मालिक आपको लिखेंगे।"},
	} {
		d, _ := bank(t).Drill(c.drill)
		step, err := d.Variants[0].Step(c.step)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"username", "यूज़रनेम", "यूजरनेम", "यूज़र नेम"} {
			answer := strings.ReplaceAll(c.answer, "%s", word)
			if r := content.Grade(step, answer); r.Outcome() != content.Right {
				t.Errorf("%s: %q is %s: %+v", c.drill, answer, r.Outcome(), r)
			}
		}
	}
	step := bank(t).Drills[0].Variants[0].Steps[0]
	for _, word := range []string{"username", "यूज़रनेम", "यू\u095bरनेम", "usernem"} {
		if r := content.Grade(step, word+" से देखकर रिकॉर्ड खोल दिया"); !slices.Contains(r.Broken, content.MergesOnName) {
			t.Errorf("%s: breaks %v, want %s", word, r.Broken, content.MergesOnName)
		}
	}
}
