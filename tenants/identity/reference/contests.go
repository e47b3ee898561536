package reference

import (
	"fmt"
	"slices"
	"strings"
)

// The reasons for a conflict.
const (
	Recycled = "recycled_number"  // one phone, two accounts, nobody moved off
	Silent   = "silent_number"    // a phone comes back with a BSUID after a silence
	Renamed  = "renamed_number"   // the same after a shorter one, under another name
	Moved    = "after_move"       // a phone that its holder had left speaks again
	Between  = "between_holders"  // a phone speaks between two holders, or while two have it
	Decision = "against_decision" // WhatsApp now says what a person had denied

	nobodys = "nobodys" // nobody is known to have had it ever
)

// contest is what the evidence leaves open: whether the subject is one of the others.
type contest struct {
	reason  string
	via     Handle
	subject account
	others  []account
}

func (p *picture) contests() []contest {
	var all []contest
	for _, a := range p.accounts {
		if a.of.Kind != Phone || a.gap == nobodys || a.gap == "" {
			continue
		}
		_, around := p.had(a.of, a.start)
		if a.gap == Silent || a.gap == Renamed {
			all = append(all, contest{a.gap, a.of, account{label: around[0]}, []account{a}})
			continue
		}
		var others []account
		for _, l := range around {
			others = append(others, account{label: l})
		}
		all = append(all, contest{a.gap, a.of, a, others})
	}
	for _, h := range p.handlesClaimed() {
		if h.Kind == Phone {
			all = append(all, p.recycled(h)...)
		}
	}

	return all
}

// recycled: a phone passes from one account to another, and the first had not moved off by then.
func (p *picture) recycled(h Handle) []contest {
	var holders []int
	claims := p.claimsOn(h)
	for _, c := range claims {
		holders = add(holders, p.label[c.body])
	}
	var all []contest
	for i := 1; i < len(holders); i++ {
		before, after := holders[i-1], holders[i]
		var last, next *claim
		for j, c := range claims {
			if p.label[c.body] == after && next == nil {
				next = &claims[j]
			}
		}
		for j, c := range claims {
			if p.label[c.body] == before && c.first <= next.first && (last == nil || c.last >= last.last) {
				last = &claims[j]
			}
		}
		if !last.left || last.last > next.first {
			all = append(all, contest{Recycled, h, account{label: after}, []account{{label: before}}})
		}
	}

	return all
}

// ruled tells whether a person has answered: that the subject is one of the others, or of each whether it is.
func (p *picture) ruled(c contest) bool {
	return slices.ContainsFunc(c.others, func(o account) bool { return p.person[o] == p.person[c.subject] }) ||
		!slices.ContainsFunc(c.others, func(o account) bool { return p.last(c.subject, o) == "" })
}

func (p *picture) line(c contest) string {
	var names []string
	for _, o := range c.others {
		names = append(names, p.name(o))
	}
	slices.Sort(names)

	return fmt.Sprintf("conflict %s %s about %s with %s", c.reason, c.via.Value, p.name(c.subject), strings.Join(names, "; "))
}

// denials: WhatsApp has since said what a person had denied. Nothing is done, but somebody must look.
func (p *picture) denials() []string {
	var lines []string
	for _, d := range p.proofs {
		if d.at <= p.known[d.act] {
			continue
		}
		var a, b account
		switch {
		case d.body == -1:
			a, _ = p.had(other(d.act, d.handle), d.at)
			b, _ = p.had(d.handle, d.at)
		case d.other >= 0:
			a, b = account{label: p.label[d.body]}, account{label: p.label[d.other]}
		default:
			a = account{label: p.label[d.body]}
			b, _ = p.had(d.handle, d.at)
		}
		if a == b || !slices.Contains(p.accounts, a) || !slices.Contains(p.accounts, b) || p.person[a] == p.person[b] {
			continue
		}
		if slices.ContainsFunc(p.ties, func(t tie) bool { return d.at <= p.known[t.act] && (t.a == a && t.b == b || t.a == b && t.b == a) }) {
			continue // somebody has said so again, knowing that
		}
		names := []string{p.name(a), p.name(b)}
		slices.Sort(names)
		lines = append(lines, fmt.Sprintf("conflict %s between %s", Decision, strings.Join(names, " and ")))
	}

	return lines
}

func other(act *Act, h Handle) Handle {
	if act.A == h {
		return act.B
	}

	return act.A
}
