package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// switches a number to keep no phones, or to keep them again.
func (in *inbox) switches(t *testing.T, number string, free bool) {
	t.Helper()
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		return numbers.SetPhoneFree(ctx, tx, access.Command("test").Actor, in.numbers[number], free)
	})
}

// cleans waits until what was stored before a number kept no phones is cleaned.
func (in *inbox) cleans(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- numbers.NewWorker(in.DB, in.keys, whatsapp.NewGraph(in.graph.URL), slog.New(slog.NewTextHandler(in.log, nil))).Run(ctx)
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("clean: %v", err)
		}
	}()
	deadline := time.Now().Add(time.Minute)
	for in.count(t, `SELECT count(*) FROM numbers WHERE phone_cleaning IS NOT NULL`) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("still cleaning:\n%s", in.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sendsAll sends bodies and waits until all they cause is visible.
func (in *inbox) sendsAll(t *testing.T, bodies [][]byte) {
	t.Helper()
	for _, body := range bodies {
		in.send(t, body)
	}
	in.settle(t)
}

// others are the rows that are of no number of the business: what is held for a number nobody has connected, or was signed for another
// app, and the test button's, of whom it names nobody.
func (in *inbox) others() map[string]string {
	own := `phone_number_id IN ('` + ownNumber + in.tag + `', '` + otherNumber + in.tag + `')`

	return map[string]string{
		"inbox_items":  `t.tenant_id IS NULL AND NOT sealed AND NOT ` + own,
		"inbox_events": `NOT sealed AND EXISTS (SELECT 1 FROM inbox_items i WHERE i.event_id = t.id) AND NOT EXISTS (SELECT 1 FROM inbox_items i WHERE i.event_id = t.id AND (i.tenant_id IS NOT NULL OR i.` + own + `))`,
	}
}

// TestPhoneFreeNumbersHoldNoPhone: with both numbers of a business phone-free, no page, API answer, export, log line or table row holds a
// phone of any customer: not of what came before the switch, once it is cleaned, nor of what came after.
func TestPhoneFreeNumbersHoldNoPhone(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	before, after := guest{"918765432109", "IN.5544332211009988"}, guest{"917654321098", "IN.6655443322110099"}
	mute, friends := guest{phone: "916543210987"}, []guest{{phone: "919911223344"}, {phone: "918899001122"}}
	h := hunt{append(corpusPhones(t), before.phone, after.phone, mute.phone, friends[0].phone, friends[1].phone, "919811122233")}
	if len(h.phones) < 12 {
		t.Fatalf("the world has only the phones %v", h.phones)
	}

	// Before: the world comes and is kept with its phones; an agent answers, links and marks.
	var bodies [][]byte
	for _, n := range corpus(t) {
		bodies = append(bodies, payload(t, n))
	}
	in.sendsAll(t, slices.Concat(bodies, guestWorld(ownNumber, 1, before, friends[0]), guestWorld(ownNumber, 2, mute, friends[0])))
	answersAndLinks(t, in, before.bsuid)
	kept := 0
	in.dump(t, nil, func(_, text string) { kept += len(h.in(text)) })
	if kept < 100 {
		t.Fatalf("found only %d phones in what was kept before, so what is not found later proves nothing", kept)
	}

	// The owner switches both numbers on the page, and history is cleaned.
	in.log.mu.Lock()
	in.log.buf.Reset() // what was logged while phones were kept is not under test; a log is not cleaned
	in.log.mu.Unlock()
	owner, agent := in.reads(t, "owner"), in.reads(t, "agent")
	for _, number := range []string{ownNumber, otherNumber} {
		at := "/numbers/" + in.numbers[number].String() + "/phone-free"
		page := owner.get(at)
		owner.has(page, http.StatusOK, `data-testid="phone-free-on"`)
		if r := owner.post(at, url.Values{"on": {"yes"}, "confirm": {"0000"}}); r.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong confirmation: %d, want 422", r.status)
		}
		digits := map[string]string{ownNumber: ownPhone, otherNumber: otherPhone}[number] + in.tag
		owner.get(at)
		owner.want(owner.post(at, url.Values{"on": {"yes"}, "confirm": {digits[len(digits)-4:]}}), http.StatusSeeOther, strings.TrimSuffix(at, "/phone-free")+"#phone-free")
	}
	in.cleans(t)
	in.findsNone(t, h, "after cleaning", owner, agent)

	// After: the same deliveries come again, a new customer writes, and everything is done that can be done.
	for i := range bodies {
		bodies[i] = append(slices.Clone(bodies[i]), '\n')
	}
	in.sendsAll(t, slices.Concat(bodies, guestWorld(ownNumber, 3, after, friends[1]), guestWorld(otherNumber, 4, after, friends[1]), guestWorld(ownNumber, 5, mute, friends[1])))
	answersAndLinks(t, in, after.bsuid)
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := ingest.Replay(ctx, tx, access.Command("test").Actor, ingest.ReplayInput{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
		return err
	})
	in.replayed(t)
	if n := in.count(t, `SELECT count(*) FROM inbox_items WHERE state = 'set_aside' AND reason = 'processing_failed'`); n > 0 {
		t.Errorf("%d items failed", n)
	}
	in.findsNone(t, h, "at the end", owner, agent)
}

