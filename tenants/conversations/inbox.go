package conversations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// What an InboxFilter narrows the list to.
const (
	Unread  = "unread"
	Waiting = "waiting" // for an answer: whoever has waited longest comes first
	Mine    = "mine"    // the conversations of Person
	Nobodys = "nobody"  // those that nobody has taken
)

// InboxFilter narrows the inbox. Zero values do not narrow.
type InboxFilter struct {
	State  string    // Unread or Waiting
	Who    string    // Mine or Nobodys
	Person uuid.UUID // of Mine
	Number uuid.UUID // the business's own number they wrote to
	Query  string    // as identity.List takes it
	identity.Page
}

// Conversation is one person in the inbox, with all accounts that are theirs.
type Conversation struct {
	Contact      identity.Contact
	Last         Entry     // the newest; the zero Entry where the filter's number has none
	WindowEnds   time.Time // Recipient.WindowEnds of a reply to what they wrote last, to the filter's number if it has one
	WaitingSince time.Time // zero where nobody waits
	Unread       bool
	Assignee     uuid.UUID // uuid.Nil for nobody
}

// inboxRow is a conversation's place in the list: that of the part of it that was spoken in last.
type inboxRow struct {
	Contact uuid.UUID `db:"contact_id"`
	Tenure  uuid.UUID `db:"tenure_id"`
	Place   time.Time `db:"place"`
}

// maxMine bounds how many conversations of one person are looked at.
const maxMine = 2000

// Inbox lists the people there is a conversation with, one row each: whoever spoke last first, or, of those who wait, whoever has
// waited longest. next is the cursor of the next page, "" at the end.
func Inbox(ctx context.Context, tx *tenants.Tx, f InboxFilter) (list []Conversation, next string, err error) {
	rows, err := inboxRows(ctx, tx, f)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > f.Size() {
		rows = rows[:f.Size()]
		last := rows[len(rows)-1]
		next = identity.CursorAt(last.Place, last.Tenure)
	}
	list, err = fillInbox(ctx, tx, rows, f.Number)

	return list, next, err
}

func inboxRows(ctx context.Context, tx *tenants.Tx, f InboxFilter) ([]inboxRow, error) {
	if strings.TrimSpace(f.Query) != "" {
		found, _, err := identity.List(ctx, tx, f.Query, identity.Page{Limit: 200})
		if err != nil {
			return nil, err
		}
		ids := make([]uuid.UUID, len(found))
		for i, c := range found {
			ids[i] = c.ID
		}

		return rowsAmong(ctx, tx, f, ids)
	}
	if f.Who != Mine {
		return walkInbox(ctx, tx, f)
	}

	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, `
		SELECT DISTINCT r.contact_id FROM assignments a
		JOIN identities i ON i.tenant_id = $1 AND i.id = a.identity_id
		JOIN identities r ON r.tenant_id = $1 AND r.id = coalesce(i.absorbed_into, i.id) AND r.contact_id IS NOT NULL
		WHERE a.tenant_id = $1 AND a.person_id = $2 LIMIT $3`, tx.Tenant, f.Person, maxMine); err != nil {
		return nil, fmt.Errorf("list conversations of a colleague: %w", err)
	}

	return rowsAmong(ctx, tx, f, ids)
}

// state and order are what a filter's state asks of a part of a conversation p, and how the list is sorted by place.
func (f InboxFilter) parts() (condition, place, sign, order string) {
	switch f.State {
	case Unread:
		return `p.unread`, `p.place`, `<`, `DESC`
	case Waiting:
		return `p.waiting_since IS NOT NULL`, `p.waiting_since`, `>`, `ASC`
	default:
		return `true`, `p.place`, `<`, `DESC`
	}
}

// begin is where the page begins.
func (f InboxFilter) begin() (at time.Time, id uuid.UUID, err error) {
	if f.Cursor == "" && f.State == Waiting {
		return time.Time{}, uuid.Nil, nil
	}

	return f.Before()
}

// taken is who has taken a conversation with the contact of account i. What was given out of an account that another absorbed goes
// with it.
const taken = `
	SELECT a.person_id, a.assigned_at FROM identities r
	JOIN identities x ON x.tenant_id = $1 AND (x.id = r.id OR x.absorbed_into = r.id)
	JOIN assignments a ON a.tenant_id = $1 AND a.identity_id = x.id
	WHERE r.tenant_id = $1 AND r.contact_id = i.contact_id`

