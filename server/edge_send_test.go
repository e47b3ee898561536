package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// called is what Graph was asked to send, as far as it says to whom.
type called struct {
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Tag       string `json:"biz_opaque_callback_data"`
	Template  struct {
		Name string `json:"name"`
	} `json:"template"`
}

// opens is where a reply to a contact goes, as somebody is shown it. account may be uuid.Nil for the one that wrote last.
func (in *inbox) opens(t *testing.T, contact, account uuid.UUID) (r conversations.Recipient) {
	t.Helper()
	in.do(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
		r, err = conversations.ReplyTo(ctx, tx, conversations.Thread{Contact: contact, Identity: account})
		return err
	})

	return r
}

// submits has a template sent to whom somebody was shown.
func (in *inbox) submits(t *testing.T, r conversations.Recipient, template string, params ...string) error {
	t.Helper()
	body := func(text string) []whatsapp.TemplateComponent {
		return []whatsapp.TemplateComponent{{Type: "BODY", Text: text}}
	}

	return in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error {
		ctx := context.Background()
		err := conversations.KeepTemplates(ctx, tx, ownWABA+in.tag, []whatsapp.Template{
			{Name: "ready", Language: "en", Category: "UTILITY", Status: "APPROVED", Components: body("It is ready.")},
			{Name: "code", Language: "en", Category: "AUTHENTICATION", Status: "APPROVED", Components: body("{{1}} is your code.")},
		})
		if err != nil {
			return err
		}
		_, err = conversations.Submit(ctx, tx, access.Command("test").Actor, conversations.Draft{
			Version: r.Version, Key: uuid.NewString(), Template: &conversations.Filling{Name: template, Language: "en", Params: params},
		})

		return err
	})
}

// replies has a template sent to whom somebody was shown, and answers with what Graph was asked.
func (in *inbox) replies(t *testing.T, r conversations.Recipient) called {
	t.Helper()
	if err := in.submits(t, r, "ready"); err != nil {
		t.Fatalf("submit: %v", err)
	}
	got := in.drains(t)
	if len(got) != 1 {
		t.Fatalf("Graph was asked %+v, want one message", got)
	}

	return got[0]
}

// drains waits until nothing is to be sent any more, and answers with what Graph was asked since the last time.
func (in *inbox) drains(t *testing.T) []called {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for in.count(t, `SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')`) > 0 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}

	return in.graph.asked(ownNumber + in.tag)
}

// graph stands in for Meta's, and remembers what it was asked.
type graph struct {
	*httptest.Server

	mu  sync.Mutex
	got map[string][]called // by the business's number
}

// newGraph starts a Graph, and a worker that sends through it until the test ends.
func newGraph(t *testing.T, st *site) *graph {
	t.Helper()
	g := &graph{got: map[string][]called{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c called
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		number := strings.Split(r.URL.Path, "/")[1]
		g.mu.Lock()
		g.got[number] = append(g.got[number], c)
		g.mu.Unlock()
		_, _ = io.WriteString(w, `{"messages":[{"id":"wamid.out-`+c.Tag+`"}]}`)
	}))
	ctx, stop := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	sender := outbox.NewSender(st.DB, st.keys, whatsapp.NewGraph(g.URL), slog.New(slog.DiscardHandler))
	sending.Go(func() { _ = sender.Run(ctx) })
	t.Cleanup(func() {
		stop()
		sending.Wait()
		g.Close()
	})

	return g
}

// asked is what a number has sent since the last time.
func (g *graph) asked(number string) []called {
	g.mu.Lock()
	defer g.mu.Unlock()
	got := g.got[number]
	delete(g.got, number)

	return got
}

