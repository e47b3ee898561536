// Package reference says who is who by the rules alone, in the plainest way: it keeps nothing, and answers each question by going
// through everything that was ever said. It is for tests only, to hold the identity package against, and imports nothing of the
// product, so that a mistake cannot be made in both by sharing it.
package reference

import (
	"cmp"
	"slices"
)

// Kind is a kind of handle.
type Kind string

// The kinds of handle, as WhatsApp's own words are stored.
const (
	Phone  Kind = "phone"
	BSUID  Kind = "bsuid"
	Parent Kind = "parent_bsuid"
)

// Handle is an identifier in the scope in which it means somebody.
type Handle struct {
	Scope string
	Kind  Kind
	Value string
}

// Naming is how one event names a customer; "" where it does not.
type Naming struct{ Phone, BSUID, Parent string }

// Change is WhatsApp's word that an account's old identifiers became its new ones.
type Change struct{ Old, New Naming }

// Event is what WhatsApp said once. Times are whole seconds of its own clock.
type Event struct {
	At      int64
	Tie     string // orders events of one second
	Scope   string
	Who     Naming
	Change  *Change
	Past    bool   // of past chats the owner shared: weaker than anything live
	Failed  bool   // a message to them did not arrive: no sign of life
	Book    bool   // of the owner's address book: proves nothing
	Name    string // under which it is kept as a message, call or status; "" where it is evidence only
	Inbound bool   // a customer wrote or called
	Called  string // what who wrote or called now calls themselves
}

// The things a person may decide.
const (
	Together = "together" // two accounts are one person
	Apart    = "apart"    // two identifiers are not one account
	New      = "new"      // somebody the business has not met
)

// Act is a person's decision. It names accounts by an identifier and a time at which they had it.
type Act struct {
	Kind         string
	A, B         Handle
	AtA, AtB     int64
	PastA, PastB bool // it was theirs no more when that was decided, as far as anybody knew
	Cut          bool // of Apart: the one never had the other, whatever WhatsApp said of it by then
	Undone       bool
}

// sides are the two ways round in which a decision may be read.
func (act *Act) sides() [2]Act {
	turned := *act
	turned.A, turned.B, turned.AtA, turned.AtB, turned.PastA, turned.PastB = act.B, act.A, act.AtB, act.AtA, act.PastB, act.PastA

	return [2]Act{*act, turned}
}

// means tells whether whoever had the first handle over a time is spoken of.
func (act Act) means(first, last int64) bool {
	return act.Cut || act.AtA <= last && (!act.PastA || first <= act.AtA)
}

// Step is an event or an act, in the order in which the business got to know of them.
type Step struct {
	Event *Event
	Act   *Act
}

// silence is how long a phone may say nothing before it may have passed to somebody else: 180 days.
const silence = 180 * 24 * 3600

// doubt is how long it may say nothing before another name on it speaks of somebody else: 90 days.
const doubt = 90 * 24 * 3600

const (
	always  = -1 << 62
	forever = 1 << 62
)

// claim is a time over which an account is shown to have had a handle. left: at its end WhatsApp said that it moved off.
type claim struct {
	body        int
	handle      Handle
	first, last int64
	left        bool
}

// proof is something WhatsApp says that a person's decision forbids to act on.
type proof struct {
	act    *Act
	body   int    // whose
	other  int    // which account it would be joined with, or -1
	handle Handle // which handle it would have
	at     int64
}

// resolver holds what was said, and the accounts found so far. A body is a BSUID or an account known by phones alone; bodies with
// one label are one account.
type resolver struct {
	events, changes []Event
	acts            []*Act
	known           map[*Act]int64 // how far the evidence went that somebody decided by

	bodies []Handle // the BSUID of each; the zero Handle for an account known by phones alone
	label  []int
	claims []claim
	proofs []proof
}

// resolve follows the rules, one after the other.
func resolve(steps []Step) *resolver {
	r := &resolver{known: map[*Act]int64{}}
	for i, s := range steps {
		switch {
		case s.Act != nil:
			r.acts = append(r.acts, s.Act)
			r.known[s.Act] = knownOf(steps[:i], s.Act)
		case s.Event.Book:
		case s.Event.Change != nil:
			r.changes = append(r.changes, *s.Event)
		default:
			r.events = append(r.events, *s.Event)
		}
	}
	inTime := func(a, b Event) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Tie, b.Tie)) }
	slices.SortStableFunc(r.events, inTime)
	slices.SortStableFunc(r.changes, inTime)
	r.changes = slices.CompactFunc(r.changes, func(a, b Event) bool { return a.Tie == b.Tie })

	r.meetBSUIDs()
	r.joinChangedBSUIDs()
	r.claimSeenTogether()
	r.followChanges()
	r.believePast()
	r.absorbPhoneOnly()

	return r
}