func (f InboxFilter) who() string {
	if f.Who == Nobodys {
		return `NOT EXISTS (` + taken + `)`
	}

	return `true`
}

// walkInbox goes along the index of the list. A conversation stands where its first part in that order does, so every later one is
// passed over.
func walkInbox(ctx context.Context, tx *tenants.Tx, f InboxFilter) ([]inboxRow, error) {
	at, id, err := f.begin()
	if err != nil {
		return nil, err
	}
	condition, place, sign, order := f.parts()
	ahead := `>`
	if sign == `>` {
		ahead = `<`
	}
	other := strings.NewReplacer("p.", "q.")

	var rows []inboxRow
	err = tx.SelectContext(ctx, &rows, `
		SELECT i.contact_id, p.tenure_id, `+place+` AS place
		FROM thread_tips p
		JOIN tenures t ON t.tenant_id = $1 AND t.id = p.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE p.tenant_id = $1 AND `+condition+` AND ($2::uuid IS NULL OR p.number_id = $2)
		  AND (`+place+`, p.tenure_id) `+sign+` ($3, $4) AND `+f.who()+`
		  AND NOT EXISTS (
		      SELECT 1 FROM identities j
		      JOIN tenures u ON u.tenant_id = $1 AND u.identity_id = j.id
		      JOIN thread_tips q ON q.tenant_id = $1 AND q.tenure_id = u.id AND `+other.Replace(condition)+` AND ($2::uuid IS NULL OR q.number_id = $2)
		      WHERE j.tenant_id = $1 AND j.contact_id = i.contact_id
		        AND (`+other.Replace(place)+`, q.tenure_id, q.number_id) `+ahead+` (`+place+`, p.tenure_id, p.number_id))
		ORDER BY `+place+` `+order+`, p.tenure_id `+order+` LIMIT $5`,
		tx.Tenant, uuidOrNil(f.Number), at, id, f.Size()+1)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}

	return rows, nil
}

// rowsAmong is walkInbox for contacts that are known beforehand.
func rowsAmong(ctx context.Context, tx *tenants.Tx, f InboxFilter, contacts []uuid.UUID) ([]inboxRow, error) {
	if len(contacts) == 0 {
		return nil, nil
	}
	at, id, err := f.begin()
	if err != nil {
		return nil, err
	}
	condition, place, sign, order := f.parts()
	who, args := f.who(), []any{tx.Tenant, pq.Array(contacts), uuidOrNil(f.Number), at, id, f.Size() + 1}
	if f.Who == Mine {
		who = `$7 IN (SELECT y.person_id FROM (` + taken + `) y)`
		args = append(args, f.Person)
	}

	var rows []inboxRow
	err = tx.SelectContext(ctx, &rows, `
		SELECT l.contact_id, l.tenure_id, l.place FROM (
			SELECT DISTINCT ON (i.contact_id) i.contact_id, p.tenure_id, `+place+` AS place
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id
			WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND `+condition+` AND ($3::uuid IS NULL OR p.number_id = $3) AND `+who+`
			ORDER BY i.contact_id, `+place+` `+order+`, p.tenure_id `+order+`) l
		WHERE (l.place, l.tenure_id) `+sign+` ($4, $5)
		ORDER BY l.place `+order+`, l.tenure_id `+order+` LIMIT $6`, args...)
	if err != nil {
		return nil, fmt.Errorf("list conversations among contacts: %w", err)
	}

	return rows, nil
}

func uuidOrNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}

	return &id
}

