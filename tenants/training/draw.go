package training

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/pehchan/pehchan/tenants/training/content"
)

// nextForm is another form than that of the last try.
func nextForm(last string, seed uint64) string {
	if at := slices.Index(content.Forms, last); at >= 0 {
		return content.Forms[(at+1)%len(content.Forms)]
	}

	return content.Forms[seed%uint64(len(content.Forms))]
}

// quota divides n questions over the domains by their weights. Where it does not come out even, chance says which gets one more: a heavier
// domain is likelier to.
func quota(n int, rng *rand.Rand) map[string]int {
	share, left := map[string]int{}, n
	type part struct {
		domain string
		rest   float64
	}
	var parts []part
	for _, d := range content.Domains {
		exact := n * content.Weights[d]
		share[d] = exact / 100
		left -= share[d]
		parts = append(parts, part{d, float64(exact%100) * rng.Float64()})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.rest, a.rest) })
	for _, p := range parts[:left] {
		share[p.domain]++
	}

	return share
}

// draw picks n questions of a form by the weights of the domains, the same for the same seed. Questions that rest on one of retired are
// left out. prefer are facts: at least half of the questions are about domains that they touch, where there are enough. A whole quiz
// tempts to break every gate once, or nobody could say of who passed it that they keep them.
func draw(bank *content.Bank, form string, n int, seed uint64, retired map[string]bool, prefer []string) []string {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	var pool []content.Item
	touched := map[string]bool{}
	for _, item := range bank.Items {
		for _, key := range item.Facts {
			touched[item.Domain] = touched[item.Domain] || slices.Contains(prefer, key)
		}
		if !item.RestsOn(retired) {
			pool = append(pool, item)
		}
	}
	rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	slices.SortStableFunc(pool, func(a, b content.Item) int { return cmp.Compare(other(a, form), other(b, form)) })

	var drawn []string
	share, tempts := map[string]int{}, map[string]bool{}
	take := func(most int, may func(content.Item) bool) {
		for i := 0; i < len(pool) && most > 0 && len(drawn) < n; i++ {
			if may(pool[i]) {
				drawn = append(drawn, pool[i].ID)
				share[pool[i].Domain]--
				for _, gate := range pool[i].Tempts() {
					tempts[gate] = true
				}
				pool = slices.Delete(pool, i, i+1)
				i, most = i-1, most-1
			}
		}
	}
	take((n+1)/2, func(item content.Item) bool { return touched[item.Domain] })
	share = quota(n-len(drawn), rng)
	for _, gate := range content.Gates {
		breaks := func(item content.Item) bool {
			return n == QuizItems && !tempts[gate] && slices.Contains(item.Tempts(), gate)
		}
		take(1, func(item content.Item) bool { return share[item.Domain] > 0 && breaks(item) })
		take(1, breaks) // one more than its domain's share, before none
	}
	for _, d := range content.Domains {
		take(share[d], func(item content.Item) bool { return item.Domain == d })
	}
	take(n, func(content.Item) bool { return true }) // a domain may have run out
	rng.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })

	return drawn
}

// other is 0 for a question of the form and 1 for one of another, which stands in only where the form has run out.
func other(item content.Item, form string) int {
	if item.Form == form {
		return 0
	}

	return 1
}

// Shuffled are the answers of a question in the order in which somebody sees them, the same each time they look.
func Shuffled(item content.Item, seed int64) []content.Option {
	options := slices.Clone(item.Options)
	if item.Format == content.Myth || item.Format == content.Same || item.Format == content.Spot {
		return options // whose order says something
	}
	rng := rand.New(rand.NewPCG(uint64(seed), sum(item.ID)))
	rng.Shuffle(len(options), func(i, j int) { options[i], options[j] = options[j], options[i] })

	return options
}

func sum(text string) (n uint64) {
	for _, b := range []byte(text) {
		n = n*31 + uint64(b)
	}

	return n
}
