package reference

import (
	"cmp"
	"slices"
)

// joinChangedBSUIDs: an account whose BSUID changed is the same account.
func (r *resolver) joinChangedBSUIDs() {
	for _, e := range r.changes {
		if e.Change.Old.BSUID != "" && e.Change.New.BSUID != "" {
			r.join(r.body(e.Scope, e.Change.Old.BSUID), r.body(e.Scope, e.Change.New.BSUID), e.At)
		}
	}
}

// others are the phone and parent that an event names beside a BSUID.
func (e Event) others() []Handle {
	return slices.DeleteFunc(e.handles(), func(h Handle) bool { return h.Kind == BSUID })
}

// claimSeenTogether: a BSUID named beside a phone or parent had it then, and all the while between two such times that are not more
// than a silence apart.
func (r *resolver) claimSeenTogether() {
	type together struct {
		body   int
		handle Handle
	}
	times := map[together][]int64{}
	var pairs []together
	for _, e := range r.events { // in order of time
		for _, h := range e.others() {
			if e.Who.BSUID == "" || e.Past {
				continue
			}
			p := together{r.body(e.Scope, e.Who.BSUID), h}
			if len(times[p]) == 0 {
				pairs = append(pairs, p)
			}
			times[p] = append(times[p], e.At)
		}
	}
	for _, p := range pairs {
		first, last := times[p][0], times[p][0]
		for _, at := range times[p] {
			if at-last > silence {
				r.show(p.body, p.handle, first, last)
				first = at
			}
			last = at
		}
		r.show(p.body, p.handle, first, last)
	}
}

// followChanges: a change takes its account off the old phone and parent and puts it on the new ones. One that names no old BSUID
// speaks of whoever had the old phone at that moment, which is known only once all others are followed.
func (r *resolver) followChanges() {
	for _, e := range r.changes {
		if e.Change.Old.BSUID == "" {
			continue
		}
		account := r.body(e.Scope, e.Change.Old.BSUID)
		r.moveOff(e, account)
		if e.Change.New.BSUID != "" {
			account = r.body(e.Scope, e.Change.New.BSUID) // the same one, unless a person holds them apart
		}
		r.moveOn(e, account)
	}
	for _, e := range r.changes {
		switch {
		case e.Change.Old.BSUID != "":
		case e.Change.Old.Phone != "":
			r.followPhone(e)
		case e.Change.New.BSUID != "":
			r.moveOn(e, r.body(e.Scope, e.Change.New.BSUID))
		}
	}
}

func (r *resolver) followPhone(e Event) {
	old := Handle{e.Scope, Phone, e.Change.Old.Phone}
	if e.Change.New.BSUID == "" && e.Change.New.Phone != "" {
		next := Handle{e.Scope, Phone, e.Change.New.Phone}
		if act := r.lastApart(func(act, _ Act) bool { return act.A == old && act.B == next }); act != nil {
			r.proofs = append(r.proofs, proof{act: act, body: -1, other: -1, handle: next, at: e.At})
			return
		}
	}

	account := r.hadAt(old, e.At)
	if account == -1 {
		account = r.newBody()
		r.show(account, old, e.At, e.At)
	}
	r.moveOff(e, account)
	if e.Change.New.BSUID != "" {
		next := r.body(e.Scope, e.Change.New.BSUID)
		r.join(account, next, e.At)
		account = next
	}
	r.moveOn(e, account)
}

// hadAt is a body of the account that was last shown to have come by a phone before a moment, unless it had left it; -1 where none had.
func (r *resolver) hadAt(h Handle, at int64) int {
	body := -1
	for _, c := range r.claimsOn(h) {
		if c.first <= at {
			body = c.body
			if c.left && c.last < at {
				body = -1
			}
		}
	}

	return body
}

// moveOff: an account that changes its phone, or its parent, leaves the old one. A BSUID hangs on a phone, so where only the BSUID is
// said to have changed the phones seen with it until then are left too.
func (r *resolver) moveOff(e Event, body int) {
	c := e.Change
	leaves := func(kind Kind, old, next string) {
		if h := (Handle{e.Scope, kind, old}); old != "" && old != next && r.show(body, h, e.At, e.At) {
			r.leave(body, h, e.At)
		}
	}
	leaves(Phone, c.Old.Phone, c.New.Phone)
	leaves(Parent, c.Old.Parent, c.New.Parent)

	if c.Old.Phone != "" || c.Old.BSUID == "" || c.New.BSUID == "" {
		return
	}
	for _, seen := range r.events {
		if seen.Scope == e.Scope && seen.Who.BSUID == c.Old.BSUID && seen.Who.Phone != "" && seen.Who.Phone != c.New.Phone && seen.At <= e.At && !seen.Past {
			r.leave(body, Handle{e.Scope, Phone, seen.Who.Phone}, e.At)
		}
	}
}

func (r *resolver) moveOn(e Event, body int) {
	if e.Change.New.Phone != "" {
		r.show(body, Handle{e.Scope, Phone, e.Change.New.Phone}, e.At, e.At)
	}
	if e.Change.New.Parent != "" {
		r.show(body, Handle{e.Scope, Parent, e.Change.New.Parent}, e.At, e.At)
	}
}

// leave ends what an account had of a handle at a moment. Shown with it later all the same, it came back.
func (r *resolver) leave(body int, h Handle, at int64) {
	r.claims = append(r.claims, claim{body: body, handle: h, first: always, last: at, left: true}) // settled by claimsOn
}