// fillInbox reads what a row of the inbox shows, in the order of the rows.
func fillInbox(ctx context.Context, tx *tenants.Tx, rows []inboxRow, number uuid.UUID) ([]Conversation, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.Contact
	}
	contacts, err := identity.Several(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	newest, err := newestOf(ctx, tx, ids, number)
	if err != nil {
		return nil, err
	}

	var states []struct {
		Contact uuid.UUID  `db:"contact_id"`
		Unread  bool       `db:"unread"`
		Since   *time.Time `db:"waiting_since"`
	}
	err = tx.SelectContext(ctx, &states, `
		SELECT i.contact_id, bool_or(p.unread) AS unread, min(p.waiting_since) AS waiting_since
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN thread_tips p ON p.tenant_id = $1 AND p.tenure_id = t.id AND ($3::uuid IS NULL OR p.number_id = $3)
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) GROUP BY i.contact_id`, tx.Tenant, pq.Array(ids), uuidOrNil(number))
	if err != nil {
		return nil, fmt.Errorf("read states of conversations: %w", err)
	}
	assignees, err := assigneesOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	ends, err := windowsOf(ctx, tx, ids, number)
	if err != nil {
		return nil, err
	}

	list := make([]Conversation, len(rows))
	for i, id := range ids {
		list[i] = Conversation{Contact: contacts[id], Last: newest[id], WindowEnds: ends[id], Assignee: assignees[id]}
		for _, s := range states {
			if s.Contact != id {
				continue
			}
			list[i].Unread = s.Unread
			if s.Since != nil {
				list[i].WaitingSince = *s.Since
			}
		}
	}

	return list, nil
}

// windowsOf is until when a reply to each of the contacts may be free text; those who never wrote are left out.
func windowsOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID, number uuid.UUID) (map[uuid.UUID]time.Time, error) {
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		Ends    time.Time `db:"ends"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT c.id AS contact_id, w.ends FROM unnest($5::uuid[]) AS c (id)
		CROSS JOIN LATERAL (
			SELECT t.identity_id, m.number_id
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			CROSS JOIN LATERAL (`+inboundOf+`) m
			WHERE i.tenant_id = $1 AND i.contact_id = c.id
			ORDER BY m.at DESC, m.id DESC LIMIT 1) a
		CROSS JOIN LATERAL (`+windowOf+`) w
		WHERE w.ends IS NOT NULL`, tx.Tenant, uuidOrNil(number), TypeCall, identity.Window.Seconds(), pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("read windows of conversations: %w", err)
	}

	ends := make(map[uuid.UUID]time.Time, len(rows))
	for _, r := range rows {
		ends[r.Contact] = r.Ends
	}

	return ends, nil
}

// assigneesOf is who has taken the conversation with each of the contacts; of several, whoever did last.
func assigneesOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		Person  uuid.UUID `db:"person_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT i.contact_id, y.person_id FROM unnest($2::uuid[]) AS i (contact_id)
		CROSS JOIN LATERAL (`+taken+` ORDER BY a.assigned_at DESC LIMIT 1) y`, tx.Tenant, pq.Array(contacts))
	if err != nil {
		return nil, fmt.Errorf("read who has taken conversations: %w", err)
	}

	out := make(map[uuid.UUID]uuid.UUID, len(rows))
	for _, r := range rows {
		out[r.Contact] = r.Person
	}

	return out, nil
}

// newestOf is the newest message with each of the contacts, by one number or any, as it reads now.
func newestOf(ctx context.Context, tx *tenants.Tx, contacts []uuid.UUID, number uuid.UUID) (map[uuid.UUID]Entry, error) {
	var list []struct {
		Contact uuid.UUID `db:"contact_id"`
		Message
	}
	err := tx.SelectContext(ctx, &list, `
		SELECT DISTINCT ON (i.contact_id) i.contact_id, `+messageColumns+`, t.identity_id, d.kind AS address_kind, d.value AS address
		FROM identities i
		JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		CROSS JOIN LATERAL (
			SELECT n.* FROM messages n
			WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.target_wamid = '' AND ($3::uuid IS NULL OR n.number_id = $3)
			ORDER BY n.at DESC, n.id DESC LIMIT 1) m
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2)
		ORDER BY i.contact_id, m.at DESC, m.id DESC`, tx.Tenant, pq.Array(contacts), uuidOrNil(number))
	if err != nil {
		return nil, fmt.Errorf("read newest messages: %w", err)
	}

	messages := make([]Message, len(list))
	for i := range list {
		messages[i] = list[i].Message
	}
	abouts, err := aboutOf(ctx, tx, messages)
	if err != nil {
		return nil, err
	}
	newest := make(map[uuid.UUID]Entry, len(list))
	for _, m := range list {
		newest[m.Contact] = compose(m.Message, abouts[messageKey{m.NumberID, m.WAMID}])
	}

	return newest, nil
}
