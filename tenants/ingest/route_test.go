package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
)

func TestEachTenantGetsItsOwn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	// One body with both tenants' numbers, twice one tenant's, and the same wamid for both.
	p.receive(t, p.app, delivery(
		entry("701", change("801", "919800000801", text(1, "a"), text(2, "b"))),
		entry("702", change("802", "919800000802", text(1, "a"))),
		entry("701", change("801", "919800000801", text(3, "c"))),
	))
	p.work(t)
	p.settle(t)

	p.wantItems(t, p.asha, ingest.Counts{Received: 3, Routed: 3})
	p.wantItems(t, p.ravi, ingest.Counts{Received: 1, Routed: 1})
	for tenant, want := range map[uuid.UUID]int{p.asha: 3, p.ravi: 1} {
		if got := p.count(t, tenant, `SELECT count(*) FROM messages`); got != want {
			t.Errorf("messages: got %d, want %d", got, want)
		}
		if got := p.count(t, tenant, `SELECT count(*) FROM contacts`); got != want {
			t.Errorf("contacts: got %d, want %d", got, want)
		}
	}
	if got := p.meter(t, p.asha).Deliveries.Accepted; got != 1 {
		t.Errorf("deliveries of asha: got %d, want 1", got)
	}
	if got := p.count(t, p.asha, `SELECT count(*) FROM numbers WHERE state = 'unconfirmed' AND first_event_at IS NOT NULL AND last_event_at IS NOT NULL`); got != 1 {
		t.Errorf("numbers that saw an event: got %d, want 1, still unconfirmed", got)
	}
}

