package identity

import (
	"cmp"
	"slices"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// segment says which account held an identifier over [from, to). account is -1 where nobody is known to have.
type segment struct {
	from, to int64
	account  int
	holder   int // while deriving: the holder, or -1 for a gap
	gap      string
	beside   []int // holders before and after a gap
}

// ownedSpan is a span with its account resolved; closed tells that the holder moved off at its end.
type ownedSpan struct {
	span
	closed bool
}

// ownedSpans resolves the spans of an identifier, lengthens each to the moment its holder moved off, and sorts them.
func (d *deriver) ownedSpans(id ref) []ownedSpan {
	spans := make([]ownedSpan, 0, len(d.spans[id]))
	for _, s := range d.spans[id] {
		s.holder = d.find(s.holder)
		spans = append(spans, ownedSpan{span: s})
	}
	order := func(a, b ownedSpan) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last), d.compareHolders(a.holder, b.holder))
	}
	slices.SortFunc(spans, order)

	for _, c := range d.closed[id] {
		holder, latest := d.find(c.holder), -1
		for i, s := range spans {
			if s.holder == holder && s.first <= c.at {
				latest = i
			}
		}
		if latest == -1 {
			continue
		}
		// Seen with the identifier again after the move, in the same run or a later one: they came back to it.
		if s := &spans[latest]; s.last <= c.at {
			s.last, s.closed = c.at, true
		}
	}
	slices.SortFunc(spans, order)

	return spans
}

func (d *deriver) compareHolders(a, b int) int {
	if a == b {
		return 0
	}
	if a < len(d.nodes) && b < len(d.nodes) {
		return d.compare(d.least(a), d.least(b))
	}

	return cmp.Compare(a, b)
}

// least is the BSUID of an account that sorts first: a name for it that no order of arrival changes.
func (d *deriver) least(holder int) ref {
	best := ref(holder)
	for i := range d.nodes {
		if d.isBSUID(ref(i)) && d.find(i) == holder && d.compare(ref(i), best) < 0 {
			best = ref(i)
		}
	}

	return best
}

// holderAt is the holder of an identifier just before it moved on at a time, or -1.
func (d *deriver) holderAt(id ref, at int64) int {
	holder := -1
	for _, s := range d.ownedSpans(id) {
		if s.first > at {
			break
		}
		holder = s.holder
		if s.closed && s.last < at {
			holder = -1
		}
	}

	return holder
}

// timeline divides all time into segments by who held an identifier. Alone in a time: the holder. Two at once, or one leaving
// before another comes: a gap, in which what the identifier said belongs to nobody yet.
func (d *deriver) timeline(id ref, spans []ownedSpan) []segment {
	if len(spans) == 0 {
		return []segment{{from: always, to: forever, holder: -1, gap: "alone"}}
	}

	var cuts []int64
	for _, s := range spans {
		cuts = append(cuts, s.first, s.last+1)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)

	segments := []segment{d.before(id, spans, cuts[0])}
	for i := range cuts[:len(cuts)-1] {
		segments = append(segments, between(spans, cuts[i], cuts[i+1]))
	}
	segments = append(segments, between(spans, cuts[len(cuts)-1], forever))

	merged := segments[:1]
	for _, s := range segments[1:] {
		last := &merged[len(merged)-1]
		if last.holder == s.holder && last.gap == s.gap && s.gap != "silent" {
			last.to = s.to
			last.beside = union(last.beside, s.beside)
			continue
		}
		merged = append(merged, s)
	}

	return merged
}

// before is the segment ahead of the first holder. Its phone-only history is theirs unless it may have passed on.
func (d *deriver) before(id ref, spans []ownedSpan, first int64) segment {
	s := segment{from: always, to: first, holder: spans[0].holder}
	for _, o := range spans[1:] {
		if o.first == first && o.holder != s.holder {
			return segment{from: always, to: first, holder: -1, gap: contestBetween, beside: []int{s.holder, o.holder}}
		}
	}

	if d.nodes[id].kind != whatsapp.KindPhone || !d.named(s.holder) {
		return s
	}
	if last, ok := d.lastHeard(id, always, first); ok {
		if contest, passed := d.passedOn(id, s.holder, last, first); passed {
			return segment{from: always, to: first, holder: -1, gap: contest, beside: []int{s.holder}}
		}
	}

	return s
}

func between(spans []ownedSpan, from, to int64) segment {
	var covering, leaving, coming []int
	left := false
	for _, s := range spans {
		switch {
		case s.first <= from && from <= s.last:
			covering = union(covering, []int{s.holder})
		case s.last+1 == from:
			leaving = union(leaving, []int{s.holder})
			left = left || s.closed
		case s.first == to:
			coming = union(coming, []int{s.holder})
		}
	}

	seg := segment{from: from, to: to, holder: -1}
	switch {
	case len(covering) == 1:
		seg.holder = covering[0]
	case len(covering) > 1:
		seg.gap, seg.beside = contestBetween, covering
	case len(leaving) == 1 && !left && (to == forever || len(coming) == 1 && coming[0] == leaving[0]):
		seg.holder = leaving[0]
	case left:
		seg.gap, seg.beside = contestMoved, union(leaving, coming)
	default:
		seg.gap, seg.beside = contestBetween, union(leaving, coming)
	}

	return seg
}

func union(a, b []int) []int {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}

	return a
}
