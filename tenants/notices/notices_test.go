package notices_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/testdb"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// account is a business with one number of WABA 701.
type account struct {
	t              *testing.T
	db             *tenants.DB
	tenant, number uuid.UUID
}

func newAccount(t *testing.T, db *testdb.Database, slug string) account {
	t.Helper()
	a := account{t: t, db: db.DB, tenant: uuid.New(), number: uuid.New()}
	if _, err := db.DB.SQL().Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $2)`, a.tenant, slug); err != nil {
		t.Fatal(err)
	}
	a.as(func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, scope, state)
			VALUES ($1, $2, $3, '701', '801', '919800000801', 'waba:701', 'connected')`, a.tenant, a.number, uuid.New())
		return err
	})

	return a
}

func (a account) as(fn func(context.Context, *tenants.Tx) error) {
	a.t.Helper()
	ctx := context.Background()
	if err := a.db.As(ctx, a.tenant, func(tx *tenants.Tx) error { return fn(ctx, tx) }); err != nil {
		a.t.Fatal(err)
	}
}

// hears takes in one item as a lane does. number: about the number, not the whole WABA.
func (a account) hears(kind whatsapp.ItemKind, field, value string, second int, number bool) {
	a.t.Helper()
	e, err := whatsapp.ParseEvent(kind, fmt.Appendf(nil, `{"field":%q,"entry_time":%d,"item":%s}`, field, 1790000000+second, value))
	if err != nil {
		a.t.Fatal(err)
	}
	h := notices.Heard{ItemID: 1, WABA: "701", Field: field, ReceivedAt: time.Now(), Event: e, NumberID: uuid.NullUUID{UUID: a.number, Valid: number}}
	a.as(func(ctx context.Context, tx *tenants.Tx) error { return notices.Record(ctx, tx, []notices.Heard{h, h}) })
}

func (a account) trouble() (event string) {
	a.t.Helper()
	a.as(func(ctx context.Context, tx *tenants.Tx) error {
		n, ok, err := notices.Trouble(ctx, tx, a.number, "701")
		if ok {
			event = n.Event
		}
		return err
	})

	return event
}

func (a account) username() (said string) {
	a.t.Helper()
	a.as(func(ctx context.Context, tx *tenants.Tx) error {
		n, ok, err := notices.Username(ctx, tx, a.number)
		if ok {
			said = n.Event + " " + n.Facts["username"]
		}
		return err
	})

	return said
}

func (a account) heard() (list []notices.Notice) {
	a.t.Helper()
	a.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		list, err = notices.About(ctx, tx, a.number, "701", 0)
		return err
	})

	return list
}

func TestTroubleStandsUntilWhatsAppSaysOtherwise(t *testing.T) {
	t.Parallel()
	a := newAccount(t, testdb.New(t), "asha-clinic")
	if got := a.trouble(); got != "" {
		t.Errorf("before anything was said: %q", got)
	}

	for _, step := range []struct {
		value, want string
		second      int
	}{
		{`{"event":"PARTNER_REMOVED"}`, "PARTNER_REMOVED", 10},
		{`{"event":"PARTNER_APP_INSTALLED"}`, "PARTNER_REMOVED", 5}, // from before, and late
		{`{"event":"ACCOUNT_RECONNECTED"}`, "", 20},
		{`{"event":"SOMETHING_NEW"}`, "", 25},
		{`{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`, "DISABLED_UPDATE", 30},
		{`{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`, "", 40},
	} {
		a.hears(whatsapp.KindChange, "account_update", step.value, step.second, false)
		if got := a.trouble(); got != step.want {
			t.Errorf("after %s: %q, want %q", step.value, got, step.want)
		}
	}
}

func TestOwnUsernameIsTheLastThatWasSaid(t *testing.T) {
	t.Parallel()
	a := newAccount(t, testdb.New(t), "asha-clinic")
	a.hears(whatsapp.KindUsername, "business_username_updates", `{"status":"approved","username":"asha.clinic"}`, 20, true)
	a.hears(whatsapp.KindUsername, "phone_number_username_update", `{"status":"reserved","username":"asha.clinic"}`, 10, true)
	if got := a.username(); got != "approved asha.clinic" {
		t.Errorf("it is %q", got)
	}
	a.hears(whatsapp.KindUsername, "business_username_update", `{"status":"deleted","context":"revoked"}`, 30, true)
	if got := a.username(); got != "deleted " {
		t.Errorf("after it was taken away it is %q", got)
	}
}

func TestNoticesAreKeptOnceAndForTheirOwner(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	asha, ravi := newAccount(t, db, "asha-clinic"), newAccount(t, db, "ravi-motors")
	for range 3 {
		asha.hears(whatsapp.KindChange, "message_template_status_update", `{"event":"APPROVED","message_template_name":"ask"}`, 1, false)
		asha.hears(whatsapp.KindError, "messages", `{"code":130429,"title":"Rate limit hit","error_data":{"details":"slow down"}}`, 2, true)
	}
	list := asha.heard()
	if len(list) != 2 || list[0].Field != notices.FieldError || list[0].Event != "130429" || list[0].Facts["error_data.details"] != "slow down" ||
		list[1].Facts["message_template_name"] != "ask" || list[1].NumberID.Valid {
		t.Errorf("heard %+v", list)
	}
	if got := ravi.heard(); len(got) != 0 {
		t.Errorf("the neighbour hears %+v", got)
	}
}
