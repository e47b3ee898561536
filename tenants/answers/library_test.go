package answers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/facts"
)

// claims are what only the ledger may say: days, months of a year, and how far WhatsApp's change has come somewhere.
var claims = []*regexp.Regexp{
	regexp.MustCompile(`\b20[23]\d\b|[२][०][२३][०-९]`),
	regexp.MustCompile(`(?i)\b(?:january|february|march|april|june|july|august|september|october|november|december)\b`),
	regexp.MustCompile(`(?:जनवरी|फ़रवरी|फरवरी|मार्च|अप्रैल|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर)`),
	regexp.MustCompile(`(?i)\b(?:paused|banned|rolled out|launch(?:ed|es)?|goes live|coming soon|active|live|on hold)\b[^.]{0,40}\b(?:in|for) India\b`),
	regexp.MustCompile(`भारत[^।]{0,40}(?:रुक|रोक|चालू हैं|चालू है।|शुरू हु)`),
}

// ruder are Hindi words that no customer and no colleague is addressed with.
var ruder = regexp.MustCompile(`(?:^|[ "“(])(?:तू|तुम|तेरा|तेरी|तुम्हारा|तुम्हारी|तुम्हें|करो|भेजो|बताओ|दबाओ|खोलो)(?:$|[ ,.।!?])`)

func TestBuiltInAnswersAreWhole(t *testing.T) {
	t.Parallel()
	cards, err := answers.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	ledger := ledgerKeys(t)
	count := map[string]int{}
	for _, c := range cards {
		count[c.Audience]++
		for _, key := range c.Facts {
			if !ledger[key] {
				t.Errorf("%s stands on %s, which the ledger does not have", c.Key, key)
			}
		}
		if len(c.Facts) == 0 && c.Source.EN == "" && c.Audience != "customers" {
			t.Errorf("%s has neither a fact nor a source", c.Key)
		}
		if (c.Source.EN == "") != (c.Source.HI == "") || len(c.Asks) < 3 {
			t.Errorf("%s: want its source in both languages and three ways to ask, got %q, %d", c.Key, c.Source, len(c.Asks))
		}
		for _, words := range []answers.Words{c.Question, c.Short, c.Long, c.Never} {
			judge(t, c.Key, words.EN, words.HI)
		}
		for _, short := range []string{c.Short.EN, c.Short.HI} {
			if n := utf8.RuneCountInString(short); n > 150 {
				t.Errorf("%s: a short answer of %d letters, want two lines", c.Key, n)
			}
		}
	}
	if len(cards) < 24 || count["customers"] < 14 || count["team"] < 10 || count["business"] < 1 {
		t.Errorf("got %v, want the 24 cards and more", count)
	}
}

