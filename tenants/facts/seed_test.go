package facts_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/testdb"
)

// sheetDays are the days and months that the fact sheet names in its sections 1 and 11. What ships may name no other.
var sheetDays = []string{
	"6 February 2026", "18 February 2026", "16 March 2026", "18 March 2026", "23 March 2026", "31 March 2026", "April 2026", "9 April 2026",
	"4 May 2026", "5 May 2026", "7 May 2026", "11 May 2026", "28 May 2026", "May 2026", "1 June 2026", "10 June 2026", "12 June 2026",
	"26 June 2026", "29 June 2026", "June 2026", "1 July 2026", "7 July 2026", "20 July 2026", "24 July 2026", "July 2026", "4 August 2026",
	"9 August 2026", "10 August 2026", "11 August 2026", "25 August 2026", "August 2026", "15 September 2026", "September 2026", "1 October 2026",
}

var (
	day    = regexp.MustCompile(`(?:\d{1,2} )?(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}`)
	figure = regexp.MustCompile(`\d+`)
)

func TestWhatShipsIsWhole(t *testing.T) {
	t.Parallel()
	list, err := facts.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	counts, keys := map[string]int{}, map[string]bool{}
	for _, f := range list {
		counts[f.Topic]++
		if keys[f.Key] {
			t.Errorf("%s stands twice", f.Key)
		}
		keys[f.Key] = true
		if len(f.Sources) == 0 || f.VerifiedOn.IsZero() || f.Dated.IsZero() || f.Confidence == "" {
			t.Errorf("%s: want sources, days and confidence, got %+v", f.Key, f)
		}
		if f.VerifiedOn.After(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s was checked after the fact sheet was written", f.Key)
		}
		if f.Topic == facts.Answers && f.TitleEN == "" {
			t.Errorf("%s has no question", f.Key)
		}
		for _, pair := range [][2]string{{f.TitleEN, f.TitleHI}, {f.TextEN, f.TextHI}, {f.DoubtEN, f.DoubtHI}} {
			en, hi := pair[0], pair[1]
			if (en == "") != (hi == "") {
				t.Errorf("%s says something in one language only: %q, %q", f.Key, en, hi)
			}
			if hi != "" && !strings.ContainsFunc(hi, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) {
				t.Errorf("%s: Hindi without Devanagari: %q", f.Key, hi)
			}
			if a, b := figures(en), figures(hi); a != b {
				t.Errorf("%s: English has the figures %s, Hindi %s", f.Key, a, b)
			}
			for _, named := range day.FindAllString(en, -1) {
				if !slices.Contains(sheetDays, named) {
					t.Errorf("%s names %s, which the fact sheet does not", f.Key, named)
				}
			}
		}
	}
	if want := map[string]int{facts.Rollout: 24, facts.Documents: 21, facts.Answers: 55}; !maps.Equal(counts, want) {
		t.Errorf("got %v facts, want %v: every row of the sheet's sections 1 and 11", counts, want)
	}
	for n := 1; n <= 52; n++ {
		if key := fmt.Sprintf("answers.%02d", n); !keys[key] {
			t.Errorf("question %d of the sheet has no answer", n)
		}
	}
	for _, country := range []string{"dz", "az", "gh", "ly", "np", "co", "do", "my", "pe", "sg", "in", "us"} {
		if !keys["usernames."+country] {
			t.Errorf("nothing is said of usernames in %s", country)
		}
	}
}

func figures(text string) string {
	found := figure.FindAllString(text, -1)
	slices.Sort(found)

	return strings.Join(found, " ")
}

// What was announced for June 2026 is told as what was announced, and nobody is told to expect it.
func TestTheFirstAnnouncedDateIsPast(t *testing.T) {
	t.Parallel()
	list, err := facts.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Key == "rollout.first_announced" {
			if !strings.Contains(f.TitleEN, "Originally announced") || !strings.Contains(f.TextEN, "replaced") {
				t.Errorf("got %q, %q", f.TitleEN, f.TextEN)
			}
			continue
		}
		if f.Value != "" && strings.HasPrefix(f.Value, "2026-06") && f.Value != "2026-06-29" {
			t.Errorf("%s has the value %s", f.Key, f.Value)
		}
		if strings.Contains(f.TextEN, " June 2026") && !regexp.MustCompile(`(\d|late|in) June 2026`).MatchString(f.TextEN) {
			t.Errorf("%s: %q", f.Key, f.TextEN)
		}
	}
}

func TestSeedAddsWhatIsMissingAndLeavesEdits(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	seed(t, d) // once more changes nothing

	shipped, err := facts.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	list := current(t, d)
	if len(list) != len(shipped) {
		t.Fatalf("got %d facts, want the %d that ship", len(list), len(shipped))
	}
	for _, f := range list {
		if f.Version != 1 || !f.News || f.By != "" {
			t.Fatalf("%s: got version %d, news %v, by %q, want the first, shipped", f.Key, f.Version, f.News, f.By)
		}
	}

	india := get(t, d, "usernames.in")
	if india.Value != "paused" || india.Country != "IN" {
		t.Errorf("India: got %q, want paused", india.Value)
	}
	change := india.Content
	change.Value, change.TextEN, change.TextHI = "live", "It has begun.", "शुरू हो गया।"
	edit(t, d, facts.Change{Key: india.Key, Version: 1, Content: change})
	seed(t, d)
	if after := get(t, d, "usernames.in"); after.Version != 2 || after.Value != "live" {
		t.Errorf("after seeding again: got version %d, %s, want the operator's edit", after.Version, after.Value)
	}

	// A shipped text that is not the newest one gets a version.
	nepal := get(t, d, "usernames.np")
	exec(t, d, `INSERT INTO facts (key, version, topic, country, aspect, kind, value, title_en, title_hi, text_en, text_hi, sources, verified_on,
		confidence, dated, news, shipped) SELECT key, 2, topic, country, aspect, kind, value, title_en, title_hi, 'Older.', 'पुराना।', sources,
		verified_on, confidence, dated, true, 'older' FROM facts WHERE key = 'usernames.np'`)
	seed(t, d)
	if after := get(t, d, "usernames.np"); after.Version != 3 || after.TextEN != nepal.TextEN || !after.News {
		t.Errorf("after a newer program: got version %d %q, want what ships", after.Version, after.TextEN)
	}
}

func TestVersionsAreNeverOverwritten(t *testing.T) {
	t.Parallel()
	d := testdb.New(t)
	seed(t, d)
	for _, query := range []string{`UPDATE facts SET value = 'live'`, `DELETE FROM facts`} {
		err := d.DB.System(t.Context(), func(tx *tenants.Tx) error {
			_, err := tx.Exec(query)
			return err
		})
		if err == nil {
			t.Errorf("%s: want it refused", query)
		}
	}
}
