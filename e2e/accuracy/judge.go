package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/pehchan/pehchan/tenants/sandbox"
)

// node is an identifier in the portfolio in which it was shown. era counts the silences after which a phone may have passed on.
type node struct {
	kind, value, portfolio string
	era                    int
}

// silence is how long a phone that is known without a WhatsApp ID may be unseen before even WhatsApp's word on its next use is no
// proof about the earlier one (evidence X4).
const silence = 180 * 24 * time.Hour

// truth is what the product is judged by.
type truth struct {
	holders map[[2]string][]holding // by kind and value of an identifier
	authors map[string]string       // person by wamid of what they wrote
	spelled map[string]sandbox.Spelling
	listed  map[string]string   // person by what the business's own list calls them
	means   map[string][]string // people by the phone that the list means
	proved  map[string][][]node // by person: what WhatsApp itself has shown to be one account, identifiers of one portfolio together
	plainly map[string][][]node // the same from field messages alone
}

// forever is later than anything in a world.
var forever = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

type holding struct {
	person   string
	from, to time.Time
}

func newTruth(w *sandbox.World, list []sandbox.ContactRow, scopes map[string]string) *truth {
	t := &truth{
		holders: map[[2]string][]holding{}, authors: map[string]string{}, spelled: map[string]sandbox.Spelling{},
		listed: map[string]string{}, means: map[string][]string{}, proved: map[string][][]node{}, plainly: map[string][][]node{},
	}
	for _, row := range list {
		t.listed[row.ExternalID], t.spelled[row.Name] = row.Person, row.Spelling
		if row.Means != "" && !slices.Contains(t.means[row.Means], row.Person) {
			t.means[row.Means] = append(t.means[row.Means], row.Person)
		}
	}
	for _, p := range w.Truth() {
		for _, id := range p.Identifiers {
			h := holding{p.Person, id.From, forever}
			if id.To != nil {
				h.to = *id.To
			}
			key := [2]string{id.Kind, id.Value}
			t.holders[key] = append(t.holders[key], h)
		}
		for _, wamid := range p.WAMIDs {
			t.authors[wamid] = p.Person
		}
	}

	proofs, plain := map[string][][]node{}, map[string][][]node{}
	events := slices.Clone(w.Events())
	slices.SortStableFunc(events, func(a, b sandbox.EventTruth) int { return a.At.Compare(b.At) })
	seen := eras{}
	for _, e := range events {
		if e.Name != nil {
			t.spelled[e.Name.Text] = *e.Name
		}
		together, attested := evidence(e, scopes[e.Number])
		seen.place(together, e.Person, e.At)
		if !attested || e.Person == "" || len(together) < 2 {
			continue
		}
		proofs[e.Person] = append(proofs[e.Person], together)
		if e.Kind == sandbox.EventMessage || e.Kind == sandbox.EventStatus || e.Kind == sandbox.EventSystem {
			plain[e.Person] = append(plain[e.Person], together)
		}
	}
	for person, sets := range proofs {
		t.proved[person] = joined(sets)
	}
	for person, sets := range plain {
		t.plainly[person] = joined(sets)
	}

	return t
}

// evidence is what an event names of one account, where it proves anything (A1 to A3). A name in the address book proves nothing.
func evidence(e sandbox.EventTruth, portfolio string) (together []node, attested bool) {
	add := func(s sandbox.Shown) {
		for _, id := range [][2]string{{"phone", s.Phone}, {"bsuid", s.BSUID}, {"parent_bsuid", s.Parent}} {
			if id[1] != "" {
				together = append(together, node{kind: id[0], value: id[1], portfolio: portfolio})
			}
		}
	}
	add(e.Shown)
	if e.Was != nil {
		add(*e.Was)
	}

	return together, e.Kind != sandbox.EventSync && e.State != "failed"
}

// eras follows each phone of a person through time.
type eras map[[3]string]*era

type era struct {
	nth   int
	last  time.Time
	named bool // seen with a WhatsApp ID since the last silence
}