func TestFirstEventConnectsAWaitingNumber(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, tenant := range []uuid.UUID{p.asha, p.ravi} {
		err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE numbers SET state = 'waiting'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	p.receive(t, p.app, toAsha(text(1, "a")))
	p.work(t)
	p.settle(t)

	for tenant, want := range map[uuid.UUID]string{p.asha: numbers.Connected, p.ravi: numbers.Waiting} {
		err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			list, err := numbers.List(ctx, tx, uuid.Nil, 0)
			if err == nil && list[0].State != want {
				t.Errorf("state: got %s, want %s", list[0].State, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()

	account := func(waba, display string) string {
		if display != "" {
			display = fmt.Sprintf(`,"display_phone_number":%q`, display)
		}
		return delivery(fmt.Sprintf(`{"id":%q,"time":1790000000,"changes":[{"field":"account_update","value":{"event":"X"%s}}]}`, waba, display))
	}
	for name, c := range map[string]struct {
		app        string // platform, or ashas-own
		body       string
		asha, ravi ingest.Counts
		platform   ingest.Counts
		reason     string
		number     bool
	}{
		"by phone number id":     {body: toAsha(text(1, "a")), asha: ingest.Counts{Received: 1, Routed: 1}, number: true},
		"drift of the WABA":      {body: delivery(entry("999", change("801", "919800000801", text(1, "a")))), asha: ingest.Counts{Received: 1, Routed: 1}, number: true},
		"unknown number":         {body: delivery(entry("701", change("899", "919800000801", text(1, "a")))), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.UnknownNumber},
		"wrong app":              {app: "ashas-own", body: toRavi(text(1, "a")), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.WrongApp},
		"wrong app, own number":  {app: "ashas-own", body: toAsha(text(1, "a")), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.WrongApp},
		"account by display":     {body: account("701", "+91 98000 00801"), asha: ingest.Counts{Received: 1, Routed: 1}, number: true},
		"account by WABA":        {body: account("702", ""), ravi: ingest.Counts{Received: 1, Routed: 1}},
		"account, other display": {body: account("702", "919800000899"), ravi: ingest.Counts{Received: 1, Routed: 1}},
		"account, unknown WABA":  {body: account("799", ""), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.UnknownNumber},
		"account, wrong app":     {app: "ashas-own", body: account("702", ""), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.WrongApp},
		"WABA inside":            {body: delivery(`{"id":"5550","changes":[{"field":"account_update","value":{"event":"X","waba_info":{"waba_id":"701"}}}]}`), asha: ingest.Counts{Received: 1, Routed: 1}},
		"unknown field":          {body: delivery(entry("701", `{"field":"fresh","value":{"metadata":{"phone_number_id":"801"},"x":1}}`)), asha: ingest.Counts{Received: 1, Routed: 1}, number: true},
		"test button, shared":    {body: delivery(entry("0", change("123456123", "16505551111", text(1, "a")))), platform: ingest.Counts{Received: 1, Routed: 1}, reason: ingest.Test},
		"test button, own app":   {app: "ashas-own", body: delivery(entry("0", change("123456123", "16505551111", text(1, "a")))), asha: ingest.Counts{Received: 1, Routed: 1}, reason: ingest.Test},
		"unparsable, shared":     {body: `{"entry":`, platform: ingest.Counts{Received: 1, SetAside: 1}, reason: ingest.Unparsable},
		"unparsable, own app":    {app: "ashas-own", body: "\x00", asha: ingest.Counts{Received: 1, SetAside: 1}, reason: ingest.Unparsable},
		"odd item":               {body: toAsha(`5`), asha: ingest.Counts{Received: 1, SetAside: 1}, reason: "item_not_object", number: true},
		"message without wamid":  {body: toAsha(`{"from":"919800000001"}`), asha: ingest.Counts{Received: 1, SetAside: 1}, reason: "missing_wamid", number: true},
		"odd item, unknown":      {body: delivery(entry("701", change("899", "", `5`))), platform: ingest.Counts{Received: 1, SetAside: 1}, reason: "item_not_object"},
		"no changes":             {body: delivery(`{"id":"701","changes":[]}`)},
		"names no number":        {body: delivery(entry("701", `{"field":"messages","value":{"messages":[`+text(1, "a")+`]}}`)), asha: ingest.Counts{Received: 1, SetAside: 1}, reason: ingest.MissingNumber},
		"NUL and broken UTF-8":   {body: delivery(entry("70\x00\xff", change("80\xff1", "9\\u0000", strings.Replace(text(1, "a"), `"a"`, `"\u0000 \ud800"`, 1)))), platform: ingest.Counts{Received: 1, Held: 1}, reason: ingest.UnknownNumber},
		"number as id":           {body: delivery(fmt.Sprintf(`{"id":1%c,"changes":[%s]}`, 0xff, change("801", "", text(1, "a")))), asha: ingest.Counts{Received: 1, Routed: 1}, number: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			app := p.app
			if c.app != "" {
				app = p.ashasApp
			}
			p.receive(t, app, c.body)
			p.work(t)
			p.settle(t)

			p.wantItems(t, p.asha, c.asha)
			p.wantItems(t, p.ravi, c.ravi)
			fleet, err := ingest.FleetMeter(t.Context(), p.DB)
			want := c.platform
			want.Received += c.asha.Received + c.ravi.Received
			want.Routed += c.asha.Routed + c.ravi.Routed
			want.SetAside += c.asha.SetAside + c.ravi.SetAside
			if err != nil || fleet.Items != want {
				t.Errorf("fleet: got %+v (%v), want %+v", fleet.Items, err, want)
			}

			var got struct {
				Reason string
				Number bool
			}
			err = p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
				rows, err := tx.QueryxContext(ctx, `SELECT reason, number_id IS NOT NULL FROM inbox_items`)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					if err := rows.Scan(&got.Reason, &got.Number); err != nil {
						return err
					}
				}
				return rows.Err()
			})
			if err != nil || got.Reason != c.reason || got.Number != c.number {
				t.Errorf("item: got reason %q, number known %v (%v), want %q, %v", got.Reason, got.Number, err, c.reason, c.number)
			}
			if got := p.count(t, p.asha, `SELECT count(*) FROM contacts`); got > 0 && c.reason != "" {
				t.Errorf("contacts from what was not processed: got %d, want none", got)
			}
		})
	}
}

func TestTestButtonIsShownOnTheNumber(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.connect(t, p.asha, "ashas-own", "703", "803", "919800000803")

	p.receive(t, p.ashasApp, delivery(entry("0", change("123456123", "16505551111", text(1, "a")))))
	p.work(t)
	p.settle(t)

	if got := p.count(t, p.asha, `SELECT count(*) FROM numbers WHERE tested_at IS NOT NULL AND phone_number_id = '803' AND first_event_at IS NULL`); got != 1 {
		t.Errorf("tested numbers: got %d, want the one of this app, without a first event", got)
	}
	if got := p.count(t, p.asha, `SELECT count(*) FROM numbers WHERE tested_at IS NOT NULL`); got != 1 {
		t.Errorf("tested numbers: got %d, want 1", got)
	}
	if got := p.count(t, p.ravi, `SELECT count(*) FROM numbers WHERE tested_at IS NOT NULL`); got != 0 {
		t.Errorf("tested numbers of another tenant: got %d, want 0", got)
	}
}

