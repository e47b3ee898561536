package lives

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
)

const (
	batch    = 5000 // rows in one statement, so that none is locked for long
	items    = 500  // deliveries are larger
	maxRound = 20   // of going through all tables: what still worked when it began has long stopped by then
)

// erase takes a business away: first what lets anybody in or acts for it, then what came for it, then all its rows, until a whole round
// finds none, then the people who belonged to nobody else. It can be broken off anywhere and begun again.
func (w *Worker) erase(ctx context.Context, j *job) error {
	if erased, err := w.lockOut(ctx, j); err != nil || !erased {
		return err
	}
	order, err := w.tables(ctx)
	if err != nil {
		return err
	}

	for round := 1; ; round++ {
		gone, err := w.eraseInbox(ctx, j)
		if err != nil {
			return err
		}
		for _, t := range order {
			n, err := w.eraseTable(ctx, j.Tenant, t)
			if err != nil {
				return err
			}
			if gone += n; n > 0 {
				j.Rows[t.Name] += n
				if err := w.keep(ctx, j); err != nil {
					return err
				}
			}
		}
		if gone == 0 {
			break
		}
		if round == maxRound {
			return fmt.Errorf("rows of business %s keep coming", j.Tenant)
		}
	}

	return w.bury(ctx, j)
}

// lockOut makes the business an erased one, tells nobody anything about it any more, and takes away every key: sessions, API keys, tokens
// and secrets of its own apps. A business that is not to be erased, as it was taken back after the job was planned, is left alone and the
// job is no more.
func (w *Worker) lockOut(ctx context.Context, j *job) (erased bool, err error) {
	err = w.db.System(ctx, func(tx *tenants.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE tenants SET state = 'erased', state_before = '', reason_before = '' WHERE id = $1 AND state = 'closing' AND erase_after <= now()`, j.Tenant)
		if err != nil {
			return fmt.Errorf("lock a business: %w", err)
		}
		first, err := done.RowsAffected()
		if err != nil {
			return fmt.Errorf("lock a business: %w", err)
		}
		if err := tx.GetContext(ctx, &erased, `SELECT state = 'erased' FROM tenants WHERE id = $1 FOR UPDATE`, j.Tenant); err != nil {
			return fmt.Errorf("lock a business: %w", err)
		}
		if !erased {
			if _, err := tx.ExecContext(ctx, `DELETE FROM jobs WHERE id = $1`, j.ID); err != nil {
				return fmt.Errorf("drop job: %w", err)
			}

			return nil
		}
		if first > 0 {
			if err := farewell(ctx, tx, j); err != nil {
				return err
			}
			// With the state, or nobody would know any more who they were.
			if err := note(ctx, tx, j); err != nil {
				return err
			}
		}
		for _, statement := range []string{
			`DELETE FROM sessions WHERE tenant_id = $1`,
			`DELETE FROM api_keys WHERE tenant_id = $1`,
			`DELETE FROM invitations WHERE tenant_id = $1`,
			`UPDATE number_directory SET until = now() WHERE tenant_id = $1 AND until IS NULL`,
			`UPDATE apps SET app_secret = '', verify_token = '', old_app_secret = NULL, old_verify_token = NULL WHERE tenant_id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, j.Tenant); err != nil {
				return fmt.Errorf("take away keys: %w", err)
			}
		}
		if first == 0 {
			return nil
		}

		return tenants.Audit(ctx, tx, tenants.Act{Actor: tenants.SystemActor, Action: "tenant.erase_begin", ObjectKind: "tenant", ObjectID: j.Tenant.String()})
	})
	if err != nil || !erased {
		return false, err
	}

	return true, w.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE numbers SET access_token = NULL, pin = NULL WHERE tenant_id = $1`, tx.Tenant)
		return err
	})
}

// farewell notes who belonged to nobody else, and plans the owners' receipts while their addresses are known.
func farewell(ctx context.Context, tx *tenants.Tx, j *job) error {
	if err := tx.SelectContext(ctx, &j.People, `
		SELECT p.id FROM memberships m JOIN people p ON p.id = m.person_id AND p.operator_role IS NULL
		WHERE m.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.person_id = p.id AND o.tenant_id <> $1)`, j.Tenant); err != nil {
		return fmt.Errorf("list people of a business: %w", err)
	}
	if j.Again {
		return nil // they had their receipt
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, kind, args, run_at)
		SELECT gen_random_uuid(), $2, jsonb_build_object('whose', p.email, 'lang', coalesce(p.lang, t.lang), 'tenant_id', t.id), 'infinity'
		FROM memberships m JOIN people p ON p.id = m.person_id JOIN tenants t ON t.id = m.tenant_id
		WHERE m.tenant_id = $1 AND m.role = 'owner' AND p.disabled_at IS NULL`, j.Tenant, KindErased); err != nil {
		return fmt.Errorf("plan receipts: %w", err)
	}

	return nil
}

// table is one that may hold rows of a business. whole: its rows refer to each other, so they go together.
type table struct {
	Name  string `db:"name"`
	Whole bool   `db:"whole"`
}

