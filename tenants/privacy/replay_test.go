package privacy_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// backup is every row of a database, and restore brings the database back to it, whatever was written since.
type backup struct {
	h      *house
	db     *sql.DB
	tables []string
	cols   map[string]string
}

func (h *house) backup() *backup {
	h.t.Helper()
	db, err := sql.Open("postgres", h.OwnerDSN)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = db.Close() })
	b := &backup{h: h, db: db, cols: map[string]string{}}
	rows, err := db.QueryContext(h.t.Context(), `
		SELECT c.table_name, string_agg(quote_ident(c.column_name), ', ' ORDER BY c.ordinal_position) FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
		WHERE c.table_schema = 'public' AND c.is_generated = 'NEVER' AND c.table_name NOT IN ('goose_db_version', 'apps') GROUP BY 1`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, cols string
		if err := rows.Scan(&table, &cols); err != nil {
			h.t.Fatal(err)
		}
		b.tables, b.cols[table] = append(b.tables, table), cols
	}
	if rows.Err() != nil || len(b.tables) < 50 {
		h.t.Fatalf("%d tables: %v", len(b.tables), rows.Err())
	}
	b.inTenant(func(tx *sql.Tx) {
		if _, err := tx.ExecContext(h.t.Context(), `CREATE SCHEMA backup`); err != nil {
			h.t.Fatal(err)
		}
		for _, table := range b.tables {
			if _, err := tx.ExecContext(h.t.Context(), fmt.Sprintf(`CREATE TABLE backup.%q AS SELECT %s FROM public.%q`, table, b.cols[table], table)); err != nil {
				h.t.Fatalf("%s: %v", table, err)
			}
		}
	})

	return b
}

func (b *backup) inTenant(do func(tx *sql.Tx)) {
	b.h.t.Helper()
	ctx := b.h.t.Context()
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`SET LOCAL app.tenant_id = '%s'`, b.h.tenant)); err != nil {
		b.h.t.Fatal(err)
	}
	do(tx)
	if err := tx.Commit(); err != nil {
		b.h.t.Fatal(err)
	}
}

// each does something to every table, those first that no other refers to any more.
func (b *backup) each(tx *sql.Tx, statement func(table string) string) {
	b.h.t.Helper()
	ctx := b.h.t.Context()
	for left := b.tables; len(left) > 0; {
		var again []string
		var last error
		for _, table := range left {
			if _, err := tx.ExecContext(ctx, `SAVEPOINT one`); err != nil {
				b.h.t.Fatal(err)
			}
			if _, err := tx.ExecContext(ctx, statement(table)); err != nil {
				again, last = append(again, table), fmt.Errorf("%s: %w", table, err)
				if _, err := tx.ExecContext(ctx, `ROLLBACK TO one`); err != nil {
					b.h.t.Fatal(err)
				}
			}
		}
		if len(again) == len(left) {
			b.h.t.Fatal(last)
		}
		left = again
	}
}

func (b *backup) restore() {
	b.h.t.Helper()
	b.inTenant(func(tx *sql.Tx) {
		b.each(tx, func(table string) string { return fmt.Sprintf(`DELETE FROM public.%q`, table) })
		b.each(tx, func(table string) string {
			return fmt.Sprintf(`INSERT INTO public.%q (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM backup.%q`, table, b.cols[table], b.cols[table], table)
		})
	})
}

// forget drops the backup, whose tables would else be searched for the person.
func (b *backup) forget() {
	b.h.t.Helper()
	b.inTenant(func(tx *sql.Tx) {
		if _, err := tx.ExecContext(b.h.t.Context(), `DROP SCHEMA backup CASCADE`); err != nil {
			b.h.t.Fatal(err)
		}
	})
}

func (h *house) stones() (all []erased.Stone) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		all, err = erased.After(ctx, tx, nil, 10_000)
		return err
	})

	return all
}

func (h *house) replay(stones []erased.Stone) []uuid.UUID {
	h.t.Helper()
	w := h.worker()
	begun, err := w.Replay(h.t.Context(), h.tenant, meera, stones)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range begun {
		if done, err := w.Finish(h.t.Context(), h.tenant, id); err != nil || !done {
			h.t.Fatalf("erasing again: done %v, %v", done, err)
		}
	}

	return begun
}

