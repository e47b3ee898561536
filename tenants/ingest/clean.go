package ingest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// SealStored seals what lies in clear of a number: its items, those about its account that name no number, what is held of it at the
// platform, and the deliveries all these were cut from. It does the next of them after an id and returns the id of the last, "" where
// there was none.
func SealStored(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant, number uuid.UUID, after string, limit int) (last string, err error) {
	from := int64(0)
	if after != "" {
		if from, err = strconv.ParseInt(after, 10, 64); err != nil {
			return "", fmt.Errorf("read place among items: %w", err)
		}
	}

	// Looked for before anything is locked: it may go through all that came to anybody, and the splitter would wait.
	var ids pq.Int64Array
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &ids, `
			SELECT i.id FROM number_directory d
			JOIN inbox_items i ON NOT i.sealed AND i.id > $3
			     AND (i.tenant_id = $1 AND (i.number_id = $2 OR i.number_id IS NULL AND i.waba_id IN ('', d.waba_id))
			          OR i.tenant_id IS NULL AND i.phone_number_id = d.phone_number_id)
			WHERE d.tenant_id = $1 AND d.number_id = $2
			ORDER BY i.id LIMIT $4`, tenant, number, from, limit)
	})
	if err != nil {
		return "", fmt.Errorf("look for items to seal: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}

	err = db.System(ctx, func(tx *tenants.Tx) error {
		var items []struct {
			ID     int64         `db:"id"`
			Event  int64         `db:"event_id"`
			Tenant uuid.NullUUID `db:"tenant_id"`
			Body   []byte        `db:"body"`
		}
		// First the splitter, as everybody who changes items.
		if err := lockSplit(ctx, tx); err != nil {
			return err
		}
		if err := tx.SelectContext(ctx, &items, `
			SELECT id, event_id, tenant_id, body FROM inbox_items WHERE id = ANY($1) AND NOT sealed ORDER BY id FOR UPDATE`, ids); err != nil {
			return fmt.Errorf("read items to seal: %w", err)
		}
		seen := map[int64]bool{}
		for _, it := range items {
			sealed, err := phonefree.Seal(keys, it.Tenant.UUID, it.Body)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE inbox_items SET body = $2, sealed = true WHERE id = $1`, it.ID, sealed); err != nil {
				return fmt.Errorf("seal item: %w", err)
			}
			if seen[it.Event] {
				continue
			}
			seen[it.Event] = true
			if err := sealStored(ctx, tx, keys, it.Event); err != nil {
				return err
			}
		}

		return nil
	})

	return strconv.FormatInt(ids[len(ids)-1], 10), err
}

func sealStored(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id int64) error {
	var e event
	err := tx.GetContext(ctx, &e, `SELECT id, body, sealed FROM inbox_events WHERE id = $1 FOR UPDATE`, id)
	if noRows(err) || err == nil && e.Sealed {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read delivery to seal: %w", err)
	}
	if e.Body, err = phonefree.SealDelivery(keys, e.Body); err != nil {
		return err
	}

	return rewrite(ctx, tx, []event{e})
}
