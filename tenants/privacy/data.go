package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Row is one thing that is known of a person: when, what kind of thing, and in words.
type Row struct {
	At   *time.Time `json:"at,omitempty"`
	What string     `json:"what"`
	Text string     `json:"text,omitempty"`
}

// Section is all of one sort.
type Section struct {
	Name string `json:"section"`
	Rows []Row  `json:"rows"`
}

// sections say where the data of a person lies. $2 are the contacts, $3 the accounts, $4 the tenures, $5 the identifiers that nobody else
// ever had, $6 their values. What hangs on an identifier that has another holder too may be the other's, and is left out.
var sections = []struct{ name, query string }{
	{"contacts", `SELECT created_at AS at, 'name' AS what, display_name AS text FROM contacts WHERE tenant_id = $1 AND id = ANY($2) AND display_name <> ''
		UNION ALL SELECT updated_at, 'note', notes FROM contacts WHERE tenant_id = $1 AND id = ANY($2) AND notes <> ''`},
	{"identifiers", `SELECT first_seen AS at, kind AS what, raw AS text FROM identifiers WHERE tenant_id = $1 AND id = ANY($5)
		UNION ALL SELECT min(t.first_seen), d.kind, d.raw FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
			WHERE t.tenant_id = $1 AND t.id = ANY($4) AND d.id <> ALL($5) GROUP BY d.id, d.kind, d.raw
		UNION ALL SELECT c.updated_at, x.key, x.value FROM contacts c, jsonb_each_text(c.external_ids) x WHERE c.tenant_id = $1 AND c.id = ANY($2)`},
	{"names", `SELECT first_seen AS at, kind AS what, value AS text FROM profile_facts WHERE tenant_id = $1 AND tenure_id = ANY($4)
		UNION ALL SELECT at, 'saved', name FROM saved_contacts WHERE tenant_id = $1 AND NOT removed AND (phone = ANY($6) OR bsuid = ANY($6))`},
	{"messages", `SELECT at, direction || ' ' || type AS what, trim(text || ' ' || CASE WHEN type IN ('text', 'contacts') THEN '' ELSE content END) AS text
		FROM messages WHERE tenant_id = $1 AND tenure_id = ANY($4)`},
	{"statuses", `SELECT at, status AS what, error AS text FROM statuses WHERE tenant_id = $1 AND tenure_id = ANY($4)`},
	{"notes", `SELECT at, author_name AS what, text FROM notes WHERE tenant_id = $1 AND identity_id = ANY($3)`},
	{"consents", `SELECT at, category || CASE kind WHEN 'word' THEN ' word' ELSE '' END AS what, value AS text
			FROM account_signals WHERE tenant_id = $1 AND identifier_id = ANY($5) AND kind IN ('preference', 'word')
		UNION ALL SELECT at, category || ' ' || channel, value FROM consents WHERE tenant_id = $1 AND identity_id = ANY($3)`},
	{"views", `SELECT last_at AS at, how AS what, name || ' ×' || times AS text FROM contact_views WHERE tenant_id = $1 AND contact_id = ANY($2)`},
	{"evidence", `SELECT first_at AS at, source AS what, to_char(last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS text
			FROM pairings WHERE tenant_id = $1 AND (bsuid_id = ANY($5) OR other_id = ANY($5))
		UNION ALL SELECT at, kind, claim_value FROM hints WHERE tenant_id = $1 AND subject_id = ANY($5)
		UNION ALL SELECT at, kind, reason FROM links WHERE tenant_id = $1 AND (keep_contact = ANY($2) OR lose_contact = ANY($2) OR identity_id = ANY($3))`},
	{"cases", `SELECT opened_at AS at, kind AS what, outcome AS text FROM cases WHERE tenant_id = $1 AND (contact_id = ANY($2) OR identity_id = ANY($3))`},
	{"lists", `SELECT i.created_at AS at, i.file_name AS what, r.cells AS text FROM import_rows r JOIN imports i ON i.tenant_id = $1 AND i.id = r.import_id
		WHERE r.tenant_id = $1 AND (r.contact_id = ANY($2) OR r.phone <> '' AND r.phone = ANY($6) OR r.bsuid <> '' AND r.bsuid = ANY($6))`},
	{"forwards", `SELECT max(f.done_at) AS at, t.host AS what, '×' || count(*) AS text FROM messages m
		JOIN inbox_items i ON i.id = m.item_id AND i.tenant_id = $1
		JOIN forward_targets t ON t.tenant_id = $1
		JOIN forwards f ON f.tenant_id = $1 AND f.target_id = t.id AND f.event_id = i.event_id AND f.state = 'sent'
		WHERE m.tenant_id = $1 AND m.tenure_id = ANY($4) GROUP BY t.id, t.host`},
	{"requests", `SELECT opened_at AS at, kind AS what, state AS text FROM privacy_requests WHERE tenant_id = $1 AND contact_id = ANY($2)`},
}

// Data is all that is known of whom a request is about, for themselves. Phones of other people are dots. It is handed out only once who
// asks is proved, and that is written down. A Conflict of the code Changed is as Start's.
func Data(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, format string) ([]Section, error) {
	r, err := mine(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Kind != Access:
		return nil, &tenants.Conflict{Code: "request_kind"}
	case r.Contact == nil:
		return nil, &tenants.Conflict{Code: "request_contact"}
	case r.Proof == "":
		return nil, &tenants.Conflict{Code: "request_proof"}
	}
	if err := stillOf(ctx, tx, r); err != nil {
		return nil, err
	}
	w, own, err := identity.WholeOf(ctx, tx, *r.Contact)
	if err != nil {
		return nil, err
	}

	values, list := valuesOf(own), make([]Section, 0, len(sections))
	theirs := map[string]bool{}
	for _, v := range values {
		theirs[v] = true
	}
	for _, s := range sections {
		raw := ""
		if err := tx.GetContext(ctx, &raw, `
			WITH given AS (SELECT $1::uuid, $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
			SELECT coalesce(json_agg(r ORDER BY r.at, r.what), '[]')::text FROM (`+s.query+`) r`,
			tx.Tenant, pq.Array(w.Contacts), pq.Array(w.Identities), pq.Array(w.Tenures), pq.Array(append([]uuid.UUID{}, w.Own...)), pq.Array(values)); err != nil {
			return nil, fmt.Errorf("read %s of a person: %w", s.name, err)
		}
		section := Section{Name: s.name}
		if err := json.Unmarshal([]byte(raw), &section.Rows); err != nil {
			return nil, fmt.Errorf("read %s of a person: %w", s.name, err)
		}
		if s.name == "lists" {
			untaken, err := imports.UntakenOf(ctx, tx, values)
			if err != nil {
				return nil, err //nolint:wrapcheck // it says what it read
			}
			for _, u := range untaken {
				section.Rows = append(section.Rows, Row{At: &u.At, What: u.FileName, Text: u.Line()})
			}
		}
		for i, row := range section.Rows {
			// Anything may hold other people's phones; what they are known by is their own.
			if s.name != "identifiers" && !theirs[row.Text] && !theirs[whatsapp.Digits(row.Text)] {
				section.Rows[i].Text = whatsapp.MaskPhones(row.Text)
			}
		}
		list = append(list, section)
	}

	return list, audit(ctx, tx, actor, "privacy.hand_out", id, map[string]any{"format": format})
}
