package content_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pehchan/pehchan/tenants/training/content"
)

func bank(t *testing.T) *content.Bank {
	t.Helper()
	b, err := content.Shipped()
	if err != nil {
		t.Fatal(err)
	}

	return b
}

func both(t content.Text) map[string]string { return map[string]string{"en": t.EN, "hi": t.HI} }

// Every drill can be passed with its own model answers in both languages, and is not passed with the answers it warns of.
func TestDrillsJudgeTheirOwnExamples(t *testing.T) {
	t.Parallel()
	for _, d := range bank(t).Drills {
		for n, v := range d.Variants {
			for _, s := range v.Steps {
				at := fmt.Sprintf("%s, variant %d, step %s", d.ID, n+1, s.ID)
				if s.Asks != content.Reply {
					for _, c := range s.Choices {
						want := content.Wrong
						if c.Right {
							want = content.Right
						} else if c.Gate != "" {
							want = content.Broken
						}
						if got := content.Grade(s, c.ID).Outcome(); got != want {
							t.Errorf("%s, choice %s: got %s, want %s", at, c.ID, got, want)
						}
					}
					continue
				}
				for lang, answer := range both(s.Model) {
					if r := content.Grade(s, answer); r.Outcome() != content.Right || len(r.Tone) > 0 {
						t.Errorf("%s: the model answer in %s is %s: %q: %+v", at, lang, r.Outcome(), answer, r)
					}
				}
				if len(s.Wrong) == 0 || len(s.Dangerous) == 0 {
					t.Errorf("%s: want a wrong and a dangerous example", at)
				}
				for _, w := range s.Wrong {
					for lang, answer := range both(w.Answer) {
						if r := content.Grade(s, answer); r.Outcome() != content.Wrong {
							t.Errorf("%s: in %s %q is %s, want wrong: %+v", at, lang, answer, r.Outcome(), r)
						}
					}
				}
				for _, bad := range s.Dangerous {
					for lang, answer := range both(bad.Answer) {
						if r := content.Grade(s, answer); !slices.Contains(r.Broken, bad.Gate) {
							t.Errorf("%s: in %s %q breaks %v, want %s", at, lang, answer, r.Broken, bad.Gate)
						}
					}
				}
			}
		}
	}
}

// Whoever says the right things goes the whole way; whoever breaks a gate is asked to mend it, and then it is over.
func TestDrillsLeadToAnEnd(t *testing.T) {
	t.Parallel()
	for _, d := range bank(t).Drills {
		for n, v := range d.Variants {
			at := fmt.Sprintf("%s, variant %d", d.ID, n+1)
			for _, answers := range []content.Outcome{content.Right, content.Wrong, content.Broken} {
				step, seen := v.Begin(), []string{}
				for {
					if slices.Contains(seen, step.ID) {
						t.Fatalf("%s: %s again after %v", at, step.ID, seen)
					}
					seen = append(seen, step.ID)
					r := content.Result{}
					switch answers {
					case content.Wrong:
						r.Missing = []content.Text{{EN: "x"}}
					case content.Broken:
						r.Broken = []string{content.AsksOTP}
					case content.Right:
					}
					next, done, err := v.After(step, r)
					if err != nil {
						t.Fatalf("%s: %v", at, err)
					}
					if done {
						break
					}
					step = next
				}
				if answers == content.Broken && step.ID != "repair" {
					t.Errorf("%s: a broken gate led to %v", at, seen)
				}
				if answers == content.Right && (len(seen) < 3 || slices.ContainsFunc(v.Steps, func(s content.Step) bool {
					return s.Like == "" && s.ID != "repair" && !slices.Contains(seen, s.ID)
				})) {
					t.Errorf("%s: right answers met only %v", at, seen)
				}
			}
		}
	}
}