// list has the directory know a number, or not, as if it was connected by something that did not get to adopting.
func (p *place) list(t *testing.T, phoneNumberID string, known bool) {
	t.Helper()

	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE number_directory SET until = CASE WHEN NOT $2::boolean THEN now() END, since = now()
			WHERE phone_number_id = $1`, phoneNumberID, known)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.connect(t, p.asha, "platform", "703", "803", "919800000803")
	p.list(t, "803", false)

	p.receive(t, p.app, delivery(entry("703", change("803", "919800000803", text(1, "a"), text(2, "b"))), entry("701", change("801", "", text(3, "c")))))
	p.receive(t, p.app, delivery(`{"id":"703","changes":[{"field":"account_update","value":{"event":"X"}}]}`))
	p.receive(t, p.ashasApp, delivery(entry("703", change("803", "919800000803", text(4, "forged by another app")))))
	stop := p.work(t)
	p.settle(t)
	stop()
	p.wantItems(t, p.asha, ingest.Counts{Received: 1, Routed: 1})

	held, err := ingest.HeldNumbers(t.Context(), p.DB, ingest.HeldPage{})
	if err != nil || len(held) != 3 {
		t.Fatalf("held: got %+v (%v), want 3 groups", held, err)
	}
	if h := held[2]; h.PhoneNumberID != "803" || h.WABA != "703" || h.App != "platform" || h.Items != 2 || h.Reason != ingest.UnknownNumber || len(h.Kinds) != 1 {
		t.Errorf("held number: got %+v", h)
	}
	rest, err := ingest.HeldNumbers(t.Context(), p.DB, ingest.HeldPage{PhoneNumberID: held[0].PhoneNumberID, WABA: held[0].WABA, App: held[0].App, Reason: held[0].Reason, Limit: 1})
	if err != nil || len(rest) != 1 || rest[0].App != held[1].App {
		t.Errorf("second page: got %+v (%v), want %+v", rest, err, held[1])
	}

	if _, err := ingest.Adopt(t.Context(), p.DB, p.asha, "803"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("adopt for a number nobody connected: got %v, want ErrNotFound", err)
	}
	p.list(t, "803", true)
	if _, err := ingest.Adopt(t.Context(), p.DB, p.ravi, "803"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("adopt for another tenant's number: got %v, want ErrNotFound", err)
	}
	n, err := ingest.Adopt(t.Context(), p.DB, p.asha, "803")
	if err != nil || n != 3 {
		t.Errorf("adopted: got %d (%v), want 3", n, err)
	}
	p.wantItems(t, p.asha, ingest.Counts{Received: 4, Routed: 1, Waiting: 3})
	p.wantItems(t, p.ravi, ingest.Counts{})
	// The two deliveries are asha's now; of the first it had an item before.
	if got := p.meter(t, p.asha).Deliveries.Accepted; got != 2 {
		t.Errorf("deliveries: got %d, want 2", got)
	}
	if n, err := ingest.Adopt(t.Context(), p.DB, p.asha, "803"); err != nil || n != 0 {
		t.Errorf("adopted again: got %d (%v), want 0", n, err)
	}

	p.work(t)
	p.settle(t)
	p.wantItems(t, p.asha, ingest.Counts{Received: 4, Routed: 4})
	if got := p.count(t, p.asha, `SELECT count(*) FROM contacts`); got != 3 {
		t.Errorf("contacts: got %d, want 3", got)
	}
	if held, err := ingest.HeldNumbers(t.Context(), p.DB, ingest.HeldPage{}); err != nil || len(held) != 1 || held[0].App != "ashas-own" {
		t.Errorf("still held: got %+v (%v), want what another app signed", held, err)
	}

	// The number moves to that app: it is its own then.
	if _, err := p.DB.SQL().Exec(`UPDATE number_directory SET app_id = $1 WHERE phone_number_id = '803'`, p.ashasApp); err != nil {
		t.Fatal(err)
	}
	until(t, "what the other app signed is adopted", func() bool { return p.meter(t, p.asha).Items == ingest.Counts{Received: 5, Routed: 5} })
	p.wantBalance(t)
}

func TestWorkerAdoptsByItself(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.connect(t, p.asha, "platform", "703", "803", "919800000803")
	p.list(t, "803", false)
	p.receive(t, p.app, delivery(entry("703", change("803", "919800000803", text(1, "a")))))
	stop := p.work(t)
	p.settle(t)
	stop()

	p.list(t, "803", true)
	p.work(t)
	until(t, "the held item is adopted", func() bool { return p.meter(t, p.asha).Items == ingest.Counts{Received: 1, Routed: 1} })
	p.wantBalance(t)
}

func TestSuspendedTenantLosesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if _, err := p.DB.SQL().Exec(`UPDATE tenants SET state = 'suspended' WHERE id = $1`, p.asha); err != nil {
		t.Fatal(err)
	}

	p.receive(t, p.app, toAsha(text(1, "a")))
	p.work(t)
	p.settle(t)
	p.wantItems(t, p.asha, ingest.Counts{Received: 1, Routed: 1})
}
