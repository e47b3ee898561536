package content_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/training/content"
)

func TestEveryRoleHasLessons(t *testing.T) {
	t.Parallel()
	for _, role := range content.Roles {
		n := 0
		for _, l := range bank(t).Lessons {
			if slices.Contains(l.Roles, role) {
				n++
			}
		}
		if n < 3 {
			t.Errorf("%s has %d lessons, want at least 3", role, n)
		}
	}
}

// The bank covers all it should: every domain with every skill in four items or more, the heaviest domain in the most, three forms of
// the same size, enough of each format.
func TestTheBankIsBalanced(t *testing.T) {
	t.Parallel()
	items := bank(t).Items
	cells, domains, forms, formats := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, i := range items {
		cells[i.Domain+" "+i.Skill]++
		domains[i.Domain]++
		forms[i.Form]++
		forms[i.Form+" "+i.Domain]++
		formats[i.Format]++
	}
	if len(items) < 84 {
		t.Errorf("%d items, want at least 84", len(items))
	}
	total := 0
	for _, domain := range content.Domains {
		total += content.Weights[domain]
		for _, skill := range content.Skills {
			if cells[domain+" "+skill] < 4 {
				t.Errorf("%s %s has %d items, want at least 4", domain, skill, cells[domain+" "+skill])
			}
		}
		for _, form := range content.Forms {
			if got, want := forms[form+" "+domain], domains[domain]/3; got != want {
				t.Errorf("form %s has %d items of %s, want %d", form, got, domain, want)
			}
		}
		if domain != "C" && domains[domain] >= domains["C"] {
			t.Errorf("%s has %d items, C %d: C weighs most", domain, domains[domain], domains["C"])
		}
	}
	if total != 100 {
		t.Errorf("the weights come to %d", total)
	}
	for _, format := range content.Formats {
		want := 12
		if format == content.Order {
			want = 6
		}
		if formats[format] < want {
			t.Errorf("%d items of format %s, want at least %d", formats[format], format, want)
		}
	}
}

// Nobody passes by a trick: the right answer is neither always the longest nor always in the same place, and every gate is met.
func TestNoTrickPasses(t *testing.T) {
	t.Parallel()
	places, gates, myths := map[int]int{}, map[string]int{}, map[string]int{}
	choices := 0
	for _, lang := range []string{"en", "hi"} {
		longest, all := 0, 0
		for _, i := range bank(t).Items {
			if i.Format == content.Order {
				continue
			}
			all++
			right, other, place := 0, 0, 0
			for n, o := range i.Options {
				length := utf8.RuneCountInString(o.Text.In(lang))
				if o.Right {
					right, place = length, n
				} else {
					other = max(other, length)
				}
				if lang == "en" && o.Gate != "" {
					gates[o.Gate]++
				}
				if lang == "en" && i.Format == content.Myth && o.Right {
					myths[o.ID]++
				}
			}
			if right > other {
				longest++
			}
			if lang == "en" && (i.Format == content.Best || i.Format == content.Spot) {
				choices++
				places[place]++
			}
		}
		if share := float64(longest) / float64(all); share >= 0.45 {
			t.Errorf("in %s the right option is the longest in %.0f %% of the items", lang, share*100)
		}
	}
	for place, n := range places {
		if float64(n) > 0.5*float64(choices) {
			t.Errorf("the right option is number %d in %d of %d", place+1, n, choices)
		}
	}
	total := 0
	for _, n := range myths {
		total += n
	}
	for answer, n := range myths {
		if n < 2 || float64(n) > 0.6*float64(total) {
			t.Errorf("%d of %d sayings are %s", n, total, answer)
		}
	}
	if len(myths) != 3 {
		t.Errorf("sayings are only %v", myths)
	}
	for _, gate := range content.Gates {
		if gates[gate] < 2 {
			t.Errorf("%s can be broken by %d options of the bank, want more", gate, gates[gate])
		}
	}
	t.Logf("right: places %v, myths %v, gates %v", places, myths, gates)
}

// The drills are twelve, each with two customers, and end on more than one rung of the ladder; every gate can be broken in them.
func TestDrillsAreWhole(t *testing.T) {
	t.Parallel()
	drills := bank(t).Drills
	if len(drills) != 12 {
		t.Errorf("%d drills, want 12", len(drills))
	}
	gates, levels := map[string]int{}, map[string]int{}
	for _, d := range drills {
		levels[d.Level]++
		if d.Variants[0].Persona.Name == d.Variants[1].Persona.Name || d.Variants[0].Opening == d.Variants[1].Opening {
			t.Errorf("%s: both variants are the same customer's", d.ID)
		}
		for n, v := range d.Variants {
			asks := map[string]int{}
			for _, s := range v.Steps {
				asks[s.Asks]++
				for _, bad := range s.Dangerous {
					gates[bad.Gate]++
				}
			}
			if asks[content.Reply] < 2 || asks[content.Decide] < 2 || asks[content.Escalate] != 1 {
				t.Errorf("%s, variant %d asks for %v", d.ID, n+1, asks)
			}
			if v.Persona.Shown == "" || v.Persona.About == (content.Text{}) || v.Opening == (content.Text{}) {
				t.Errorf("%s, variant %d: nobody is there", d.ID, n+1)
			}
		}
	}
	for _, gate := range content.Gates {
		if gates[gate] < 4 {
			t.Errorf("%s is shown as dangerous %d times, want more", gate, gates[gate])
		}
	}
	if len(levels) < 4 {
		t.Errorf("the drills end on %v only", levels)
	}
}
