package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// VeilItem is the kind under which an item's ID is written for outside: the ID itself would tell how much the whole platform
// takes in, and a second column with an index would cost every item something on its way in.
const VeilItem = "item"

// Item is an item of a tenant's inbox. Body is the JSON it was cut to, and set only by ItemByID: it holds a customer's data, so
// show it through MaskJSON to whoever may not see phones in clear, and where it is Sealed to everybody.
type Item struct {
	ID         int64         `db:"id"`
	NumberID   uuid.NullUUID `db:"number_id"` // not Valid: of the account, not of one number
	Field      string        `db:"field"`
	Kind       string        `db:"kind"`
	State      string        `db:"state"`
	Reason     string        `db:"reason"`
	Note       string        `db:"note"`
	Tries      int           `db:"tries"`
	ReceivedAt time.Time     `db:"received_at"`
	Since      time.Time     `db:"since"` // when it came to its state
	Body       []byte        `db:"body"`
	Sealed     bool          `db:"sealed"` // it came by a number that keeps no phones
}

// ItemFilter chooses items: of one state and one number, or of no number at all, where these are set, after the cursor, at most
// Limit (1 to 200).
type ItemFilter struct {
	State    string
	NumberID uuid.UUID
	NoNumber bool
	BeforeAt time.Time // ReceivedAt and ID of the last item of the page before
	BeforeID int64
	Limit    int
}

// Items lists items of tx's tenant, the last received first.
func Items(ctx context.Context, tx *tenants.Tx, f ItemFilter) ([]Item, error) {
	switch f.State {
	case "", Waiting, Routed, SetAside:
	default:
		return nil, &tenants.Invalid{Field: "state", Key: "choice"}
	}
	if f.Limit < 1 || f.Limit > maxList {
		f.Limit = maxList
	}

	items := []Item{}
	err := tx.SelectContext(ctx, &items, `
		SELECT id, number_id, field, kind, state, reason, note, tries, received_at, since FROM inbox_items
		WHERE tenant_id = $1 AND ($2 = '' OR state = $2) AND ($3 = $7::uuid OR number_id = $3) AND ($4 OR (received_at, id) < ($5, $6))
		  AND (NOT $9 OR number_id IS NULL)
		ORDER BY received_at DESC, id DESC LIMIT $8`,
		tx.Tenant, f.State, f.NumberID, f.BeforeID == 0, f.BeforeAt, f.BeforeID, uuid.Nil, f.Limit, f.NoNumber)
	if err != nil {
		return nil, fmt.Errorf("list items: %w", err)
	}

	return items, nil
}

// ItemByID returns an item of tx's tenant with its body, opened with keys where it is sealed, or tenants.ErrNotFound.
func ItemByID(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id int64) (Item, error) {
	var it Item
	err := tx.GetContext(ctx, &it, `
		SELECT id, number_id, field, kind, state, reason, note, tries, received_at, since, body, sealed FROM inbox_items
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if noRows(err) {
		return Item{}, tenants.ErrNotFound
	}
	if err != nil {
		return Item{}, fmt.Errorf("get item %d: %w", id, err)
	}
	if it.Sealed {
		if it.Body, err = phonefree.Open(keys, tx.Tenant, it.Body); err != nil {
			return Item{}, fmt.Errorf("get item %d: %w", id, err)
		}
	}

	return it, nil
}

// WholeDelivery returns the stored bytes behind an item of the tenant that stands for a whole delivery, whose own body is
// empty. Any other item is tenants.ErrNotFound, for its delivery may hold what belongs to others.
func WholeDelivery(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant uuid.UUID, item int64) ([]byte, error) {
	var whole event
	err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &whole, `
			SELECT e.id, e.body, e.sealed FROM inbox_items i JOIN inbox_events e ON e.id = i.event_id
			WHERE i.tenant_id = $1 AND i.id = $2 AND i.kind = $3`, tenant, item, kindDelivery)
	})
	if noRows(err) {
		return nil, tenants.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read delivery of item %d: %w", item, err)
	}
	if err := whole.open(keys); err != nil {
		return nil, err
	}

	return whole.Body, nil
}
