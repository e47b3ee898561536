package reference

import (
	"cmp"
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
		if last, seen := r.alone(h, always, begin); h.Kind == Phone && r.named(coming[0]) && seen {
			if reason := r.passed(h, coming[0], last, begin); reason != "" {
				return -1, reason, coming
			}
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
	people := p.people()
	lines := append(p.denials(), p.twins(people)...)
	for _, o := range people {
		lines = append(lines, o.lines()...)
	}
	for _, c := range p.contests() {
		if !p.ruled(c) {
			lines = append(lines, p.line(c))
		}
	}
	slices.Sort(lines)

	return slices.Compact(lines)
}

func draw(steps []Step) *picture {
	p := &picture{resolver: resolve(steps), said: map[account][]Event{}}
	p.collect()
	p.group()

	return p
}

type picture struct {
	*resolver
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

// group puts the accounts together that people's decisions make one person.
func (p *picture) group() {
	p.person = map[account]int{}
	for i, a := range p.accounts {
		p.person[a] = i
	}
	for _, act := range p.acts {
		if act.Undone || act.Kind == New {
			continue
		}
		a, _ := p.had(act.A, act.AtA)
		b, _ := p.had(act.B, act.AtB)
		p.ties = append(p.ties, tie{act, a, b})
	}
	for _, t := range p.ties {
		if p.last(t.a, t.b) != Together {
			continue
		}
		from, to := p.person[t.a], p.person[t.b]
		for k, g := range p.person {
			if g == from {
				p.person[k] = to
			}
		}
	}
}

// last is what was said last of whether two accounts are one: Together, Apart, or "" where nothing was.
func (p *picture) last(a, b account) (kind string) {
	for _, t := range p.ties {
		if t.a == a && t.b == b || t.a == b && t.b == a {
			kind = t.act.Kind
		}
	}

	return kind
}

// somebody is a person, or whoever nobody knows, with all their accounts.
type somebody struct {
	names   []string
	known   bool // the business knows them
	unasked bool // somebody must say who they are
}

func (p *picture) people() map[int]somebody {
	people := map[int]somebody{}
	reachable, live, decided := map[int]bool{}, map[int]bool{}, map[int]bool{}
	for _, a := range p.accounts {
		g := p.person[a]
		o := people[g]
		wrote, now := p.wrote(a)
		o.names, o.known = append(o.names, p.name(a)), o.known || wrote || p.vouched(a)
		people[g], live[g] = o, live[g] || now
		for _, h := range p.handles(a) {
			reachable[g] = reachable[g] || h.Kind == Phone
			for _, act := range p.acts {
				decided[g] = decided[g] || act.Kind != Apart && !act.Undone && (act.A == h || act.B == h)
			}
		}
	}
	for g, o := range people {
		slices.Sort(o.names)
		o.unasked = o.known && live[g] && !reachable[g] && !decided[g]
		people[g] = o
	}

	return people
}

func (o somebody) line() string { return strings.Join(o.names, " + ") }

func (o somebody) lines() []string {
	switch {
	case !o.known:
		return []string{"nobody " + o.line()}
	case o.unasked:
		return []string{"person " + o.line(), "who is " + o.line()}
	default:
		return []string{"person " + o.line()}
	}
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
