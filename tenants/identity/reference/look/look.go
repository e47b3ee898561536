// Package look shows what the database says of who is who in the words of package reference, so that the two can be compared. It is
// for tests only.
package look

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity/reference"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Told is an event as the reference takes it.
func Told(scope string, received time.Time, e whatsapp.Event) *reference.Event {
	naming := func(p whatsapp.Party) reference.Naming {
		return reference.Naming{Phone: p.Phone, BSUID: p.BSUID, Parent: p.Parent}
	}
	at := e.At
	if at.IsZero() {
		at = received
	}
	out := reference.Event{
		At: at.Unix(), Tie: e.WAMID + " " + e.Digest, Scope: scope, Who: naming(e.Party),
		Past: e.Kind == whatsapp.KindHistory, Book: e.Kind == whatsapp.KindSync,
	}
	switch e.Kind {
	case whatsapp.KindMessage, whatsapp.KindHistory, whatsapp.KindCall:
		out.Name, out.Inbound = e.WAMID, e.Direction == whatsapp.DirectionIn
	case whatsapp.KindEcho:
		out.Name = e.WAMID
	case whatsapp.KindStatus:
		out.Name, out.Failed = e.WAMID+"="+e.Status, e.Status == "failed"
	default: // evidence only
	}
	if out.Inbound && !out.Past {
		out.Called = e.Party.ProfileName
	}
	if r := e.Rotation; r != nil {
		out.Change = &reference.Change{Old: naming(r.Old), New: naming(r.New)}
	}

	return &out
}

// conflict is the kind of a case about evidence that contradicts itself.
const conflict = "conflict"

type reason struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args"`
}

// Picture is a tenant's world as the reference draws one.
func Picture(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	var accounts []struct {
		ID      uuid.UUID  `db:"id"`
		Contact *uuid.UUID `db:"contact_id"`
		Has     string     `db:"has"`
		Said    string     `db:"said"`
	}
	err := tx.SelectContext(ctx, &accounts, `
		SELECT i.id, i.contact_id,
		       (SELECT coalesce(string_agg(h.line, ', ' ORDER BY h.line COLLATE "C"), '') FROM (
		            SELECT d.scope || ' ' || d.kind || ' ' || d.value || CASE WHEN bool_or(t.current) THEN ' now' ELSE ' past' END AS line
		            FROM tenures t JOIN identifiers d ON d.id = t.identifier_id WHERE t.identity_id = i.id GROUP BY d.id, d.scope, d.kind, d.value) h) AS has,
		       (SELECT coalesce(string_agg(s.name, ' ' ORDER BY s.name COLLATE "C"), '') FROM (
		            SELECT m.wamid AS name FROM tenures t JOIN messages m ON m.tenure_id = t.id WHERE t.identity_id = i.id
		            UNION ALL
		            SELECT s.wamid || '=' || s.status FROM tenures t JOIN statuses s ON s.tenure_id = t.id WHERE t.identity_id = i.id) s) AS said
		FROM identities i WHERE i.absorbed_into IS NULL`)
	if err != nil {
		return nil, err
	}
	names, people, contacts := map[uuid.UUID]string{}, map[uuid.UUID][]string{}, map[uuid.UUID]uuid.UUID{}
	var lines []string
	for _, a := range accounts {
		names[a.ID] = "[" + a.Has + " | " + a.Said + "]"
		if a.Contact == nil {
			lines = append(lines, "nobody "+names[a.ID])
			continue
		}
		people[*a.Contact], contacts[a.ID] = append(people[*a.Contact], names[a.ID]), *a.Contact
	}
	for _, list := range people {
		slices.Sort(list)
		lines = append(lines, "person "+strings.Join(list, " + "))
	}

	var cases []struct {
		Kind       string          `db:"kind"`
		Key        string          `db:"key"`
		Identity   *uuid.UUID      `db:"identity_id"`
		Contact    *uuid.UUID      `db:"contact_id"`
		Candidates json.RawMessage `db:"candidates"`
	}
	if err := tx.SelectContext(ctx, &cases, `SELECT kind, key, identity_id, contact_id, candidates FROM cases WHERE state = 'open' AND kind <> 'unidentifiable'`); err != nil {
		return nil, err
	}
	for _, c := range cases {
		var candidates []struct {
			Identity uuid.UUID `json:"identity_id"`
			Reasons  []reason  `json:"reasons"`
		}
		if err := json.Unmarshal(c.Candidates, &candidates); err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(c.Key, "twin:"):
			for _, k := range candidates {
				both := []string{strings.Join(people[*c.Contact], " + "), strings.Join(people[contacts[k.Identity]], " + ")}
				slices.Sort(both)
				lines = append(lines, "perhaps one "+strings.Join(both, " and "))
			}
			continue
		case c.Kind != conflict:
			if c.Contact != nil {
				lines = append(lines, "who is "+strings.Join(people[*c.Contact], " + "))
			}
			continue
		}
		var with []string
		for _, k := range candidates {
			with = append(with, names[k.Identity])
		}
		if len(with) == 0 {
			lines = append(lines, "conflict with nobody about "+names[*c.Identity])
			continue
		}
		slices.Sort(with)
		if r := candidates[0].Reasons[0]; r.Code == reference.Decision {
			with = append(with, names[*c.Identity])
			slices.Sort(with)
			lines = append(lines, "conflict "+r.Code+" between "+strings.Join(with, " and "))
		} else {
			lines = append(lines, fmt.Sprintf("conflict %s %s about %s with %s", r.Code, r.Args["via"], names[*c.Identity], strings.Join(with, "; ")))
		}
	}
	slices.Sort(lines)

	return slices.Compact(lines), nil
}
