package reference

import (
	"slices"
	"strings"
)

// twins: two people whose accounts in two portfolios have one phone or one parent now may be one. It is only asked, of those about
// whom nothing else is, and not once somebody has said that they are two.
func (p *picture) twins(people map[int]somebody) []string {
	var lines []string
	for i, a := range p.accounts {
		for _, b := range p.accounts[:i] {
			one, other := people[p.person[a]], people[p.person[b]]
			if p.person[a] == p.person[b] || !one.known || !other.known || one.unasked || other.unasked || !p.share(a, b) || p.last(a, b) == Apart {
				continue
			}
			both := []string{one.line(), other.line()}
			slices.Sort(both)
			lines = append(lines, "perhaps one "+strings.Join(both, " and "))
		}
	}

	return lines
}

// share tells whether two accounts of two portfolios have a phone or parent of one value now.
func (p *picture) share(a, b account) bool {
	return slices.ContainsFunc(p.handles(a), func(x Handle) bool {
		return x.Kind != BSUID && p.current(a, x) && slices.ContainsFunc(p.handles(b), func(y Handle) bool {
			return y.Kind == x.Kind && y.Value == x.Value && y.Scope != x.Scope && p.current(b, y)
		})
	})
}
