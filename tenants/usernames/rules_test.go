package usernames_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/usernames"
)

func codes(remarks []usernames.Remark) (list []string) {
	for _, r := range remarks {
		list = append(list, r.Code)
	}

	return list
}

// TestCheckByTheFactSheet: domain facts 2.4, rule by rule.
func TestCheckByTheFactSheet(t *testing.T) {
	t.Parallel()

	for name, want := range map[string][]string{
		"asha.clinic":            nil,
		"@AshaClinic":            nil, // capitals make no difference, and the @ is how it is shown
		"abc":                    nil,
		strings.Repeat("a", 35):  nil,
		"a_1":                    nil,
		"my_id":                  nil,
		"":                       {"empty"},
		"@":                      {"empty"},
		"ab":                     {"short"},
		strings.Repeat("a", 36):  {"long"},
		"asha clinic":            {"character"},
		"josé":                   {"character"},
		"आशा":                    {"character", "letter"},
		"12345":                  {"letter"},
		"._.":                    {"letter", "first_dot", "last_dot"},
		".asha":                  {"first_dot"},
		"asha.":                  {"last_dot"},
		"asha..clinic":           {"two_dots"},
		"www.asha":               {"www"},
		"wwwasha":                {"www"},
		"asha.com":               {"domain"},
		"asha.clinic.in":         {"domain"},
		"asha.html":              {"domain"},
		"ashacom":                nil,
		"whatsapp":               {"reserved"},
		"asha-clinic!":           {"character"},
		strings.Repeat("आ", 40):  {"long", "character", "letter"},
		"asha\u200dclinic":       {"character"},
		strings.Repeat("a", 500): {"long"},
	} {
		if got := codes(usernames.Check(name)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
	if got := usernames.Check("a b!c!"); len(got) != 1 || got[0].Part != "␣!" {
		t.Errorf("got %v, want each odd character once", got)
	}

	for name, want := range map[string][]string{
		"asha.clinic":     nil,
		"asha.shop":       {"domain_maybe"},
		"whatsappasha":    {"reserved_maybe"},
		"modern":          {"looks"},
		"asha0clinic":     {"looks"},
		"24seven":         nil,
		"asha_clinic":     {"underscore"},
		"asha.clinic.and": nil,
		"sharmageneralstorebhopal": {
			"unwieldy",
		},
	} {
		if got := codes(usernames.Cautions(name)); !slices.Equal(got, want) {
			t.Errorf("caution on %q: got %v, want %v", name, got, want)
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()

	for hindi, want := range map[string]string{
		"आशा": "asha", "क्लिनिक": "clinic", "शर्मा": "sharma", "जनरल": "general", "स्टोर": "store", "रामदेव": "ramdev", "मोहनलाल": "mohanlal", "कमला": "kamla",
		"भारत": "bharat", "भोपाल": "bhopal", "इंदौर": "indore", "चंडीगढ़": "chandigarh", "बाज़ार": "bazaar", "गैस": "gas", "फ़ातिमा": "fatima", "ज़ैदी": "zaidi", "लक्ष्मी": "lakshmi",
		"नीम": "nim", "Café": "cafe", "Patel's": "patels", "24x7": "24x7", "❤️": "", "சென்னை": "", "गुप्ता": "gupta", "अंजली": "anjali",
	} {
		if got := usernames.Say(hindi); got != want {
			t.Errorf("%s: got %q, want %q", hindi, got, want)
		}
	}
}

func TestIdeas(t *testing.T) {
	t.Parallel()
	names := func(list []usernames.Idea) (out []string) {
		for _, i := range list {
			out = append(out, i.Name)
		}
		return out
	}

	hindi, english := usernames.Ideas("आशा क्लिनिक", "भोपाल", nil), usernames.Ideas("Asha Clinic", "Bhopal", nil)
	if !slices.Equal(names(hindi), names(english)) {
		t.Errorf("Hindi gives %v, English %v", names(hindi), names(english))
	}
	for _, want := range []string{"ashaclinic", "asha.clinic", "ashaclinicbhopal", "asha.bhopal"} {
		if !slices.Contains(names(hindi), want) {
			t.Errorf("got %v, want %s among them", names(hindi), want)
		}
	}
	if got := usernames.Ideas("Asha Clinic", "", []string{"asha.clinic", "ashacare"}); len(got) < 3 || got[0].Name != "asha.clinic" || got[1].Name != "ashacare" || !got[0].Held || !got[1].Held || got[2].Held {
		t.Errorf("held ones come first and are marked: got %+v", got)
	}

	// What looks like something else is left out, unless there is nothing else.
	for _, i := range usernames.Ideas("Sharma Modern Store", "Delhi", nil) {
		if strings.Contains(i.Name, "rn") {
			t.Errorf("offers %s, whose rn looks like m", i.Name)
		}
	}
	if got := usernames.Ideas("Modern", "", nil); len(got) != 1 || len(got[0].Cautions) == 0 {
		t.Errorf("got %+v, want the only name there is, with a caution", got)
	}

	for _, shop := range []string{
		"", "❤️", "शर्मा जनरल स्टोर", "M/s Ravi Motors Pvt. Ltd.", "राय मेडिकल एंड जनरल स्टोर्स", "24 Seven Mart", "www", "Dr. A.K. Gupta's Dental Clinic & Implant Centre",
		strings.Repeat("बहुत लंबा नाम ", 40), "facebook", "...", "SBI", "आइसक्रीम", "नमः शिवाय", "1 2 3",
	} {
		for _, city := range []string{"", "इंदौर", "New Delhi", "com", "in"} {
			for _, i := range usernames.Ideas(shop, city, nil) {
				if faults := usernames.Check(i.Name); len(faults) > 0 {
					t.Errorf("%q in %q: offers %q, which has %v", shop, city, i.Name, faults)
				}
				if strings.Contains(i.Name, "_") || i.Name != strings.ToLower(i.Name) {
					t.Errorf("%q: offers %q, which is not sayable", shop, i.Name)
				}
			}
		}
	}
}

func TestLookalikes(t *testing.T) {
	t.Parallel()

	list := usernames.Lookalikes("@Asha.Clinic")
	if len(list) != usernames.MostLookalikes {
		t.Errorf("got %d, want %d", len(list), usernames.MostLookalikes)
	}
	seen := map[string]bool{}
	for _, l := range list {
		if l.Name == "asha.clinic" || len(usernames.Check(l.Name)) > 0 || seen[l.Name] || l.How == "" {
			t.Errorf("got %+v: want another name that may be had, once", l)
		}
		seen[l.Name] = true
	}
	for _, want := range []string{"ashaclinic", "asha_clinic", "asha.cl1nic", "asha.dinic", "ashaclinicofficial", "asha.clinic.support", "4sha.clinic"} {
		if !seen[want] {
			t.Errorf("want %s among %v", want, list)
		}
	}
	if got := usernames.Lookalikes("no such name!"); got != nil {
		t.Errorf("of no name: got %v", got)
	}
}