// knownOf is the newest that WhatsApp had said of either identifier.
func knownOf(before []Step, act *Act) int64 {
	known := int64(always)
	for _, s := range before {
		if s.Event == nil || s.Event.Book {
			continue
		}
		for _, h := range s.Event.handles() {
			if h == act.A || h == act.B {
				known = max(known, s.Event.At)
			}
		}
	}

	return known
}

// handles are all that an event names.
func (e Event) handles() []Handle {
	namings := []Naming{e.Who}
	if e.Change != nil {
		namings = []Naming{e.Change.Old, e.Change.New}
	}
	var all []Handle
	for _, n := range namings {
		for kind, value := range map[Kind]string{Phone: n.Phone, BSUID: n.BSUID, Parent: n.Parent} {
			if value != "" {
				all = append(all, Handle{e.Scope, kind, value})
			}
		}
	}
	slices.SortFunc(all, compare)

	return all
}

func compare(a, b Handle) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Scope, b.Scope))
}

func (r *resolver) meetBSUIDs() {
	for _, e := range slices.Concat(r.events, r.changes) {
		for _, h := range e.handles() {
			if h.Kind == BSUID && !slices.Contains(r.bodies, h) {
				r.bodies = append(r.bodies, h)
			}
		}
	}
	slices.SortFunc(r.bodies, compare)
	for i := range r.bodies {
		r.label = append(r.label, i)
	}
}

// body is that of a BSUID.
func (r *resolver) body(scope, bsuid string) int {
	return slices.Index(r.bodies, Handle{scope, BSUID, bsuid})
}

// newBody is an account known by phones alone.
func (r *resolver) newBody() int {
	r.bodies = append(r.bodies, Handle{})
	r.label = append(r.label, len(r.label))

	return len(r.label) - 1
}

// join makes two bodies one account, unless somebody holds them apart.
func (r *resolver) join(a, b int, at int64) bool {
	from, to := r.label[a], r.label[b]
	if from == to {
		return false
	}
	if act := r.heldApart(from, to); act != nil {
		r.proofs = append(r.proofs, proof{act: act, body: a, other: b, at: at})
		return false
	}
	for i, l := range r.label {
		if l == from {
			r.label[i] = to
		}
	}

	return true
}

// named tells whether an account has a BSUID.
func (r *resolver) named(label int) bool {
	for i, l := range r.label {
		if l == label && r.bodies[i] != (Handle{}) {
			return true
		}
	}

	return false
}

// has tells whether an account is the one that a decision means by its first handle: it has that BSUID or, having none, was shown
// with that phone at the time.
func (r *resolver) has(label int, act Act) bool {
	for i, b := range r.bodies {
		if r.label[i] == label && b == act.A {
			return true
		}
	}

	return !r.named(label) && slices.ContainsFunc(r.claims, func(c claim) bool {
		return !c.left && r.label[c.body] == label && c.handle == act.A && act.means(c.first, c.last)
	})
}

// heldApart is the decision that keeps two accounts apart, or nil.
func (r *resolver) heldApart(a, b int) *Act {
	return r.lastApart(func(act, turned Act) bool { return r.has(a, act) && r.has(b, turned) })
}

// denied is the decision by which an account did not have a handle over a time, or nil. Whoever says that the one who had a phone
// once is not this account does not say that this account never had it.
func (r *resolver) denied(label int, h Handle, first, last int64) *Act {
	return r.lastApart(func(act, turned Act) bool { return act.A == h && act.means(first, last) && r.has(label, turned) })
}

// lastApart is the last of the decisions that are about two, unless that says that they are the same.
func (r *resolver) lastApart(about func(act, turned Act) bool) (last *Act) {
	for _, act := range r.acts {
		s := act.sides()
		if !act.Undone && act.Kind != New && (about(s[0], s[1]) || about(s[1], s[0])) {
			last = act
		}
	}
	if last != nil && last.Kind == Together {
		return nil
	}

	return last
}

// show keeps that an account had a handle over a time, unless a person's decision denies it.
func (r *resolver) show(body int, h Handle, first, last int64) bool {
	if act := r.denied(r.label[body], h, first, last); act != nil {
		r.proofs = append(r.proofs, proof{act: act, body: body, other: -1, handle: h, at: last})
		return false
	}
	r.claims = append(r.claims, claim{body: body, handle: h, first: first, last: last})

	return true
}
