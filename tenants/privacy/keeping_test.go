package privacy_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func (h *house) marketing(contact uuid.UUID) (value string) {
	h.t.Helper()

	return h.wish(contact).Value
}

func (h *house) wish(contact uuid.UUID) (wish identity.Preference) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		c, err := identity.Get(ctx, tx, contact)
		if err != nil {
			return err
		}
		list, err := identity.Preferences(ctx, tx, c)
		wish, _ = identity.Strictest(list, identity.Marketing)
		return err
	})

	return wish
}

func (h *house) record(contact uuid.UUID, value string, at time.Time) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Record(ctx, tx, meera, contact, value, "call", at)
	})
}

func TestConsentNewestCountsAndNothingRaisesIt(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello")
	h.deliver("messages", map[string]any{"contacts": []any{profile(otherPhone, otherID, "Ravi")}, "messages": []any{h.item(otherPhone, otherID, before, text("hi"))}})
	h.settle()
	asha, ravi := h.contact(whatsapp.KindPhone, phone).ID, h.contact(whatsapp.KindPhone, otherPhone).ID

	// What was said last counts, in whatever order it is written down.
	h.record(asha, identity.Resume, before.Add(3*time.Hour))
	h.record(asha, identity.Stop, before.Add(2*time.Hour))
	if got := h.marketing(asha); got != identity.Resume {
		t.Errorf("after a later yes: %q, want resume", got)
	}
	h.record(asha, identity.Stop, before.Add(4*time.Hour))
	if got := h.wish(asha); got.Value != identity.Stop || got.Channel != "call" {
		t.Errorf("after a still later no: %q by %q, want stop by call", got.Value, got.Channel)
	}
	// A yes told to the business does not end a no told to WhatsApp.
	h.deliver("user_preferences", map[string]any{
		"contacts":         []any{profile(otherPhone, otherID, "Ravi")},
		"user_preferences": []any{map[string]any{"wa_id": otherPhone, "user_id": otherID, "category": "marketing_messages", "value": "stop", "timestamp": before.Unix(), "detail": "x"}},
	})
	h.settle()
	h.record(ravi, identity.Resume, time.Now())
	if got := h.wish(ravi); got.Value != identity.Stop || got.Channel != identity.Told {
		t.Errorf("a yes at the counter after a no in WhatsApp: %q by %q, want stop by WhatsApp", got.Value, got.Channel)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := identity.Merge(ctx, tx, meera, identity.MergeInput{Keep: ravi, Lose: asha, Reason: "they said so", MayRisk: true})
		return err
	})
	if got := h.marketing(ravi); got != identity.Stop {
		t.Errorf("merged: %q, want stop", got)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		list, err := privacy.Consents(ctx, tx, ravi)
		if len(list) != 5 {
			t.Errorf("the ledger holds %d entries, want all 5: %+v", len(list), list)
		}
		_, refused := tx.ExecContext(ctx, `SAVEPOINT a`)
		if _, err := tx.ExecContext(ctx, `UPDATE consents SET value = 'resume'`); err == nil {
			t.Error("an entry of the ledger could be changed")
		}
		_, undone := tx.ExecContext(ctx, `ROLLBACK TO a`)
		return errors.Join(err, refused, undone)
	})
	// Nobody else's.
	if err := h.DB.As(t.Context(), uuid.New(), func(tx *tenants.Tx) error {
		return privacy.Record(t.Context(), tx, meera, ravi, identity.Stop, "call", before)
	}); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("in another tenant: %v, want not found", err)
	}
}

func TestWhoStoppedStaysStoppedAfterErasing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello")
	h.settle()
	asha := h.contact(whatsapp.KindPhone, phone).ID
	h.record(asha, identity.Stop, before)
	h.erase(h.worker(), asha)
	h.writes(time.Now().Add(2*time.Second), "hello again")
	h.settle()
	c := h.contact(whatsapp.KindPhone, phone)
	if c == nil {
		t.Fatal("who wrote again is nobody")
	}
	if got := h.wish(c.ID); got.Value != identity.Stop || got.Channel != identity.Before {
		t.Errorf("who stopped offers, was erased and came back: %q by %q, want stop from before", got.Value, got.Channel)
	}
}