func TestMacrosAreWhole(t *testing.T) {
	t.Parallel()
	var macros []answers.Macro
	raw, err := os.ReadFile("library/macros.json")
	if err == nil {
		err = json.Unmarshal(raw, &macros)
	}
	if err != nil {
		t.Fatal(err)
	}
	ledger := ledgerKeys(t)
	if len(macros) != 18 {
		t.Errorf("got %d macros, want 18", len(macros))
	}
	for _, raw := range macros {
		m, err := answers.OneMacro(raw.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range m.Facts {
			if !ledger[key] {
				t.Errorf("%s stands on %s, which the ledger does not have", m.Key, key)
			}
		}
		judge(t, m.Key, m.Title.EN, m.Title.HI)
		judge(t, m.Key, m.When.EN, m.When.HI)
		judge(t, m.Key, m.Text.EN, m.Text.HI)
		if strings.ContainsFunc(m.Text.Hinglish, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) || m.Text.Hinglish == m.Text.EN {
			t.Errorf("%s: Hinglish is Hindi in Latin letters, got %q", m.Key, m.Text.Hinglish)
		}
		slots := regexp.MustCompile(`\{[^}]*\}`)
		en := slots.FindAllString(m.Text.EN, -1)
		slices.Sort(en)
		for _, lang := range answers.Languages {
			here := slots.FindAllString(m.Text.In(lang), -1)
			slices.Sort(here)
			if m.Key != "m06" && m.Key != "m16" && !slices.Equal(en, here) {
				t.Errorf("%s: %s has %v, English %v", m.Key, lang, here, en)
			}
		}
	}
	// what admits a leak, and what says that data is gone, are sent by a lead; they are found by what they are about
	for _, subject := range []string{"Wrong person", "Deletion is done"} {
		found := false
		for _, m := range macros {
			if strings.HasPrefix(m.Title.EN, subject) {
				found = true
				if m.Guard != "lead" {
					t.Errorf("%s (%s): got guard %q, want a lead's", subject, m.Key, m.Guard)
				}
			}
		}
		if !found {
			t.Errorf("no macro on %q", subject)
		}
	}
}

func judge(t *testing.T, key, en, hi string) {
	t.Helper()
	if !strings.ContainsFunc(strings.ReplaceAll(hi, "{", ""), func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) && !strings.HasPrefix(hi, "{fact:") {
		t.Errorf("%s: Hindi without Devanagari: %q", key, hi)
	}
	if ruder.MatchString(hi) {
		t.Errorf("%s: not polite: %q", key, hi)
	}
	for _, text := range []string{en, hi} {
		if text == "" {
			t.Errorf("%s lacks a language", key)
		}
		for _, claim := range claims {
			if found := claim.FindString(text); found != "" {
				t.Errorf("%s says %q: that belongs in the ledger", key, found)
			}
		}
	}
}

func ledgerKeys(t *testing.T) map[string]bool {
	t.Helper()
	list, err := facts.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, f := range list {
		keys[f.Key] = true
	}

	return keys
}

// No word of the search stands in two groups, so that it is certain what it finds.
func TestSearchWordsStandOnce(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("library", "words.json"))
	if err != nil {
		t.Fatal(err)
	}
	var groups [][]string
	if err := json.Unmarshal(raw, &groups); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, word := range slices.Concat(groups...) {
		if seen[word] {
			t.Errorf("%s stands twice", word)
		}
		seen[word] = true
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	cards, err := answers.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	// What customers ask in either script and as they spell it, and the card that must be among the first three.
	for query, want := range map[string]string{
		"username kya hai": "what_is_it",
		"यूज़रनेम क्या है":         "what_is_it",
		"yuzarnem kya hota he":     "what_is_it",
		"नंबर दिखता है क्या":       "see_my_number",
		"mera namber dikhega":      "see_my_number",
		"can you see my number":    "see_my_number",
		"bharat me kab chalu hoga": "india",
		"भारत में कब आएगा":         "india",
		"india":                 "india",
		"zaroori hai kya":       "compulsory",
		"order purana":          "history_lost",
		"ऑर्डर":                 "history_lost",
		"otp maang raha hai":    "asked_money",
		"147005":                "reservation_errors",
		"is this account fake":  "really_you",
		"ek phone pura parivar": "shared_phone",
		"mera data hatao":       "delete_my_data",
		"जानकारी हटाइए":         "delete_my_data",
		"bsuid":                 "whatsapp_id",
		"नाम नहीं मिल रहा": "name_taken",
		"reserv":                         "reserve", // still being typed
		"ब्लॉ":                           "block_you",
		"encryp":                         "encryption_calls",
		"what is the NÚMBER i must tell": "must_i_tell",
		"क्या मुझे फ़ोन नम्बर बताना होगा ?": "must_i_tell",
	} {
		found, err := answers.Find(cards, query)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, c := range found[:min(3, len(found))] {
			keys = append(keys, c.Key)
		}
		if !slices.Contains(keys, want) {
			t.Errorf("%q: got %v first, want %s", query, keys, want)
		}
	}
	for _, query := range []string{"xyzzy plugh", "क्रिकेट स्कोर"} {
		if found, err := answers.Find(cards, query); err != nil || len(found) > 0 {
			t.Errorf("%q: got %d cards (%v), want none", query, len(found), err)
		}
	}
	if all, err := answers.Find(cards, "  "); err != nil || len(all) != len(cards) {
		t.Errorf("nothing asked: got %d of %d cards (%v)", len(all), len(cards), err)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Mera number 98765 43210 hai":            "Mera number ••• hai",
		"मेरा नंबर ९८७६५४३२१० है":                "मेरा नंबर ••• है",
		"I am @asha.verma, order 4711":           "I am •••, order 4711",
		"write asha@example.org or +91-98-76543": "write ••• or •••",
		"see https://example.org/u/77?t=1 ok":    "see ••• ok",
		"मैं आशा हूँ, क्या नंबर दिखता है?":       "मैं ••• हूँ, क्या नंबर दिखता है?",
		"This is Asha  Verma's phone.\nWhat now": "This is ••• Verma's phone. What now",
	} {
		if got := answers.Mask(text, "Asha", "आशा वर्मा"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := answers.Mask(strings.Repeat("क ", 400)); utf8.RuneCountInString(got) > 300 {
		t.Errorf("got %d letters, want at most 300", utf8.RuneCountInString(got))
	}
}
