package identity

import (
	"cmp"
	"slices"
	"time"
)

// doubtTwins looks at candidates that have a phone of the contact's in another portfolio: where it lay silent between the two for as long as
// would be a question within one, it may have passed on, and is a strong sign at most (matching.md X4). By what is known when the case is
// shown, since it may come in any order.
func (c *Case) doubtTwins() {
	for i := range c.Candidates {
		k := &c.Candidates[i]
		tier := "C"
		for j := range k.Reasons {
			r := &k.Reasons[j]
			if r.Code == signTwin {
				if contest, at := passedBetween(*c.Contact, k.Contact, r.Args["via"]); contest != "" {
					r.Tier = "B"
					k.Against = append(k.Against, Reason{Code: contest, Args: map[string]string{
						"via_kind": "phone", "via": r.Args["via"], "at": at.UTC().Format(time.RFC3339),
					}})
				}
			}
			tier = min(tier, cmp.Or(r.Tier, k.Tier))
		}
		k.Tier = tier
	}
}

// passedBetween tells why a phone may have passed from one of two contacts to the other, "" where nothing says so, and when the later one
// was first seen with it.
func passedBetween(a, b Contact, phone string) (contest string, at time.Time) {
	before, after := a.seenWith(phone), b.seenWith(phone)
	if after.first.Before(before.first) {
		before, after = after, before
	}
	if before.first.IsZero() {
		return "", time.Time{}
	}
	switch gap := int64(after.first.Sub(before.last).Seconds()); {
	case gap > silence:
		return contestSilent, after.first
	case gap > doubt && soundOtherwise(before.names, after.names):
		return contestRenamed, after.first
	default:
		return "", time.Time{}
	}
}

// seenWith is when a contact's accounts were seen with a phone, and what they call themselves; zero where they were not.
type seenWith struct {
	first, last time.Time
	names       []string
}

func (c Contact) seenWith(phone string) (s seenWith) {
	for _, i := range c.Identities {
		at := slices.IndexFunc(i.Identifiers, func(d Identifier) bool { return d.Value == phone && !d.LastSeen.Before(d.FirstSeen) })
		if at < 0 {
			continue
		}
		d := i.Identifiers[at]
		if s.first.IsZero() || d.FirstSeen.Before(s.first) {
			s.first = d.FirstSeen
		}
		if d.LastSeen.After(s.last) {
			s.last = d.LastSeen
		}
		s.names = append(s.names, calledAs(i.ProfileName))
	}

	return s
}