// Each business has a turn of its own in the night, the same every night, so that not all begin at once.
func TestTurnsOfTheNight(t *testing.T) {
	t.Parallel()
	turns := map[time.Time]bool{}
	for range 200 {
		tenant := uuid.Must(uuid.NewV7())
		for hour := range 24 {
			now := time.Date(2026, 3, 1, hour, 17, 0, 0, time.UTC)
			at := privacy.Night(now, tenant)
			if !at.After(now) || at.After(now.AddDate(0, 0, 1)) {
				t.Fatalf("at %s: next turn %s, want it within a day", now, at)
			}
			if next := privacy.Night(at, tenant); !next.Equal(at.AddDate(0, 0, 1)) {
				t.Fatalf("after %s: %s, want the same time the next night", at, next)
			}
			begin := time.Date(at.Year(), at.Month(), at.Day(), 20, 30, 0, 0, time.UTC)
			if at.Before(begin) {
				begin = begin.AddDate(0, 0, -1)
			}
			if at.Sub(begin) >= 4*time.Hour {
				t.Fatalf("turn at %s, want it between 20:30 and 00:30 UTC", at)
			}
			if hour == 12 {
				turns[at] = true
			}
		}
	}
	if len(turns) < 150 {
		t.Errorf("%d turns for 200 businesses, want them spread", len(turns))
	}
}

