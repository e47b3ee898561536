package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Page asks for one page of a list. Cursor is the Next of the page before, "" for the first.
type Page struct {
	Cursor string
	Limit  int // 1–200, 50 where 0
}

func (p Page) limit() int {
	if p.Limit <= 0 || p.Limit > 200 {
		return 50
	}

	return p.Limit
}

// cursor is where a list goes on: the sort key and id of the last row.
type cursor struct {
	At   time.Time `json:"t"`
	ID   uuid.UUID `json:"i"`
	Part int       `json:"p,omitempty"` // of a list that is walked in parts
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		return ""
	}

	return base64.RawURLEncoding.EncodeToString(b)
}

// parse reads a cursor. An unreadable one is Invalid, never an empty page.
func (p Page) parse() (*cursor, error) {
	if p.Cursor == "" {
		return nil, nil //nolint:nilnil // no cursor is the first page, not an error
	}
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	var c cursor
	if err != nil || json.Unmarshal(b, &c) != nil || c.ID == uuid.Nil {
		return nil, &tenants.Invalid{Field: "cursor", Key: "bad_cursor"}
	}
	// Times of ours are in UTC. PostgreSQL refuses some of the zones that JSON allows.
	c.At = c.At.UTC()

	return &c, nil
}

// List returns contacts, those heard of last first, and the cursor of the next page ("" at the end). A query narrows them:
// see Find.
func List(ctx context.Context, tx *tenants.Tx, query string, page Page) ([]Contact, string, error) {
	if strings.TrimSpace(query) != "" {
		return find(ctx, tx, query, page)
	}

	after, err := page.parse()
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = &cursor{At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), ID: uuid.Max}
	}
	var rows []struct {
		ID uuid.UUID `db:"contact_id"`
		At time.Time `db:"last_at"`
	}
	err = tx.SelectContext(ctx, &rows, `
		SELECT a.contact_id, a.last_at FROM contact_activity a
		JOIN contacts c ON c.tenant_id = $1 AND c.id = a.contact_id AND c.merged_into IS NULL
		WHERE a.tenant_id = $1 AND (a.last_at, a.contact_id) < ($2, $3)
		ORDER BY a.last_at DESC, a.contact_id DESC LIMIT $4`, tx.Tenant, after.At, after.ID, page.limit()+1)
	if err != nil {
		return nil, "", fmt.Errorf("list contacts: %w", err)
	}

	next := ""
	if len(rows) > page.limit() {
		rows = rows[:page.limit()]
		last := rows[len(rows)-1]
		next = cursor{At: last.At, ID: last.ID}.String()
	}
	ids := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	contacts, err := hydrate(ctx, tx, ids)

	return contacts, next, err
}

// maxFound bounds what a search looks at, so that a common name in a large tenant stays fast. The rest is found by typing more.
const maxFound = 200

// find searches by name in either script (beginnings of words, and words that sound alike), phone (beginning, or last four
// digits), @username, WhatsApp ID and what another system calls them. Under row level security only equality and ranges use an index, so the words are
// normalised when written and when asked for.
func find(ctx context.Context, tx *tenants.Tx, query string, page Page) ([]Contact, string, error) {
	terms := searchTerms(query)
	if len(terms) == 0 {
		return nil, "", nil
	}
	after, err := page.parse()
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = &cursor{ID: uuid.Max}
	}

	// The longest term narrows most; the others are checked on its finds.
	best := 0
	for i, t := range terms {
		if len(t.from) > len(terms[best].from) {
			best = i
		}
	}
	terms[0], terms[best] = terms[best], terms[0]

	var froms, tos, sounds []string
	for _, t := range terms {
		froms, tos, sounds = append(froms, t.from), append(tos, t.to), append(sounds, t.sound)
	}
	var ids []uuid.UUID
	err = tx.SelectContext(ctx, &ids, `
		SELECT f.contact_id FROM (
			(SELECT contact_id FROM contact_words WHERE tenant_id = $1 AND word >= $2 AND word < $3 AND contact_id < $8 ORDER BY word, contact_id LIMIT $7)
			UNION
			(SELECT contact_id FROM contact_words WHERE tenant_id = $1 AND word = $4 AND contact_id < $8 ORDER BY contact_id DESC LIMIT $7)
		) f
		WHERE NOT EXISTS (
			SELECT 1 FROM unnest($5::text[], $6::text[], $9::text[]) AS o (first, last, sound)
			WHERE NOT EXISTS (SELECT 1 FROM contact_words w WHERE w.tenant_id = $1 AND w.contact_id = f.contact_id
			                  AND (w.word >= o.first AND w.word < o.last OR w.word = o.sound)))
		ORDER BY f.contact_id DESC`,
		tx.Tenant, froms[0], tos[0], sounds[0], pq.Array(froms[1:]), pq.Array(tos[1:]), maxFound, after.ID, pq.Array(sounds[1:]))
	if err != nil {
		return nil, "", fmt.Errorf("search contacts: %w", err)
	}

	next := ""
	if len(ids) > page.limit() {
		ids = ids[:page.limit()]
		next = cursor{ID: ids[len(ids)-1]}.String()
	}
	contacts, err := hydrate(ctx, tx, ids)

	return contacts, next, err
}

