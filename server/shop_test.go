package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// shop is a tenant of a site with one number, whose customers write as a lane would take it.
type shop struct {
	*site
	t              *testing.T
	tenant, number uuid.UUID
	items          int64
	began          time.Time
	code           identity.CodeKey // as a lane knows codes
}

func (st *site) shop(t *testing.T, tenant tenants.Tenant) *shop {
	t.Helper()
	s := &shop{site: st, t: t, tenant: tenant.ID, number: uuid.Must(uuid.NewV7()), began: time.Now().AddDate(0, 0, -30)}
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, name, portfolio_id, scope, state)
			VALUES ($1, $2, $3, '700', '800', '15550199042', 'Asha Clinic', '900', 'portfolio:900', 'connected')`, s.tenant, s.number, uuid.Must(uuid.NewV7()))
		return err
	})

	return s
}

func (s *shop) as(fn func(*tenants.Tx) error) {
	s.t.Helper()
	if err := s.DB.As(context.Background(), s.tenant, fn); err != nil {
		s.t.Fatal(err)
	}
}

// writes is a text message of somebody who shows the phone, the WhatsApp ID, or both.
func (s *shop) writes(day int, phone, bsuid, name, text string) {
	s.t.Helper()
	s.sends(day, phone, bsuid, name, map[string]any{"type": "text", "text": map[string]any{"body": text}})
}

// shares is somebody without a phone who sends theirs, asked for by WhatsApp's own button.
func (s *shop) shares(day int, phone, bsuid, name string) {
	s.t.Helper()
	card := map[string]any{"origin": "contact_request", "phones": []any{map[string]any{"phone": "+" + phone, "wa_id": phone}}}
	s.sends(day, "", bsuid, name, map[string]any{"type": "contacts", "contacts": []any{card}})
}

func (s *shop) sends(day int, phone, bsuid, name string, item map[string]any) {
	s.t.Helper()
	s.items++
	item["id"], item["timestamp"] = fmt.Sprint("w-", s.items), fmt.Sprint(s.began.AddDate(0, 0, day).Unix()+s.items)
	contact := map[string]any{"profile": map[string]any{"name": name}}
	if phone != "" {
		item["from"], contact["wa_id"] = phone, phone
	}
	if bsuid != "" {
		item["from_user_id"], contact["user_id"] = bsuid, bsuid
	}
	body, err := json.Marshal(map[string]any{
		"field": "messages", "entry_id": "700", "item": item, "contacts": []any{contact},
		"metadata": map[string]any{"display_phone_number": "15550199042", "phone_number_id": "800"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	event, err := whatsapp.ParseEvent(whatsapp.KindMessage, body)
	if err != nil {
		s.t.Fatal(err)
	}
	seen := []identity.Seen{{ItemID: s.items, NumberID: s.number, Scope: "portfolio:900", ReceivedAt: time.Now(), Event: event, Codes: s.code.In(event)}}
	s.as(func(tx *tenants.Tx) error {
		ctx := context.Background()
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
	})
}

func (s *shop) whois(kind whatsapp.Kind, value string) identity.Contact {
	s.t.Helper()
	var c identity.Contact
	s.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(context.Background(), tx, kind, value, "")
		if err == nil {
			c = *r.Contact
		}
		return err
	})

	return c
}

func (s *shop) cases(tab string) []identity.Case {
	s.t.Helper()
	var list []identity.Case
	s.as(func(tx *tenants.Tx) (err error) {
		list, _, err = identity.Cases(context.Background(), tx, identity.CaseFilter{Tab: tab})
		return err
	})

	return list
}

// rajesh came back without his phone and typed it; the first he wrote with was a phone alone.
func (s *shop) rajesh() identity.Case {
	s.t.Helper()
	s.writes(0, "919800000480", "", "Rajesh Kumar", "hello")
	s.writes(1, "", "IN.77044188200355", "राजेश", "my number is 98000 00480")
	list := s.cases(identity.TabSuggested)
	if len(list) != 1 {
		s.t.Fatalf("%d suggested cases, want 1", len(list))
	}

	return list[0]
}

func decision(k identity.Case, kind string, more ...string) url.Values {
	f := url.Values{"decision": {kind}, "version": {fmt.Sprint(k.Version)}, "tab": {"suggested"}, "seen": {"suggested"}}
	for _, o := range k.Candidates {
		f.Set("contact", o.Contact.ID.String())
		f.Set("seen", "suggested "+o.Contact.ID.String())
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}

	return f
}

func (b *browser) has(r answer, status int, words ...string) {
	b.t.Helper()
	if r.status != status {
		b.t.Errorf("got %d, want %d: %.300s", r.status, status, r.body)
	}
	for _, w := range words {
		if !strings.Contains(r.body, w) {
			b.t.Errorf("page lacks %q", w)
		}
	}
}

func (b *browser) lacks(r answer, words ...string) {
	b.t.Helper()
	for _, w := range words {
		if strings.Contains(r.body, w) {
			b.t.Errorf("page holds %q", w)
		}
	}
}