// replayed waits until the last replay is done.
func (in *inbox) replayed(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for in.count(t, `SELECT count(*) FROM jobs WHERE kind = 'replay' AND state IN ('waiting', 'running')`) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the replay does not end")
		}
		time.Sleep(20 * time.Millisecond)
	}
	in.settle(t)
}

// answersAndLinks has somebody answer a customer with a phone in the words, join two contacts and undo it, and say of all that they have a
// shared phone.
func answersAndLinks(t *testing.T, in *inbox, bsuid string) {
	t.Helper()
	c := in.whois(t, whatsapp.KindBSUID, bsuid)
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		for _, i := range c.Identities {
			for _, d := range i.Identifiers {
				if d.Kind == whatsapp.KindPhone {
					return identity.SetShared(ctx, tx, access.Command("test").Actor, c.ID, d.Value, true)
				}
			}
		}
		return nil
	})
	if err := in.submits(t, in.opens(t, c.ID, uuid.Nil), "code", "98111 22233"); err == nil {
		in.drains(t)
	}
	if err := in.submits(t, in.opens(t, c.ID, uuid.Nil), "ready"); err != nil {
		t.Fatal(err)
	}
	for _, out := range in.drains(t) {
		if phoneless := in.count(t, `SELECT count(*) FROM numbers WHERE phone_free`) > 0; phoneless && (out.To != "" || out.Recipient != bsuid) {
			t.Errorf("Graph was asked %+v, want to the WhatsApp ID alone", out)
		}
	}
	other := in.whois(t, whatsapp.KindBSUID, ashasNewID)
	if other.ID != c.ID {
		in.undo(t, in.merge(t, other.ID, c.ID))
		in.merge(t, other.ID, c.ID)
	}
}

