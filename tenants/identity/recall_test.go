package identity_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// spelled is one word of a name: in Devanagari, and as it is written in Latin letters, as often as it was met so.
type spelled struct {
	hindi string
	latin []string
}

// nameStock is words that no rule was fitted to, or those that rules were (names.tsv). A word stands in it as often as it was met.
type nameStock struct{ given, family []spelled }

func readNames(t testing.TB, file string) nameStock {
	t.Helper()
	raw, err := os.ReadFile("../sandbox/" + file)
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		word  *spelled
		count int
	}
	var order []string
	words := map[string]*entry{}
	for line := range strings.Lines(string(raw)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) != 4 {
			continue
		}
		count, err := strconv.Atoi(columns[3])
		if err != nil {
			t.Fatal(err)
		}
		key := columns[2] + " " + columns[0]
		if words[key] == nil {
			words[key] = &entry{word: &spelled{hindi: columns[0]}}
			order = append(order, key)
		}
		words[key].count += count
		words[key].word.latin = append(words[key].word.latin, slices.Repeat([]string{columns[1]}, count)...)
	}
	var s nameStock
	for _, key := range order {
		to := &s.family
		if strings.HasPrefix(key, "given ") {
			to = &s.given
		}
		*to = append(*to, slices.Repeat([]spelled{*words[key].word}, words[key].count)...)
	}

	return s
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// person is two words, however they are written.
type person [2]spelled

// latin is how another system has the name.
func (p person) latin(rng *rand.Rand) string {
	return pick(rng, p[0].latin) + " " + pick(rng, p[1].latin)
}

// onWhatsApp is how somebody shows their name: in either script, now and then with a slip of the finger, an honorific or an emoji.
func (p person) onWhatsApp(rng *rand.Rand, words int) string {
	var parts []string
	hindi := rng.IntN(100) < 35
	for _, w := range p[:words] {
		text := w.hindi
		if !hindi {
			text = pick(rng, w.latin)
			if at := 1 + rng.IntN(len(text)); rng.IntN(100) < 6 && at < len(text)-1 {
				text = pick(rng, []string{text[:at] + text[at+1:], text[:at] + text[at:at+1] + text[at:], text[:at] + text[at+1:at+2] + text[at:at+1] + text[at+2:]})
			}
		}
		parts = append(parts, text)
	}
	name := strings.Join(parts, " ")
	if rng.IntN(100) < 10 {
		name = pick(rng, []string{"श्री " + name, "Mr " + name, name + " ji", "Dr. " + name, name + " bhai"})
	}
	if rng.IntN(100) < 12 {
		name += pick(rng, []string{" 🙏", "🌸", " ❤️", " ✨"})
	}

	return name
}

func (p person) hindi(words int) string {
	if words == 1 {
		return p[0].hindi
	}

	return p[0].hindi + " " + p[1].hindi
}

// customers imports people with a phone each, and returns their contacts in order.
func (w *world) customers(people []person, rng *rand.Rand) []uuid.UUID {
	w.t.Helper()

	var ids []uuid.UUID
	for part := range slices.Chunk(people, 250) {
		var claims []identity.Claim
		for _, p := range part {
			claims = append(claims, identity.Claim{
				Handle:      identity.Handle{Kind: whatsapp.KindPhone, Value: fmt.Sprintf("9198%08d", len(ids)+len(claims))},
				DisplayName: p.latin(rng),
			})
		}
		w.as(func(tx *tenants.Tx) error {
			if err := identity.Lock(w.t.Context(), tx); err != nil {
				return err
			}
			added, err := identity.AddClaimed(w.t.Context(), tx, tenants.Actor{Kind: "person", Name: "Meera"}, w.scopes[mainNumber], "list.csv", claims)
			ids = append(ids, added...)
			return err
		})
	}

	return ids
}

// stranger is an open case about somebody of whom only a name is known.
func stranger(name string) identity.Case {
	id := uuid.Must(uuid.NewV7())
	contact := uuid.Must(uuid.NewV7())

	return identity.Case{
		Kind: identity.CaseUnresolved, State: "open", IdentityID: &id, ContactID: &contact,
		Contact: &identity.Contact{ID: contact, ProfileName: name, Identities: []identity.Identity{{ID: id, ProfileName: name}}},
	}
}

// recall is the share of people who stand first, and among the first three, of those suggested for how they write their name.
func (w *world) recall(people []person, ids []uuid.UUID, asked int, write func(person) string) (first, three float64) {
	w.t.Helper()

	for n := range asked {
		at := n * len(people) / asked
		k := stranger(write(people[at]))
		w.as(func(tx *tenants.Tx) (err error) {
			k, err = identity.Suggest(w.t.Context(), tx, k)
			return err
		})
		place := slices.IndexFunc(k.Candidates, func(c identity.Candidate) bool { return c.Contact.ID == ids[at] })
		if place == 0 {
			first++
		}
		if place >= 0 {
			three++
		}
	}

	return first / float64(asked), three / float64(asked)
}

func compose(t testing.TB, file string, size int, rng *rand.Rand) []person {
	t.Helper()

	stock := readNames(t, file)
	people := make([]person, size)
	for i := range people {
		people[i] = person{pick(rng, stock.given), pick(rng, stock.family)}
	}

	return people
}

// TestNamesFindTheirOwners holds matching.md's target on words that nothing was fitted to: of 1,000 customers in Latin letters, somebody
// who writes both names in Devanagari is among the first three.
func TestNamesFindTheirOwners(t *testing.T) {
	t.Parallel()
	const target = 0.95
	w := freshWorld(t)
	rng := rand.New(rand.NewPCG(1, 1))
	people := compose(t, "names_frozen.tsv", 1000, rng)
	ids := w.customers(people, rng)
	if _, three := w.recall(people, ids, 100, func(p person) string { return p.hindi(2) }); three < target {
		t.Errorf("recall@3 %.3f among 1,000, want at least %.2f", three, target)
	}
}

// BenchmarkNames measures how often a name finds its owner; the command and its table are in the package's documentation.
func BenchmarkNames(b *testing.B) {
	for _, file := range []string{"names_frozen.tsv", "names.tsv"} {
		for _, size := range []int{200, 1000, 5000} {
			rng := rand.New(rand.NewPCG(7, uint64(size)))
			people := compose(b, file, size, rng)
			w := newWorld(b, testdb.New(b).DB, "asha-clinic")
			ids := w.customers(people, rng)
			for words, name := range []string{1: "one", 2: "full"} {
				if words == 0 {
					continue
				}
				for kind, write := range map[string]func(person) string{
					"hindi": func(p person) string { return p.hindi(words) },
					"mixed": func(p person) string { return p.onWhatsApp(rng, words) },
				} {
					b.Run(fmt.Sprintf("%s/%d/%s/%s", file, size, name, kind), func(b *testing.B) {
						w.t = b
						for b.Loop() {
							first, three := w.recall(people, ids, min(size, 400), write)
							b.ReportMetric(first, "recall@1")
							b.ReportMetric(three, "recall@3")
						}
					})
				}
			}
		}
	}
}
