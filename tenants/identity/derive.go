package identity

import (
	"cmp"
	"slices"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// hold is one identifier held by one account over [from, to).
type hold struct {
	id          ref
	from, to    int64
	first, last int64
	current     bool
}

// account is one derived WhatsApp account: what becomes an identity.
type account struct {
	bsuids []ref
	holds  []hold
}

// The ways evidence can contradict itself or a person. Each opens a conflict case.
const (
	contestRecycled = "recycled_number"  // one phone, two accounts, nobody moved off
	contestSilent   = "silent_number"    // a phone comes back with a WhatsApp ID after 180 days of silence
	contestRenamed  = "renamed_number"   // the same after 90, with a name that sounds like none before
	contestMoved    = "after_move"       // a phone its holder had left writes again
	contestBetween  = "between_holders"  // a phone-only event between two holders
	contestDecision = "against_decision" // WhatsApp now joins what a person held apart
)

// contest is a contradiction for a person to decide. subject and others index derivation.accounts.
type contest struct {
	kind    string
	subject int
	others  []int
	via     ref
	at      int64
	since   int64 // from when somebody has been waiting for an answer to it
	nth     int   // of contestMoved and contestBetween: which of the gaps of via, from 0
	verdict int   // index into graph.verdicts for contestDecision, else -1
}

// derivation is what the evidence and the standing decisions say: who holds what and when, and what is contradictory.
type derivation struct {
	accounts []account
	contests []contest
	holder   map[ref][]segment // accounts by time, for phones and parents
	byBSUID  map[ref]int
}

// accountOf is the account that held r at a time, or -1.
func (out *derivation) accountOf(r ref, at int64) int {
	if i, ok := out.byBSUID[r]; ok {
		return i
	}
	for _, s := range out.holder[r] {
		if s.from <= at && at < s.to {
			return s.account
		}
	}

	return -1
}

// deriver works on holders: element i below len(nodes) stands for the BSUID nodes[i], those above for accounts known by a
// phone alone. Joined elements are one account.
type deriver struct {
	*graph
	parent []int
	spans  map[ref][]span
	closed map[ref][]closing
	proofs []proof
}

// span is a time over which a holder is attested to hold a phone or parent.
type span struct {
	holder      int
	first, last int64
}

// closing: the holder moved off the identifier at a time.
type closing struct {
	holder int
	at     int64
}

// proof is evidence that a person's decision forbids to act on.
type proof struct {
	verdict   int
	a, b      int // holders
	via       ref
	since, at int64 // the first and the last that was said of it since the decision
}

func (g *graph) derive() *derivation {
	g.sort()

	d := &deriver{graph: g, parent: make([]int, len(g.nodes)), spans: map[ref][]span{}, closed: map[ref][]closing{}}
	for i := range d.parent {
		d.parent[i] = i
	}

	d.joinRotatedBSUIDs()
	for _, p := range g.pairings {
		d.addSpan(int(p.bsuid), p.other, p.first, p.last)
	}
	d.followRotations()
	d.believePast()
	d.adoptPhoneOnly()

	return d.assemble()
}

func (d *deriver) find(x int) int {
	for d.parent[x] != x {
		d.parent[x] = d.parent[d.parent[x]]
		x = d.parent[x]
	}

	return x
}

func (d *deriver) newHolder() int {
	d.parent = append(d.parent, len(d.parent))

	return len(d.parent) - 1
}

// join makes two holders one account, unless a standing decision keeps them apart.
func (d *deriver) join(a, b int, at int64) {
	a, b = d.find(a), d.find(b)
	if a == b {
		return
	}
	if v := d.forbidden(a, b, span{}, none); v >= 0 {
		d.proofs = append(d.proofs, proof{verdict: v, a: a, b: b, via: none, since: at, at: at})
		return
	}
	d.parent[max(a, b)] = min(a, b)
}

// forbidden finds a decision that keeps account a apart from account b, or, where b is -1, from whoever had the identifier via
// over a time. Of several about the two the last counts.
func (d *deriver) forbidden(a, b int, over span, via ref) int {
	side := func(r ref, meant when, holder int) bool {
		if holder == -1 {
			return r == via && meant.reaches(over)
		}
		if d.isBSUID(r) {
			return d.find(int(r)) == holder
		}
		return !d.named(holder) && slices.ContainsFunc(d.spans[r], func(s span) bool { return d.find(s.holder) == holder && meant.reaches(s) })
	}

	return d.lastApart(func(v verdict) bool {
		return side(v.a, v.aHeld, a) && side(v.b, v.bHeld, b) || side(v.b, v.bHeld, a) && side(v.a, v.aHeld, b)
	})
}

// lastApart is the last of the decisions that are about something, or -1 where that says that they are the same or none is.
func (d *deriver) lastApart(about func(v verdict) bool) int {
	last := -1
	for i, v := range d.verdicts {
		if about(v) {
			last = i
		}
	}
	if last >= 0 && d.verdicts[last].same {
		return -1
	}

	return last
}

func (d *deriver) isBSUID(r ref) bool { return d.nodes[r].kind == whatsapp.KindBSUID }

// addSpan records that a holder had an identifier over a time, unless a standing decision says it was not theirs.
func (d *deriver) addSpan(holder int, id ref, first, last int64) bool {
	if v := d.forbidden(d.find(holder), -1, span{first: first, last: last}, id); v >= 0 {
		d.proofs = append(d.proofs, proof{verdict: v, a: holder, b: -1, via: id, since: max(first, d.verdicts[v].known+1), at: last})
		return false
	}
	d.spans[id] = append(d.spans[id], span{holder: holder, first: first, last: last})

	return true
}

func (d *deriver) joinRotatedBSUIDs() {
	for _, r := range d.rotations {
		if r.oldBSUID != none && r.newBSUID != none {
			d.join(int(r.oldBSUID), int(r.newBSUID), r.at)
		}
	}
}

// followRotations moves phones and parents from the old to the new side of each rotation, in WhatsApp's order of time. A
// rotation that names no old BSUID speaks of whoever held the old phone at that moment (edge cases 28, 46).
func (d *deriver) followRotations() {
	for _, r := range d.rotations {
		if r.oldBSUID == none {
			continue
		}
		newSide := r.newBSUID
		if newSide == none {
			newSide = r.oldBSUID
		}
		d.moveOff(r, int(r.oldBSUID))
		d.moveOn(r, int(newSide))
	}

	for _, r := range d.rotations {
		switch {
		case r.oldBSUID != none:
		case r.oldPhone != none:
			d.followPhone(r)
		case r.newBSUID != none:
			d.moveOn(r, int(r.newBSUID))
		}
	}
}

func (d *deriver) followPhone(r rotation) {
	if r.newPhone != none && r.newBSUID == none && d.heldApart(r.oldPhone, r.newPhone, r.at) {
		return
	}

	old := d.holderAt(r.oldPhone, r.at)
	if old == -1 {
		old = d.newHolder()
		d.addSpan(old, r.oldPhone, r.at, r.at)
	}
	d.moveOff(r, old)

	newSide := old
	if r.newBSUID != none {
		newSide = int(r.newBSUID)
		d.join(old, newSide, r.at)
	}
	d.moveOn(r, newSide)
}

// heldApart tells whether a person decided that two phones are two people, and keeps the rotation as proof against it.
func (d *deriver) heldApart(a, b ref, at int64) bool {
	i := d.lastApart(func(v verdict) bool { return v.a == a && v.b == b || v.a == b && v.b == a })
	if i >= 0 {
		d.proofs = append(d.proofs, proof{verdict: i, a: -1, b: -1, via: b, since: at, at: at})
	}

	return i >= 0
}

// moveOff closes what the old side held. A BSUID that changed without the old phone named has changed its number too, since a
// BSUID is tied to it (meta-spec 2.1), so its phones close as well.
func (d *deriver) moveOff(r rotation, holder int) {
	if r.oldPhone != none && r.oldPhone != r.newPhone {
		if d.addSpan(holder, r.oldPhone, r.at, r.at) {
			d.closed[r.oldPhone] = append(d.closed[r.oldPhone], closing{holder: holder, at: r.at})
		}
	}
	if r.oldParent != none && r.oldParent != r.newParent {
		if d.addSpan(holder, r.oldParent, r.at, r.at) {
			d.closed[r.oldParent] = append(d.closed[r.oldParent], closing{holder: holder, at: r.at})
		}
	}
	if r.oldPhone == none && r.oldBSUID != none && r.newBSUID != none {
		for _, p := range d.pairings {
			if p.bsuid == r.oldBSUID && p.other != r.newPhone && p.first <= r.at && d.nodes[p.other].kind == whatsapp.KindPhone {
				d.closed[p.other] = append(d.closed[p.other], closing{holder: holder, at: r.at})
			}
		}
	}
}

func (d *deriver) moveOn(r rotation, holder int) {
	if r.newPhone != none {
		d.addSpan(holder, r.newPhone, r.at, r.at)
	}
	if r.newParent != none {
		d.addSpan(holder, r.newParent, r.at, r.at)
	}
}

// adoptPhoneOnly joins an account known by phones alone to the WhatsApp ID that its phone is next seen with, unless the phone
// had been silent for over 180 days or its holder had moved off.
func (d *deriver) adoptPhoneOnly() {
	for more := true; more; {
		more = false
		for _, id := range d.ordered() {
			if d.nodes[id].kind != whatsapp.KindPhone {
				continue
			}
			spans := d.ownedSpans(id)
			for i := 1; i < len(spans); i++ {
				before, after := spans[i-1], spans[i]
				if before.closed || d.named(before.holder) || !d.named(after.holder) {
					continue
				}
				last := before.last
				if seen, ok := d.lastHeard(id, before.last, after.first); ok {
					last = seen
				}
				if _, passed := d.passedOn(id, after.holder, last, after.first); !passed {
					d.join(before.holder, after.holder, after.first)
					more = more || d.named(before.holder)
				}
			}
		}
	}
}

// named tells whether an account has a BSUID.
func (d *deriver) named(holder int) bool { return d.find(holder) < len(d.nodes) }

// currentBSUID is the one that no later rotation replaced; of several, the last to appear.
func (d *deriver) currentBSUID(bsuids []ref) ref {
	opened, left := map[ref]int64{}, map[ref]int64{}
	for _, r := range d.rotations {
		if r.newBSUID == none || r.oldBSUID == r.newBSUID {
			continue
		}
		opened[r.newBSUID] = max(opened[r.newBSUID], r.at)
		if r.oldBSUID != none && d.find(int(r.oldBSUID)) == d.find(int(r.newBSUID)) { // unless a person says that it became another's
			left[r.oldBSUID] = max(left[r.oldBSUID], r.at)
		}
	}

	return slices.MaxFunc(bsuids, func(a, b ref) int {
		live := func(r ref) int {
			if left[r] == 0 || opened[r] > left[r] {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(live(a), live(b)), cmp.Compare(opened[a], opened[b]), d.compare(a, b))
	})
}
