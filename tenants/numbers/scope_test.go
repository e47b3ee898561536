package numbers_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// hears takes in that WhatsApp named the portfolio of a WABA.
func (p place) hears(t *testing.T, about, inside, owner string, second int) {
	t.Helper()
	e, err := whatsapp.ParseEvent(whatsapp.KindChange, fmt.Appendf(nil,
		`{"field":"account_update","entry_time":%d,"item":{"event":"PARTNER_ADDED","waba_info":{"waba_id":%q,"owner_business_id":%q}}}`, 1790000000+second, inside, owner))
	if err != nil {
		t.Fatal(err)
	}
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return notices.Record(ctx, tx, []notices.Heard{{ItemID: 1, WABA: about, Field: "account_update", ReceivedAt: time.Now(), Event: e}})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The portfolio that an account_update names widens the WABA's scope (edge case 69), unless it contradicts what is known.
func TestHearingOfAPortfolioWidensTheScope(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.unconfirmed(p.asha, "700", "801", "")
	if err != nil || n.Scope != "waba:700" {
		t.Fatalf("got scope %s (%v), want the WABA's", n.Scope, err)
	}
	known, err := p.unconfirmed(p.asha, "710", "811", "8")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := p.unconfirmed(p.ravi, "720", "821", "")
	if err != nil {
		t.Fatal(err)
	}
	seen := identity.Seen{
		ItemID: 1, NumberID: n.ID, Scope: n.Scope, ReceivedAt: time.Now(),
		Event: whatsapp.Event{Kind: whatsapp.KindStatus, Status: "sent", At: time.Now(), WAMID: "wamid.1", Digest: "1", Party: whatsapp.Party{BSUID: "IN.1"}},
	}
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		_, err := identity.Observe(ctx, tx, []identity.Seen{seen})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	p.hears(t, "700", "799", "9", 0)   // of another WABA
	p.hears(t, "700", "700", "x'y", 1) // no portfolio
	p.hears(t, "710", "710", "9", 2)   // known already
	p.hears(t, "720", "720", "9", 3)   // not Asha's
	p.hears(t, "700", "700", "5", 4)
	p.works(t, m.graph)
	until(t, "the wider scope", func() bool {
		got, err := p.get(p.asha, n.ID)
		return err == nil && got.Scope == "portfolio:5" && got.PortfolioID == "5"
	})
	var scope string
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &scope, `SELECT scope FROM identifiers WHERE value = 'IN.1'`)
	})
	if err != nil || scope != "portfolio:5" {
		t.Errorf("a customer's WhatsApp ID is unique in %s (%v), want the portfolio", scope, err)
	}
	if got := p.auditOf(t, p.asha, "portfolio.learned"); got != 1 {
		t.Errorf("%d entries in the audit, want one", got)
	}
	if got, err := p.get(p.asha, known.ID); err != nil || got.Scope != "portfolio:8" {
		t.Errorf("a known portfolio became %s (%v)", got.Scope, err)
	}
	if got, err := p.get(p.ravi, theirs.ID); err != nil || got.Scope != "waba:720" {
		t.Errorf("another tenant's number became %s (%v)", got.Scope, err)
	}
}

// Who connects a number waits for a page. A scope of many customers is widened by the worker; until then the new number stands where
// theirs do, so that nobody is taken for two. The number they are known by may have been disconnected since.
func TestALargeScopeIsWidenedAtLeisure(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]string{"connected": numbers.Unconfirmed, "disconnected": numbers.Disconnected} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			widenedAtLeisure(t, state)
		})
	}
}

func widenedAtLeisure(t *testing.T, state string) {
	t.Helper()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	first, err := p.unconfirmed(p.asha, "700", "801", "")
	if err != nil {
		t.Fatal(err)
	}
	const many = 501
	var seen []identity.Seen
	for n := range many {
		seen = append(seen, identity.Seen{
			ItemID: int64(n + 1), NumberID: first.ID, Scope: first.Scope, ReceivedAt: time.Now(),
			Event: whatsapp.Event{
				Kind: whatsapp.KindStatus, Status: "sent", At: time.Now(), WAMID: fmt.Sprint("wamid.", n), Digest: fmt.Sprint(n),
				Party: whatsapp.Party{BSUID: fmt.Sprint("IN.", n)},
			},
		})
	}
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		if _, err := identity.Observe(ctx, tx, seen); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE numbers SET state = $3, last_event_at = now() WHERE tenant_id = $1 AND id = $2`, p.asha, first.ID, state)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	second, err := p.unconfirmed(p.asha, "700", "802", "5")
	if err != nil || second.Scope != "waba:700" || second.PortfolioID != "" {
		t.Fatalf("the second number stands in %s, portfolio %q (%v); want where the first does", second.Scope, second.PortfolioID, err)
	}
	p.works(t, m.graph)
	until(t, "the wider scope", func() bool {
		for _, id := range []uuid.UUID{first.ID, second.ID} {
			if got, err := p.get(p.asha, id); err != nil || got.Scope != "portfolio:5" {
				return false
			}
		}
		return true
	})
	var moved int
	err = p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &moved, `SELECT count(*) FROM identifiers WHERE scope = 'portfolio:5'`)
	})
	if err != nil || moved != many {
		t.Errorf("%d customers stand in the portfolio (%v), want %d", moved, err, many)
	}
	if got := p.auditOf(t, p.asha, "portfolio.learned"); got != 1 {
		t.Errorf("%d entries in the audit, want one", got)
	}
}
