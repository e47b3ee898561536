package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	farNumber, farPhone, farWABA = "224466880035791", "15550199044", "318840557715555"
	farPortfolio                 = "506914300000002"
)

// tenancyCases: whose an event is, and what identifiers mean to whom.
var tenancyCases = []edgeCase{
	{n: 66, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		other := in.open(t)
		other.tell(t, ev{id: "b", at: 1, phone: ashasPhone, bsuid: ashasID})
		if in.whois(t, whatsapp.KindBSUID, ashasID).ID == other.whois(t, whatsapp.KindBSUID, ashasID).ID {
			t.Error("two businesses share a contact")
		}
	}},
	{n: 67, then: func(t *testing.T, in *inbox) {
		in.connect(t, farNumber, farPhone, farWABA, farPortfolio)
		in.tell(t, ev{id: "a", phone: ashasPhone, bsuid: ashasID})
		in.tell(t, ev{id: "b", at: 1, number: farNumber + in.tag, phone: ashasPhone, bsuid: "IN.99"})
		in.ends(t, `
			case: suggested about bsuid IN.99, phone 919800000101 | A same_phone 919800000101IN.7704418820035512
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"
			contact: bsuid IN.99, phone 919800000101 | - | 1 in text "hello b"
			drift: messages waba_drift 1x`)
	}},
	{n: 68, told: []any{ev{id: "a", bsuid: mateosID}, ev{id: "b", at: 1, number: otherNumber, bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"; 1 in text "hello b"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(DISTINCT number_id) FROM messages`); n != 2 {
			t.Errorf("the messages stand with %d numbers, want each with its own", n)
		}
	}},
	{n: 69, then: func(t *testing.T, in *inbox) {
		in.connect(t, farNumber, farPhone, farWABA, "")
		in.tell(t, ev{id: "a", number: farNumber + in.tag, bsuid: mateosID})
		if n := in.count(t, `SELECT count(*) FROM identifiers WHERE scope = 'waba:`+farWABA+in.tag+`'`); n != 1 {
			t.Error("the scope is not the WABA while the portfolio is not known")
		}
		in.connect(t, "224466880035792", "15550199045", farWABA, farPortfolio)
		if n := in.count(t, `SELECT count(*) FROM identifiers WHERE scope = 'portfolio:`+farPortfolio+in.tag+`'`); n != 1 {
			t.Error("the scope was not widened when the portfolio became known")
		}
		in.tell(t, ev{id: "b", at: 1, number: farNumber + in.tag, bsuid: mateosID})
		in.ends(t, `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"; 1 in text "hello b"
			drift: messages waba_drift 2x`)
	}},
	{n: 70, then: func(t *testing.T, in *inbox) {
		in.connect(t, farNumber, farPhone, farWABA, farPortfolio)
		in.tell(t, ev{id: "a", phone: ashasPhone, bsuid: ashasID, parent: "IN.ENT.55"})
		in.tell(t, ev{id: "b", at: 1, number: farNumber + in.tag, bsuid: "IN.99", parent: "IN.ENT.55"})
		in.ends(t, `
			case: suggested about bsuid IN.99, parent_bsuid IN.ENT.55 | A same_parent 919800000101IN.7704418820035512
			contact: bsuid IN.7704418820035512, parent_bsuid IN.ENT.55, phone 919800000101 | - | 0 in text "hello a"
			contact: bsuid IN.99, parent_bsuid IN.ENT.55 | - | 1 in text "hello b"
			drift: messages waba_drift 1x`)
	}},
	{n: 71, told: []any{ev{id: "a", bsuid: mateosID}}, then: func(t *testing.T, in *inbox) {
		other := in.open(t)
		_, err := numbers.Connect(context.Background(), in.DB, in.keys, whatsapp.Graph{}, access.Command("test").Actor, other.tenant, numbers.ConnectInput{
			App: in.app, WABAID: ownWABA + in.tag, PhoneNumberID: ownNumber + in.tag, DisplayPhone: ownPhone + in.tag, AccessToken: "a-token-for-tests", PublicURL: origin, Unconfirmed: true,
		})
		if tenants.ConflictCode(err) != "number_taken" {
			t.Errorf("a second business connects the number: %v", err)
		}
	}},
	{n: 72, told: []any{ev{id: "a", bsuid: mateosID}}, then: func(t *testing.T, in *inbox) {
		other := in.open(t)
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			return numbers.Disconnect(ctx, tx, access.Command("test").Actor, in.numbers[ownNumber])
		})
		if _, err := numbers.Connect(context.Background(), in.DB, in.keys, whatsapp.Graph{}, access.Command("test").Actor, other.tenant, numbers.ConnectInput{
			App: in.app, WABAID: ownWABA + in.tag, PhoneNumberID: ownNumber + in.tag, DisplayPhone: ownPhone + in.tag, AccessToken: "a-token-for-tests", PublicURL: origin, Unconfirmed: true,
		}); err != nil {
			t.Fatal(err)
		}
		in.send(t, posted(ev{id: "b", at: 9, bsuid: mateosID}))
		other.settle(t)
		if mine, theirs := in.count(t, `SELECT count(*) FROM messages`), other.count(t, `SELECT count(*) FROM messages`); mine != 1 || theirs != 1 {
			t.Errorf("%d messages with the first business, %d with the next; want one each", mine, theirs)
		}
	}},
	{n: 73, told: []any{ev{id: "a", number: strangeNumber, bsuid: mateosID}}, want: `
			held: messages message unknown_number`},
	{n: 74, then: func(t *testing.T, in *inbox) {
		body := []byte(in.ids.Replace(string(posted(ev{id: "a", bsuid: mateosID}))))
		good := whatsapp.Sign([]byte(appSecret), body)
		for name, signature := range map[string]string{
			"missing": "", "of another secret": whatsapp.Sign([]byte("another"), body), "of other bytes": whatsapp.Sign([]byte(appSecret), append(body, ' ')),
			"of another kind": "sha1=" + strings.TrimPrefix(good, "sha256="), "cut": good[:len(good)-1],
		} {
			if got := in.answers(t, in.app, body, signature); got != http.StatusUnauthorized {
				t.Errorf("signature %s: %d, want 401", name, got)
			}
		}
		in.ends(t, ``)
	}},
	{n: 75, then: func(t *testing.T, in *inbox) {
		other := in.open(t)
		body := []byte(other.ids.Replace(string(posted(ev{id: "a", bsuid: mateosID}))))
		if got := in.answers(t, in.app, body, whatsapp.Sign([]byte(appSecret), body)); got != http.StatusOK {
			t.Errorf("%d, want 200", got)
		}
		in.quiet(t, func() bool { return strings.Contains(other.state(t), "held") })
		other.ends(t, `held: messages message wrong_app`)
		in.ends(t, ``)
	}},
	{n: 76, then: func(t *testing.T, in *inbox) {
		in.do(t, func(_ context.Context, tx *tenants.Tx) error {
			_, err := tx.Exec(`UPDATE apps SET tenant_id = $1 WHERE name = $2`, in.tenant, in.app)
			return err
		})
		body := []byte(in.ids.Replace(string(posted(ev{id: "a", bsuid: mateosID}))))
		if got := in.answers(t, in.app, body, whatsapp.Sign([]byte("the secret of yesterday"), body)); got != http.StatusUnauthorized {
			t.Errorf("%d, want 401", got)
		}
		in.quiet(t, func() bool { return in.meter(t).Deliveries.Refused == 1 })
		if in.meter(t).Items != (ingest.Counts{}) {
			t.Error("a refused body was kept")
		}
	}},
	{n: 77, then: func(t *testing.T, in *inbox) {
		res, err := http.Get(in.address + "/hooks/whatsapp/" + in.app + "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-me-please")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		if got, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || string(got) != "1158201444" {
			t.Errorf("handshake: %d %q %v", res.StatusCode, got, err)
		}
	}},
	{n: 78, then: func(t *testing.T, in *inbox) {
		in.do(t, func(_ context.Context, tx *tenants.Tx) error {
			_, err := tx.Exec(`UPDATE numbers SET token_problem = 'token_expired', token_expires_at = now() - interval '1 day'`)
			return err
		})
		in.tell(t, ev{id: "a", bsuid: mateosID})
		in.ends(t, `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"`)
	}},
	{n: 79, told: []any{ev{id: "a", bsuid: mateosID}}, then: func(t *testing.T, in *inbox) {
		client{t, in.site, mateosID}.want(client{t, in.site, mateosID}.get("/contacts"), http.StatusUnauthorized, "unauthorized")
		asha := in.reads(t, "agent")
		if r := asha.get("/contacts/" + mateosID); r.status != http.StatusNotFound {
			t.Errorf("a WhatsApp ID opens a page: %d", r.status)
		}
	}},
}

// quiet waits until what happens at the platform has happened.
func (in *inbox) quiet(t *testing.T, done func() bool) {
	t.Helper()
	in.worker.Wake()
	in.workUntil(t, done)
}