// place says in which era the phones of an event stand.
func (all eras) place(together []node, person string, at time.Time) {
	named := slices.ContainsFunc(together, func(n node) bool { return n.kind == "bsuid" })
	for i, n := range together {
		if n.kind != "phone" {
			continue
		}
		key := [3]string{person, n.value, n.portfolio}
		e := all[key]
		if e == nil {
			e = &era{last: at}
			all[key] = e
		}
		if !e.named && at.Sub(e.last) > silence {
			e.nth++
		}
		e.last, e.named = at, e.named || named
		together[i].era = e.nth
	}
}

// joined merges sets that share a member.
func joined(sets [][]node) [][]node {
	var out [][]node
	for _, s := range sets {
		var rest [][]node
		merged := slices.Clone(s)
		for _, o := range out {
			if slices.ContainsFunc(o, func(n node) bool { return slices.Contains(merged, n) }) {
				merged = append(merged, o...)
			} else {
				rest = append(rest, o)
			}
		}
		slices.SortFunc(merged, compareNodes)
		out = append(rest, slices.Compact(merged))
	}

	return out
}

// owners are the people who held an identifier while the product saw it. Of what it has not seen, the list's word counts.
func (t *truth) owners(id identifier) []string {
	if id.FirstSeen.IsZero() {
		return t.means[id.Value]
	}
	var found []string
	for _, h := range t.holders[[2]string{id.Kind, id.Value}] {
		if !id.LastSeen.Before(h.from) && !id.FirstSeen.After(h.to) && !slices.Contains(found, h.person) {
			found = append(found, h.person)
		}
	}

	return found
}

// passedOn tells whether a phone of a contact has had several holders.
func (t *truth) passedOn(k contact) bool {
	for _, a := range k.Identities {
		for _, id := range a.Identifiers {
			if len(t.holders[[2]string{id.Kind, id.Value}]) > 1 {
				return true
			}
		}
	}

	return false
}

// judge compares what became of a world with its truth.
func (r *result) judge(ctx context.Context, t *truth, c *customer, s *state, wrote map[string]string) error {
	beyond, err := c.beyondContacts(ctx, t, s)
	if err != nil {
		return err
	}
	owner := map[string]string{} // person by contact, "" where it is several's
	for id, k := range s.contacts {
		owner[id] = r.judgeContact(t, k)
		r.judgeListed(t, k, owner[id])
	}
	byContact := map[string][]string{}
	for wamid, id := range wrote {
		if t.authors[wamid] != "" {
			byContact[id] = append(byContact[id], t.authors[wamid])
		}
	}
	for id, authors := range byContact {
		slices.Sort(authors)
		if people := slices.Compact(slices.Clone(authors)); len(people) > 1 || people[0] != owner[id] {
			r.Mixed[id] = true
			r.misjudged(map[string]any{"what": "messages of several people", "contact": s.contacts[id], "people": people, "held_by": owner[id]})
			owner[id] = ""
		}
	}

	for id := range r.Mixed {
		if t.passedOn(s.contacts[id]) {
			r.PassedOn++
		}
	}
	r.judgeProofs(t, append(slices.Collect(maps.Values(s.contacts)), beyond...))
	r.bcubed(t, wrote)
	r.judgeSuggestions(t, s, owner)

	return nil
}

// beyondContacts reads the accounts that no contact has, since nobody has written from them: the list does not have these.
func (c *customer) beyondContacts(ctx context.Context, t *truth, s *state) ([]contact, error) {
	known := map[string]bool{}
	for _, k := range s.contacts {
		for _, a := range k.Identities {
			for _, id := range a.Identifiers {
				known[id.Value+" "+a.Portfolio] = true
			}
		}
	}
	var found []contact
	for _, person := range slices.Sorted(maps.Keys(t.proved)) {
		for _, set := range t.proved[person] {
			for _, n := range set {
				if n.kind != "bsuid" || known[n.value+" "+n.portfolio] {
					continue
				}
				var answer struct {
					Identity    string       `json:"identity_id"`
					Identifiers []identifier `json:"identifiers"`
				}
				err := c.get(ctx, "/resolve", url.Values{"bsuid": {n.value}, "portfolio": {n.portfolio}}, &answer)
				var no *refusal
				switch {
				case errors.As(err, &no) && no.Status == http.StatusNotFound:
					continue
				case err != nil:
					return nil, fmt.Errorf("resolve an account without contact: %w", err)
				}
				found = append(found, contact{ID: answer.Identity, Identities: []account{{Portfolio: n.portfolio, Identifiers: answer.Identifiers}}})
			}
		}
	}

	return found, nil
}

