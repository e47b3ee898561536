package privacy_test

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
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

var before = time.Now().Add(-48 * time.Hour)

// fill has the person to be erased stand in everything that keeps anything of customers, beside a neighbour who stays.
func fill(h *house) (contact uuid.UUID) {
	h.t.Helper()
	h.writes(before, "hello "+canary)
	h.settle()
	h.payloads()
	h.deliver("messages", map[string]any{
		"contacts": []any{profile(phone, bsuid, "Asha "+canary), profile(otherPhone, otherID, "Ravi")},
		"messages": []any{
			h.item(phone, bsuid, before.Add(time.Minute), text("from both, "+canary)), h.item(otherPhone, otherID, before.Add(time.Minute), text("a neighbour")),
			h.item(otherPhone, otherID, before.Add(2*time.Minute), text("call her on "+phone)),
			h.item(otherPhone, otherID, before.Add(3*time.Minute), map[string]any{
				"type": "text", "text": map[string]any{"body": "quoting"}, "context": map[string]any{"id": wamid(phone, 1)},
			}),
			h.item(otherPhone, otherID, before.Add(4*time.Minute), map[string]any{"type": "contacts", "contacts": []any{map[string]any{
				"name": map[string]any{"formatted_name": "Asha " + canary}, "phones": []any{map[string]any{"phone": "+91 98123-49876", "wa_id": phone}},
			}}}),
		},
	})
	h.receive([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"` + h.waba + `","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"` + h.sender +
		`"},"messages":[{"from":"` + phone + `","id":"wamid.broken","timestamp":"x","type":"text","text":"` + canary + `"}]}}]}]}`))
	h.settle()

	c := h.contact(whatsapp.KindPhone, phone)
	if c == nil {
		h.t.Fatal("the person to be erased is no contact")
	}
	identifier := c.Identities[0].Identifiers[0].ID
	h.exec(`UPDATE contacts SET notes = $2, display_name = $2, external_ids = jsonb_build_object('crm', $2::text) WHERE tenant_id = $1 AND id = $3`, h.tenant, canary, c.ID)
	h.exec(`INSERT INTO notes (tenant_id, id, identity_id, text, author_kind) VALUES ($1, gen_random_uuid(), $2, $3, 'person')`, h.tenant, c.Identities[0].ID, canary)
	h.exec(`INSERT INTO assignments (tenant_id, identity_id, person_id) VALUES ($1, $2, gen_random_uuid())`, h.tenant, c.Identities[0].ID)
	h.exec(`INSERT INTO shared_phones (tenant_id, phone, by_name) VALUES ($1, $2, 'Meera')`, h.tenant, phone)
	h.exec(`INSERT INTO link_codes (tenant_id, id, hash, kind, phone) VALUES ($1, gen_random_uuid(), decode(repeat('ab', 32), 'hex'), 'printed', $2)`, h.tenant, phone)
	h.exec(`INSERT INTO link_code_tries (tenant_id, identifier_id, at) VALUES ($1, $2, now())`, h.tenant, identifier)
	h.exec(`INSERT INTO idempotency_keys (tenant_id, key, caller, request, status, body) VALUES ($1, 'k', 'c', '\x00', 200, convert_to($2, 'UTF8'))`, h.tenant, canary)
	h.exec(`INSERT INTO imports (tenant_id, id, file_name, state, rows, widest, actor_kind) VALUES ($1, $2, 'list.csv', 'done', 1, 1, 'person')`, h.tenant, h.number)
	h.exec(`INSERT INTO import_rows (tenant_id, import_id, row, cells, phone, bsuid, external, outcome, contact_id, effect) VALUES ($1, $2, 1, $3, $4, $5, $3, 'changed', $6, $3)`,
		h.tenant, h.number, canary, phone, bsuid, c.ID)
	h.exec(`INSERT INTO called (tenant_id, identifier_id, words, first_at) VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING`, h.tenant, identifier, canary)
	h.exec(`INSERT INTO hints (tenant_id, id, subject_id, kind, claim_kind, claim_value, at, item_id) VALUES ($1, gen_random_uuid(), $2, 'typed_number', 'phone', $3, now(), 1) ON CONFLICT DO NOTHING`,
		h.tenant, identifier, phone)
	h.exec(`INSERT INTO notices (tenant_id, id, waba_id, field, event, at, digest, facts, item_id) VALUES ($1, gen_random_uuid(), '1', 'account_alerts', 'x', now(), 'd', jsonb_build_object('who', $2::text), 1)`,
		h.tenant, phone)
	h.exec(`INSERT INTO outbox (tenant_id, id, message_id, number_id, identity_id, identifier_id, key, draft, content, state, detail, actor_kind)
		SELECT $1, gen_random_uuid(), m.id, $2, $3, $4, 'o', convert_to($5, 'UTF8'), jsonb_build_object('text', $5::text), 'accepted', $5, 'person'
		FROM messages m WHERE m.tenant_id = $1 AND m.text = 'hello ' || $5::text`, h.tenant, h.number, c.Identities[0].ID, identifier, canary)
	h.exec(`INSERT INTO asks (tenant_id, message_id, number_id, identifier_id, asked_at) VALUES ($1, gen_random_uuid(), $2, $3, now())`, h.tenant, h.number, identifier)
	h.exec(`INSERT INTO escalations (tenant_id, id, kind, level, contact_id, reason, opened_by, opener, due_at) VALUES ($1, gen_random_uuid(), 'other', 'L1', $2, $3, gen_random_uuid(), 'Meera', now())`,
		h.tenant, c.ID, canary)
	h.named()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		if err := privacy.Record(ctx, tx, meera, c.ID, identity.Stop, "call", before); err != nil {
			return err
		}
		return privacy.Saw(ctx, tx, meera, privacy.SawPage, c.ID, c.ID)
	})

	return c.ID
}

