package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

type identifier struct {
	Kind      string    `json:"kind"`
	Value     string    `json:"value"`
	Current   bool      `json:"current"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

type account struct {
	Portfolio    string       `json:"portfolio_id"`
	Username     string       `json:"username"`
	ProfileName  string       `json:"profile_name"`
	PhoneVisible bool         `json:"phone_visible"`
	Identifiers  []identifier `json:"identifiers"`
}

type contact struct {
	ID          string            `json:"id"`
	DisplayName string            `json:"display_name"`
	ProfileName string            `json:"profile_name"`
	Notes       string            `json:"notes"`
	ExternalIDs map[string]string `json:"external_ids"`
	Identities  []account         `json:"identities"`
}

type said struct {
	Code string `json:"code"`
}

type candidate struct {
	ContactID string `json:"contact_id"`
	Tier      string `json:"tier"`
	Reasons   []said `json:"reasons"`
	Score     *score `json:"score"`
}

// score is the likelihood of a candidate and what it was made of.
type score struct {
	Prior float64 `json:"prior"`
	Items []struct {
		Code string  `json:"code"`
		Bits float64 `json:"bits"`
	} `json:"items"`
	Probability float64 `json:"probability"`
}

type openCase struct {
	ID         string      `json:"id"`
	Kind       string      `json:"kind"`
	ContactID  string      `json:"contact_id"`
	Candidates []candidate `json:"candidates"`
}

type message struct {
	WAMID     string `json:"wamid"`
	Direction string `json:"direction"`
}

// state is what the API tells of a customer's people.
type state struct {
	contacts map[string]contact
	cases    []openCase
	lines    []string // contacts and cases without generated ids, sorted: equal for equal states
}

func (c *customer) export(ctx context.Context) (*state, error) {
	contacts, err := all[contact](ctx, c, "/contacts", url.Values{"limit": {"200"}})
	if err != nil {
		return nil, err
	}
	cases, err := all[openCase](ctx, c, "/cases", url.Values{"limit": {"50"}, "state": {"open"}})
	if err != nil {
		return nil, err
	}

	s := &state{contacts: map[string]contact{}, cases: cases}
	label := map[string]string{}
	for _, k := range contacts {
		c.unlisted(&k)
		s.contacts[k.ID] = k
		line := k.canonical()
		label[k.ID] = line
		s.lines = append(s.lines, line)
	}
	for _, k := range cases {
		var proposed []string
		for _, p := range k.Candidates {
			// Who merely sounds alike is chosen when a case is shown and is no part of what is stored.
			if p.Tier != "C" {
				proposed = append(proposed, p.Tier+" "+fmt.Sprint(p.Reasons)+" "+label[p.ContactID])
			}
		}
		slices.Sort(proposed)
		s.lines = append(s.lines, "case "+k.Kind+" about "+label[k.ContactID]+" perhaps "+strings.Join(proposed, " | "))
	}
	slices.Sort(s.lines)

	return s, nil
}

// canonical writes a contact without the ids and versions that differ from one run to the next.
func (k contact) canonical() string {
	k.ID = ""
	k.Identities = slices.Clone(k.Identities)
	for i, a := range k.Identities {
		a.Identifiers = slices.Clone(a.Identifiers)
		slices.SortFunc(a.Identifiers, func(x, y identifier) int {
			return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Value, y.Value), x.FirstSeen.Compare(y.FirstSeen))
		})
		k.Identities[i] = a
	}
	slices.SortFunc(k.Identities, func(x, y account) int { return strings.Compare(text(x), text(y)) })
	// The name of the first of several identities, whose order hangs on generated ids.
	if len(k.Identities) > 1 {
		k.ProfileName = ""
	}

	return text(k)
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}

	return string(raw)
}

// apart counts the lines that only one of two states has.
func apart(a, b *state) (n int, only []string) {
	counts := map[string]int{}
	for _, l := range a.lines {
		counts[l]++
	}
	for _, l := range b.lines {
		counts[l]--
	}
	for l, times := range counts {
		if times != 0 {
			n += max(times, -times)
			only = append(only, fmt.Sprintf("%+d %s", times, l))
		}
	}
	slices.Sort(only)

	return n, only
}

// writers returns the contact of each inbound message.
func (c *customer) writers(ctx context.Context, s *state) (map[string]string, error) {
	var mu sync.Mutex
	of := map[string]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for id := range s.contacts {
		group.Go(func() error {
			messages, err := all[message](ctx, c, "/contacts/"+id+"/messages", url.Values{"limit": {"200"}})
			mu.Lock()
			defer mu.Unlock()
			for _, m := range messages {
				if m.Direction == "in" {
					of[m.WAMID] = id
				}
			}

			return err
		})
	}

	return of, group.Wait()
}