// judgeContact counts the pairs of identifiers that the product has put into one contact by itself, and returns whose it is.
func (r *result) judgeContact(t *truth, k contact) (person string) {
	var held [][]string
	var ids []identifier
	for _, a := range k.Identities {
		for _, id := range a.Identifiers {
			held, ids = append(held, t.owners(id)), append(ids, id)
		}
	}
	common := map[string]int{}
	for _, owners := range held {
		for _, o := range owners {
			common[o]++
		}
	}
	for o, n := range common {
		if n == len(held) && (person == "" || o < person) {
			person = o
		}
	}
	for i := range held {
		for j := range held[:i] {
			right := len(held[i]) == 1 && len(held[j]) == 1 && held[i][0] == held[j][0]
			r.Links.count(right)
			if !right {
				r.misjudged(map[string]any{"what": "wrong link", "contact": k, "one": ids[i], "of": held[i], "other": ids[j], "other_of": held[j]})
			}
		}
	}
	if person == "" && len(common) > 0 { // an entry of the list whose phone nobody had is nobody's, and so not several people's
		r.Mixed[k.ID] = true
		r.misjudged(map[string]any{"what": "several people", "contact": k, "people": common})
	}

	return person
}

// judgeListed counts the entries of the list that stand with whom they are of.
func (r *result) judgeListed(t *truth, k contact, person string) {
	for _, id := range k.ExternalIDs {
		listed, known := t.listed[id]
		if !known {
			continue
		}
		r.Listed.count(listed == person)
		if listed != person {
			r.misjudged(map[string]any{"what": "wrong entry of the list", "contact": k, "listed": listed, "person": person})
		}
	}
}

// judgeProofs counts the pairs that WhatsApp has shown to be one account and that the product has in one contact.
func (r *result) judgeProofs(t *truth, contacts []contact) {
	in := map[node][]string{}
	for _, k := range contacts {
		for _, a := range k.Identities {
			for _, i := range a.Identifiers {
				n := node{kind: i.Kind, value: i.Value, portfolio: a.Portfolio}
				in[n] = append(in[n], k.ID)
			}
		}
	}
	linked := func(a, b node) bool {
		a.era, b.era = 0, 0
		return slices.ContainsFunc(in[a], func(id string) bool { return slices.Contains(in[b], id) })
	}
	for person, sets := range t.proved {
		for _, set := range sets {
			for i := range set {
				for j := range set[:i] {
					found := linked(set[i], set[j])
					r.Proofs.count(found)
					if !found {
						r.misjudged(map[string]any{"what": "proof without link", "person": person, "one": set[i].String(), "other": set[j].String()})
					}
				}
			}
		}
	}
	for _, sets := range t.plainly {
		for _, set := range sets {
			for i := range set {
				for j := range set[:i] {
					r.PlainProofs.count(linked(set[i], set[j]))
				}
			}
		}
	}
}

// bcubed compares the contacts of messages with their authors. A message that is in no contact stands alone.
func (r *result) bcubed(t *truth, wrote map[string]string) {
	clusters, people, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	of := func(wamid string) string {
		if id, ok := wrote[wamid]; ok {
			return id
		}
		return wamid
	}
	for wamid, person := range t.authors {
		id := of(wamid)
		clusters[id]++
		people[person]++
		both[[2]string{id, person}]++
		if id == wamid {
			r.Lost++
		}
	}
	for pair, n := range both {
		r.Messages += n
		r.Precise += float64(n) * float64(n) / float64(clusters[pair[0]])
		r.Complete += float64(n) * float64(n) / float64(people[pair[1]])
	}
}

func compareNodes(a, b node) int {
	return cmp.Or(slices.Compare([]string{a.kind, a.value, a.portfolio}, []string{b.kind, b.value, b.portfolio}), cmp.Compare(a.era, b.era))
}

func (n node) String() string { return n.kind + " " + n.value + " " + n.portfolio }
