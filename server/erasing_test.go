package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// above is the database as its owner sees it, who is bound by the tenant wall too.
func (st *site) above(t *testing.T) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Connect("postgres", st.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })

	return db
}

// rowsOf counts a business's rows in every table that can hold any.
func rowsOf(t *testing.T, db *sqlx.DB, tenant uuid.UUID) map[string]int {
	t.Helper()
	var tables []string
	if err := db.Select(&tables, `
		SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace`); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, in := range []uuid.UUID{uuid.Nil, tenant} {
		within(t, db, in, func(tx *sqlx.Tx) {
			for _, table := range tables {
				var n int
				if err := tx.Get(&n, `SELECT count(*) FROM public.`+table+` WHERE tenant_id = $1`, tenant); err != nil {
					t.Fatal(err)
				}
				counts[table] = max(counts[table], n)
			}
		})
	}

	return counts
}

// within runs something inside a tenant, or with uuid.Nil outside all.
func within(t *testing.T, db *sqlx.DB, tenant uuid.UUID, do func(*sqlx.Tx)) {
	t.Helper()
	tx := db.MustBegin()
	defer func() { _ = tx.Rollback() }()
	setting := ""
	if tenant != uuid.Nil {
		setting = tenant.String()
	}
	tx.MustExec(`SET LOCAL app.tenant_id = '` + setting + `'`)
	do(tx)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// dump is every row of every table as text, as the platform and as each of the tenants sees it.
func dump(t *testing.T, db *sqlx.DB, in ...uuid.UUID) string {
	t.Helper()
	var (
		tables []string
		whole  strings.Builder
	)
	if err := db.Select(&tables, `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range append(in, uuid.Nil) {
		within(t, db, tenant, func(tx *sqlx.Tx) {
			for _, table := range tables {
				var rows []string
				if err := tx.Select(&rows, `SELECT x::text FROM public.`+table+` x`); err != nil {
					t.Fatal(err)
				}
				for _, row := range rows {
					whole.WriteString(table + ": " + row + "\n")
				}
			}
			var bodies []string
			if err := tx.Select(&bodies, `SELECT encode(body, 'escape') FROM inbox_events UNION ALL SELECT encode(body, 'escape') FROM inbox_items`); err != nil {
				t.Fatal(err)
			}
			whole.WriteString(strings.Join(bodies, "\n"))
		})
	}

	return whole.String()
}

// bury runs the worker until the business is gone.
func (st *site) bury(t *testing.T, tenant uuid.UUID) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- lives.NewWorker(st.DB, slog.New(slog.NewTextHandler(st.log, nil))).Run(ctx) }()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var gone bool
		if err := st.DB.SQL().QueryRow(`SELECT erased IS NOT NULL FROM tenants WHERE id = $1`, tenant).Scan(&gone); err != nil {
			t.Fatal(err)
		}
		if gone {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("not erased: %s", st.log)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestErasedBusinessLeavesNothing(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, config.Config{PublicURL: origin})
	db := st.above(t)
	known := sandbox.Known().Numbers
	const canary = "canary-of-asha-4711"
	meera := st.member(t, st.clinic, "meera", access.Agent)
	both := st.member(t, st.clinic, "both", access.Agent)
	if _, err := access.AddMember(t.Context(), st.DB, st.motors.ID, access.Command("test"), st.person(t, "both"), access.Agent); err != nil {
		t.Fatal(err)
	}
	asha := st.signedIn(t, "asha")
	asha.post("/team", url.Values{"email": {"newcomer@pehchan.example"}, "role": {"agent"}})
	asha.get("/support-access")

	// One delivery in which both have a part, and a table that nobody has thought of.
	shared := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[%s,%s]}`, textTo(known[0], "wamid.mine", canary), textTo(known[2], "wamid.theirs", "kept for Ravi"))
	if r := st.deliver(t, hook, shared, signed(sandboxSecret, shared)); r.status != http.StatusOK {
		t.Fatalf("deliver: %d %s", r.status, r.body)
	}
	st.drain(t)
	for _, statement := range []string{
		`CREATE TABLE newcomers (tenant_id uuid NOT NULL REFERENCES tenants, word text NOT NULL, PRIMARY KEY (tenant_id, word))`,
		`ALTER TABLE newcomers ENABLE ROW LEVEL SECURITY`, `ALTER TABLE newcomers FORCE ROW LEVEL SECURITY`,
		`CREATE POLICY tenant ON newcomers USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`,
	} {
		db.MustExec(statement)
	}
	for _, tenant := range []tenants.Tenant{st.clinic, st.motors} {
		within(t, db, tenant.ID, func(tx *sqlx.Tx) { tx.MustExec(`INSERT INTO newcomers VALUES ($1, $2)`, tenant.ID, canary+tenant.Slug) })
	}
	all := func() string { return dump(t, db, st.clinic.ID, st.motors.ID) }
	if !strings.Contains(all(), canary) {
		t.Fatal("want the canary stored")
	}
	before, theirs := rowsOf(t, db, st.clinic.ID), rowsOf(t, db, st.motors.ID)

	// It is not over before its time, whatever asks for it.
	st.put(t, st.clinic, tenants.Active, tenants.Closing, "asked for by phone")
	err := st.DB.System(t.Context(), func(tx *tenants.Tx) error {
		var n int64
		return tx.GetContext(t.Context(), &n, `SELECT erase_tenant_rows($1, 'contacts', 10)`, st.clinic.ID)
	})
	if err == nil {
		t.Error("want rows of a business in its grace to stay")
	}
	st.exec(t, `UPDATE tenants SET erase_after = now() WHERE id = $1`, st.clinic.ID)
	st.bury(t, st.clinic.ID)

	kinds := 0
	for table, n := range rowsOf(t, db, st.clinic.ID) {
		if n > 0 {
			t.Errorf("%s: %d rows left", table, n)
		}
		if before[table] > 0 {
			kinds++
		}
	}
	if kinds < 25 {
		t.Errorf("only %d tables had rows before, want most of them", kinds)
	}
	for table, n := range rowsOf(t, db, st.motors.ID) {
		if n != theirs[table] {
			t.Errorf("%s: another business has %d rows, had %d", table, n, theirs[table])
		}
	}
	left := all()
	for _, word := range []string{canary + "asha-clinic", "wamid.mine", known[0].DisplayPhone, "meera@pehchan.example", "newcomer@pehchan.example", meera.String(), "asha-clinic"} {
		if at := strings.Index(left, word); at >= 0 {
			t.Errorf("%q is left: %.200s", word, left[max(0, at-100):])
		}
	}
	for _, word := range []string{"kept for Ravi", both.String(), "ravi@pehchan.example"} {
		if !strings.Contains(left, word) {
			t.Errorf("%q is gone with it", word)
		}
	}
	if got := st.theirs.get("/ingest"); got.number("items", "received") == 0 {
		t.Errorf("another business's meter says %s", got.body)
	}

	// Nobody gets in, and what comes again is held at the platform.
	asha.want(asha.get("/home"), http.StatusSeeOther, "/login?ended=1&next=%2Fhome")
	st.mine.want(st.mine.get("/ingest"), http.StatusUnauthorized, "unauthorized")
	if r := st.deliver(t, hook, shared, signed(sandboxSecret, shared)); r.status != http.StatusOK {
		t.Errorf("redelivery: want 200, got %d", r.status)
	}
	again := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[%s]}`, textTo(known[0], "wamid.again", "late"))
	if r := st.deliver(t, hook, again, signed(sandboxSecret, again)); r.status != http.StatusOK {
		t.Errorf("a late delivery: want 200, got %d", r.status)
	}
	st.drain(t)
	for table, n := range rowsOf(t, db, st.clinic.ID) {
		if n > 0 {
			t.Errorf("%s: %d rows came back", table, n)
		}
	}

	var tombstone struct {
		Name string `db:"name"`
		Rows int    `db:"rows"`
	}
	if err := db.Get(&tombstone, `SELECT name, (erased->>'contacts')::int AS rows FROM tenants WHERE id = $1 AND state = 'erased'`, st.clinic.ID); err != nil || tombstone.Rows != before["contacts"] {
		t.Errorf("tombstone: got %+v, %v, want %d contacts counted", tombstone, err, before["contacts"])
	}
	letters := st.letters(t, 1)
	if letters[0].to != "<asha@pehchan.example>" || !strings.Contains(letters[0].whole, st.clinic.ID.String()) {
		t.Errorf("got %s %q, want Asha's receipt", letters[0].to, letters[0].subject)
	}
	if left := all(); strings.Contains(left, "asha@pehchan.example") {
		t.Error("want Asha's address gone once the receipt is out")
	}
	if n, fault, err := verifyPlatform(st); err != nil || fault != nil || n == 0 {
		t.Errorf("platform audit: %d entries, %v, %v", n, fault, err)
	}
}

func verifyPlatform(st *apiSite) (n int64, fault *tenants.AuditFault, err error) {
	ctx := context.Background()
	err = st.DB.System(ctx, func(tx *tenants.Tx) error {
		n, fault, err = tenants.VerifyAudit(ctx, tx)
		return err
	})

	return n, fault, err
}

// textTo is an entry in which somebody writes to a number.
func textTo(n sandbox.Number, wamid, words string) string {
	return fmt.Sprintf(`{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q},
		"contacts":[{"profile":{"name":%q},"wa_id":"919811100099","user_id":"IN.7704418820099999"}],
		"messages":[{"from":"919811100099","from_user_id":"IN.7704418820099999","id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}`,
		n.WABAID, n.DisplayPhone, n.PhoneNumberID, words, wamid, time.Now().Unix()-60, words)
}
