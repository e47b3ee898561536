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