// named has the person stand by her identifiers in what the team and others wrote down that is not about her.
func (h *house) named() {
	h.t.Helper()
	c := h.contact(whatsapp.KindPhone, otherPhone)
	account, identifier, words := c.Identities[0].ID, c.Identities[0].Identifiers[0].ID, "ask "+phone+" or "+bsuid
	h.exec(`UPDATE contacts SET notes = $2 WHERE tenant_id = $1 AND id = $3`, h.tenant, words, c.ID)
	h.exec(`INSERT INTO notes (tenant_id, id, identity_id, text, author_kind) VALUES ($1, gen_random_uuid(), $2, $3, 'person')`, h.tenant, account, words)
	h.exec(`INSERT INTO escalations (tenant_id, id, kind, level, contact_id, reason, outcome, lesson, opened_by, opener, due_at) VALUES ($1, gen_random_uuid(), 'other', 'L1', $2, $3, $3, $3, gen_random_uuid(), 'Meera', now())`,
		h.tenant, c.ID, words)
	h.exec(`INSERT INTO incidents (tenant_id, id, what, known_at, from_at, to_at, opened_by, consequences, measures, advice, findings, done, lesson)
		VALUES ($1, gen_random_uuid(), $2, now(), now(), now(), 'Meera', $2, $2, $2, $2, $2, $2)`, h.tenant, words)
	h.exec(`INSERT INTO asked_questions (tenant_id, id, text, origin, by_person, by_name) VALUES ($1, gen_random_uuid(), $2, 'search', 'meera', 'Meera')`, h.tenant, words)
	h.exec(`INSERT INTO trust_pages (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING`, h.tenant)
	h.exec(`INSERT INTO trust_requests (tenant_id, id, kind, name, reach, body, lang) VALUES ($1, gen_random_uuid(), 'question', $2, $3, $2, 'en')`, h.tenant, words, phone)
	h.exec(`INSERT INTO outbox (tenant_id, id, message_id, number_id, identity_id, identifier_id, key, draft, content, state, actor_kind)
		SELECT $1, gen_random_uuid(), m.id, $2, $3, $4, 'p', '\x00', jsonb_build_object('text', $5::text), 'accepted', 'person'
		FROM messages m WHERE m.tenant_id = $1 AND m.text = 'a neighbour'`, h.tenant, h.number, account, identifier, words)
	// Two messages to the neighbour that have not gone out: one waits, one was taken by a sender that has died.
	for key, state := range map[string]string{"waits": "waiting", "taken": "sending"} {
		h.exec(`WITH m AS (
				INSERT INTO messages (tenant_id, id, number_id, wamid, tenure_id, direction, type, text, content, at, digest, item_id, received_at)
				SELECT $1, gen_random_uuid(), $2, $3, t.id, 'out', 'text', $4, '', now(), '', 0, now() FROM tenures t
				WHERE t.tenant_id = $1 AND t.identity_id = $5 AND t.identifier_id = $6 RETURNING id)
			INSERT INTO outbox (tenant_id, id, message_id, number_id, identity_id, identifier_id, key, draft, content, state, actor_kind, called_at)
			SELECT $1, gen_random_uuid(), m.id, $2, $5, $6, $3, '\x00', jsonb_build_object('text', $4::text), $7, 'person', now() - interval '1 hour' FROM m`,
			h.tenant, h.number, key, words, account, identifier, state)
	}
	// A list that nobody has named the columns of, and one about the neighbour that names the person beside him.
	h.exec(`INSERT INTO imports (tenant_id, id, file_name, state, rows, widest, actor_kind) VALUES ($1, $2, 'lying.csv', 'mapping', 2, 2, 'person'), ($1, $3, 'friends.csv', 'done', 1, 3, 'person')`,
		h.tenant, h.tenant, h.app)
	h.exec(`INSERT INTO import_rows (tenant_id, import_id, row, cells, outcome) VALUES
		($1, $2, 1, jsonb_build_array('Asha '||$4::text, '098123 49876')::text, ''), ($1, $2, 2, '["Ravi","98000 00555"]', ''),
		($1, $3, 1, jsonb_build_array('Ravi', '+91 98123-49876', 'of '||$5::text)::text, 'same')`, h.tenant, h.tenant, h.app, canary, bsuid)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := privacy.Add(ctx, tx, h.keys, meera, privacy.New{Kind: privacy.Grievance, Contact: &c.ID, Subject: "Ravi, of " + phone, Note: words})
		return err
	})
}

