package main

import (
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// query is an open case about somebody who is in the book a second time.
type query struct {
	Case   string `json:"case"`   // its kind
	Form   string `json:"form"`   // of the name the case shows
	Script string `json:"script"` // of that name and of the one in the book
	Clean  bool   `json:"clean"`  // both names are full
	Rank   int    `json:"rank"`   // 1 is the first one shown, 0 not shown
	Shown  int    `json:"shown"`
	Same   bool   `json:"same_portfolio"`
}

// judgeSuggestions looks where the right person stands among those a case proposes.
func (r *result) judgeSuggestions(t *truth, s *state, owner map[string]string) {
	others := map[string][]string{} // contacts by person
	for id, person := range owner {
		if person != "" {
			others[person] = append(others[person], id)
		}
	}
	for _, k := range s.cases {
		person := owner[k.ContactID]
		if person == "" {
			continue
		}
		for _, p := range k.Candidates {
			if p.Score != nil && owner[p.ContactID] != "" {
				g := guess{k.ID, p.Score.Probability, owner[p.ContactID] == person, p.Tier, p.Score}
				r.Guesses = append(r.Guesses, g)
				if !g.Right && g.P >= 0.9 {
					r.misjudged(map[string]any{"what": "sure and wrong", "guess": g, "case": k, "asked": s.contacts[k.ContactID], "offered": s.contacts[p.ContactID]})
				}
			}
		}
		if len(others[person]) < 2 {
			r.Newcomers++
			if len(k.Candidates) > 0 {
				r.NewcomersOffered++
			}
			continue
		}
		q := t.query(s, k, others[person])
		for i, p := range k.Candidates {
			if owner[p.ContactID] == person {
				q.Rank = i + 1
				break
			}
		}
		r.Queries = append(r.Queries, q)
		if q.Rank == 0 || q.Rank > 3 {
			var offered, right []string
			for _, p := range k.Candidates {
				offered = append(offered, s.contacts[p.ContactID].ProfileName)
			}
			for _, id := range others[person] {
				if id != k.ContactID {
					right = append(right, s.contacts[id].ProfileName)
				}
			}
			r.misjudged(map[string]any{"what": "not suggested", "query": q, "asked": s.contacts[k.ContactID].ProfileName, "right": right, "offered": offered})
		}
	}
}

// query describes a case: the best of the person's other entries counts.
func (t *truth) query(s *state, k openCase, entries []string) query {
	mine := t.spelling(s.contacts[k.ContactID])
	q := query{Case: k.Kind, Form: mine.Form, Script: mine.Script + "→?", Shown: len(k.Candidates)}
	for _, id := range entries {
		if id == k.ContactID {
			continue
		}
		for _, theirs := range t.spellings(s.contacts[id]) {
			if q.Script == mine.Script+"→?" || theirs.Form == sandbox.NameFull {
				q.Script = mine.Script + "→" + theirs.Script
			}
			q.Clean = q.Clean || mine.Form == sandbox.NameFull && theirs.Form == sandbox.NameFull
		}
		for _, a := range s.contacts[k.ContactID].Identities {
			for _, b := range s.contacts[id].Identities {
				q.Same = q.Same || a.Portfolio == b.Portfolio
			}
		}
	}

	return q
}

// spelling is the name that a contact shows on WhatsApp.
func (t *truth) spelling(k contact) sandbox.Spelling {
	if all := t.spellings(contact{Identities: k.Identities}); len(all) > 0 {
		return all[0]
	}

	return sandbox.Spelling{Form: "none", Script: "none"}
}

// spellings are the names that a contact goes by: on WhatsApp, and in the business's own list.
func (t *truth) spellings(k contact) (all []sandbox.Spelling) {
	for _, a := range k.Identities {
		if s, ok := t.spelled[a.ProfileName]; ok {
			all = append(all, s)
		}
	}
	if s, ok := t.spelled[k.DisplayName]; ok {
		all = append(all, s)
	}

	return all
}
