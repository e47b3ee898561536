package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// account is who has a handle at a time: the account of a label or, in a gap, whoever speaks in it. start tells gaps of one handle apart.
type account struct {
	label int
	gap   string
	of    Handle
	start int64
}

// had says who had a handle at a time, and in a gap who had it around.
func (r *resolver) had(h Handle, at int64) (account, []int) {
	if h.Kind == BSUID {
		return account{label: r.label[slices.Index(r.bodies, h)]}, nil
	}
	label, gap, _ := r.moment(h, at)
	if gap == "" {
		return account{label: label}, nil
	}

	// A gap reaches as far as nothing but the same is true, back and forth.
	a := account{label: -1, gap: gap, of: h, start: always}
	var around []int
	inside := false
	for _, from := range r.edges(h) {
		_, g, beside := r.moment(h, from)
		switch {
		case g != gap && from > at:
			return a, around
		case g != gap:
			around, inside = nil, false
		default:
			if !inside {
				a.start, inside = from, true
			}
			for _, b := range beside {
				if !slices.Contains(around, b) {
					around = append(around, b)
				}
			}
		}
	}

	return a, around
}

// edges are the times at which it may change who has a handle, the first before all of them.
func (r *resolver) edges(h Handle) []int64 {
	var edges []int64
	for _, c := range r.claimsOn(h) {
		edges = append(edges, c.first, c.last+1)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	if len(edges) == 0 {
		return []int64{always}
	}

	return append([]int64{edges[0] - 1}, edges...)
}

// moment says who has a handle at one moment, or why nobody does and who has it around.
func (r *resolver) moment(h Handle, at int64) (label int, gap string, beside []int) {
	claims := r.claimsOn(h)
	if len(claims) == 0 {
		return -1, nobodys, nil
	}

	var covering, leaving, coming []int
	left, end, begin := false, int64(always), int64(forever)
	for _, c := range claims {
		switch {
		case c.last < at:
			end = max(end, c.last)
		case c.first > at:
			begin = min(begin, c.first)
		default:
			covering = add(covering, r.label[c.body])
		}
	}
	for _, c := range claims {
		if c.last == end {
			leaving, left = add(leaving, r.label[c.body]), left || c.left
		}
		if c.first == begin {
			coming = add(coming, r.label[c.body])
		}
	}

	switch {
	case len(covering) == 1:
		return covering[0], "", nil
	case len(covering) > 1:
		return -1, Between, covering
	case end == always && len(coming) > 1:
		return -1, Between, coming
	case end == always:
		if last, seen := r.alone(h, always, begin); h.Kind == Phone && r.named(coming[0]) && seen && begin-last > silence {
			return -1, Silent, coming
		}
		return coming[0], "", nil
	case left:
		return -1, Moved, add(leaving, coming...)
	case len(leaving) == 1 && (begin == forever || len(coming) == 1 && coming[0] == leaving[0]):
		return leaving[0], "", nil
	default:
		return -1, Between, add(leaving, coming...)
	}
}

func add(list []int, more ...int) []int {
	for _, m := range more {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}

	return list
}

// Picture is what the rules come to, a sorted line for each person, for each account of nobody the business knows, for each conflict
// and each person somebody must look at. It does not depend on the order of events between two acts.
func Picture(steps []Step) []string {
	p := draw(steps)
	lines := append(p.people(), p.denials()...)
	for _, c := range p.contests() {
		if !p.ruled(c) {
			lines = append(lines, p.line(c))
		}
	}
	slices.Sort(lines)

	return slices.Compact(lines)
}

func draw(steps []Step) *picture {
	p := &picture{resolver: resolve(steps), steps: steps, said: map[account][]Event{}}
	p.collect()
	p.group()

	return p
}

type picture struct {
	*resolver
	steps    []Step
	accounts []account
	said     map[account][]Event // what is kept, on the account it came or went by
	person   map[account]int
	ties     []tie
}

// tie is a standing decision about two accounts.
type tie struct {
	act  *Act
	a, b account
}

// collect finds all accounts and what was said on each. Of differing copies the live one counts, then the earliest.
func (p *picture) collect() {
	for _, l := range p.label {
		p.meet(account{label: l})
	}
	for _, e := range slices.Concat(p.events, p.changes) {
		for _, h := range e.handles() {
			// Whoever has a handle in a gap is somebody only if they speak in it.
			a, _ := p.had(h, e.At)
			if a.gap == "" || a.gap == nobodys || e.Change == nil && e.Who.BSUID == "" {
				p.meet(a)
			}
		}
	}

	kept := map[string]Event{}
	for _, e := range p.events {
		old, known := kept[e.Name]
		if e.Name != "" && (!known || old.Past && !e.Past || old.Past == e.Past && cmp.Or(cmp.Compare(e.At, old.At), cmp.Compare(e.Tie, old.Tie)) < 0) {
			kept[e.Name] = e
		}
	}
	for _, e := range kept {
		if a, ok := p.of(e); ok {
			p.said[a] = append(p.said[a], e)
		}
	}
}

func (p *picture) meet(a account) {
	if !slices.Contains(p.accounts, a) {
		p.accounts = append(p.accounts, a)
	}
}

// of is the account of an event: that of its BSUID, else of whoever had its phone at the time, else its parent.
func (p *picture) of(e Event) (account, bool) {
	for _, kind := range []Kind{BSUID, Phone, Parent} {
		for _, h := range e.handles() {
			if h.Kind == kind {
				a, _ := p.had(h, e.At)
				return a, true
			}
		}
	}

	return account{}, false
}

// wrote tells whether anybody wrote from an account, live or in past chats, and whether live.
func (p *picture) wrote(a account) (wrote, live bool) {
	for _, e := range p.said[a] {
		if e.Inbound {
			wrote, live = true, live || !e.Past
		}
	}

	return wrote, live
}

// group puts the accounts together that standing decisions make one person.
func (p *picture) group() {
	p.person = map[account]int{}
	for i, a := range p.accounts {
		p.person[a] = i
	}
	for _, act := range p.acts {
		if !p.standing(act) {
			continue
		}
		if act.Kind == New {
			p.ties = append(p.ties, p.answered(act)...)
			continue
		}
		a, _ := p.had(act.A, act.AtA)
		b, _ := p.had(act.B, act.AtB)
		p.ties = append(p.ties, tie{act, a, b})
		if act.Kind != Together {
			continue
		}
		from, to := p.person[a], p.person[b]
		for k, g := range p.person {
			if g == from {
				p.person[k] = to
			}
		}
	}
}

func (p *picture) people() []string {
	groups := map[int][]account{}
	for _, a := range p.accounts {
		groups[p.person[a]] = append(groups[p.person[a]], a)
	}
	var lines []string
	for _, members := range groups {
		var names []string
		known, live, reachable, decided := false, false, false, false
		for _, a := range members {
			names = append(names, p.name(a))
			wrote, now := p.wrote(a)
			known, live = known || wrote, live || now
			for _, h := range p.handles(a) {
				reachable = reachable || h.Kind == Phone
				for _, act := range p.acts {
					decided = decided || act.Kind != Apart && !act.Undone && (act.A == h || act.B == h)
				}
			}
			known = known || p.vouched(a)
		}
		slices.Sort(names)
		if !known {
			lines = append(lines, "nobody "+strings.Join(names, " + "))
			continue
		}
		lines = append(lines, "person "+strings.Join(names, " + "))
		if live && !reachable && !decided {
			lines = append(lines, "who is "+strings.Join(names, " + "))
		}
	}

	return lines
}

// vouched tells whether a person has said that an account is somebody.
func (p *picture) vouched(a account) bool {
	return slices.ContainsFunc(p.acts, func(act *Act) bool {
		if act.Kind != New || act.Undone {
			return false
		}
		of, _ := p.had(act.A, act.AtA)
		return of == a
	})
}

// handles are those that an account has or had.
func (p *picture) handles(a account) []Handle {
	if a.gap != "" {
		return []Handle{a.of}
	}
	var all []Handle
	for i, b := range p.bodies {
		if p.label[i] == a.label && b != (Handle{}) {
			all = append(all, b)
		}
	}
	for _, h := range p.handlesClaimed() {
		if slices.ContainsFunc(p.claimsOn(h), func(c claim) bool { return p.label[c.body] == a.label }) {
			all = append(all, h)
		}
	}
	slices.SortFunc(all, compare)

	return all
}

// name shows an account: what it has and had, and what was said on it.
func (p *picture) name(a account) string {
	var has, said []string
	for _, h := range p.handles(a) {
		word := "past"
		if p.current(a, h) {
			word = "now"
		}
		has = append(has, fmt.Sprintf("%s %s %s %s", h.Scope, h.Kind, h.Value, word))
	}
	for _, e := range p.said[a] {
		said = append(said, e.Name)
	}
	slices.Sort(has)
	slices.Sort(said)

	return "[" + strings.Join(has, ", ") + " | " + strings.Join(said, " ") + "]"
}

// current tells whether a handle is the one of its kind that an account has now.
func (p *picture) current(a account, h Handle) bool {
	if h.Kind == BSUID {
		now := h
		for _, e := range p.changes { // in order of time
			next := Handle{e.Scope, BSUID, e.Change.New.BSUID}
			if next.Value != "" && e.Change.New.BSUID != e.Change.Old.BSUID && p.label[slices.Index(p.bodies, next)] == a.label {
				now = next
			}
		}
		return now == h
	}

	now := func(h Handle) bool {
		holder, _ := p.had(h, forever-1)
		return holder == a
	}
	if !now(h) {
		return false
	}
	for _, o := range p.handles(a) {
		if o.Kind == h.Kind && o != h && now(o) && cmp.Or(cmp.Compare(p.lastShown(a, o), p.lastShown(a, h)), compare(o, h)) > 0 {
			return false
		}
	}

	return true
}

// lastShown is when an account was last seen with a handle.
func (p *picture) lastShown(a account, h Handle) int64 {
	last := int64(always)
	for _, c := range p.claimsOn(h) {
		if p.label[c.body] == a.label {
			last = max(last, c.last)
		}
	}
	for _, e := range p.events {
		if e.Who.BSUID != "" || !slices.Contains(e.handles(), h) {
			continue
		}
		if holder, _ := p.had(h, e.At); holder == a {
			last = max(last, e.At)
		}
	}

	return last
}