// sendCases: what the business says, and to whom it goes.
var sendCases = []edgeCase{
	// The business writes first, to a phone; the answer shows a WhatsApp ID alone. Its statuses have linked the two.
	{n: 8, told: []any{ev{id: "a", phone: ashasPhone}}, then: func(t *testing.T, in *inbox) {
		asha := in.whois(t, whatsapp.KindPhone, ashasPhone)
		out := in.replies(t, in.opens(t, asha.ID, uuid.Nil))
		if out.To != ashasPhone || out.Recipient != "" {
			t.Errorf("Graph was asked %+v, want to her phone", out)
		}
		in.tell(t, ev{is: "status", word: "sent", id: "out-" + out.Tag, at: 50, phone: ashasPhone, bsuid: ashasID, more: map[string]any{"biz_opaque_callback_data": out.Tag}})
		in.tell(t, ev{id: "b", at: 60, bsuid: ashasID})
		if now := in.whois(t, whatsapp.KindBSUID, ashasID); now.ID != asha.ID || len(now.Identities) != 1 || now.Identities[0].ID != asha.Identities[0].ID {
			t.Errorf("the answer is from %+v, want the account that was written to", now)
		}
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			list, _, err := conversations.Messages(ctx, tx, asha.ID, identity.Page{})
			if err == nil && len(list) != 3 {
				t.Errorf("%d messages in the thread, want hers, ours and her answer", len(list))
			}
			return err
		})
	}},
	// After a change of number nothing goes to the old one, which may be somebody else's by now.
	{n: 36, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, moved}, then: func(t *testing.T, in *inbox) {
		out := in.replies(t, in.opens(t, in.whois(t, whatsapp.KindBSUID, ashasNewID).ID, uuid.Nil))
		if out.To != ashasNewPhone || out.Recipient != "" {
			t.Errorf("Graph was asked %+v, want to the new phone", out)
		}
	}},
	{n: 36, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}}, then: func(t *testing.T, in *inbox) {
		shown := in.opens(t, in.whois(t, whatsapp.KindBSUID, ashasID).ID, uuid.Nil)
		in.tell(t, moved)
		var changed *conversations.Changed
		if err := in.submits(t, shown, "ready"); !errors.As(err, &changed) || changed.Now.Address != ashasNewPhone {
			t.Errorf("sent to what was shown before the change: %v; want the change, with the new phone", err)
		}
		if out := in.replies(t, changed.Now); out.To != ashasNewPhone {
			t.Errorf("Graph was asked %+v, want to the new phone", out)
		}
	}},
	// Each spelling of an Argentine or Brazilian phone is sent to as WhatsApp wrote it.
	{n: 41, told: []any{ev{id: "a", phone: "5491155550000"}}, then: sentTo("5491155550000")},
	{n: 41, told: []any{ev{id: "a", phone: "541155550000"}}, then: sentTo("541155550000")},
	{n: 41, told: []any{ev{id: "a", phone: "551155550000"}}, then: sentTo("551155550000")},
	{n: 56, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone), in.whois(t, whatsapp.KindPhone, leilasPhone)
		in.merge(t, asha.ID, leila.ID)
		for phone, c := range map[string]identity.Contact{ashasPhone: asha, leilasPhone: leila} {
			if out := in.replies(t, in.opens(t, asha.ID, c.Identities[0].ID)); out.To != phone {
				t.Errorf("a reply in the thread of %s went to %+v", phone, out)
			}
		}
	}},
	{n: 59, told: apart, then: func(t *testing.T, in *inbox) {
		asha, leila := in.whois(t, whatsapp.KindPhone, ashasPhone), in.whois(t, whatsapp.KindPhone, leilasPhone)
		shown := in.opens(t, leila.ID, uuid.Nil)
		var both sync.WaitGroup
		both.Go(func() { in.merge(t, asha.ID, leila.ID) })
		both.Go(func() { in.send(t, posted(ev{id: "c", at: 9, phone: leilasPhone, bsuid: leilasID})) })
		both.Wait()
		in.settle(t)
		var changed *conversations.Changed
		if err := in.submits(t, shown, "ready"); !errors.As(err, &changed) || changed.Now.Contact != asha.ID {
			t.Fatalf("sent to what was shown before the merge: %v", err)
		}
		if out := in.replies(t, changed.Now); out.To != leilasPhone {
			t.Errorf("the reply to Leila went to %+v", out)
		}
	}},
	{n: 93, told: []any{ev{id: "a", bsuid: mateosID}}, then: func(t *testing.T, in *inbox) {
		mateo := in.whois(t, whatsapp.KindBSUID, mateosID)
		if out := in.replies(t, in.opens(t, mateo.ID, uuid.Nil)); out.Recipient != mateosID || out.To != "" {
			t.Errorf("Graph was asked %+v, want the WhatsApp ID in recipient and nothing in to", out)
		}
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			if _, err := tx.Exec(`UPDATE outbox SET accepted_at = now() - interval '10 minutes'`); err != nil {
				return err
			}
			list, _, err := conversations.Messages(ctx, tx, mateo.ID, identity.Page{})
			if err != nil {
				return err
			}
			out, err := conversations.OutgoingOf(ctx, tx, []uuid.UUID{list[0].ID})
			if !out[list[0].ID].Doubtful {
				t.Error("a message without any status is not doubtful")
			}
			return err
		})
	}},
	{n: 94, told: []any{ev{id: "a", bsuid: mateosID}}, then: func(t *testing.T, in *inbox) {
		shown := in.opens(t, in.whois(t, whatsapp.KindBSUID, mateosID).ID, uuid.Nil)
		if err := in.submits(t, shown, "code", "123456"); tenants.ConflictCode(err) != "auth_needs_phone" {
			t.Errorf("a one-time code to a WhatsApp ID: %v, want the reason", err)
		}
		if got := in.drains(t); len(got) != 0 {
			t.Errorf("Graph was asked %+v, want nothing", got)
		}
	}},
}

// sentTo proves that a reply to whoever wrote goes to a phone in that very spelling.
func sentTo(phone string) func(*testing.T, *inbox) {
	return func(t *testing.T, in *inbox) {
		t.Helper()
		if out := in.replies(t, in.opens(t, in.whois(t, whatsapp.KindPhone, phone).ID, uuid.Nil)); out.To != phone {
			t.Errorf("Graph was asked %+v, want %s", out, phone)
		}
	}
}
