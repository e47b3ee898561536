package outbox_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// question is a draft that asks for the number.
func (h *house) question(r conversations.Recipient, text string) conversations.Draft {
	h.keyed++
	return conversations.Draft{Version: r.Version, Key: fmt.Sprint("key-", h.keyed), Text: text, Ask: &conversations.Question{Purpose: "order", Language: "en"}}
}

// asks sends a question to whoever writes by a WhatsApp ID, as if so long ago.
func (h *house) asks(bsuid string, ago time.Duration) conversations.Outgoing {
	h.t.Helper()
	out, err := h.submit(h.question(h.opens(h.whois(whatsapp.KindBSUID, bsuid).ID), "May we have your number?"))
	if err != nil {
		h.t.Fatalf("ask: %v", err)
	}
	h.turns(h.sender())
	h.exec(`UPDATE asks SET asked_at = now() - $2 * interval '1 second' WHERE tenant_id = current_setting('app.tenant_id')::uuid AND message_id = $1`, out.MessageID, ago.Seconds())

	return out
}

// replies is a message of somebody whose phone is hidden, some time ago.
func (h *house) replies(bsuid string, ago time.Duration, kind string, content any) {
	h.t.Helper()
	h.feed(whatsapp.KindMessage, map[string]any{
		"id": fmt.Sprint("in-", h.items), "timestamp": fmt.Sprint(time.Now().Add(-ago).Unix()), "type": kind, kind: content, "from_user_id": bsuid,
	})
}

func card(origin, phone, waID string) []any {
	p := map[string]any{}
	if phone != "" {
		p["phone"] = phone
	}
	if waID != "" {
		p["wa_id"] = waID
	}
	c := map[string]any{"origin": origin, "name": map[string]any{"formatted_name": "Mateo"}}
	if len(p) > 0 {
		c["phones"] = []any{p}
	}

	return []any{c}
}

func (h *house) askedOf(bsuid string) []conversations.Ask {
	h.t.Helper()
	c := h.whois(whatsapp.KindBSUID, bsuid)
	var list []conversations.Ask
	h.as(func(tx *tenants.Tx) (err error) {
		list, err = conversations.AsksOf(h.t.Context(), tx, c)
		return err
	})

	return list
}

