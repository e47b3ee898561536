package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Contact is a person as the business thinks of them, with every WhatsApp account known to be theirs.
type Contact struct {
	ID          uuid.UUID
	RequestedID uuid.UUID // the id asked for, where that was merged away
	DisplayName string    // what the business calls them, "" where nobody said
	ProfileName string    // what they call themselves, as last seen
	SavedName   string    // what the owner's phone has them saved as, "" where it was not shared
	Notes       string
	ExternalIDs map[string]string
	Version     int
	CreatedAt   time.Time
	LastAt      time.Time // when they last wrote; zero where never
	Identities  []Identity
}

// Name is the best name there is, or "" for somebody known by handles alone.
func (c Contact) Name() string { return cmp.Or(c.DisplayName, c.ProfileName, c.SavedName) }

// Phone is a current phone of the contact as WhatsApp wrote it, or "".
func (c Contact) Phone() string { return c.handle(whatsapp.KindPhone) }

// BSUID is a current BSUID of the contact, or "".
func (c Contact) BSUID() string { return c.handle(whatsapp.KindBSUID) }

// Username is the username last seen on any of the contact's identities, or "".
func (c Contact) Username() string {
	for _, i := range c.Identities {
		if i.Username != "" {
			return i.Username
		}
	}

	return ""
}

func (c Contact) handle(kind whatsapp.Kind) string {
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			if d.Kind == kind && d.Current {
				return d.Value
			}
		}
	}

	return ""
}

// Identity is one WhatsApp account as one portfolio sees it.
type Identity struct {
	ID           uuid.UUID
	Scope        string // "portfolio:<id>" or "waba:<id>"
	Username     string
	ProfileName  string
	PhoneVisible bool // the last event of this account carried its phone
	PhoneFree    bool // it has a phone that is not kept, so it is not among the Identifiers
	Identifiers  []Identifier
}

// PortfolioID is the Meta business portfolio the account belongs to, "" while it is not known.
func (i Identity) PortfolioID() string {
	id, ok := strings.CutPrefix(i.Scope, "portfolio:")
	if !ok {
		return ""
	}

	return id
}

// Address is where a reply to this account goes: its current phone, else its current BSUID; kind "" where neither is known.
func (i Identity) Address() (kind whatsapp.Kind, value string) {
	for _, d := range i.Identifiers {
		if !d.Current {
			continue
		}
		if d.Kind == whatsapp.KindPhone {
			return d.Kind, d.Raw
		}
		if d.Kind == whatsapp.KindBSUID {
			kind, value = d.Kind, d.Value
		}
	}

	return kind, value
}

// Identifier is one handle of an identity and the time it was theirs.
type Identifier struct {
	ID        uuid.UUID
	Kind      whatsapp.Kind
	Value     string // canonical
	Raw       string // as WhatsApp wrote it, and as it must be sent to
	Current   bool
	FirstSeen time.Time
	LastSeen  time.Time
	Shared    bool // several people use this phone, somebody said
}

// Get returns the contact, or the one it was merged into. ErrNotFound where the tenant has no such contact.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Contact, error) {
	root, err := rootOf(ctx, tx, &id)
	if noRows(err) {
		return Contact{}, tenants.ErrNotFound
	}
	if err != nil {
		return Contact{}, err
	}

	list, err := hydrate(ctx, tx, []uuid.UUID{*root})
	if err != nil {
		return Contact{}, err
	}
	if len(list) == 0 {
		return Contact{}, tenants.ErrNotFound
	}
	if *root != id {
		list[0].RequestedID = id
	}

	return list[0], nil
}

// Several reads contacts by the ids asked for, each the one it was merged into. Ids that are none of the tenant's are left out.
func Several(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) (map[uuid.UUID]Contact, error) {
	var rows []struct {
		Asked uuid.UUID `db:"asked"`
		Root  uuid.UUID `db:"id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH RECURSIVE up AS (
			SELECT id AS asked, id, merged_into FROM contacts WHERE tenant_id = $1 AND id = ANY($2)
			UNION ALL
			SELECT up.asked, c.id, c.merged_into FROM up JOIN contacts c ON c.tenant_id = $1 AND c.id = up.merged_into
		)
		SELECT asked, id FROM up WHERE merged_into IS NULL`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("follow contacts: %w", err)
	}
	roots := map[uuid.UUID]bool{}
	for _, r := range rows {
		roots[r.Root] = true
	}
	list, err := hydrate(ctx, tx, keys(roots))
	if err != nil {
		return nil, err
	}

	byRoot := make(map[uuid.UUID]Contact, len(list))
	for _, c := range list {
		byRoot[c.ID] = c
	}
	out := make(map[uuid.UUID]Contact, len(rows))
	for _, r := range rows {
		out[r.Asked] = byRoot[r.Root]
	}

	return out, nil
}

