package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// News is what came for a number of one webhook field: when the last of it was received, and the bytes of the last few deliveries
// with some of it.
type News struct {
	Last   time.Time
	Bodies [][]byte
}

// NewsOf looks for what a number's Business app sent after a time, by the fields history or smb_app_state_sync, in at most the few
// last deliveries. A delivery may hold what belongs to others: take out of it only what names the number.
func NewsOf(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant, number uuid.UUID, field string, after time.Time, few int) (News, error) {
	var last []struct {
		Event int64     `db:"event_id"`
		At    time.Time `db:"at"`
	}
	err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &last, `
			SELECT event_id, max(received_at) AS at FROM inbox_items
			WHERE tenant_id = $1 AND received_at > $2 AND number_id = $3 AND field = $4 AND state <> 'waiting'
			  AND field IN ('history', 'smb_app_state_sync')
			GROUP BY event_id ORDER BY at DESC, event_id DESC LIMIT $5`, tenant, after, number, field, few)
	})
	if err != nil || len(last) == 0 {
		return News{}, wrap(err, "look for news of a number")
	}

	news := News{Last: last[0].At}
	events := make([]int64, len(last))
	for i, l := range last {
		events[i] = l.Event
	}
	var whole []event
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &whole, `SELECT id, body, sealed FROM inbox_events WHERE id = ANY($1) ORDER BY id`, pq.Array(events))
	})
	for _, e := range whole {
		if err := e.open(keys); err != nil {
			return News{}, err
		}
		news.Bodies = append(news.Bodies, e.Body)
	}

	return news, wrap(err, "read deliveries of a number")
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}

	return fmt.Errorf("%s: %w", doing, err)
}