// What is old goes without waiting for whoever holds the splitter, and without keeping it.
func TestOldThingsGoBesideTheSplitter(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "old words")
	h.settle()
	h.exec(`UPDATE inbox_items SET received_at = received_at - interval '40 days' WHERE tenant_id = $1`, h.tenant)
	err := h.DB.System(t.Context(), func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended('inbox split', 0))`); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		n, _, err := ingest.Expire(ctx, h.DB, h.keys, h.tenant, time.Time{}, time.Now().AddDate(0, 0, -30), 10)
		if n != 1 {
			t.Errorf("%d items went while the splitter was at work, want 1", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOldThingsGo(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "old words")
	h.settle()
	h.exec(`UPDATE inbox_items SET received_at = received_at - interval '40 days' WHERE tenant_id = $1`, h.tenant)
	h.exec(`UPDATE messages SET received_at = received_at - interval '100 days', id = overlay(id::text placing '00000000-0000' from 1)::uuid WHERE tenant_id = $1`, h.tenant)
	h.writes(before.Add(time.Minute), "new words")
	h.settle()
	asha := h.contact(whatsapp.KindPhone, phone).ID
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Saw(ctx, tx, meera, privacy.SawTalk, asha)
	})
	h.exec(`UPDATE contact_views SET day = day - 400 WHERE tenant_id = $1`, h.tenant)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Saw(ctx, tx, meera, privacy.SawTalk, asha)
	})

	keep := func(days map[string]int) error {
		return h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return privacy.Keep(t.Context(), tx, meera, days) })
	}
	var wrong *tenants.Invalid
	if err := keep(map[string]int{privacy.Raw: 7}); !errors.As(err, &wrong) {
		t.Errorf("raw bytes for a week: %v, want it refused", err)
	}
	if err := keep(map[string]int{privacy.Raw: 30, privacy.Messages: 90, privacy.Looks: 365}); err != nil {
		t.Fatal(err)
	}
	h.exec(`UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = 'privacy_retain'`, h.tenant)
	if err := h.worker().Once(t.Context()); err != nil {
		t.Fatal(err)
	}

	var left struct {
		Messages []string `db:"-"`
		Items    int      `db:"items"`
		Empty    int      `db:"empty"`
		Looks    int      `db:"looks"`
		Next     bool     `db:"next"`
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		if err := tx.SelectContext(ctx, &left.Messages, `SELECT text FROM messages WHERE tenant_id = $1`, h.tenant); err != nil {
			return err
		}
		return tx.GetContext(ctx, &left, `SELECT (SELECT count(*) FROM inbox_items WHERE tenant_id = $1) AS items,
			(SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND reason = 'expired' AND convert_from(body, 'UTF8') = '{}') AS empty,
			(SELECT count(*) FROM contact_views WHERE tenant_id = $1) AS looks,
			(SELECT run_at > now() FROM jobs WHERE tenant_id = $1 AND kind = 'privacy_retain' AND state = 'waiting') AS next`, h.tenant)
	})
	if len(left.Messages) != 1 || left.Messages[0] != "new words" || left.Items != 2 || left.Empty != 1 || left.Looks != 1 || !left.Next {
		t.Errorf("left %+v, want the new message, both items, the old one empty, one look and a job for tomorrow", left)
	}
	h.balanced()
	if found := h.found()["inbox_events"]; found != 1 {
		t.Errorf("%d deliveries hold the person's words, want the new one alone", found)
	}
}

// Who looked at somebody is told however often their contact was merged since.
func TestWhoSawAContactMergedTwice(t *testing.T) {
	t.Parallel()
	h := open(t)
	first, second := two(h)
	h.deliver("messages", map[string]any{
		"contacts": []any{profile("919811223344", "IN.3344", "Meena")}, "messages": []any{h.item("919811223344", "IN.3344", before, text("a third"))},
	})
	h.settle()
	third := h.contact(whatsapp.KindPhone, "919811223344").ID
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Saw(ctx, tx, meera, privacy.SawPage, first)
	})
	h.merge(second, first)
	h.merge(third, second)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		list, err := privacy.Views(ctx, tx, third)
		if len(list) != 1 {
			t.Errorf("%d looks are told, want the one at the first of the three", len(list))
		}
		return err
	})
}

// While a hold stands nothing goes, however short it is to be kept; the count of what would go is what goes once the hold has ended.
func TestNothingGoesUnderAHold(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "old words")
	h.settle()
	h.exec(`UPDATE inbox_items SET received_at = received_at - interval '40 days' WHERE tenant_id = $1`, h.tenant)
	h.exec(`UPDATE messages SET received_at = received_at - interval '100 days', id = overlay(id::text placing '00000000-0000' from 1)::uuid WHERE tenant_id = $1`, h.tenant)
	h.writes(before.Add(time.Minute), "new words")
	h.settle()
	asha := h.contact(whatsapp.KindPhone, phone).ID
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Saw(ctx, tx, meera, privacy.SawTalk, asha)
	})
	h.exec(`UPDATE contact_views SET day = day - 400 WHERE tenant_id = $1`, h.tenant)

	days := map[string]int{privacy.Raw: 30, privacy.Messages: 90, privacy.Looks: 365}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		going, err := privacy.WouldGo(ctx, tx, nil, days)
		if err != nil {
			return err
		}
		for _, g := range going {
			if g.N != 1 || g.Oldest == nil || time.Since(*g.Oldest) < time.Duration(g.Days)*24*time.Hour {
				t.Errorf("of %s would go %d, the oldest of %v, want the old one", g.Class, g.N, g.Oldest)
			}
		}
		if longer, err := privacy.WouldGo(ctx, tx, days, map[string]int{privacy.Raw: 60, privacy.Messages: 0, privacy.Looks: 365}); err != nil || len(going) != 3 || len(longer) != 0 {
			t.Errorf("%d classes are kept shorter and %d of those that are kept longer: %v", len(going), len(longer), err)
		}
		if err := privacy.SetHold(ctx, tx, meera, "summons of the consumer court"); err != nil {
			return err
		}
		return privacy.Keep(ctx, tx, meera, days)
	})
	var wrong *tenants.Invalid
	if err := h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return privacy.SetHold(t.Context(), tx, meera, " ") }); !errors.As(err, &wrong) {
		t.Errorf("a hold without a reason: %v, want it refused", err)
	}
	if err := h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return privacy.SetHold(t.Context(), tx, meera, "again") }); tenants.ConflictCode(err) != "hold_stands" {
		t.Errorf("a second hold: %v, want hold_stands", err)
	}

	left := func() (n [3]int) {
		h.exec(`UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = 'privacy_retain'`, h.tenant)
		if err := h.worker().Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.as(func(ctx context.Context, tx *tenants.Tx) error {
			return tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM messages WHERE tenant_id = $1), (SELECT count(*) FROM inbox_items WHERE tenant_id = $1 AND reason <> 'expired'),
				(SELECT count(*) FROM contact_views WHERE tenant_id = $1)`, h.tenant).Scan(&n[0], &n[1], &n[2])
		})
		return n
	}
	if got, want := left(), [3]int{2, 2, 1}; got != want {
		t.Errorf("under a hold are left %v messages, items and looks, want %v", got, want)
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		if err := privacy.EndHold(ctx, tx, meera); err != nil {
			return err
		}
		hold, err := privacy.HoldOf(ctx, tx)
		if hold != nil {
			t.Error("a hold stands after its end")
		}
		return err
	})
	if got, want := left(), [3]int{1, 1, 0}; got != want {
		t.Errorf("after the hold are left %v messages, items and looks, want %v", got, want)
	}
	if err := h.DB.As(t.Context(), uuid.New(), func(tx *tenants.Tx) error {
		hold, err := privacy.HoldOf(t.Context(), tx)
		if hold != nil {
			t.Error("the hold of a business stands for another")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
