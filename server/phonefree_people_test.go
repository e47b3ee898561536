package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

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