// term is one word asked for: a range of contact_words and, where sound is set, one word that will do as well: how a name sounds.
type term struct{ from, to, sound string }

func searchTerms(query string) []term {
	query = strings.TrimSpace(query)
	if len(query) > 200 {
		query = strings.ToValidUTF8(query[:200], "")
	}
	within := func(prefix string) term { return term{from: prefix, to: prefix + "\U0010FFFF"} }
	exactly := func(word string) term { return term{from: word, to: word + "\x01"} }

	if rest, ok := strings.CutPrefix(query, "@"); ok {
		_, folded := whatsapp.Username(rest)
		t := within("u:" + folded)
		t.sound = externalWord(rest)
		return []term{t}
	}
	if whatsapp.IsParentBSUID(query) || whatsapp.IsBSUID(query) {
		return []term{exactly("b:" + query)}
	}
	if digits := whatsapp.Digits(query); len(digits) >= 4 && strings.Trim(query, "0123456789+-() ") == "" {
		if len(digits) == 4 {
			t := exactly("4:" + digits)
			t.sound = externalWord(query)
			return []term{t}
		}
		if phone, ok := whatsapp.TypedPhone(query, "IN"); ok {
			t := exactly("p:" + phone)
			t.sound = "p:" + digits
			return []term{t}
		}
		t := within("p:" + digits)
		t.sound = externalWord(query)
		return []term{t}
	}

	// One word with a digit or sign in it may be what another system calls the customer: CRM-17, asha.gas.
	if words := nameWords(query); strings.ContainsAny(query, "0123456789._-/#") && !strings.ContainsRune(query, ' ') {
		t := exactly(externalWord(query))
		if len(words) > 0 {
			t = within("n:" + clip(words[0]))
		}
		t.sound = externalWord(query)
		return []term{t}
	}

	var terms []term
	for _, w := range nameWords(query) {
		t := within("n:" + clip(w))
		if len(w) >= 3 {
			t.sound = "s:" + clip(skeleton(w))
		}
		terms = append(terms, t)
		if len(terms) == 6 {
			break
		}
	}

	return terms
}

// Resolved is who an identifier belongs to.
type Resolved struct {
	IdentityID uuid.UUID
	Contact    *Contact // nil where nobody has written yet
	Identity   Identity
	Historic   bool // the identifier is no longer theirs
}

// Resolve finds the holder of an identifier: the current one, else the latest. portfolio narrows it to one Meta portfolio id;
// without it an identifier that several portfolios hold is Conflict "ambiguous". ErrNotFound where nobody ever held it.
func Resolve(ctx context.Context, tx *tenants.Tx, kind whatsapp.Kind, value, portfolio string) (Resolved, error) {
	if kind == whatsapp.KindPhone {
		if phone, ok := whatsapp.Phone(value); ok {
			value = phone
		}
	}

	var rows []struct {
		Scope    string     `db:"scope"`
		Identity uuid.UUID  `db:"identity_id"`
		Contact  *uuid.UUID `db:"contact_id"`
		Current  bool       `db:"current"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT ON (d.scope) d.scope, t.identity_id, i.contact_id, t.current
		FROM identifiers d
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = d.id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		WHERE d.tenant_id = $1 AND d.kind = $2 AND d.value = $3 AND ($4 = '' OR d.scope = 'portfolio:' || $4)
		ORDER BY d.scope, t.current DESC, t.last_seen DESC, t.id`, tx.Tenant, string(kind), value, portfolio)
	switch {
	case err != nil:
		return Resolved{}, fmt.Errorf("resolve identifier: %w", err)
	case len(rows) == 0:
		return Resolved{}, tenants.ErrNotFound
	case len(rows) > 1:
		return Resolved{}, &tenants.Conflict{Code: "ambiguous"}
	}

	r := Resolved{IdentityID: rows[0].Identity, Historic: !rows[0].Current}
	if rows[0].Contact != nil {
		c, err := Get(ctx, tx, *rows[0].Contact)
		if err != nil {
			return Resolved{}, err
		}
		r.Contact = &c
	}
	if r.Identity, err = identityByID(ctx, tx, r.IdentityID); err != nil {
		return Resolved{}, err
	}

	return r, nil
}
