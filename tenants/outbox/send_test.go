package outbox_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	ashasPhone, ashasID = "919800000101", "IN.7704418820035512"
	newPhone, newID     = "919800000155", "IN.9910027753341188"
	mateosID            = "CO.1092755501238467"
	leilasID            = "DZ.88120045517723901"
)

func TestAReplyGoesOnceToTheAccountThatWrote(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	h.writes("", mateosID)

	asha := h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID)
	if asha.Kind != whatsapp.KindPhone || asha.Address != ashasPhone || !asha.Open || asha.Number != h.number {
		t.Errorf("a reply to Asha goes to %+v", asha)
	}
	first := h.sends(asha, "your order is ready")
	again, err := h.submit(conversations.Draft{Version: asha.Version, Key: "key-1", Text: "your order is ready"})
	if err != nil || again.ID != first.ID {
		t.Errorf("the second click made %v, %v; want the first message %v", again.ID, err, first.ID)
	}
	if _, err := h.submit(conversations.Draft{Version: asha.Version, Key: "key-1", Text: "another"}); tenants.ConflictCode(err) != "key_reused" {
		t.Errorf("another text under the same key: %v, want key_reused", err)
	}
	mateo := h.sends(h.opens(h.whois(whatsapp.KindBSUID, mateosID).ID), "hola")
	h.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Messages(t.Context(), tx, asha.Contact, identity.Page{})
		if err == nil && !list[0].Pending() {
			t.Errorf("a message that waits is %+v, want pending", list[0])
		}
		return err
	})
	h.turns(h.sender())

	got := h.meta.all()
	slices.SortFunc(got, func(a, b sent) int { return strings.Compare(a.Recipient, b.Recipient) })
	if len(got) != 2 || got[0].To != ashasPhone || got[0].Recipient != "" || got[1].Recipient != mateosID || got[1].To != "" {
		t.Fatalf("Graph took %+v", got)
	}
	for _, m := range []conversations.Outgoing{first, mateo} {
		if s := h.state(m.MessageID); s.State != conversations.StateAccepted || s.AcceptedAt == nil || s.Doubtful {
			t.Errorf("message is %+v, want accepted", s)
		}
	}

	h.report(got[0], "delivered", ashasPhone, ashasID)
	h.as(func(tx *tenants.Tx) error {
		list, _, err := conversations.Messages(t.Context(), tx, asha.Contact, identity.Page{})
		if len(list) != 2 || list[0].WAMID != got[0].WAMID || list[0].Status != "delivered" || list[0].Direction != "out" || list[0].Text != "your order is ready" {
			t.Errorf("the thread is %+v", list)
		}
		return err
	})
	h.exec(`UPDATE outbox SET accepted_at = now() - interval '6 minutes'`)
	if !h.state(mateo.MessageID).Doubtful || h.state(first.MessageID).Doubtful {
		t.Error("only a message that nothing was heard of is doubtful")
	}
}

func TestManyClicksSendOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	asha := h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID)
	var clicks sync.WaitGroup
	for range 10 {
		clicks.Go(func() {
			if _, err := h.submit(conversations.Draft{Version: asha.Version, Key: "one", Text: "hello"}); err != nil {
				t.Error(err)
			}
		})
	}
	clicks.Wait()
	h.turns(h.sender())
	if got := h.meta.all(); len(got) != 1 {
		t.Errorf("ten clicks sent %d messages", len(got))
	}
}

// Whom a list has made and somebody has written to stays when the list is taken back.
func TestWhoWasWrittenToStays(t *testing.T) {
	t.Parallel()
	h := open(t)
	var made []uuid.UUID
	h.as(func(tx *tenants.Tx) (err error) {
		if err := identity.Lock(t.Context(), tx); err != nil {
			return err
		}
		made, err = identity.AddClaimed(t.Context(), tx, meera, "portfolio:900", "list.csv", []identity.Claim{
			{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: ashasPhone}},
			{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: newPhone}},
		})
		if err != nil {
			return err
		}
		return conversations.KeepTemplates(t.Context(), tx, "700", []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: []whatsapp.TemplateComponent{{Type: "BODY", Text: "It is ready."}}},
		})
	})
	asha := h.opens(made[0])
	if asha.Open || !asha.WindowEnds.IsZero() || asha.Address != ashasPhone {
		t.Errorf("somebody who never wrote is shown as %+v", asha)
	}
	if _, err := h.submit(conversations.Draft{Version: asha.Version, Key: "k", Template: &conversations.Filling{Name: "ready", Language: "en"}}); err != nil {
		t.Fatal(err)
	}
	h.as(func(tx *tenants.Tx) error {
		if err := identity.Lock(t.Context(), tx); err != nil {
			return err
		}
		stays, err := identity.Unclaim(t.Context(), tx, made)
		if len(stays) != 1 || stays[made[0]] != identity.StaysWorked {
			t.Errorf("of the list stays %v, want whom we have written to", stays)
		}
		return err
	})
	h.turns(h.sender())
	if got := h.meta.all(); len(got) != 1 || got[0].To != ashasPhone {
		t.Errorf("Graph took %+v", got)
	}
}

func TestWhatChangedInBetweenIsShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	h.writes("", mateosID)
	asha, mateo := h.whois(whatsapp.KindPhone, ashasPhone), h.whois(whatsapp.KindBSUID, mateosID)
	toAsha, toMateo := h.opens(asha.ID), h.opens(mateo.ID)

	// A merge.
	var link uuid.UUID
	h.as(func(tx *tenants.Tx) (err error) {
		link, err = identity.Merge(t.Context(), tx, meera, identity.MergeInput{Keep: asha.ID, Lose: mateo.ID, Reason: "one person", MayRisk: true})
		return err
	})
	_, err := h.submits(toMateo, "hola")
	now := wantChanged(t, err, conversations.ChangedContact).Now
	if now.Contact != asha.ID || now.Address != mateosID {
		t.Errorf("after the merge it goes to %+v, want Mateo's account still", now)
	}
	h.sends(now, "hola")
	if _, err := h.submits(toAsha, "hello"); err != nil {
		t.Errorf("the other account did not change: %v", err)
	}

	// Its undo.
	h.as(func(tx *tenants.Tx) error {
		_, err := identity.Undo(t.Context(), tx, meera, link, true)
		return err
	})
	_, err = h.submits(now, "hola")
	wantChanged(t, err, conversations.ChangedContact)

	// Another number: never to the old one.
	h.feed(whatsapp.KindSystem, map[string]any{"id": "moved", "timestamp": h.clock(), "type": "system", "from": ashasPhone, "system": map[string]any{
		"type": "user_changed_number", "wa_id": newPhone, "user_id": newID, "previous_user_id": ashasID,
	}})
	_, err = h.submits(toAsha, "hello")
	if now := wantChanged(t, err, conversations.ChangedAddress).Now; now.Address != newPhone {
		t.Errorf("after the move it goes to %s, want %s", now.Address, newPhone)
	}
}

func TestWhatChangesAfterTheSubmitComesBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	asha := h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID)
	out := h.sends(asha, "hello")

	// Somebody else has the phone before the message's turn comes.
	h.writes(ashasPhone, leilasID)
	h.turns(h.sender())
	if got := h.meta.all(); len(got) != 0 {
		t.Fatalf("Graph took %+v, want nothing: the phone is another's", got)
	}
	if s := h.state(out.MessageID); s.State != conversations.StateReturned || s.Reason != conversations.ChangedAddress {
		t.Fatalf("message is %+v, want returned because of its address", s)
	}
	h.as(func(tx *tenants.Tx) error { return conversations.Cancel(t.Context(), tx, meera, out.ID) })
	if err := h.db.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return conversations.Cancel(t.Context(), tx, meera, out.ID) }); tenants.ConflictCode(err) != "already_sent" {
		t.Errorf("cancelled twice: %v", err)
	}
}

