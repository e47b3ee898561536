package conversations

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Message is one message to or from a customer. Reactions, edits and revocations are messages too, about TargetWAMID.
type Message struct {
	ID           uuid.UUID     `db:"id"`
	WAMID        string        `db:"wamid"`
	NumberID     uuid.UUID     `db:"number_id"`
	IdentityID   uuid.UUID     `db:"identity_id"`
	Direction    string        `db:"direction"` // in or out
	Type         string        `db:"type"`      // as WhatsApp names it
	Text         string        `db:"text"`      // what a person reads, "" where there is nothing to read
	Content      string        `db:"content"`   // the type's own object as JSON, or ""
	At           time.Time     `db:"at"`        // WhatsApp's clock
	Status       string        `db:"status"`    // of our own: sent, delivered, read, played, failed
	Error        string        `db:"error"`     // "code: title", or ""
	GroupID      string        `db:"group_id"`
	ContextWAMID string        `db:"context_wamid"` // of the message it answers
	TargetWAMID  string        `db:"target_wamid"`  // of the message it reacts to, edits or revokes
	AddressKind  whatsapp.Kind `db:"address_kind"`  // the identifier it came or went by
	Address      string        `db:"address"`       // its canonical value
	Imported     bool          `db:"imported"`      // came with chats of before, and in no other way
	ItemID       int64         `db:"item_id"`
	OtherItem    *int64        `db:"other_item"` // an event that carried it in other words; those written first are kept
}

const messageColumns = `m.id, m.wamid, m.number_id, m.direction, m.type, m.text, m.content, m.at, m.status, m.error, m.group_id,
	m.context_wamid, m.target_wamid, m.imported, m.item_id, m.other_item`

// Messages lists what was said with a contact on all accounts that are theirs now, newest first, and the cursor of the next page
// ("" at the end). WhatsApp's own system messages are never among them. ErrNotFound where the tenant has no such contact.
func Messages(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, page identity.Page) (list []Message, next string, err error) {
	c, err := identity.Get(ctx, tx, contact)
	if err != nil {
		return nil, "", err
	}

	return timeline(ctx, tx, c, page, true)
}

// timeline takes the newest of each tenure and merges them, so that the length of a history does not matter. about: list also the
// messages that only say something about another one we have.
func timeline(ctx context.Context, tx *tenants.Tx, c identity.Contact, page identity.Page, about bool) (list []Message, next string, err error) {
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}

	err = tx.SelectContext(ctx, &list, `
		SELECT `+messageColumns+`, t.identity_id, d.kind AS address_kind, d.value AS address
		FROM tenures t
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		CROSS JOIN LATERAL (
			SELECT n.* FROM messages n
			WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND (n.at, n.id) < ($3, $4)
			  AND ($6 OR n.target_wamid = '' OR NOT EXISTS (
			      SELECT 1 FROM messages o WHERE o.tenant_id = $1 AND o.number_id = n.number_id AND o.wamid = n.target_wamid))
			ORDER BY n.at DESC, n.id DESC LIMIT $5) m
		WHERE t.tenant_id = $1 AND t.identity_id = ANY (ARRAY(SELECT unnest($2::uuid[])))
		ORDER BY m.at DESC, m.id DESC LIMIT $5`,
		tx.Tenant, pq.Array(accounts(c)), at, id, page.Size()+1, about)
	if err != nil {
		return nil, "", fmt.Errorf("list messages: %w", err)
	}
	if len(list) > page.Size() {
		list = list[:page.Size()]
		last := list[len(list)-1]
		next = identity.CursorAt(last.At, last.ID)
	}

	return list, next, nil
}

func accounts(c identity.Contact) []uuid.UUID {
	ids := make([]uuid.UUID, len(c.Identities))
	for i := range c.Identities {
		ids[i] = c.Identities[i].ID
	}

	return ids
}

// Latest is the newest inbound message of each of the accounts that has one.
func Latest(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) (map[uuid.UUID]Message, error) {
	var list []Message
	err := tx.SelectContext(ctx, &list, `
		SELECT DISTINCT ON (t.identity_id) `+messageColumns+`, t.identity_id, d.kind AS address_kind, d.value AS address
		FROM tenures t
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		CROSS JOIN LATERAL (
			SELECT n.* FROM messages n
			WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.direction = 'in' AND n.target_wamid = ''
			ORDER BY n.at DESC, n.id DESC LIMIT 1) m
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
		ORDER BY t.identity_id, m.at DESC, m.id DESC`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read latest messages: %w", err)
	}

	latest := make(map[uuid.UUID]Message, len(list))
	for _, m := range list {
		latest[m.IdentityID] = m
	}

	return latest, nil
}

// Entry is a message as a thread shows it, with what was said about it since.
type Entry struct {
	Message
	EditedAt  time.Time // zero where it stands as it was written; Text is the newest wording
	RevokedAt time.Time // zero where it was not taken back by its author
	Reactions []string  // emoji, the last of each person
	Quoted    *Entry    // what it answers, where we have that, without what that one answers
}

