package content_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training/content"
)

// texts walks over every text of a value, with where it stands.
func texts(at string, v reflect.Value, visit func(at string, text content.Text)) {
	if text, ok := v.Interface().(content.Text); ok {
		visit(at, text)
		return
	}
	switch v.Kind() { //nolint:exhaustive // the rest holds no text
	case reflect.Pointer:
		if !v.IsNil() {
			texts(at, v.Elem(), visit)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			texts(fmt.Sprintf("%s[%d]", at, i), v.Index(i), visit)
		}
	case reflect.Struct:
		if id := v.FieldByName("ID"); id.IsValid() {
			at += "/" + id.String()
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				texts(at+"."+f.Name, v.Field(i), visit)
			}
		}
	}
}

// devanagari tells whether any of it is in Hindi letters; words such as WhatsApp and OTP stay in Latin ones.
func devanagari(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) })
}

var (
	figure      = regexp.MustCompile(`\d+`)
	placeholder = regexp.MustCompile(`\{[^}]*\}`)
	// informal are the ways of speaking to somebody that a customer is never met with.
	informal = regexp.MustCompile(`(?:^|\s)(?:तू|तुम|तेरा|तेरी|तुम्हारा|तुम्हारी|तुझे|तुम्हें)(?:\s|$|[,।?])`)
	// claims are what only the ledger may say; tenants/facts has the whole net for pages.
	claims = []*regexp.Regexp{
		regexp.MustCompile(`\b20[23]\d\b|२०[२३][०-९]`),
		regexp.MustCompile(`(?i)\b(?:january|february|march|april|june|july|august|september|october|november|december)\b`),
		regexp.MustCompile(`\d{1,2} (?:जनवरी|फ़रवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|अक्टूबर|नवंबर|दिसंबर)`),
		regexp.MustCompile(`(?i)\b(?:paused|banned|rolled out|launch(?:ed|es)?|went live|halted|on hold|is live|is active)\b`),
		regexp.MustCompile(`(?:भारत|नेपाल|मलेशिया|सिंगापुर|अमेरिका)[^।]{0,40}(?:रुका|रोका|चालू है|शुरू हुआ|लागू)`),
	}
)

func TestEveryTextIsInBothLanguages(t *testing.T) {
	t.Parallel()
	shipped, err := facts.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range shipped {
		known[f.Key] = true
	}
	seen := 0
	texts("", reflect.ValueOf(*bank(t)), func(at string, text content.Text) {
		if text == (content.Text{}) {
			return // fields that may be empty are asked for by name elsewhere
		}
		seen++
		if strings.TrimSpace(text.EN) == "" || strings.TrimSpace(text.HI) == "" || strings.TrimSpace(text.EN) != text.EN || strings.TrimSpace(text.HI) != text.HI {
			t.Errorf("%s: %q, %q", at, text.EN, text.HI)
		}
		if !devanagari(text.HI) && text.EN != text.HI {
			t.Errorf("%s: Hindi without Devanagari: %q", at, text.HI)
		}
		if devanagari(text.EN) {
			t.Errorf("%s: English with Devanagari: %q", at, text.EN)
		}
		if !strings.Contains(at, ".Customer") && !strings.Contains(at, ".Chat") && !strings.Contains(at, ".Wrong") &&
			!strings.Contains(at, ".Tone") && informal.MatchString(text.HI) {
			t.Errorf("%s: not in the आप form: %q", at, text.HI)
		}
		if a, b := figures(text.EN), figures(text.HI); a != b {
			t.Errorf("%s: English has the figures %s, Hindi %s", at, a, b)
		}
		if !strings.Contains(at, ".Dangerous") {
			for _, claim := range claims {
				if found := claim.FindString(text.EN + " " + text.HI); found != "" {
					t.Errorf("%s says %q: only the ledger may", at, found)
				}
			}
		}
		for _, half := range both(text) {
			for _, name := range placeholder.FindAllString(half, -1) {
				key, ok := strings.CutPrefix(strings.Trim(name, "{}"), "fact:")
				if !ok || !known[key] {
					t.Errorf("%s: %s is no fact of the ledger", at, name)
				}
			}
			if filled := text.Filled("en", func(key string) string { return "<" + key + ">" }); strings.Contains(filled, "{fact:") {
				t.Errorf("%s: %q is not filled", at, filled)
			}
		}
	})
	t.Logf("%d texts", seen)

	linked := func(at string, keys []string) {
		for _, key := range keys {
			if !known[key] {
				t.Errorf("%s: %s is no fact of the ledger", at, key)
			}
		}
	}
	for _, l := range bank(t).Lessons {
		linked(l.ID, l.Facts)
	}
	for _, i := range bank(t).Items {
		linked(i.ID, i.Facts)
	}
	for _, d := range bank(t).Drills {
		linked(d.ID, d.Facts)
	}
}

