package server_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Two people of the stories, and a second account.
const (
	ashasPhone, ashasID = "919800000101", "IN.7704418820035512"
	mateosID            = "CO.1092755501238467"
	leilasPhone         = "213550000202"
	leilasID            = "DZ.88120045517723901"
)

var splitCases = []edgeCase{
	{n: 1, told: []any{ev{id: "a", bsuid: mateosID}, ev{id: "b", at: 9, bsuid: mateosID}, ev{id: "c", at: 20, bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"; 9 in text "hello b"; 20 in text "hello c"`},
	{n: 2, told: []any{ev{id: "a", bsuid: mateosID, username: "mateo.ruiz"}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(*) FROM inbox_items WHERE state = 'routed'`); n != 1 {
			t.Errorf("%d items are stored, want 1", n)
		}
	}},
	{n: 3, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID, name: "Asha"}, ev{id: "b", at: 1, bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 1 in text "hello b"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 4, told: []any{ev{id: "a", bsuid: mateosID}, ev{id: "b", at: 1, bsuid: leilasID}, ev{id: "c", at: 2}}, want: `
			case: unidentifiable
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"
			contact: bsuid DZ.88120045517723901 | - | 1 in text "hello b"`},
	{n: 5, told: []any{ev{id: "a", bsuid: ashasID}, ev{id: "b", at: 1, bsuid: ashasID, phone: ashasPhone}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 6, told: []any{ev{id: "a", phone: ashasPhone}, ev{id: "b", at: 1, bsuid: ashasID}, ev{id: "c", at: 2, bsuid: ashasID, phone: ashasPhone}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 1 in text "hello b"; 2 in text "hello c"`},
	{n: 6, told: []any{ev{id: "a", phone: ashasPhone, bsuid: leilasID}, ev{id: "b", at: 1, bsuid: ashasID}, ev{id: "c", at: 2, bsuid: ashasID, phone: ashasPhone}}, want: `
			case: conflict about bsuid IN.7704418820035512, phone 919800000101 | B recycled_number DZ.88120045517723901
			contact: bsuid DZ.88120045517723901, phone 919800000101 (past) | - | 0 in text "hello a"
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 1 in text "hello b"; 2 in text "hello c"`},
	{n: 7, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, ev{id: "b", at: 1, bsuid: ashasID}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 9, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, ev{id: "b", at: 1, bsuid: ashasID}, ev{is: "echo", id: "c", at: 2, phone: ashasPhone, text: "yes", alone: true}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 1 in text "hello b"; 2 out text "yes"`},
	{n: 10, told: []any{ev{id: "a", bsuid: ashasID}, ev{id: "b", at: 1, bsuid: ashasID, phone: ashasPhone}, ev{id: "c", at: 2, phone: ashasPhone}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 1 in text "hello b"; 2 in text "hello c"`},
	{n: 11, told: []any{ev{id: "a", phone: "US.1234", alone: true}, ev{id: "b", at: 1, bsuid: "US.1234"}}, want: `
			case: unresolved about bsuid US.1234
			contact: bsuid US.1234 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 12, told: []any{ev{id: "a", phone: "EG.13491349", alone: true}}, want: `
			case: unresolved about bsuid EG.13491349
			contact: bsuid EG.13491349 | - | 0 in text "hello a"`, then: func(t *testing.T, _ *inbox) {
		for _, raw := range []string{"EG.13491349", "EG.ENT.13491349", "hidden", "", "+"} {
			if phone, ok := whatsapp.Phone(raw); ok {
				t.Errorf("%q reads as the phone %s", raw, phone)
			}
			if phone, ok := whatsapp.TypedPhone(raw, "IN"); ok {
				t.Errorf("%q typed reads as the phone %s", raw, phone)
			}
		}
	}},
	{n: 13, told: []any{ev{id: "a", bsuid: "EG.1349134913491349134913"}}, want: `
			case: unresolved about bsuid EG.1349134913491349134913
			contact: bsuid EG.1349134913491349134913 | - | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		in.refuses(t, `UPDATE identifiers SET kind = 'phone'`)
	}},
	{n: 14, told: []any{ev{id: "a", phone: "hidden", bsuid: mateosID, alone: true}, ev{id: "b", at: 1, phone: "hidden", bsuid: leilasID, alone: true}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"
			contact: bsuid DZ.88120045517723901 | - | 1 in text "hello b"
			drift: messages malformed_phone 2x`, then: func(t *testing.T, in *inbox) {
		in.refuses(t, `UPDATE identifiers SET kind = 'phone', value = 'hidden'`)
	}},
	{n: 15, then: func(t *testing.T, in *inbox) {
		in.atOnce(t, posted(ev{is: "image", id: "a", bsuid: mateosID}), posted(ev{is: "image", id: "b", bsuid: mateosID}), posted(ev{is: "image", id: "c", bsuid: mateosID}),
			posted(ev{is: "image", id: "d", bsuid: mateosID}), posted(ev{is: "image", id: "e", bsuid: mateosID}))
		in.ends(t, `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in image; 0 in image; 0 in image; 0 in image; 0 in image`)
	}},
	{n: 16, then: func(t *testing.T, in *inbox) {
		in.atOnce(t, posted(ev{id: "a", bsuid: ashasID, phone: ashasPhone}), posted(ev{id: "b", phone: ashasPhone}), posted(ev{id: "c", bsuid: ashasID}))
		in.ends(t, `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"; 0 in text "hello b"; 0 in text "hello c"`)
	}},
	{n: 17, then: func(t *testing.T, in *inbox) {
		in.tell(t, ev{id: "a", phone: ashasPhone})
		in.atOnce(t, posted(card(ev{id: "b", at: 1, bsuid: mateosID}, "contact_request", "+919800000101", ashasPhone)),
			posted(card(ev{id: "c", at: 1, bsuid: leilasID}, "contact_request", "+919800000101", ashasPhone)))
		in.ends(t, `
			case: suggested about bsuid CO.1092755501238467 | A card_request 919800000101
			case: suggested about bsuid DZ.88120045517723901 | A card_request 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card"
			contact: bsuid DZ.88120045517723901 | - | 1 in contacts "Card"
			contact: phone 919800000101 | - | 0 in text "hello a"`)
		if n := in.count(t, `SELECT count(*) FROM identifiers WHERE value = '919800000101'`); n != 1 {
			t.Errorf("%d rows for one phone", n)
		}
	}},
	{n: 18, then: func(t *testing.T, in *inbox) {
		first := posted(ev{id: "a", bsuid: mateosID})
		spaced := append([]byte(" "), first...) // other bytes, the same message
		in.atOnce(t, first, first, spaced, first, spaced)
		in.ends(t, `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"`)
		m := in.meter(t)
		if m.Duplicates != 1 || m.Items.Received != 2 {
			t.Errorf("%+v: want 2 items, 1 of them a repeat", m)
		}
	}},
	{n: 19, then: func(t *testing.T, in *inbox) {
		body := posted(ev{id: "a", bsuid: mateosID})
		err := in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error {
			if err := identity.Lock(context.Background(), tx); err != nil { // nobody can process anything now
				return err
			}
			in.send(t, body)
			if m := in.meter(t); m.Items.Received != 1 || m.Items.Waiting != 1 {
				t.Errorf("after the 200: %+v, want one item that waits", m.Items)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		in.settle(t)
		in.ends(t, `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"`)
	}},
	{n: 20, told: []any{"051", []ev{{id: "x", at: 90}, {id: "y", at: 91, bsuid: mateosID}}}, want: `
			case: unidentifiable
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 51 in text "second"; 91 in text "hello y"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 51 in text "first"; 52 in text "third"`},
	{n: 21, told: []any{written(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": ownWABA, "changes": []any{map[string]any{
		"field": "messages", "value": map[string]any{
			"metadata": map[string]any{"phone_number_id": ownNumber, "display_phone_number": ownPhone},
			"contacts": []any{
				map[string]any{"profile": map[string]any{"name": "Leila"}, "wa_id": leilasPhone, "user_id": leilasID},
				map[string]any{"profile": map[string]any{"name": "Asha"}, "wa_id": ashasPhone, "user_id": ashasID},
			},
			"messages": []any{map[string]any{"id": "wamid.a", "timestamp": "1790000000", "from_user_id": mateosID, "type": "text", "text": map[string]any{"body": "who"}}},
		},
	}}}}})}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "who"`},
	{n: 22, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID, bsuid2: "uUS.77044188", name: "Asha"}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha | 0 in text "hello a"
			drift: messages contact_id_mismatch 1x`},
	{n: 22, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID, bsuid2: "IN.7704418820035513", name: "Asha"}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha | 0 in text "hello a"
			drift: messages contact_id_mismatch 1x`},
	{n: 23, told: []any{ev{id: "a", phone: ashasPhone, bsuid2: ashasID, name: "Asha"}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 24, told: []any{ev{id: "a", phone: ashasPhone, bsuid: "foo_bar", name: "Asha"}}, want: `
			contact: phone 919800000101 | Asha | 0 in text "hello a"
			drift: messages malformed_bsuid 1x`},
	{n: 25, told: []any{ev{id: "a", alone: true}}, want: `
			case: unidentifiable`},
	// Its twin the other way: what the business wrote in its app, to nobody named. To a group nobody needs to be.
	{n: 25, told: []any{ev{is: "echo", id: "a", alone: true, text: "ready at six"}}, want: `
			case: unidentifiable`},
	{n: 25, told: []any{ev{is: "echo", id: "a", alone: true, text: "ready at six", more: map[string]any{"group_id": "120363041234567890"}}}, want: ``},
}

// count is how many rows a query counts, as the business sees them.
func (in *inbox) count(t *testing.T, query string) (n int) {
	t.Helper()
	err := in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error { return tx.Get(&n, query) })
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// refuses asserts that the database itself does not take a change.
func (in *inbox) refuses(t *testing.T, statement string) {
	t.Helper()
	err := in.DB.As(context.Background(), in.tenant, func(tx *tenants.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err == nil {
		t.Errorf("the database takes %s", statement)
	}
}

// atOnce posts deliveries side by side and waits until all they cause is visible.
func (in *inbox) atOnce(t *testing.T, bodies ...[]byte) {
	t.Helper()
	var all sync.WaitGroup
	for _, b := range bodies {
		all.Go(func() { in.send(t, b) })
	}
	all.Wait()
	in.settle(t)
}

func (in *inbox) ends(t *testing.T, want string) {
	t.Helper()
	if got := in.state(t); got != strings.TrimSpace(strings.ReplaceAll(want, "\n\t\t\t", "\n")) {
		t.Errorf("it ends with\n%s\nwant\n%s", got, want)
	}
}

func (in *inbox) meter(t *testing.T) ingest.Meter {
	t.Helper()
	m, err := ingest.TenantMeter(context.Background(), in.DB, in.tenant)
	if err != nil {
		t.Fatal(err)
	}

	return m
}

// settle waits until nothing waits.
func (in *inbox) settle(t *testing.T) {
	t.Helper()
	in.worker.Wake()
	deadline := time.Now().Add(20 * time.Second)
	for {
		m := in.meter(t)
		if m.Items.Received != m.Items.Routed+m.Items.Held+m.Items.SetAside+m.Items.Waiting {
			t.Fatalf("the equation does not hold: %+v", m.Items)
		}
		if m.Items.Waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still waiting: %+v", m.Items)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