// claimsOn are all claims on a handle in order of time, with what was left settled.
func (r *resolver) claimsOn(h Handle) []claim {
	var shown, left []claim
	for _, c := range r.claims {
		switch {
		case c.handle != h:
		case c.left:
			left = append(left, c)
		default:
			shown = append(shown, c)
		}
	}
	inTime := func(a, b claim) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last)) }
	slices.SortStableFunc(shown, inTime)
	slices.SortStableFunc(left, inTime)
	for _, l := range left {
		latest := -1
		for i, c := range shown {
			if r.label[c.body] == r.label[l.body] && c.first <= l.last {
				latest = i
			}
		}
		if latest >= 0 && shown[latest].last <= l.last {
			shown[latest].last, shown[latest].left = l.last, true
		}
	}
	slices.SortStableFunc(shown, inTime)

	return shown
}

// believePast: what past chats say a BSUID had is believed where nothing live, no person and no other past chat says otherwise, and the
// phone had not been silent before.
func (r *resolver) believePast() {
	type pair struct {
		body   int
		handle Handle
	}
	first, last := map[pair]int64{}, map[pair]int64{}
	var pairs []pair
	for _, e := range r.events {
		for _, h := range e.others() {
			p := pair{r.body(e.Scope, e.Who.BSUID), h}
			if !e.Past || e.Who.BSUID == "" {
				continue
			}
			if _, known := first[p]; !known {
				first[p] = e.At
				pairs = append(pairs, p)
			}
			last[p] = e.At
		}
	}

	var believed []pair
	for _, p := range pairs {
		mine := r.label[p.body]
		against := r.denied(mine, p.handle, first[p], last[p]) != nil
		for _, c := range r.claims {
			if c.left {
				continue // that something was left does not show that it was had
			}
			others := c.handle == p.handle && r.label[c.body] != mine
			another := c.handle != p.handle && c.handle.Kind == p.handle.Kind && r.label[c.body] == mine
			against = against || others || another
		}
		for _, o := range pairs {
			against = against || o.handle == p.handle && r.label[o.body] != mine
		}
		if before, seen := r.alone(p.handle, always, first[p]); seen && first[p]-before > silence {
			against = true
		}
		if !against {
			believed = append(believed, p)
		}
	}
	for _, p := range believed {
		r.show(p.body, p.handle, first[p], last[p])
	}
}

// alone is the last time in [from, to) at which a phone or parent was named without a BSUID and lived.
func (r *resolver) alone(h Handle, from, to int64) (last int64, seen bool) {
	for _, e := range r.events {
		if e.Who.BSUID != "" || e.Failed || !slices.Contains(e.handles(), h) || e.At < from || e.At >= to {
			continue
		}
		last, seen = e.At, true
	}

	return last, seen
}

// absorbPhoneOnly: an account known by phones alone is the one whose BSUID its phone is next seen with, unless it had left the phone or
// the phone had fallen silent.
func (r *resolver) absorbPhoneOnly() {
	for more := true; more; {
		more = false
		for _, h := range r.handlesClaimed() {
			claims := r.claimsOn(h)
			for i := 1; i < len(claims) && h.Kind == Phone; i++ {
				before, after := claims[i-1], claims[i]
				if before.left || r.named(r.label[before.body]) || !r.named(r.label[after.body]) {
					continue
				}
				last := before.last
				if seen, ok := r.alone(h, before.last, after.first); ok {
					last = seen
				}
				if r.passed(h, r.label[after.body], last, after.first) == "" && r.join(before.body, after.body, after.first) {
					more = true
				}
			}
		}
	}
}

// passed is why a phone that lived at one time may be somebody else's when an account next has it, or "".
func (r *resolver) passed(h Handle, label int, last, next int64) string {
	var before, after []string
	for _, e := range r.events {
		switch {
		case e.Called == "":
		case e.Who.BSUID == "" && e.Who.Phone == h.Value && e.Scope == h.Scope && e.At <= last:
			before = append(before, e.Called)
		case e.Who.BSUID != "" && r.label[r.body(e.Scope, e.Who.BSUID)] == label:
			after = append(after, e.Called)
		}
	}
	if len(after) == 0 {
		after = r.calledElsewhere(h, label, last, next)
	}
	known := slices.ContainsFunc(after, func(name string) bool { return slices.Contains(before, name) })
	switch {
	case next-last > silence:
		return Silent
	case next-last > doubt && len(before) > 0 && len(after) > 0 && !known:
		return Renamed
	default:
		return ""
	}
}

// calledElsewhere are the names by which other portfolios know an account that has told none in its own: those of WhatsApp IDs seen with a
// parent id of its, and of whoever came to the phone there, between one time and a doubt after another.
func (r *resolver) calledElsewhere(h Handle, label int, last, next int64) []string {
	var names []string
	for _, e := range r.events {
		if e.Called == "" || e.Scope == h.Scope {
			continue
		}
		met := int64(forever)
		for _, o := range r.events {
			if o.Past || o.Scope != e.Scope || o.Who.BSUID != e.Who.BSUID || o.Who.BSUID == "" && o.Called != e.Called {
				continue
			}
			if o.Who.Phone == h.Value {
				met = min(met, o.At)
			}
			if parent := (Handle{h.Scope, Parent, o.Who.Parent}); slices.ContainsFunc(r.claims, func(c claim) bool {
				return !c.left && c.handle == parent && r.label[c.body] == label
			}) {
				names = append(names, e.Called)
			}
		}
		if met > last && met <= next+doubt {
			names = append(names, e.Called)
		}
	}

	return names
}

// handlesClaimed are all phones and parents that anybody is shown to have had.
func (r *resolver) handlesClaimed() []Handle {
	var all []Handle
	for _, c := range r.claims {
		if !slices.Contains(all, c.handle) {
			all = append(all, c.handle)
		}
	}
	slices.SortFunc(all, compare)

	return all
}