// mustHold are the tables in which the test has the person stand. Whoever adds a table that keeps anything of customers has them stand
// there too, and sees it erased.
var mustHold = []string{
	"asked_questions", "called", "contact_words", "contacts", "escalations", "hints", "idempotency_keys", "identifiers", "import_rows", "incidents", "inbox_events", "inbox_items", "link_codes", "messages",
	"notes", "notices", "outbox", "profile_facts", "saved_contacts", "shared_phones", "trust_requests",
}

func TestNothingOfAnErasedPersonIsLeft(t *testing.T) {
	t.Parallel()
	h := open(t)
	contact := fill(h)
	held, neighbour := h.found(), h.contact(whatsapp.KindPhone, otherPhone).Version
	for _, table := range mustHold {
		if held[table] == 0 {
			t.Errorf("%s does not hold the person before: the test shows nothing of it", table)
		}
	}

	w := h.worker()
	r := h.erase(w, contact)
	if r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}
	if left := h.found(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if log := h.log.String(); strings.Contains(log, canary) || strings.Contains(log, phone) {
		t.Errorf("the log names the person:\n%s", log)
	}

	var note string
	var version int
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		list, err := privacy.List(ctx, tx, h.keys)
		for _, r := range list {
			if r.Kind == privacy.Grievance && (r.Subject != "Ravi, of •••" || r.Note != "ask ••• or •••") {
				t.Errorf("the neighbour's own request says %q, %q", r.Subject, r.Note)
			}
		}
		if err != nil {
			return err
		}
		return tx.QueryRowxContext(ctx, `SELECT notes, version FROM contacts WHERE tenant_id = $1 AND notes <> ''`, h.tenant).Scan(&note, &version)
	})
	if version == neighbour {
		t.Error("a form that is open with the note of before could bring it back")
	}
	if note != "ask ••• or •••" {
		t.Errorf("the note about the neighbour is %q", note)
	}

	var about int
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &about, `SELECT (SELECT count(*) FROM consents) + (SELECT count(*) FROM contact_views) + (SELECT count(*) FROM escalations WHERE contact_id = $1)`, contact)
	})
	if about != 0 {
		t.Errorf("%d rows still stand under the person's ids", about)
	}

	// The neighbour is whole, without a word of her.
	c := h.contact(whatsapp.KindPhone, otherPhone)
	var texts []string
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &texts, `SELECT text FROM messages WHERE tenant_id = $1 AND direction = 'in' ORDER BY at`, h.tenant)
	})
	if c == nil || len(texts) != 4 || texts[0] != "a neighbour" || texts[1] != "call her on •••" {
		t.Errorf("the neighbour has %q", texts)
	}
	// What was on its way to the neighbour goes out no more, and its author is told why.
	var stopped, cells string
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.QueryRowxContext(ctx, `
			SELECT (SELECT string_agg(state || ' ' || reason || ' ' || (content ->> 'text'), '; ' ORDER BY key) FROM outbox WHERE key IN ('waits', 'taken')),
			       (SELECT string_agg(cells, '; ' ORDER BY import_id, row) FROM import_rows WHERE import_id IN ($1, $2))`, h.tenant, h.app).Scan(&stopped, &cells)
	})
	if want := "sending  ask ••• or •••; failed names_erased ask ••• or •••"; stopped != want {
		t.Errorf("on their way to the neighbour: %q, want %q", stopped, want)
	}
	if want := `[]; ["Ravi","98000 00555"]; ["Ravi","•••","of •••"]`; cells != want {
		t.Errorf("lists say %s, want %s", cells, want)
	}
	// Nothing that came is missing from the counts, and the journal of deeds still holds.
	h.balanced()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		_, fault, err := tenants.VerifyAudit(ctx, tx)
		if fault != nil {
			t.Errorf("the audit breaks at %d: %s", fault.Seq, fault.What)
		}
		return err
	})
	var outcome struct {
		Book       map[string]int `json:"book"`
		Tombstones int            `json:"tombstones"`
	}
	if err := json.Unmarshal(r.Outcome, &outcome); err != nil {
		t.Fatal(err)
	}
	if outcome.Book[privacy.BookDeleted] != 1 || outcome.Tombstones < 2 {
		t.Errorf("receipt %s, want one entry of the contact book deleted and her identifiers counted", r.Outcome)
	}
}