// Entries are Messages for the eye: edits, revocations and reactions stand with the message they are about, whichever page that is
// on. Only those whose message we do not have stay entries of their own.
func Entries(ctx context.Context, tx *tenants.Tx, c identity.Contact, page identity.Page) (entries []Entry, next string, err error) {
	list, next, err := timeline(ctx, tx, c, page, false)
	if err != nil {
		return nil, "", err
	}
	quoted, err := quotedBy(ctx, tx, list)
	if err != nil {
		return nil, "", err
	}
	abouts, err := aboutOf(ctx, tx, slices.AppendSeq(slices.Clone(list), maps.Values(quoted)))
	if err != nil {
		return nil, "", err
	}

	entries = make([]Entry, len(list))
	for i, m := range list {
		entries[i] = compose(m, abouts[messageKey{m.NumberID, m.WAMID}])
		if q, ok := quoted[messageKey{m.NumberID, m.ContextWAMID}]; ok && m.ContextWAMID != "" {
			quote := compose(q, abouts[messageKey{q.NumberID, q.WAMID}])
			entries[i].Quoted = &quote
		}
	}

	return entries, next, nil
}

// Reworded tells whether an event carried a message of a contact in other words than those that are kept.
func Reworded(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, item int64) (found bool, err error) {
	err = tx.GetContext(ctx, &found, `
		SELECT EXISTS (
			SELECT 1 FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id
			WHERE i.tenant_id = $1 AND i.contact_id = $2 AND i.absorbed_into IS NULL AND m.other_item = $3)`, tx.Tenant, contact, item)
	if err != nil {
		return false, fmt.Errorf("look for other words: %w", err)
	}

	return found, nil
}

// aboutOf reads what was said about the messages of a list, in order.
func aboutOf(ctx context.Context, tx *tenants.Tx, list []Message) (map[messageKey][]Message, error) {
	targets := make([]string, len(list))
	for i, m := range list {
		targets[i] = m.WAMID
	}
	var rows []Message
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+messageColumns+`, t.identity_id, '' AS address_kind, '' AS address
		FROM messages m JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id
		WHERE m.tenant_id = $1 AND m.target_wamid <> '' AND m.target_wamid = ANY (ARRAY(SELECT unnest($2::text[]))) ORDER BY m.at, m.id`, tx.Tenant, pq.Array(targets))
	if err != nil {
		return nil, fmt.Errorf("read what was said about messages: %w", err)
	}
	abouts := map[messageKey][]Message{}
	for _, m := range rows {
		key := messageKey{m.NumberID, m.TargetWAMID}
		abouts[key] = append(abouts[key], m)
	}

	return abouts, nil
}

// quotedBy reads what the messages of a list answer.
func quotedBy(ctx context.Context, tx *tenants.Tx, list []Message) (map[messageKey]Message, error) {
	var contexts []string
	for _, m := range list {
		if m.ContextWAMID != "" && !slices.Contains(contexts, m.ContextWAMID) {
			contexts = append(contexts, m.ContextWAMID)
		}
	}
	var rows []Message
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+messageColumns+`, t.identity_id, '' AS address_kind, '' AS address
		FROM unnest($2::uuid[]) AS n (id)
		JOIN messages m ON m.tenant_id = $1 AND m.number_id = n.id AND m.wamid = ANY($3)
		JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id`, tx.Tenant, pq.Array(numbersOf(list)), pq.Array(contexts))
	if err != nil {
		return nil, fmt.Errorf("read what messages answer: %w", err)
	}
	quoted := map[messageKey]Message{}
	for _, m := range rows {
		quoted[messageKey{m.NumberID, m.WAMID}] = m
	}

	return quoted, nil
}

func numbersOf(list []Message) []uuid.UUID {
	var ids []uuid.UUID
	for _, m := range list {
		if !slices.Contains(ids, m.NumberID) {
			ids = append(ids, m.NumberID)
		}
	}

	return ids
}

// compose applies what was said about a message. Only its own author can edit or revoke it; anybody in a group may react, and a
// reaction without emoji takes the one before back.
func compose(m Message, abouts []Message) Entry {
	e := Entry{Message: m}
	reactions := map[uuid.UUID]string{}
	var people []uuid.UUID
	for _, a := range abouts {
		author := a.IdentityID == m.IdentityID && a.Direction == m.Direction
		switch {
		case a.Type == "edit" && author:
			e.Text, e.EditedAt = a.Text, a.At
		case a.Type == "revoke" && author:
			e.RevokedAt = a.At
		case a.Type == "reaction":
			if _, seen := reactions[a.IdentityID]; !seen {
				people = append(people, a.IdentityID)
			}
			reactions[a.IdentityID] = a.Text
		}
	}
	for _, p := range people {
		if reactions[p] != "" {
			e.Reactions = append(e.Reactions, reactions[p])
		}
	}

	return e
}