func figures(text string) string {
	found := figure.FindAllString(text, -1)
	slices.Sort(found)

	return strings.Join(found, " ")
}

func TestLessonsAreShort(t *testing.T) {
	t.Parallel()
	for _, l := range bank(t).Lessons {
		if l.Minutes < 1 || l.Minutes > 2 || l.Title == (content.Text{}) {
			t.Errorf("%s: %d minutes, title %q", l.ID, l.Minutes, l.Title.EN)
		}
		for lang := range both(l.Title) {
			words := 0
			for _, p := range l.Body {
				words += len(strings.Fields(p.In(lang)))
			}
			if words < 40 || words > 250 {
				t.Errorf("%s: %d words in %s, want 40 to 250", l.ID, words, lang)
			}
		}
		for _, role := range l.Roles {
			if !slices.Contains(content.Roles, role) {
				t.Errorf("%s is for %q", l.ID, role)
			}
		}
	}
}

func TestItemsExplainThemselves(t *testing.T) {
	t.Parallel()
	for _, i := range bank(t).Items {
		if i.Question == (content.Text{}) || i.Explanation == (content.Text{}) {
			t.Errorf("%s has no question or no explanation", i.ID)
		}
		for _, o := range i.Options {
			if o.Text == (content.Text{}) || (o.Why == (content.Text{})) != (i.Format == content.Order) {
				t.Errorf("%s, option %s: %q, because %q", i.ID, o.ID, o.Text.EN, o.Why.EN)
			}
			want := i.Format != content.Order && o.Right
			if right, gate := i.Answered(o.ID); right != want || gate != o.Gate {
				t.Errorf("%s: option %s counts as %v, %q", i.ID, o.ID, right, gate)
			}
		}
		if i.Format == content.Order {
			if right, _ := i.Answered(i.Order...); !right {
				t.Errorf("%s: its own order does not count", i.ID)
			}
			back := slices.Clone(i.Order)
			slices.Reverse(back)
			if right, _ := i.Answered(back...); right {
				t.Errorf("%s: the order backwards counts", i.ID)
			}
		}
		if i.Card != nil {
			for _, p := range []content.Person{i.Card.Who, i.Card.Might} {
				if p.Name == (content.Text{}) || regexp.MustCompile(`\d{6}`).MatchString(p.Phone) {
					t.Errorf("%s: somebody on its card is %+v", i.ID, p)
				}
			}
			for _, s := range i.Card.Signs {
				if !slices.Contains([]string{"A", "B", "C"}, s.Tier) {
					t.Errorf("%s: a sign of tier %q", i.ID, s.Tier)
				}
			}
		}
	}
}

func TestPosterAndLadder(t *testing.T) {
	t.Parallel()
	b := bank(t)
	if len(b.Poster.Do) < 6 || len(b.Poster.Dont) < 7 {
		t.Errorf("the poster has %d do and %d don't", len(b.Poster.Do), len(b.Poster.Dont))
	}
	var levels []string
	for _, l := range b.Ladder {
		levels = append(levels, l.ID)
		if len(l.When) == 0 || l.Who == (content.Text{}) || l.Clock == (content.Text{}) || l.Do == (content.Text{}) {
			t.Errorf("level %s is not whole", l.ID)
		}
	}
	if want := []string{"L0", "L1", "L2", "L3", "L4", "X"}; !slices.Equal(levels, want) {
		t.Errorf("got levels %v, want %v", levels, want)
	}
	for _, d := range b.Drills {
		if !slices.Contains(levels, d.Level) {
			t.Errorf("%s ends at %q", d.ID, d.Level)
		}
	}
}