// findsNone looks for phones in every page that an owner and an agent reach, every API answer, export, table row and log line.
func (in *inbox) findsNone(t *testing.T, h hunt, when string, readers ...*browser) {
	t.Helper()
	tell := func(where, text string) {
		if found := h.in(text); len(found) > 0 {
			t.Errorf("%s: %s holds %v: %s", when, where, found, around(text, found[0]))
		}
	}
	in.dump(t, in.others(), func(table, text string) { tell("a row of "+table, text) })
	tell("the log", in.log.String())

	var starts []string
	err := in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error {
		for _, list := range []struct{ query, path string }{
			{`SELECT id::text FROM contacts ORDER BY id LIMIT 60`, "/contacts/%s"},
			{`SELECT id::text FROM contacts ORDER BY id LIMIT 60`, "/inbox/%s"},
			{`SELECT id::text FROM cases ORDER BY id LIMIT 40`, "/resolve/%s"},
			{`SELECT id::text FROM links ORDER BY id LIMIT 40`, "/merges/%s"},
			{`SELECT id::text FROM numbers`, "/numbers/%s"},
		} {
			var ids []string
			if err := tx.Select(&ids, list.query); err != nil {
				return err
			}
			for _, id := range ids {
				starts = append(starts, fmt.Sprintf(list.path, id))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	starts = append(starts, "/", "/home", "/inbox", "/contacts", "/resolve", "/numbers", "/audit", "/contacts/export", "/settings")
	for _, reader := range readers {
		failed, pages := 0, 0
		n := reader.crawl(t, starts, 500, func(path string, r answer) {
			if r.status >= http.StatusInternalServerError {
				failed++
				t.Errorf("%s: GET %s: %d", when, path, r.status)
			}
			if r.status == http.StatusOK {
				pages++
			}
			tell("GET "+path, r.body+" "+r.location)
		})
		if n < 100 || pages < 60 {
			t.Errorf("%s: crawled only %d addresses, %d of them pages", when, n, pages)
		}
		reader.get("/contacts/export")
		if r := reader.post("/contacts/export", url.Values{"purpose": {"for the auditor"}}); r.status == http.StatusOK {
			tell("the export", r.body)
		} else if reader == readers[0] {
			t.Errorf("%s: the owner's export: %d", when, r.status)
		}
		for _, phone := range h.phones[:4] { // what is asked for may be repeated to who asked; nothing must be found by it
			r := reader.get("/contacts?q=" + phone)
			tell("a search", strings.ReplaceAll(r.body, phone, ""))
		}
	}
	in.asks(t, tell)
}

// asks calls all of the API that only reads.
func (in *inbox) asks(t *testing.T, tell func(where, text string)) {
	t.Helper()
	api := in.client(t, tenants.Tenant{ID: in.tenant}, "read", "write")
	read := func(path string) (ids []string) {
		r := api.get(path)
		if r.status != http.StatusOK {
			t.Errorf("GET %s: %d %s", path, r.status, r.body)
		}
		tell("the API's "+path, r.body)
		for _, one := range r.items() {
			if m, ok := one.(map[string]any); ok {
				id, _ := m["id"].(string)
				ids = append(ids, id)
			}
		}

		return ids
	}
	read("/numbers")
	read("/ingest")
	contacts := read("/contacts?limit=100")
	for _, id := range contacts {
		for _, part := range []string{"", "/messages?limit=100", "/links"} {
			read("/contacts/" + id + part)
		}
	}
	if len(contacts) > 1 {
		read("/merges/preview?keep=" + contacts[0] + "&lose=" + contacts[1])
	}
	read("/cases?state=open&limit=100")
	read("/cases?state=done&limit=100")
	read("/resolve?bsuid=" + ashasNewID)
}

// around is the neighbourhood of what was found, as far as it stands there in clear.
func around(text, found string) string {
	at := max(strings.Index(text, found), 0)

	return fmt.Sprintf("%.300q", text[max(at-150, 0):])
}

// TestPhoneFreeComesToTheSamePeople: one world through an ordinary number and through a phone-free one ends in the same people, as far as
// their WhatsApp IDs tell.
func TestPhoneFreeComesToTheSamePeople(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ordinary, free := h.open(t), h.open(t)
	free.switches(t, ownNumber, true)
	free.switches(t, otherNumber, true)
	for _, in := range []*inbox{ordinary, free} {
		var bodies [][]byte
		for _, n := range corpus(t) {
			bodies = append(bodies, payload(t, n))
		}
		in.sendsAll(t, bodies)
	}
	want, got := ordinary.people(t), free.people(t)
	if len(want) < 5 {
		t.Fatalf("the world has only %v", want)
	}
	if !slices.Equal(want, got) {
		t.Errorf("ordinary:\n%s\nphone-free:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
}

// people are the accounts by their WhatsApp IDs, with how many messages each has.
func (in *inbox) people(t *testing.T) (accounts []string) {
	t.Helper()
	in.do(t, func(_ context.Context, tx *tenants.Tx) error {
		return tx.Select(&accounts, `
			SELECT concat_ws(' ', string_agg(DISTINCT d.value || CASE WHEN t.current THEN '' ELSE ' (past)' END, ', ') FILTER (WHERE d.kind <> 'phone'),
			                 'phones:', count(DISTINCT d.id) FILTER (WHERE d.kind = 'phone'),
			                 'messages:', (SELECT count(*) FROM tenures mt JOIN messages m ON m.tenure_id = mt.id WHERE mt.identity_id = i.id)) AS account
			FROM identities i JOIN tenures t ON t.identity_id = i.id JOIN identifiers d ON d.id = t.identifier_id
			WHERE i.absorbed_into IS NULL GROUP BY i.id ORDER BY 1`)
	})

	return accounts
}

// TestPhoneFreeBesideAnOrdinaryNumber: two numbers of one portfolio, of which one keeps no phones, know one person, in whichever order
// they are written to; the phone is known by the ordinary one alone.
func TestPhoneFreeBesideAnOrdinaryNumber(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, order := range map[string][]string{"ordinary first": {otherNumber, ownNumber}, "phone-free first": {ownNumber, otherNumber}} {
		in := h.open(t)
		in.switches(t, ownNumber, true)
		for i, number := range order {
			in.tell(t, ev{id: fmt.Sprint("m", i), at: i, number: number, phone: ashasPhone, text: "hello"})
		}
		var phones []string
		in.do(t, func(_ context.Context, tx *tenants.Tx) error {
			return tx.Select(&phones, `SELECT value FROM identifiers WHERE kind = 'phone'`)
		})
		if !slices.Equal(phones, []string{ashasPhone}) {
			t.Errorf("%s: the phones are %v, want the one that the ordinary number saw", name, phones)
		}
		if n := in.count(t, `SELECT count(*) FROM contacts`); n != 1 {
			t.Errorf("%s: %d contacts, want one", name, n)
		}
		if c := in.whois(t, whatsapp.KindPhone, ashasPhone); c.Phone() != ashasPhone {
			t.Errorf("%s: want her found by her phone, got %+v", name, c)
		}
	}
}

// TestPhoneFreeReplies: who is known by phone alone cannot be answered, and the composer says why; with a WhatsApp ID they can.
func TestPhoneFreeReplies(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.switches(t, ownNumber, true)
	in.tell(t, ev{id: "a", phone: ashasPhone, name: "Asha", text: "hello"})
	var id uuid.UUID
	in.do(t, func(_ context.Context, tx *tenants.Tx) error { return tx.Get(&id, `SELECT id FROM contacts`) })
	owner := in.reads(t, "owner")
	owner.has(owner.get("/inbox/"+id.String()), http.StatusOK, `data-testid="blocked"`, "keeps no phones")
	page := owner.get("/contacts/" + id.String())
	owner.has(page, http.StatusOK, `data-testid="phone-not-kept"`, "is not kept: your number is phone-free")
	if r := in.opens(t, id, uuid.Nil); r.Address != "" || r.Blocked != "phone_free" {
		t.Errorf("a reply goes to %+v, want nowhere", r)
	}

	in.tell(t, ev{id: "b", at: 5, phone: ashasPhone, bsuid: ashasID, text: "and again"})
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		r, err := conversations.ReplyTo(ctx, tx, conversations.Thread{Contact: id})
		if err != nil {
			return err
		}
		if asking, err := conversations.MayAsk(ctx, tx, r); err != nil || asking.Refused != "ask_phone_free" {
			t.Errorf("they may be asked for a phone: %+v, %v", asking, err)
		}
		return nil
	})
	out := in.replies(t, in.opens(t, id, uuid.Nil))
	if out.To != "" || out.Recipient != ashasID {
		t.Errorf("Graph was asked %+v, want her WhatsApp ID", out)
	}
	in.tell(t, ev{is: "status", word: "read", id: "out-" + out.Tag, at: 50, phone: ashasPhone, bsuid: ashasID})
	if n := in.count(t, `SELECT count(*) FROM messages WHERE direction = 'out' AND status = 'read'`); n != 1 {
		t.Errorf("%d messages are read, want the reply by its status", n)
	}

	in.switches(t, otherNumber, true)
	for _, path := range []string{"/contacts/", "/inbox/"} {
		owner.lacks(owner.get(path+id.String()), `data-testid="to-ask"`)
	}

	api := in.client(t, tenants.Tenant{ID: in.tenant}, "read")
	found := api.want(api.get("/resolve?phone="+ashasPhone), http.StatusOK, "")
	if found.text("contact_id") != id.String() || strings.Contains(found.body, "98000") {
		t.Errorf("resolve by a phone that is not kept: %s", found.body)
	}
}

// TestPhoneFreeIsTheBusinessesOwn: another business's number is not there to be switched, and nobody's switch reaches another.
func TestPhoneFreeIsTheBusinessesOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mine, theirs := h.open(t), h.open(t)
	err := h.DB.As(context.Background(), mine.tenant, func(tx *tenants.Tx) error {
		return numbers.SetPhoneFree(context.Background(), tx, access.Command("test").Actor, theirs.numbers[ownNumber], true)
	})
	if err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("switch another's number: %v, want not found", err)
	}
	mine.switches(t, ownNumber, true)
	theirs.tell(t, ev{id: "a", phone: ashasPhone})
	if c := theirs.whois(t, whatsapp.KindPhone, ashasPhone); c.Phone() != ashasPhone {
		t.Errorf("their customer is %+v, want the phone kept", c)
	}
	var entries []struct {
		Action string `db:"action"`
		Detail string `db:"detail"`
	}
	mine.do(t, func(_ context.Context, tx *tenants.Tx) error {
		return tx.Select(&entries, `SELECT action, detail FROM audit_entries WHERE action = 'number.phone_free'`)
	})
	if len(entries) != 1 || entries[0].Detail != `{"on":true}` {
		t.Errorf("the audit has %s, want the switch once", entries)
	}
}

// TestPhoneFreeSwitchedBack: what came while a number kept no phones says the same when it is processed again after the switch back, and
// the phone is known again once its owner writes.
func TestPhoneFreeSwitchedBack(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.switches(t, ownNumber, true)
	in.tell(t, ev{id: "a", phone: ashasPhone, bsuid: ashasID, text: "hello"})
	in.switches(t, ownNumber, false)
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := ingest.Replay(ctx, tx, access.Command("test").Actor, ingest.ReplayInput{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
		return err
	})
	in.replayed(t)
	if n := in.count(t, `SELECT count(*) FROM messages`); n != 1 {
		t.Errorf("%d messages after the replay, want the one", n)
	}
	if c := in.whois(t, whatsapp.KindBSUID, ashasID); c.Phone() != "" {
		t.Errorf("the replay brought the phone %s back", c.Phone())
	}
	in.tell(t, ev{id: "b", at: 5, phone: ashasPhone, bsuid: ashasID, text: "again"})
	if c := in.whois(t, whatsapp.KindBSUID, ashasID); c.Phone() != ashasPhone {
		t.Errorf("she wrote again and her phone is %q", c.Phone())
	}
	if n := in.count(t, `SELECT count(*) FROM identifiers WHERE kind = 'phone'`); n != 1 {
		t.Errorf("%d phones, want one", n)
	}
}
