package answers_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
)

func TestMacrosGuardWhatTheyTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	var ledger answers.Ledger
	read := func() {
		t.Helper()
		w.must(w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) (err error) {
			ledger, err = answers.Read(ctx, tx)
			return err
		}))
	}
	read()
	stranger := answers.To{Known: true, Name: "Asha ❤ 98765", Contact: "Ravi Verma"} // what they call themselves, and what our record says
	friend := stranger
	friend.Linked = true
	use := func(key, lang string, to answers.To, lead bool, vars map[string]string) answers.Ready {
		t.Helper()
		m, err := answers.OneMacro(key)
		w.must(err)

		return ledger.Use(m, lang, to, lead, vars, now)
	}

	// A stranger is told their own name alone, and nothing of a record.
	if r := use("m01", answers.Hindi, stranger, false, nil); r.Text != "नमस्ते Asha जी! हम यहीं मदद कर सकते हैं, फ़ोन नंबर देना ज़रूरी नहीं।" {
		t.Errorf("got %q (%v), want the name that they gave", r.Text, r.Missing)
	}
	for _, key := range allMacros(t) {
		for _, lang := range answers.Languages {
			if r := use(key, lang, stranger, true, map[string]string{"handle": "asha", "trust_url": "https://x", "request": "R1", "time": "2 h", "our_number": "1"}); strings.Contains(r.Shown, "Ravi") || strings.Contains(r.Shown, "98765") {
				t.Errorf("%s tells a stranger %q", key, r.Shown)
			}
		}
	}
	if r := use("m06", answers.English, stranger, true, nil); r.Refused != "linked" || r.Text != "" {
		t.Errorf("a record to a stranger: got %q, %q, want it refused", r.Refused, r.Text)
	}
	if r := use("m06", answers.English, friend, false, nil); !strings.HasPrefix(r.Text, "Thanks, Ravi.") {
		t.Errorf("to somebody settled: got %q (%v)", r.Text, r.Missing)
	}

	// A fact that is to be checked is not told.
	if r := use("m07", answers.Hindi, friend, true, nil); r.Refused != "fact_old" || r.Fact == nil || r.Fact.Key != "answers.07" || r.Text != "" {
		t.Errorf("a stale fact: got %q with %q, want it refused", r.Refused, r.Text)
	}
	india, _ := w.card(w.asha, "india", now)
	w.verify(india, now)
	read()
	fact, _ := ledger.Fact("answers.07")
	if r := use("m07", answers.Hindi, friend, true, nil); !strings.HasPrefix(r.Text, fact.TextHI) {
		t.Errorf("a checked fact: got %q, %q", r.Text, r.Refused)
	}
	if r := use("m07", answers.Hinglish, friend, true, nil); !strings.HasPrefix(r.Text, fact.TextEN) {
		t.Errorf("in Hinglish: got %q", r.Text)
	}

	// What lacks is named, and what is typed stays short.
	if r := use("m08", answers.English, friend, false, nil); r.Text != "" || !slices.Equal(r.Missing, []string{"handle", "trust_url"}) {
		t.Errorf("without a username: got %q, missing %v", r.Text, r.Missing)
	}
	if r := use("m18", answers.English, friend, false, map[string]string{"time": "2 hours"}); !strings.HasSuffix(r.Text, "within 2 hours.") {
		t.Errorf("got %q", r.Text)
	}
	if r := use("m18", answers.English, friend, false, map[string]string{"time": strings.Repeat("x", 41)}); r.Text != "" || !slices.Equal(r.Missing, []string{"time"}) {
		t.Errorf("too long: got %q", r.Text)
	}
	request := map[string]string{"request": "R-7"}
	if r := use("m13", answers.English, friend, false, request); r.Refused != "lead" || r.Text != "" {
		t.Errorf("a deletion confirmed by an agent: got %q", r.Refused)
	}
	if r := use("m13", answers.English, friend, true, request); !strings.Contains(r.Text, "R-7") {
		t.Errorf("by a lead: got %q", r.Text)
	}

	// Nobody is named: it is shown, and not given out.
	if r := use("m04", answers.English, answers.To{}, true, nil); r.Text != "" || r.Shown == "" {
		t.Errorf("to nobody: got %q, %q", r.Text, r.Shown)
	}
	// A name that is none.
	if r := use("m01", answers.English, answers.To{Known: true, Name: "98765 @x"}, false, nil); r.Text != "" || !slices.Equal(r.Missing, []string{"first"}) {
		t.Errorf("without a name: got %q, missing %v", r.Text, r.Missing)
	}
}

func allMacros(t *testing.T) (keys []string) {
	t.Helper()
	for n := range 18 {
		keys = append(keys, "m"+string(rune('0'+(n+1)/10))+string(rune('0'+(n+1)%10)))
	}

	return keys
}