// hydrate reads whole contacts, in the order of ids.
func hydrate(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) ([]Contact, error) {
	if len(ids) == 0 {
		return nil, nil
	}

	var rows []struct {
		ID          uuid.UUID       `db:"id"`
		DisplayName string          `db:"display_name"`
		Notes       string          `db:"notes"`
		ExternalIDs json.RawMessage `db:"external_ids"`
		Version     int             `db:"version"`
		CreatedAt   time.Time       `db:"created_at"`
		LastAt      *time.Time      `db:"last_at"`
		AnySaved    bool            `db:"any_saved"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id, c.display_name, c.notes, c.external_ids, c.version, c.created_at, a.last_at, `+anySaved+` AS any_saved
		FROM contacts c
		LEFT JOIN contact_activity a ON a.tenant_id = $1 AND a.contact_id = c.id
		WHERE c.tenant_id = $1 AND c.id = ANY (ARRAY(SELECT unnest($2::uuid[])))
		ORDER BY array_position($2, c.id)`, tx.Tenant, pq.Array(ids))
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}

	identities, err := identitiesOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var saved []savedRow
	if len(rows) > 0 && rows[0].AnySaved {
		if saved, err = readSaved(ctx, tx, ids); err != nil {
			return nil, err
		}
	}
	contacts := make([]Contact, len(rows))
	for i, r := range rows {
		contacts[i] = Contact{ID: r.ID, DisplayName: r.DisplayName, Notes: r.Notes, Version: r.Version, CreatedAt: r.CreatedAt, Identities: identities[r.ID]}
		if err := json.Unmarshal(r.ExternalIDs, &contacts[i].ExternalIDs); err != nil {
			return nil, fmt.Errorf("read external ids: %w", err)
		}
		if r.LastAt != nil {
			contacts[i].LastAt = *r.LastAt
		}
		for _, id := range contacts[i].Identities {
			contacts[i].ProfileName = cmp.Or(contacts[i].ProfileName, id.ProfileName)
		}
		for _, s := range saved {
			if s.Contact == r.ID {
				contacts[i].SavedName = cmp.Or(contacts[i].SavedName, s.Name)
			}
		}
	}

	return contacts, nil
}

// Edit is a change to what the business itself says of a contact. Nil leaves a field as it is; Version is the one seen.
type Edit struct {
	Contact     uuid.UUID
	Version     int
	DisplayName *string
	Notes       *string
	ExternalIDs *map[string]string
}

// Apply makes the edit. Conflict "stale" where the contact has moved since Version, "merged_away" on a tombstone.
func (e Edit) Apply(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) (Contact, error) {
	if err := e.check(); err != nil {
		return Contact{}, err
	}
	if err := Lock(ctx, tx); err != nil {
		return Contact{}, err
	}

	var row struct {
		Version int        `db:"version"`
		Merged  *uuid.UUID `db:"merged_into"`
	}
	err := tx.GetContext(ctx, &row, `SELECT version, merged_into FROM contacts WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, e.Contact)
	switch {
	case noRows(err):
		return Contact{}, tenants.ErrNotFound
	case err != nil:
		return Contact{}, fmt.Errorf("read contact: %w", err)
	case row.Merged != nil:
		return Contact{}, &tenants.Conflict{Code: "merged_away"}
	case row.Version != e.Version:
		return Contact{}, &tenants.Conflict{Code: "stale"}
	}

	var ids *string
	if e.ExternalIDs != nil {
		encoded, err := json.Marshal(*e.ExternalIDs)
		if err != nil {
			return Contact{}, fmt.Errorf("encode external ids: %w", err)
		}
		text := string(encoded)
		ids = &text
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE contacts SET display_name = coalesce($3, display_name), notes = coalesce($4, notes), external_ids = coalesce($5::jsonb, external_ids),
		       version = version + 1, updated_at = now()
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, e.Contact, e.DisplayName, e.Notes, ids); err != nil {
		return Contact{}, fmt.Errorf("edit contact: %w", err)
	}
	if err := SyncContacts(ctx, tx, []uuid.UUID{e.Contact}); err != nil {
		return Contact{}, err
	}
	if err := tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "contact.edit", ObjectKind: "contact", ObjectID: e.Contact.String(), Detail: map[string]any{"fields": e.fields()},
	}); err != nil {
		return Contact{}, err
	}

	return Get(ctx, tx, e.Contact)
}

func (e Edit) fields() []string {
	var out []string
	if e.DisplayName != nil {
		out = append(out, "display_name")
	}
	if e.Notes != nil {
		out = append(out, "notes")
	}
	if e.ExternalIDs != nil {
		out = append(out, "external_ids")
	}

	return out
}

func (e Edit) check() error {
	switch {
	case e.DisplayName != nil && len([]rune(*e.DisplayName)) > 200:
		return &tenants.Invalid{Field: "display_name", Key: "too_long"}
	case e.Notes != nil && len([]rune(*e.Notes)) > 10000:
		return &tenants.Invalid{Field: "notes", Key: "too_long"}
	case e.DisplayName != nil && strings.ContainsRune(*e.DisplayName, 0) || e.Notes != nil && strings.ContainsRune(*e.Notes, 0):
		return &tenants.Invalid{Field: "display_name", Key: "bad_character"}
	case e.ExternalIDs == nil:
		return nil
	case len(*e.ExternalIDs) > 50:
		return &tenants.Invalid{Field: "external_ids", Key: "too_many"}
	}
	for k, v := range *e.ExternalIDs {
		if k == "" || len(k) > 100 || len(v) > 200 || strings.ContainsRune(k+v, 0) {
			return &tenants.Invalid{Field: "external_ids", Key: "too_long"}
		}
	}

	return nil
}