// A backup from before an erasure brings the person back; the list of erasures, kept elsewhere, takes them out of it again, and no one
// else. Who was erased before the backup and wrote again stays, and a second replay does nothing.
func TestErasuresAreReplayedAfterARestore(t *testing.T) {
	t.Parallel()
	h := open(t)
	const third, thirdID = "919812300033", "IN.5550000000000033"
	comes := func(body string) {
		h.deliver("messages", map[string]any{
			"contacts": []any{profile(third, thirdID, "Kamla")}, "messages": []any{h.item(third, thirdID, before, text(body))},
		})
		h.settle()
	}
	comes("a third")
	if r := h.erase(h.worker(), h.contact(whatsapp.KindPhone, third).ID); r.State != privacy.Done {
		t.Fatalf("state %s, want done", r.State)
	}
	contact := fill(h)
	h.exec(`UPDATE tombstones SET erased_at = erased_at - interval '3 days' WHERE tenant_id = $1`, h.tenant) // Kamla, before she writes anew
	comes("hello, I am new")
	kept := h.contact(whatsapp.KindPhone, third)
	if kept == nil {
		t.Fatal("who wrote again is nobody")
	}

	b := h.backup()
	if r := h.erase(h.worker(), contact); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}
	stones := h.stones()
	b.restore()
	b.forget()
	if c := h.contact(whatsapp.KindPhone, phone); c == nil || h.found()["messages"] == 0 {
		t.Fatal("the backup did not bring the person back: the test shows nothing")
	}

	begun := h.replay(stones)
	if len(begun) != 1 {
		t.Fatalf("%d people erased again, want one; log:\n%s", len(begun), h.log)
	}
	if left := h.found(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if r := h.state(begun[0]); r.State != privacy.Done || r.Origin != "restore" {
		t.Errorf("request %+v, want it done, of a restore", r)
	}
	if c := h.contact(whatsapp.KindPhone, third); c == nil || c.ID != kept.ID {
		t.Error("who was erased before the backup and wrote again was erased again")
	}
	if c := h.contact(whatsapp.KindPhone, otherPhone); c == nil {
		t.Error("the neighbour was erased too")
	}
	h.balanced()
	if again := h.replay(stones); len(again) != 0 {
		t.Errorf("a second replay erased %d people", len(again))
	}
	// What came before comes again: still nobody.
	h.sent = 0
	h.writes(before, "hello "+canary)
	h.settle()
	if c := h.contact(whatsapp.KindPhone, phone); c != nil {
		t.Errorf("what came again brought the person back as %s", c.ID)
	}
}

// In the backup the person was merged with somebody who was parted from them before the erasure: only the accounts that were erased go.
func TestReplayLeavesWhoWasMergedThen(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	var stones []erased.Stone
	hasher := erased.For(h.keys, h.tenant)
	for _, value := range []string{phone, bsuid} {
		stones = append(stones, erased.Stone{Hash: hasher.Hash(erased.Identifier, value), Kind: erased.Identifier, ErasedAt: before.AddDate(0, 0, 1)})
	}
	h.exec(`UPDATE identities SET contact_id = $2 WHERE tenant_id = $1 AND contact_id = $3`, h.tenant, neighbour, her)
	if begun := h.replay(stones); len(begun) != 1 {
		t.Fatalf("%d erased, want the one account", len(begun))
	}
	if c := h.contact(whatsapp.KindBSUID, bsuid); c != nil {
		t.Errorf("her account is still there, in %s", c.ID)
	}
	c := h.contact(whatsapp.KindBSUID, otherID)
	if c == nil || c.ID != neighbour || len(c.Identities) != 1 {
		t.Errorf("the neighbour is %+v, want them with their own account", c)
	}
}

// Another business's list says nothing of this one's customers.
func TestReplayOfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(before, "hello")
	h.settle()
	other := uuid.Must(uuid.NewV7())
	if err := h.DB.System(t.Context(), func(tx *tenants.Tx) error {
		_, err := tx.Exec(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'ravi-motors', 'Ravi Motors')`, other)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	stones := []erased.Stone{{Hash: erased.For(h.keys, other).Hash(erased.Identifier, phone), Kind: erased.Identifier, ErasedAt: before.AddDate(0, 0, 1)}}
	for _, tenant := range []uuid.UUID{other, h.tenant} {
		begun, err := h.worker().Replay(t.Context(), tenant, meera, stones)
		if err != nil || len(begun) != 0 {
			t.Errorf("%d erased, %v; want none", len(begun), err)
		}
	}
	if c := h.contact(whatsapp.KindPhone, phone); c == nil || strings.TrimSpace(c.ID.String()) == "" {
		t.Error("the customer is gone")
	}
}