// The rules that every written answer is judged by, on answers as people type them.
func TestGates(t *testing.T) {
	t.Parallel()
	step := bank(t).Drills[0].Variants[0].Steps[0]
	for _, c := range []struct {
		answer string
		gate   string // empty for none
	}{
		{"Please share the OTP you got", content.AsksOTP},
		{"OTP bhej dijiye", content.AsksOTP},
		{"ek OTP aaya hoga, bata dijiye", content.AsksOTP},
		{"अपना आधार नंबर भेजिए", content.AsksOTP},
		{"ओटीपी बताइए", content.AsksOTP},
		{"Don't worry, send me the OTP", content.AsksOTP},
		{"चिंता न करें, OTP भेज दीजिए", content.AsksOTP},
		{"We never ask for an OTP", ""},
		{"Please don't share your OTP with anybody", ""},
		{"Please do not pay or share any OTP.", ""},
		{"OTP kisi ko mat batana", ""},
		{"OTP किसी को न बताएँ", ""},
		{"कृपया पैसे या OTP न दें। हम कभी नहीं माँगते।", ""},
		{"OTP किसी से शेयर न करें", ""},
		{"OTP kisi se share na karein", ""},
		{"OTP kisi ko bhi mat bataiyega", ""},
		{"Nobody should ask you for an OTP", ""},
		{"Keep the OTP to yourself", ""},
		{"Please enter the OTP in the app yourself", ""},
		{"ऐप में OTP डालिए, हमें नहीं", ""},
		{"App me OTP aaya hoga, wo mujhe bhej do", content.AsksOTP},
		{"OTP के लिए फ़ोन नंबर चाहिए", ""},
		{"OTP ke liye number chahiye", ""},
		{"You need a phone number for the OTP", ""},
		{"OTP सिर्फ़ फ़ोन नंबर पर आता है, चाहें तो नंबर शेयर कर दें", ""},
		{"Please share your number; the OTP will come there", ""},
		{"OTP और नंबर भेज दीजिए", content.AsksOTP},
		{"number aur OTP bhej do", content.AsksOTP},
		{"OTP number par aaya hoga, wo bata do", content.AsksOTP},
		{"जो OTP आपके नंबर पर आया, वह बता दीजिए", content.AsksOTP},
		{"The OTP that came to your phone, please tell it to me", content.AsksOTP},
		{"Dont worry and send the OTP", content.AsksOTP},
		{"Please send your order number, never your OTP.", ""},
		{"Please send your pin code for the delivery", ""},
		{"पिन कोड भेज दीजिए", ""},
		{"It will start next week", content.PromisesDate},
		{"अगले हफ़्ते मिल जाएगा", content.PromisesDate},
		{"kal tak aa jayega", content.PromisesDate},
		{"2 दिन में हो जाएगा", content.PromisesDate},
		{"2 din me ho jayega", content.PromisesDate},
		{"No date has been announced, so I can't promise one for next week", ""},
		{"कल तक का वादा नहीं कर सकता, कोई तारीख़ नहीं दी गई", ""},
		{"My lead answers within two hours", ""},
		{"Please come to the shop tomorrow", ""},
		{"कल दुकान पर आ जाइए", ""},
		{"Your name is the same, so I have linked your old record", content.MergesOnName},
		{"naam wahi hai isliye purana record khol diya", content.MergesOnName},
		{"नाम मिल गया, आपका पुराना खाता खोल दिया", content.MergesOnName},
		{"नाम एक ही है इसलिए जोड़ दिया है", content.MergesOnName},
		{"I can't open a record by name alone", ""},
		{"सिर्फ़ नाम से खाता नहीं खोल सकते", ""},
		{"sirf naam se record nahi khol sakte", ""},
		{"हमारा असली username बिल पर है, और भरोसा पेज का link भी", ""},
		{"Open that chat, report the username and block it", ""},
		{"यह नाम हम नक़ली नामों की सूची में जोड़ रहे हैं", ""},
		{"पर्ची की फ़ोटो भेजें ताकि रिकॉर्ड खोल सकें", ""},
		{"अपना नाम लिख दीजिए, मालिक से बात करा देंगे", ""},
		{"Leave your name and I will connect you to our owner", ""},
		{"username देखकर रिकॉर्ड खोल दिया", content.MergesOnName},
		{"I opened your record by the username", content.MergesOnName},
		{"Your profile photo is the same so I linked you", content.MergesOnName},
		{"नाम से रिकार्ड नही खोल सकते", ""},
		{"आपके नाम पर नया रिकॉर्ड खोल देते हैं", ""},
		{"I open a new record in your name", ""},
		{"ऑर्डर नंबर और नाम भेज दें ताकि सही खाता खोल सकूँ", ""},
		{"Your number ends with 480, right?", content.RevealsData},
		{"आख़िरी अंक 480 हैं न?", content.RevealsData},
		{"9800000230 is the number we have", content.RevealsData},
		{"Bill number 4471 mil gaya, dhanyavaad", ""},
	} {
		r := content.Grade(step, c.answer)
		if c.gate == "" && len(r.Broken) > 0 || c.gate != "" && !slices.Contains(r.Broken, c.gate) {
			t.Errorf("%q breaks %v, want %q", c.answer, r.Broken, c.gate)
		}
	}
}

func TestTone(t *testing.T) {
	t.Parallel()
	step := bank(t).Drills[0].Variants[0].Steps[0]
	for answer, want := range map[string]int{
		"कृपया ऑर्डर नंबर भेजिए":                    0,
		"Please send the order number":              0,
		"order number bhejo tum":                    2, // no please, and tum
		"तुम अपना नंबर भेजो":                        2,
		"Please wait, our webhook has no BSUID yet": 1,
	} {
		if r := content.Grade(step, answer); len(r.Tone) != want {
			t.Errorf("%q lacks %v, want %d", answer, r.Tone, want)
		}
	}
	if r := content.Grade(step, ""); r.Outcome() != content.Wrong {
		t.Errorf("silence is %s, want wrong", r.Outcome())
	}
	long := ""
	for range 61 {
		long += "please "
	}
	if r := content.Grade(step, long); len(r.Tone) != 1 {
		t.Errorf("61 words lack %v, want one thing", r.Tone)
	}
}