func TestAskHasTheShapeMetaWants(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", mateosID)
	h.asks(mateosID, 0)

	got := h.meta.all()
	if len(got) != 1 || got[0].Recipient != mateosID || got[0].To != "" || got[0].Type != "interactive" {
		t.Fatalf("Graph took %+v, want one interactive message to the WhatsApp ID", got)
	}
	var is, want any
	if err := json.Unmarshal(got[0].Interactive, &is); err != nil {
		t.Fatal(err)
	}
	// Domain facts 6.
	if err := json.Unmarshal([]byte(`{"type":"request_contact_info","body":{"text":"May we have your number?"},"action":{"name":"request_contact_info"}}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(is, want) {
		t.Errorf("interactive is %s", got[0].Interactive)
	}
}

// TestWhatCameOfAsking is the four outcomes; only WhatsApp's own answer proves (matching.md A4, B1, B2).
func TestWhatCameOfAsking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		ago     time.Duration
		replies func(h *house)
		want    string
		phone   string
	}{
		{"tapped", time.Minute, func(h *house) {
			h.replies(mateosID, 0, "contacts", card("contact_request", "+91 98000 00101", ashasPhone))
		}, conversations.AskShared, ashasPhone},
		{"tapped late", 9 * 24 * time.Hour, func(h *house) {
			h.replies(mateosID, time.Hour, "contacts", card("contact_request", "+91 98000 00101", ashasPhone))
		}, conversations.AskShared, ashasPhone},
		{"tapped, no wa_id", time.Minute, func(h *house) {
			h.replies(mateosID, 0, "contacts", card("contact_request", "+91 98000 00101", ""))
		}, conversations.AskWithoutNumber, ashasPhone},
		{"tapped, no phone", time.Minute, func(h *house) { h.replies(mateosID, 0, "contacts", card("contact_request", "", "")) }, conversations.AskWithoutNumber, ""},
		{"a card by hand", time.Minute, func(h *house) {
			h.replies(mateosID, 0, "contacts", card("other", "+91 98000 00101", ashasPhone))
		}, conversations.AskWithoutNumber, ashasPhone},
		{"typed", time.Minute, func(h *house) { h.replies(mateosID, 0, "text", map[string]any{"body": "it is 98000 00101"}) }, conversations.AskTyped, ashasPhone},
		{"typed, then tapped", time.Hour, func(h *house) {
			h.replies(mateosID, time.Minute, "text", map[string]any{"body": "98000 00155"})
			h.replies(mateosID, 0, "contacts", card("contact_request", "+91 98000 00101", ashasPhone))
		}, conversations.AskShared, ashasPhone},
		{"tapped, then typed", time.Hour, func(h *house) {
			h.replies(mateosID, time.Minute, "contacts", card("contact_request", "+91 98000 00101", ashasPhone))
			h.replies(mateosID, 0, "text", map[string]any{"body": "98000 00155"})
		}, conversations.AskShared, ashasPhone},
		{"spoke of something else", time.Minute, func(h *house) { h.replies(mateosID, 0, "text", map[string]any{"body": "why? order 12"}) }, conversations.AskWaiting, ""},
		{"said nothing yet", time.Minute, func(*house) {}, conversations.AskWaiting, ""},
		{"said nothing", 8 * 24 * time.Hour, func(*house) {}, conversations.AskSilent, ""},
		{"typed when nobody asked any more", 9 * 24 * time.Hour, func(h *house) {
			h.replies(mateosID, time.Hour, "text", map[string]any{"body": "98000 00101"})
		}, conversations.AskSilent, ""},
		{"another told it", time.Minute, func(h *house) { h.replies(leilasID, 0, "text", map[string]any{"body": "98000 00101"}) }, conversations.AskWaiting, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.writes("", mateosID)
			h.replies(mateosID, 2*time.Minute, "text", map[string]any{"body": "my number was 98000 00177"}) // before anybody asked
			h.asks(mateosID, c.ago)
			c.replies(h)
			list := h.askedOf(mateosID)
			if len(list) != 1 || list[0].Outcome != c.want || list[0].Phone != c.phone || list[0].ByName != "Meera" || list[0].Purpose != "order" {
				t.Errorf("asked: %+v, want %s %s", list, c.want, c.phone)
			}
			if len(list) == 1 && list[0].AnsweredAt.IsZero() != (c.want == conversations.AskWaiting || c.want == conversations.AskSilent) {
				t.Errorf("answered at %v", list[0].AnsweredAt)
			}
			var f conversations.Funnel
			h.as(func(tx *tenants.Tx) (err error) {
				f, err = conversations.AskFunnel(t.Context(), tx, time.Now().AddDate(0, 0, -30), time.Now().Add(time.Minute))
				return err
			})
			if f.Asked != 1 || f.Shared+f.WithoutNumber+f.Typed+f.Silent+f.Waiting != 1 {
				t.Errorf("funnel is %+v, want one question in one place", f)
			}
		})
	}
}

func TestNobodyIsAskedTooOften(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", mateosID)
	h.writes("", leilasID)
	h.asks(mateosID, 50*24*time.Hour)
	h.asks(leilasID, 20*24*time.Hour)

	// They turn out to be one person, who has been asked twice.
	mateo, leila := h.whois(whatsapp.KindBSUID, mateosID), h.whois(whatsapp.KindBSUID, leilasID)
	h.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(t.Context(), tx, meera, identity.MergeInput{Keep: mateo.ID, Lose: leila.ID, MayRisk: true, Reason: "same"})
		return err
	})
	r := h.opens(mateo.ID)
	if _, err := h.submit(h.question(r, "once more?")); tenants.ConflictCode(err) != "ask_enough" {
		t.Errorf("a third question: %v, want ask_enough", err)
	}
	var may conversations.Asking
	h.as(func(tx *tenants.Tx) (err error) { may, err = conversations.MayAsk(t.Context(), tx, r); return err })
	if days := time.Until(may.Again).Hours() / 24; may.Refused != "ask_enough" || days < 9.9 || days > 10.1 {
		t.Errorf("they may be asked %+v, want in ten days, when the older one is sixty days old", may)
	}
	h.exec(`UPDATE asks SET asked_at = asked_at - interval '11 days'`)
	h.asks(mateosID, 0)

	// What was not sent does not count.
	h.exec(`UPDATE asks SET asked_at = now()`)
	h.exec(`UPDATE outbox SET state = 'failed' WHERE n = (SELECT max(n) FROM outbox)`)
	h.exec(`UPDATE asks SET asked_at = now() - interval '70 days' WHERE message_id = (SELECT message_id FROM outbox ORDER BY n LIMIT 1)`)
	h.asks(mateosID, 0)
}

// TestManyClicksAskTwiceAtMost: several colleagues ask one person at once.
func TestManyClicksAskTwiceAtMost(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", mateosID)
	r := h.opens(h.whois(whatsapp.KindBSUID, mateosID).ID)
	var drafts []conversations.Draft
	for range 8 {
		drafts = append(drafts, h.question(r, "May we?"))
	}
	var together sync.WaitGroup
	codes := make(chan string, len(drafts))
	for _, d := range drafts {
		together.Go(func() {
			_, err := h.submit(d)
			codes <- tenants.ConflictCode(err)
		})
	}
	together.Wait()
	close(codes)
	got := map[string]int{}
	for code := range codes {
		got[code]++
	}
	if got[""] != 2 || got["ask_enough"] != 6 {
		t.Errorf("eight at once: %v, want two asked and six refused", got)
	}
	h.turns(h.sender())
	if n := len(h.meta.all()); n != 2 {
		t.Errorf("%d went out, want 2", n)
	}
}

func TestWhoIsNotAsked(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	h.writes("", mateosID)
	if _, err := h.submit(h.question(h.opens(h.whois(whatsapp.KindPhone, ashasPhone).ID), "number?")); tenants.ConflictCode(err) != "ask_known" {
		t.Errorf("somebody whose phone is shown: %v, want ask_known", err)
	}
	mateo := h.whois(whatsapp.KindBSUID, mateosID)
	r := h.opens(mateo.ID)
	for _, d := range []conversations.Draft{
		{Text: string(make([]byte, 0))}, {Text: fmt.Sprintf("%0501d", 0)}, {Text: "number?", Ask: &conversations.Question{Purpose: "Order!"}},
	} {
		d.Version, d.Key = r.Version, uuid.NewString()
		if d.Ask == nil {
			d.Ask = &conversations.Question{}
		}
		if _, err := h.submit(d); err == nil || tenants.ConflictCode(err) != "" {
			t.Errorf("%.20q, %+v: %v, want it refused as invalid", d.Text, d.Ask, err)
		}
	}

	// Nor by a number that keeps no phones.
	h.exec(`UPDATE numbers SET phone_free = true`)
	if _, err := h.submit(h.question(h.opens(mateo.ID), "number?")); tenants.ConflictCode(err) != "ask_phone_free" {
		t.Errorf("by a number that keeps no phones: %v, want ask_phone_free", err)
	}
	h.exec(`UPDATE numbers SET phone_free = false`)

	// One who stops at the last moment is not asked either.
	out, err := h.submit(h.question(r, "number?"))
	if err != nil {
		t.Fatal(err)
	}
	h.feed(whatsapp.KindPreference, map[string]any{
		"user_id": mateosID, "detail": "User requested to stop marketing messages", "category": "marketing_messages", "value": "stop", "timestamp": h.clock(),
	})
	h.turns(h.sender())
	if s := h.state(out.MessageID); s.State != conversations.StateFailed || s.Reason != "ask_opted_out" || len(h.meta.all()) != 0 {
		t.Errorf("the question to somebody who has stopped is %+v, Graph took %+v", s, h.meta.all())
	}
	if _, err := h.submit(h.question(r, "number?")); tenants.ConflictCode(err) != "ask_opted_out" {
		t.Errorf("somebody who has stopped: %v, want ask_opted_out", err)
	}

	// Not somebody who is known from a group alone, and not after the window.
	h.feed(whatsapp.KindMessage, map[string]any{
		"id": "in-group", "timestamp": h.clock(), "type": "text", "text": map[string]any{"body": "hello all"}, "from_user_id": leilasID, "group_id": "Y2FwaV9ncm91cDpzYW5kYm94",
	})
	if _, err := h.submit(h.question(h.opens(h.whois(whatsapp.KindBSUID, leilasID).ID), "number?")); tenants.ConflictCode(err) != "window_closed" {
		t.Errorf("somebody known from a group: %v, want window_closed", err)
	}
}

func TestAskByTemplate(t *testing.T) {
	t.Parallel()
	h := open(t)
	button := []whatsapp.TemplateComponent{{Type: "BODY", Text: "Your order {{1}} is here. May we have your number?"}, {Type: "BUTTONS", Buttons: []whatsapp.TemplateButton{{Type: "REQUEST_CONTACT_INFO"}}}}
	list := []whatsapp.Template{
		{Name: "may_we", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: button},
		{Name: "offer", Language: "en", Category: "MARKETING", Status: "APPROVED", Components: button},
		{Name: "soon", Language: "en", Category: "UTILITY", Status: "PENDING", Components: button},
		{Name: "plain", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: button[:1]},
	}
	h.as(func(tx *tenants.Tx) error {
		if err := conversations.KeepTemplates(t.Context(), tx, "700", list); err != nil {
			return err
		}
		all, _, err := conversations.Templates(t.Context(), tx, h.number)
		if can := conversations.AskTemplates(all); len(can) != 1 || can[0].Name != "may_we" || len(all) != 4 {
			t.Errorf("can ask by %+v, want may_we alone", can)
		}
		return err
	})
	h.feed(whatsapp.KindMessage, map[string]any{
		"id": "in-old", "timestamp": fmt.Sprint(time.Now().Add(-30 * time.Hour).Unix()), "type": "text", "text": map[string]any{"body": "hello"}, "from_user_id": mateosID,
	})
	r := h.opens(h.whois(whatsapp.KindBSUID, mateosID).ID)
	ask := func(name string, q *conversations.Question) error {
		h.keyed++
		_, err := h.submit(conversations.Draft{Version: r.Version, Key: fmt.Sprint("key-", h.keyed), Ask: q, Template: &conversations.Filling{Name: name, Language: "en", Params: []string{"GAS-2291"}}})
		return err
	}
	if err := ask("plain", &conversations.Question{}); err == nil {
		t.Error("a template without the button was taken for a question")
	}
	if err := ask("may_we", &conversations.Question{Language: "en"}); err != nil {
		t.Fatalf("ask by template: %v", err)
	}
	if err := ask("may_we", nil); err != nil {
		t.Fatalf("write the template as any other: %v", err)
	}
	if err := ask("may_we", nil); tenants.ConflictCode(err) != "ask_enough" {
		t.Errorf("the template a third time: %v, want ask_enough: it asks whoever sends it", err)
	}
	if err := ask("plain", nil); err != nil {
		t.Errorf("a template that asks nothing: %v", err)
	}
	h.turns(h.sender())
	if n, asked := len(h.meta.all()), h.askedOf(mateosID); n != 3 || len(asked) != 2 || asked[0].Outcome != conversations.AskWaiting {
		t.Errorf("%d went out, asked %+v", n, asked)
	}
}

func TestAsksAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", mateosID)
	h.asks(mateosID, 0)
	mateo, r := h.whois(whatsapp.KindBSUID, mateosID), h.opens(h.whois(whatsapp.KindBSUID, mateosID).ID)
	other, _ := h.business("ravi-motors", "701", "801")
	err := h.db.DB.As(t.Context(), other, func(tx *tenants.Tx) error {
		list, err := conversations.AsksOf(t.Context(), tx, mateo)
		if err != nil || len(list) != 0 {
			t.Errorf("another business reads %+v, %v", list, err)
		}
		f, err := conversations.AskFunnel(t.Context(), tx, time.Now().AddDate(0, -1, 0), time.Now().AddDate(0, 1, 0))
		if err != nil || f != (conversations.Funnel{}) {
			t.Errorf("another business counts %+v, %v", f, err)
		}
		if _, err := conversations.Submit(t.Context(), tx, meera, h.question(r, "number?")); err == nil {
			t.Error("another business asked")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