func TestSendingAsksWhatMayBeSent(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", mateosID)
	h.as(func(tx *tenants.Tx) error {
		body := func(text string) []whatsapp.TemplateComponent {
			return []whatsapp.TemplateComponent{{Type: "BODY", Text: text}}
		}
		return conversations.KeepTemplates(t.Context(), tx, "700", []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: body("Hello {{1}}, it is {{2}}.")},
			{Name: "offer", Language: "en", Category: "MARKETING", Status: "APPROVED", Components: body("Cheap!")},
			{Name: "code", Language: "en", Category: "AUTHENTICATION", Status: "APPROVED", Components: body("{{1}} is your code.")},
			{Name: "new", Language: "en", Category: "UTILITY", Status: "PENDING", Components: body("New!")},
		})
	})
	mateo := h.opens(h.whois(whatsapp.KindBSUID, mateosID).ID)
	code := func(name string, params ...string) string {
		h.keyed++
		_, err := h.submit(conversations.Draft{Version: mateo.Version, Key: uuid.NewString(), Template: &conversations.Filling{Name: name, Language: "en", Params: params}})
		if err != nil && tenants.ConflictCode(err) == "" {
			return err.Error()
		}
		return tenants.ConflictCode(err)
	}

	for _, c := range []struct{ want, got string }{
		{"auth_needs_phone", code("code", "123456")},
		{"template_gone", code("new")},
		{"template_gone", code("nothing")},
		{"invalid params: needed", code("ready", "Mateo")},
		{"", code("ready", "Mateo", "done")},
		{"", code("offer")},
	} {
		if c.got != c.want {
			t.Errorf("template refused with %q, want %q", c.got, c.want)
		}
	}

	// The offer waits; until its turn they stop marketing, and a day passes over the text.
	text := h.sends(mateo, "hola")
	h.feed(whatsapp.KindMessage, map[string]any{"id": "word", "from_user_id": mateosID, "type": "text", "text": map[string]any{"body": "Stop."}, "timestamp": h.clock()})
	if got := code("offer"); got != "opted_out" {
		t.Errorf("an offer to somebody who wrote STOP: %q, want opted_out", got)
	}
	h.feed(whatsapp.KindMessage, map[string]any{"id": "again", "from_user_id": mateosID, "type": "text", "text": map[string]any{"body": "START"}, "timestamp": h.clock()})
	if got := code("offer"); got != "" {
		t.Errorf("an offer to somebody who wrote START: %q, want it taken", got)
	}
	h.feed(whatsapp.KindPreference, map[string]any{"user_id": mateosID, "category": "marketing_messages", "value": "stop", "timestamp": time.Now().Unix()})
	if got := code("offer"); got != "opted_out" {
		t.Errorf("an offer to somebody who stopped them: %q, want opted_out", got)
	}
	h.exec(`UPDATE messages SET at = at - interval '25 hours' WHERE direction = 'in'`)
	h.turns(h.sender())
	got := h.meta.all()
	if len(got) != 1 || got[0].Type != "template" {
		t.Errorf("Graph took %+v, want the utility template alone", got)
	}
	if s := h.state(text.MessageID); s.State != conversations.StateFailed || s.Reason != "window_closed" {
		t.Errorf("text is %+v, want failed: the window has closed", s)
	}
	if r := h.opens(mateo.Contact); r.Open {
		t.Error("the window is open after a day")
	}
	if _, err := h.submits(h.opens(mateo.Contact), "hola"); tenants.ConflictCode(err) != "window_closed" {
		t.Errorf("text after a day: %v, want window_closed", err)
	}
}

func TestGraphsRefusalIsToldWithItsReason(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	out := h.sends(h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID), "hello")
	h.meta.feels(refuses(http.StatusBadRequest, 131026))
	h.turns(h.sender())
	if s := h.state(out.MessageID); s.State != conversations.StateFailed || s.Reason != "131026" || s.Detail != "(#131026) no" {
		t.Errorf("message is %+v, want failed with Graph's code and words", s)
	}
	h.as(func(tx *tenants.Tx) error {
		n, err := conversations.CountInbox(t.Context(), tx)
		if n.Waiting != 1 {
			t.Errorf("%d wait for an answer that did not go out, want 1", n.Waiting)
		}
		return err
	})
}

func TestNotesAndAssignmentFollowTheAccount(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	h.writes("", mateosID)
	asha, mateo := h.whois(whatsapp.KindPhone, ashasPhone), h.whois(whatsapp.KindBSUID, mateosID)
	notes := func(contact uuid.UUID) (n int) {
		h.as(func(tx *tenants.Tx) error {
			c, err := identity.Get(t.Context(), tx, contact)
			if err != nil {
				return err
			}
			list, _, err := conversations.Notes(t.Context(), tx, c, identity.Page{})
			n = len(list)
			return err
		})
		return n
	}

	h.as(func(tx *tenants.Tx) error {
		_, err := conversations.AddNote(t.Context(), tx, meera, conversations.Thread{Contact: mateo.ID}, "wants a refund")
		return err
	})
	var link uuid.UUID
	h.as(func(tx *tenants.Tx) (err error) {
		link, err = identity.Merge(t.Context(), tx, meera, identity.MergeInput{Keep: asha.ID, Lose: mateo.ID, Reason: "one person", MayRisk: true})
		return err
	})
	if n := notes(asha.ID); n != 1 {
		t.Errorf("%d notes after the merge, want 1", n)
	}
	h.as(func(tx *tenants.Tx) error {
		_, err := identity.Undo(t.Context(), tx, meera, link, true)
		return err
	})
	if n := notes(asha.ID); n != 0 || notes(mateo.ID) != 1 {
		t.Errorf("%d notes with Asha after the undo, want 0; and 1 with Mateo", n)
	}

	err := h.db.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error {
		return conversations.Assign(t.Context(), tx, meera, conversations.Thread{Contact: mateo.ID}, uuid.New())
	})
	if err != tenants.ErrNotFound { //nolint:errorlint // never wrapped
		t.Errorf("assigned to a stranger: %v, want not found", err)
	}
}
