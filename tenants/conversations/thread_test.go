package conversations_test

import (
	"encoding/json"
	"errors"
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

const start = 1_790_000_000

// shop is a tenant with one number, fed as a lane feeds it.
type shop struct {
	t              *testing.T
	db             *tenants.DB
	tenant, number uuid.UUID
	items          int64
}

func open(t *testing.T, db *tenants.DB, slug string) *shop {
	t.Helper()
	s := &shop{t: t, db: db, tenant: uuid.Must(uuid.NewV7()), number: uuid.Must(uuid.NewV7())}
	err := db.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, s.tenant, slug)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, portfolio_id, scope, state)
			VALUES ($1, $2, $2, '700', '800', '15550199042', '900', 'portfolio:900', 'connected')`, s.tenant, s.number)
		return err
	})

	return s
}

func (s *shop) as(fn func(*tenants.Tx) error) {
	s.t.Helper()
	if err := s.db.As(s.t.Context(), s.tenant, fn); err != nil {
		s.t.Fatal(err)
	}
}

// says is a message of any type, second seconds into the story.
func says(second int, bsuid, wamid, kind string, content any) (whatsapp.ItemKind, map[string]any) {
	return whatsapp.KindMessage, map[string]any{"from_user_id": bsuid, "id": wamid, "timestamp": fmt.Sprint(start + second), "type": kind, kind: content}
}

func text(body string) any { return map[string]any{"body": body} }

func (s *shop) feed(kind whatsapp.ItemKind, item map[string]any) {
	s.t.Helper()
	s.take(s.event(kind, item))
}

// event is what comes as one item.
func (s *shop) event(kind whatsapp.ItemKind, item map[string]any) identity.Seen {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"field": "messages", "entry_id": "700", "item": item, "contacts": []any{},
		"metadata": map[string]any{"display_phone_number": "15550199042", "phone_number_id": "800"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	event, err := whatsapp.ParseEvent(kind, body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.items++

	return identity.Seen{ItemID: s.items, NumberID: s.number, Scope: "portfolio:900", ReceivedAt: time.Unix(start+86400, 0), Event: event}
}

// take resolves events as one batch.
func (s *shop) take(seen ...identity.Seen) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error {
		if err := identity.Lock(s.t.Context(), tx); err != nil {
			return err
		}
		batch, err := identity.Observe(s.t.Context(), tx, seen)
		if err != nil {
			return err
		}
		if _, err := conversations.Record(s.t.Context(), tx, batch, seen); err != nil {
			return err
		}
		return batch.Settle(s.t.Context())
	})
}

func (s *shop) whois(bsuid string) identity.Contact {
	s.t.Helper()
	var c identity.Contact
	s.as(func(tx *tenants.Tx) error {
		r, err := identity.Resolve(s.t.Context(), tx, whatsapp.KindBSUID, bsuid, "")
		if err == nil {
			c = *r.Contact
		}
		return err
	})

	return c
}

func (s *shop) thread(c identity.Contact, page identity.Page) (entries []conversations.Entry, next string) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) (err error) {
		entries, next, err = conversations.Entries(s.t.Context(), tx, c, page)
		return err
	})

	return entries, next
}

func wamids(list []conversations.Message) string {
	var ids []string
	for _, m := range list {
		ids = append(ids, m.WAMID)
	}

	return strings.Join(ids, " ")
}

func TestMessagesOfAMergedContactComeInOneOrder(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(1, "IN.1", "a", "text", text("one")))
	s.feed(says(2, "IN.2", "b", "text", text("two")))
	s.feed(says(3, "IN.1", "c", "text", text("three")))
	s.feed(says(4, "IN.2", "d", "reaction", map[string]any{"message_id": "b", "emoji": "👍"}))
	keep, lose := s.whois("IN.1"), s.whois("IN.2")
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Merge(t.Context(), tx, tenants.SystemActor, identity.MergeInput{Keep: keep.ID, Lose: lose.ID, MayRisk: true, Reason: "same"})
		return err
	})

	var got []string
	s.as(func(tx *tenants.Tx) error {
		cursor := ""
		for {
			list, next, err := conversations.Messages(t.Context(), tx, lose.ID, identity.Page{Limit: 3, Cursor: cursor})
			if err != nil {
				return err
			}
			got = append(got, wamids(list))
			if cursor = next; next == "" {
				break
			}
		}
		list, _, err := conversations.Messages(t.Context(), tx, keep.ID, identity.Page{})
		if err == nil && (list[0].AddressKind != whatsapp.KindBSUID || list[0].Address != "IN.2" || list[0].NumberID != s.number) {
			t.Errorf("newest came by %s %s, want the BSUID IN.2 to this number", list[0].AddressKind, list[0].Address)
		}
		if _, _, err := conversations.Messages(t.Context(), tx, keep.ID, identity.Page{Cursor: "nonsense"}); err == nil {
			t.Error("a cursor that is none is taken")
		}
		return err
	})
	if want := []string{"d c b", "a"}; !slices.Equal(got, want) {
		t.Errorf("pages %q, want %q", got, want)
	}
}

func TestThreadPutsEditsAndReactionsWithTheirMessage(t *testing.T) {
	t.Parallel()
	s := open(t, testdb.New(t).DB, "asha-clinic")
	s.feed(says(1, "IN.1", "a", "text", text("come at 5")))
	s.feed(says(2, "IN.1", "b", "text", text("secret")))
	answer, item := says(3, "IN.1", "c", "text", text("ok"))
	item["context"] = map[string]any{"id": "a"}
	s.feed(answer, item)
	s.feed(says(4, "IN.1", "d", "edit", map[string]any{"original_message_id": "a", "message": map[string]any{"type": "text", "text": text("come at 6")}}))
	s.feed(says(5, "IN.1", "e", "revoke", map[string]any{"original_message_id": "b"}))
	s.feed(says(6, "IN.1", "f", "reaction", map[string]any{"message_id": "c", "emoji": "👍"}))
	s.feed(says(7, "IN.1", "g", "reaction", map[string]any{"message_id": "c", "emoji": "❤"}))
	s.feed(says(8, "IN.2", "h", "revoke", map[string]any{"original_message_id": "c"})) // not the author's
	answer, item = says(2, "IN.1", "j", "text", text("?"))
	item["context"] = map[string]any{"id": "b"}
	s.feed(answer, item)
	s.feed(says(9, "IN.1", "i", "reaction", map[string]any{"message_id": "never-seen", "emoji": "🙏"}))

	entries, next := s.thread(s.whois("IN.1"), identity.Page{})
	if len(entries) != 5 || next != "" || entries[0].WAMID != "i" {
		t.Fatalf("got %d entries, next %q; want a, b, c, j and the reaction to what we do not have", len(entries), next)
	}
	slices.SortFunc(entries, func(x, y conversations.Entry) int { return strings.Compare(x.WAMID, y.WAMID) })
	a, b, c, j := entries[0], entries[1], entries[2], entries[4]
	if a.Text != "come at 6" || a.EditedAt.IsZero() {
		t.Errorf("a reads %q, edited %s; want the new wording", a.Text, a.EditedAt)
	}
	if b.RevokedAt.IsZero() || !c.RevokedAt.IsZero() {
		t.Errorf("revoked: b %s, c %s; want b alone", b.RevokedAt, c.RevokedAt)
	}
	if !slices.Equal(c.Reactions, []string{"❤"}) || c.Quoted == nil || c.Quoted.WAMID != "a" || c.Quoted.Text != "come at 6" {
		t.Errorf("c has reactions %v and answers %v; want the last reaction, and a", c.Reactions, c.Quoted)
	}

	if j.Quoted == nil || j.Quoted.RevokedAt.IsZero() {
		t.Errorf("j answers %+v, want what was taken back", j.Quoted)
	}

	s.as(func(tx *tenants.Tx) error {
		one := s.whois("IN.1").Identities[0].ID
		latest, err := conversations.Latest(t.Context(), tx, []uuid.UUID{one})
		if latest[one].WAMID != "c" {
			t.Errorf("latest is %q, want c", latest[one].WAMID)
		}
		return err
	})
}

func TestThreadNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	db := testdb.New(t).DB
	asha, ravi := open(t, db, "asha-clinic"), open(t, db, "ravi-motors")
	asha.feed(says(1, "IN.1", "a", "text", text("one")))
	c := asha.whois("IN.1")
	ravi.as(func(tx *tenants.Tx) error {
		if _, _, err := conversations.Messages(t.Context(), tx, c.ID, identity.Page{}); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("messages of another tenant: %v, want not found", err)
		}
		if entries, _, err := conversations.Entries(t.Context(), tx, c, identity.Page{}); len(entries) > 0 || err != nil {
			t.Errorf("thread of another tenant: %d entries, %v", len(entries), err)
		}
		latest, err := conversations.Latest(t.Context(), tx, []uuid.UUID{c.Identities[0].ID})
		if len(latest) != 0 {
			t.Errorf("%d latest messages of another tenant", len(latest))
		}
		return err
	})
}