// tables lists all that have a tenant_id, each after those that refer to it.
func (w *Worker) tables(ctx context.Context) ([]table, error) {
	var (
		all  []table
		refs []struct {
			From string `db:"from"`
			To   string `db:"to"`
		}
	)
	err := w.db.System(ctx, func(tx *tenants.Tx) error {
		if err := tx.SelectContext(ctx, &all, `
			SELECT c.relname AS name, EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid = c.oid) AS whole
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
			WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`); err != nil {
			return fmt.Errorf("list tables: %w", err)
		}

		return tx.SelectContext(ctx, &refs, `
			SELECT f.relname AS from, t.relname AS to
			FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
			WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND f.relnamespace = 'public'::regnamespace`)
	})
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}

	left := map[string]table{}
	for _, t := range all {
		left[t.Name] = t
	}
	var order []table
	for len(left) > 0 {
		before := len(order)
		for _, name := range slices.Sorted(maps.Keys(left)) {
			held := false
			for _, r := range refs {
				_, waits := left[r.From]
				held = held || r.To == name && waits
			}
			if !held {
				order = append(order, left[name])
				delete(left, name)
			}
		}
		if len(order) == before {
			return nil, fmt.Errorf("the tables %v refer to each other in a circle", slices.Sorted(maps.Keys(left)))
		}
	}

	return order, nil
}

func (w *Worker) eraseInbox(ctx context.Context, j *job) (gone int64, err error) {
	for {
		n, err := ingest.EraseTenant(ctx, w.db, j.Tenant, items)
		if err != nil || n == 0 {
			return gone, err
		}
		gone += n
		j.Rows["inbox_items"] += n
	}
}

// eraseTable deletes the business's rows of a table, as the business and, for what only the platform sees, as that.
func (w *Worker) eraseTable(ctx context.Context, tenant uuid.UUID, t table) (gone int64, err error) {
	most := batch
	if t.Whole {
		most = 1 << 30
	}
	pass := func(tx *tenants.Tx, n *int64) error {
		if t.Name == "apps" {
			for _, statement := range []string{
				`DELETE FROM app_counters WHERE app_id IN (SELECT id FROM apps WHERE tenant_id = $1)`,
				`DELETE FROM app_refusals WHERE app_id IN (SELECT id FROM apps WHERE tenant_id = $1)`,
			} {
				if _, err := tx.ExecContext(ctx, statement, tenant); err != nil {
					return fmt.Errorf("erase counters of apps: %w", err)
				}
			}
		}

		return tx.GetContext(ctx, n, `SELECT erase_tenant_rows($1, $2::regclass, $3)`, tenant, "public."+pq.QuoteIdentifier(t.Name), most)
	}
	for _, in := range []func(func(*tenants.Tx) error) error{
		func(do func(*tenants.Tx) error) error { return w.db.System(ctx, do) },
		func(do func(*tenants.Tx) error) error { return w.db.As(ctx, tenant, do) },
	} {
		for {
			var n int64
			if err := in(func(tx *tenants.Tx) error { return pass(tx, &n) }); err != nil {
				return gone, fmt.Errorf("erase from %s: %w", t.Name, err)
			}
			if gone += n; n == 0 {
				break
			}
		}
	}

	return gone, nil
}

// bury deletes the people who belonged to nobody else, leaves the tombstone and lets the receipts go out.
func (w *Worker) bury(ctx context.Context, j *job) error {
	total := int64(0)
	for _, n := range j.Rows {
		total += n
	}

	return w.db.System(ctx, func(tx *tenants.Tx) error {
		people, err := access.ForgetPeople(ctx, tx, j.People)
		if err != nil {
			return err
		}
		j.Rows["people"] = people
		if _, err := tx.ExecContext(ctx, `
			UPDATE tenants
			SET name = '–', slug = 'gone-' || left(replace(id::text, '-', ''), 30), state_reason = '', state_by = '', state_since = now(), standing_access = '',
			    erased = (SELECT args->'rows' FROM jobs WHERE id = $2) || jsonb_build_object('people', $3::bigint)
			WHERE id = $1`, j.Tenant, j.ID, people); err != nil {
			return fmt.Errorf("leave tombstone: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'done', args = jsonb_build_object('tenant_id', $2::uuid), problem = '', finished_at = now() WHERE id = $1`, j.ID, j.Tenant); err != nil {
			return fmt.Errorf("end erasing: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE jobs SET run_at = now(), args = args || jsonb_build_object('rows', $3::bigint)
			WHERE kind = $1 AND args->>'tenant_id' = $2 AND state = 'waiting'`, KindErased, j.Tenant.String(), total); err != nil {
			return fmt.Errorf("let receipts go: %w", err)
		}

		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: tenants.SystemActor, Action: "tenant.erase", ObjectKind: "tenant", ObjectID: j.Tenant.String(),
			Detail: map[string]any{"rows": total, "people": people},
		})
	})
}
