package identity

import (
	"cmp"
	"slices"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// assemble turns joined holders and timelines into accounts and contests.
func (d *deriver) assemble() *derivation {
	out := &derivation{holder: map[ref][]segment{}, byBSUID: map[ref]int{}}
	index := map[int]int{} // holder → account

	accountFor := func(holder int) int {
		i, ok := index[holder]
		if !ok {
			i = len(out.accounts)
			index[holder] = i
			out.accounts = append(out.accounts, account{})
		}
		return i
	}

	for _, r := range d.ordered() {
		if d.isBSUID(r) {
			i := accountFor(d.find(int(r)))
			out.accounts[i].bsuids = append(out.accounts[i].bsuids, r)
			out.byBSUID[r] = i
		}
	}
	for i := range out.accounts {
		a := &out.accounts[i]
		current := d.currentBSUID(a.bsuids)
		for _, r := range a.bsuids {
			n := d.nodes[r]
			a.holds = append(a.holds, hold{id: r, from: always, to: forever, first: n.first, last: n.last, current: r == current})
		}
	}

	for _, r := range d.ordered() {
		if d.isBSUID(r) {
			continue
		}
		spans := d.ownedSpans(r)
		segments := d.timeline(r, spans)
		d.place(out, r, spans, segments, accountFor)
		if d.nodes[r].kind == whatsapp.KindPhone {
			d.contestHolders(out, r, spans, accountFor)
		}
	}

	d.contestProofs(out, accountFor)
	out.chooseCurrentPhones(d)
	d.dropDecided(out)

	return out
}

func (d *deriver) ordered() []ref {
	refs := make([]ref, len(d.nodes))
	for i := range refs {
		refs[i] = ref(i)
	}
	slices.SortFunc(refs, d.compare)

	return refs
}

// place gives each segment of an identifier to an account. A gap becomes an account of its own only where something was seen in it.
func (d *deriver) place(out *derivation, r ref, spans []ownedSpan, segments []segment, accountFor func(int) int) {
	gaps := 0
	for i := range segments {
		s := &segments[i]
		first, last, seen := d.sighted(r, s.from, s.to)

		if s.holder == -1 {
			s.account = -1
			if !seen && s.gap != "alone" {
				continue
			}
			if !seen {
				first, last = d.nodes[r].first, d.nodes[r].last
			}
			s.account = len(out.accounts)
			own := hold{id: r, from: s.from, to: s.to, first: first, last: last, current: s.to == forever}
			out.accounts = append(out.accounts, account{holds: []hold{own}})
			d.contestGap(out, r, *s, first, gaps, accountFor)
			gaps++
			continue
		}

		s.account = accountFor(s.holder)
		h := hold{id: r, from: s.from, to: s.to, first: first, last: last}
		for _, o := range spans {
			if o.holder == s.holder && o.first < s.to && o.last >= s.from {
				if !seen {
					h.first, h.last, seen = max(o.first, s.from), o.last, true
				}
				h.first, h.last = min(h.first, max(o.first, s.from)), max(h.last, min(o.last, s.to-1))
			}
		}
		h.current = s.to == forever
		out.accounts[s.account].holds = append(out.accounts[s.account].holds, h)
	}
	out.holder[r] = segments
	rememberContested(out, r, spans, segments, accountFor)
}

// rememberContested keeps in an account's past what it held only while somebody else was seen with it too.
func rememberContested(out *derivation, r ref, spans []ownedSpan, segments []segment, accountFor func(int) int) {
	for _, o := range spans {
		if slices.ContainsFunc(segments, func(s segment) bool { return s.holder == o.holder }) {
			continue
		}
		a := &out.accounts[accountFor(o.holder)]
		if !slices.ContainsFunc(a.holds, func(h hold) bool { return h.id == r }) {
			a.holds = append(a.holds, hold{id: r, from: o.first, to: o.first, first: o.first, last: o.last})
		}
	}
}

// contestGap opens a conflict for what an identifier said while nobody, or nobody certain, held it, in the nth such gap.
func (d *deriver) contestGap(out *derivation, r ref, s segment, at int64, nth int, accountFor func(int) int) {
	subject := len(out.accounts) - 1
	if d.nodes[r].kind != whatsapp.KindPhone || s.gap == "alone" {
		return
	}

	others := make([]int, 0, len(s.beside))
	for _, h := range s.beside {
		others = append(others, accountFor(h))
	}
	if s.gap == contestSilent || s.gap == contestRenamed {
		// The one who came back with a WhatsApp ID is the question; the silent history is the candidate.
		out.contests = append(out.contests, contest{kind: s.gap, subject: others[0], others: []int{subject}, via: r, at: s.to, since: s.to, verdict: -1})
		return
	}
	out.contests = append(out.contests, contest{kind: s.gap, subject: subject, others: others, via: r, at: at, since: at, nth: nth, verdict: -1})
}

// contestHolders opens a conflict where a phone passed from one WhatsApp account to another without the first having moved off.
func (d *deriver) contestHolders(out *derivation, r ref, spans []ownedSpan, accountFor func(int) int) {
	var holders []int
	for _, s := range spans {
		holders = union(holders, []int{s.holder})
	}

	for i := 1; i < len(holders); i++ {
		before, after := holders[i-1], holders[i]
		first := spans[slices.IndexFunc(spans, func(s ownedSpan) bool { return s.holder == after })].first
		if leftBy(spans, before, first) {
			continue
		}
		out.contests = append(out.contests, contest{
			kind: contestRecycled, subject: accountFor(after), others: []int{accountFor(before)}, via: r, at: first, since: first, verdict: -1,
		})
	}
}

// leftBy tells whether a holder had moved off by a time, and had not come back.
func leftBy(spans []ownedSpan, holder int, at int64) bool {
	var last ownedSpan
	for _, s := range spans {
		if s.holder == holder && s.first <= at && s.last >= last.last {
			last = s
		}
	}

	return last.closed && last.last <= at
}

// contestProofs opens a conflict for each decision that WhatsApp has contradicted since it was taken.
func (d *deriver) contestProofs(out *derivation, accountFor func(int) int) {
	for _, p := range d.proofs {
		v := d.verdicts[p.verdict]
		if p.at <= v.known {
			continue
		}
		a, b := out.accountOf(v.a, p.at), out.accountOf(p.via, p.at)
		if p.a >= 0 {
			a = accountFor(d.find(p.a))
		}
		if p.b >= 0 {
			b = accountFor(d.find(p.b))
		}
		if a == -1 || b == -1 || a == b {
			continue
		}
		out.contests = append(out.contests, contest{kind: contestDecision, subject: a, others: []int{b}, via: p.via, at: p.at, since: p.since, verdict: p.verdict})
	}
}

// dropDecided removes contests that a person has already ruled on, either way: about each of the accounts that it might be, and where
// WhatsApp contradicts a decision, knowing that.
func (d *deriver) dropDecided(out *derivation) {
	means := func(i int, r ref, held when, known int64) bool {
		switch {
		case d.isBSUID(r):
			return out.byBSUID[r] == i
		case held.at == anytime:
			return out.accountOf(r, known) == i
		default:
			return out.accountOf(r, held.at) == i
		}
	}
	ruled := func(c contest, other int) bool {
		return slices.ContainsFunc(d.verdicts, func(v verdict) bool {
			return (c.kind != contestDecision || c.at <= v.known) &&
				(means(c.subject, v.a, v.aHeld, v.known) && means(other, v.b, v.bHeld, v.known) ||
					means(c.subject, v.b, v.bHeld, v.known) && means(other, v.a, v.aHeld, v.known))
		})
	}
	out.contests = slices.DeleteFunc(out.contests, func(c contest) bool {
		return !slices.ContainsFunc(c.others, func(o int) bool { return !ruled(c, o) })
	})
}

// chooseCurrentPhones leaves one current phone, and one current parent, to each account: the one seen last.
func (out *derivation) chooseCurrentPhones(d *deriver) {
	for i := range out.accounts {
		holds := out.accounts[i].holds
		for j := range holds {
			for k := range holds {
				a, b := &holds[j], &holds[k]
				if j == k || !a.current || !b.current || d.nodes[a.id].kind != d.nodes[b.id].kind || d.isBSUID(a.id) {
					continue
				}
				if cmp.Or(cmp.Compare(a.last, b.last), d.compare(a.id, b.id)) < 0 {
					a.current = false
				}
			}
		}
	}
}
