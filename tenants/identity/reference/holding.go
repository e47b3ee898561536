package reference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

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
