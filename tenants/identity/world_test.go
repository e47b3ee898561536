package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// world is one tenant with two numbers in one portfolio, and one in another once a story speaks of it, fed with events as a lane feeds them.
type world struct {
	t       testing.TB
	db      *tenants.DB
	tenant  uuid.UUID
	numbers map[string]uuid.UUID // by phone_number_id
	scopes  map[string]string
	items   int64
}

const (
	mainNumber  = "224466880013579"
	otherNumber = "224466880024680"
	farNumber   = "224466880099999"
)

func newWorld(t testing.TB, db *tenants.DB, slug string) *world {
	t.Helper()

	w := &world{t: t, db: db, tenant: uuid.Must(uuid.NewV7()), numbers: map[string]uuid.UUID{}, scopes: map[string]string{}}
	ctx := t.Context()
	err := db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, w.tenant, slug)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.As(ctx, w.tenant, func(tx *tenants.Tx) error {
		for id, portfolio := range map[string]string{mainNumber: "506914300000001", otherNumber: "506914300000001"} {
			if err := w.addNumber(ctx, tx, id, portfolio); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return w
}

func (w *world) addNumber(ctx context.Context, tx *tenants.Tx, id, portfolio string) error {
	w.numbers[id], w.scopes[id] = uuid.Must(uuid.NewV7()), "portfolio:"+portfolio
	_, err := tx.ExecContext(ctx, `
		INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, portfolio_id, scope, state)
		VALUES ($1, $2, $3, '318840557712904', $4, '15550199042', $5, $6, 'connected')`,
		w.tenant, w.numbers[id], uuid.Must(uuid.NewV7()), id, portfolio, w.scopes[id])

	return err
}

// openFar connects a number of another portfolio.
func (w *world) openFar() {
	w.t.Helper()
	if w.numbers[farNumber] == uuid.Nil {
		w.as(func(tx *tenants.Tx) error { return w.addNumber(w.t.Context(), tx, farNumber, "506914300000002") })
	}
}

// as runs fn in a goroutine of its own: the race detector never takes some of a query's calls off a goroutine's stack, and
// each new goroutine copies its parent's. A test of many thousand queries would slow down with each of them.
func (w *world) as(fn func(tx *tenants.Tx) error) {
	w.t.Helper()
	done := make(chan error)
	go func() { done <- w.db.As(w.t.Context(), w.tenant, fn) }()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

// event is one item as a story tells it.
type event struct {
	at       int64 // days since the story began; fractions through the minute field
	minute   int64
	number   string
	wamid    string
	system   string
	status   string
	phone    string
	bsuid    string
	parent   string
	newPhone string
	newBSUID string
	oldBSUID string
	name     string
	username string
	text     string
	body     string
	quotes   string // wamid of the message it answers
	taps     bool   // by a button
	card     string // the phone of a card they shared on request
	click    string // of the advertisement they came by
}

const storyStart = 1_761_728_000 // a Wednesday, three days before a month ends

// json writes the event as an item body, the way WhatsApp would send it.
func (e event) item() (whatsapp.ItemKind, []byte) {
	if e.number == "" {
		e.number = mainNumber
	}
	at := fmt.Sprint(storyStart + e.at*86400 + e.minute*60)
	item := map[string]any{"timestamp": at, "id": e.wamid}
	contact := map[string]any{}
	set := func(m map[string]any, key, value string) {
		if value != "" {
			m[key] = value
		}
	}
	kind := whatsapp.KindMessage
	set(contact, "wa_id", e.phone)
	set(contact, "user_id", e.bsuid)
	set(contact, "parent_user_id", e.parent)
	if e.name != "" || e.username != "" {
		profile := map[string]any{}
		set(profile, "name", e.name)
		set(profile, "username", e.username)
		contact["profile"] = profile
	}
	contacts := []any{contact}
	switch {
	case e.system != "":
		kind, contacts = whatsapp.KindSystem, nil
		system := map[string]any{"type": e.system, "body": e.body}
		set(item, "from", e.phone)
		set(system, "wa_id", e.newPhone)
		set(system, "user_id", e.newBSUID)
		set(system, "previous_user_id", e.oldBSUID)
		item["type"], item["system"] = "system", system
	case e.status != "":
		kind = whatsapp.KindStatus
		item["status"] = e.status
		set(item, "recipient_id", e.phone)
		set(item, "recipient_user_id", e.bsuid)
		set(item, "recipient_parent_user_id", e.parent)
		if e.bsuid == "" {
			contacts = nil
		}
	default:
		set(item, "from", e.phone)
		set(item, "from_user_id", e.bsuid)
		set(item, "from_parent_user_id", e.parent)
		text := e.text
		if text == "" {
			text = "hello " + e.wamid
		}
		item["type"], item["text"] = "text", map[string]any{"body": text}
		if e.quotes != "" {
			item["context"] = map[string]any{"id": e.quotes}
		}
		if e.click != "" {
			item["referral"] = map[string]any{"source_type": "ad", "ctwa_clid": e.click}
		}
		if e.taps {
			item["type"], item["button"] = "button", map[string]any{"text": text, "payload": "yes"}
		}
		if e.card != "" {
			item["type"] = "contacts"
			item["contacts"] = []any{map[string]any{"origin": "contact_request", "phones": []any{map[string]any{"phone": "+" + e.card, "wa_id": e.card}}}}
		}
	}
	body, err := json.Marshal(map[string]any{
		"field": "messages", "entry_id": "318840557712904", "item": item, "contacts": contacts,
		"metadata": map[string]any{"display_phone_number": "15550199042", "phone_number_id": e.number},
	})
	if err != nil {
		panic(err)
	}

	return kind, body
}

// feed resolves the events as one batch.
func (w *world) feed(events ...event) {
	w.t.Helper()

	var seen []identity.Seen
	for _, e := range events {
		seen = append(seen, w.parse(e))
	}
	w.feedSeen(seen)
}

func (w *world) parse(e event) identity.Seen {
	w.t.Helper()

	if e.number == farNumber {
		w.openFar()
	}
	kind, body := e.item()
	parsed, err := whatsapp.ParseEvent(kind, body)
	if err != nil {
		w.t.Fatalf("parse %+v: %v", e, err)
	}
	w.items++

	return identity.Seen{
		ItemID: w.items, NumberID: w.numbers[parsed.PhoneNumberID], Scope: w.scopes[parsed.PhoneNumberID],
		ReceivedAt: time.Unix(storyStart+400*86400, 0), Event: parsed,
	}
}

func (w *world) feedSeen(seen []identity.Seen) {
	w.t.Helper()
	w.as(func(tx *tenants.Tx) error { return resolve(tenants.Often(w.t.Context()), tx, seen) }) // prepared, as a lane's are
}

func resolve(ctx context.Context, tx *tenants.Tx, seen []identity.Seen) error {
	if err := identity.Lock(ctx, tx); err != nil {
		return err
	}
	batch, err := identity.Observe(ctx, tx, seen)
	if err != nil {
		return err
	}
	if _, err := conversations.Record(ctx, tx, batch, seen); err != nil {
		return err
	}

	return batch.Settle(ctx)
}

// picture is the tenant's whole state up to generated ids, journal entries and receipt times: contacts with their identities,
// the identifiers and messages of each, and the open cases.
func (w *world) picture() string {
	w.t.Helper()

	var lines []string
	w.as(func(tx *tenants.Tx) error {
		var err error
		lines, err = picture(w.t.Context(), tx)
		return err
	})

	return strings.Join(lines, "\n")
}

func picture(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	var identities []struct {
		ID      uuid.UUID  `db:"id"`
		Contact *uuid.UUID `db:"contact_id"`
		Held    string     `db:"held"`
		Said    string     `db:"said"`
	}
	err := tx.SelectContext(ctx, &identities, `
		SELECT i.id, i.contact_id,
		       (SELECT coalesce(string_agg(d.scope || ' ' || d.kind || ' ' || d.value || CASE WHEN t.current THEN ' now' ELSE ' past' END
		               || ' ' || extract(epoch FROM s.first_at)::bigint || '-' || extract(epoch FROM s.last_at)::bigint, ', '
		               ORDER BY d.scope, d.kind, d.value, s.first_at), '')
		        FROM tenures t CROSS JOIN seen(t) s JOIN identifiers d ON d.id = t.identifier_id WHERE t.identity_id = i.id) AS held,
		       (SELECT coalesce(string_agg(m.wamid || CASE WHEN m.status <> '' THEN '=' || m.status ELSE '' END, ' ' ORDER BY m.at, m.wamid), '')
		        FROM tenures t JOIN messages m ON m.tenure_id = t.id WHERE t.identity_id = i.id) AS said
		FROM identities i WHERE i.absorbed_into IS NULL`)
	if err != nil {
		return nil, err
	}

	byContact, names := map[string][]string{}, map[uuid.UUID]string{}
	for _, i := range identities {
		line := "[" + i.Held + " | " + i.Said + "]"
		names[i.ID] = line
		key := "none " + i.ID.String()
		if i.Contact != nil {
			key = i.Contact.String()
		}
		byContact[key] = append(byContact[key], line)
	}
	var lines []string
	for key, list := range byContact {
		slices.Sort(list)
		who := "contact"
		if strings.HasPrefix(key, "none ") {
			who = "nobody"
		}
		lines = append(lines, who+" "+strings.Join(list, " + "))
	}

	var cases []struct {
		Kind       string          `db:"kind"`
		Key        string          `db:"key"`
		Identity   *uuid.UUID      `db:"identity_id"`
		Candidates json.RawMessage `db:"candidates"`
	}
	if err := tx.SelectContext(ctx, &cases, `SELECT kind, key, identity_id, candidates FROM cases WHERE state = 'open'`); err != nil {
		return nil, err
	}
	for _, c := range cases {
		subject := ""
		if c.Identity != nil {
			subject = names[*c.Identity]
		}
		var candidates []struct {
			Identity uuid.UUID         `json:"identity_id"`
			Tier     string            `json:"tier"`
			Reasons  []identity.Reason `json:"reasons"`
		}
		if err := json.Unmarshal(c.Candidates, &candidates); err != nil {
			return nil, err
		}
		var who []string
		for _, k := range candidates {
			for _, r := range k.Reasons {
				who = append(who, k.Tier+" "+r.Code+" "+names[k.Identity])
			}
		}
		slices.Sort(who)
		lines = append(lines, "case "+c.Kind+" about "+subject+" candidates "+strings.Join(who, "; "))
	}
	slices.Sort(lines)

	return lines, nil
}

func freshWorld(t *testing.T) *world { return newWorld(t, testdb.New(t).DB, "asha-clinic") }