func (h *house) balanced() {
	h.t.Helper()
	drifts, err := ingest.Recount(h.t.Context(), h.DB, h.tenant)
	if err != nil {
		h.t.Fatal(err)
	}
	if len(drifts) > 0 {
		h.t.Errorf("counters differ from items: %+v", drifts)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		recount, err := adoption.Check(ctx, tx)
		if recount.Wrong != 0 {
			h.t.Errorf("%d sums are not what a recount comes to", recount.Wrong)
		}
		return err
	})
}

func TestEachPartOfErasingIsNeeded(t *testing.T) {
	t.Parallel()

	for _, part := range []string{"messages", "named", "written", "items", "deliveries"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			contact := fill(h)
			w := h.worker()
			w.Without(part)
			if r := h.erase(w, contact); r.State != privacy.Done {
				t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
			}
			if left := h.found(); len(left) == 0 {
				t.Errorf("without %s nothing is left either: the search finds nothing", part)
			}
		})
	}
}

func TestTheErasedDoNotComeBackByThemselves(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello "+canary)
	h.settle()
	w := h.worker()
	if r := h.erase(w, h.contact(whatsapp.KindPhone, phone).ID); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}

	// The same message in another delivery, a status of what was sent to them, a late chat of the past, an entry of the address book.
	h.sent = 0
	h.writes(before, "hello "+canary)
	h.deliver("messages", map[string]any{"contacts": []any{profile(phone, bsuid, canary)}, "statuses": []any{
		map[string]any{"id": "wamid.ours", "status": "read", "timestamp": fmt.Sprint(time.Now().Add(time.Minute).Unix()), "recipient_id": phone, "recipient_user_id": bsuid},
	}})
	h.deliver("smb_app_state_sync", map[string]any{"state_sync": []any{map[string]any{
		"type": "contact", "action": "add", "contact": map[string]any{"full_name": canary, "phone_number": phone}, "metadata": map[string]any{"timestamp": fmt.Sprint(before.Unix())},
	}}})
	// The address book of the phone app, sent whole after she was erased.
	h.deliver("smb_app_state_sync", map[string]any{"state_sync": []any{map[string]any{
		"type": "contact", "action": "add", "contact": map[string]any{"full_name": canary, "phone_number": phone}, "metadata": map[string]any{"timestamp": fmt.Sprint(time.Now().Add(time.Minute).Unix())},
	}}})
	h.settle()
	if err := w.CutReturned(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := h.contact(whatsapp.KindPhone, phone); c != nil {
		t.Errorf("what came again brought the person back as %s", c.ID)
	}
	if left := h.found(); len(left) > 0 {
		t.Errorf("what came again left: %v", left)
	}
	h.balanced()

	// They write anew: somebody nobody knows, with that message alone. What is older stays away.
	h.sent = 700
	h.writes(time.Now().Add(2*time.Second), "hello, I am new")
	h.settle()
	h.sent = 0
	h.writes(before, "hello "+canary+" again")
	h.settle()
	c := h.contact(whatsapp.KindPhone, phone)
	if c == nil {
		t.Fatal("who wrote again is nobody")
	}
	var texts []string
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &texts, `SELECT text FROM messages WHERE tenant_id = $1`, h.tenant)
	})
	if !slices.Equal(texts, []string{"hello, I am new"}) {
		t.Errorf("messages %q, want the new one alone", texts)
	}
}

func TestErasingGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	h := open(t)
	contact := fill(h)
	id := h.request(contact)
	for range 90 {
		// Each step in a process of its own, the work of which ends at once.
		if done, err := h.worker().Step(t.Context(), h.tenant, id); err != nil {
			t.Fatal(err)
		} else if done {
			break
		}
	}
	if r := h.state(id); r.State != privacy.Done {
		t.Fatalf("state %s, want done", r.State)
	}
	if left := h.found(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Two erasures at once, and the look for what came again between any two of their steps, take nothing of each other's work away.
func TestErasuresSideBySide(t *testing.T) {
	t.Parallel()
	h := open(t)
	her := h.request(fill(h))
	const third = "919812300033"
	h.deliver("messages", map[string]any{
		"contacts": []any{profile(third, "IN.5550000000000033", "Kamla")}, "messages": []any{h.item(third, "IN.5550000000000033", before, text("a third"))},
	})
	h.settle()
	other := h.request(h.contact(whatsapp.KindPhone, third).ID)
	w := h.worker()
	for going := []uuid.UUID{other, her}; len(going) > 0; {
		going = slices.DeleteFunc(going, func(id uuid.UUID) bool {
			done, err := w.Step(t.Context(), h.tenant, id)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.CutReturned(t.Context()); err != nil {
				t.Fatal(err)
			}
			return done
		})
	}
	if left := h.found(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	h.balanced()
}
