package ingest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The shapes of webhooks that matter for usernames and IDs, the ones to know first. Source: domain facts 2 and 3.
const (
	ShapePhoneID   = "phone_id"   // a customer's phone and ID together
	ShapePhone     = "phone"      // a phone without an ID, as before IDs
	ShapeID        = "id"         // an ID without a phone
	ShapeUsername  = "username"   // a username
	ShapeParent    = "parent"     // the ID that several portfolios of one enterprise share
	ShapeStatusID  = "status_id"  // a status of the business's own message that names an ID
	ShapeChange    = "change"     // the news that a customer's ID or phone was replaced
	ShapeShared    = "shared"     // a contact card, as a customer shares their number
	ShapeFromApp   = "from_app"   // what was written in the WhatsApp Business app
	ShapePhonebook = "phonebook"  // names saved on the business's phone
	ShapeOptOut    = "preference" // the wish for no more marketing
)

// Shapes are all of them in their order.
var Shapes = []string{
	ShapePhoneID, ShapePhone, ShapeID, ShapeUsername, ShapeParent, ShapeStatusID, ShapeChange, ShapeShared, ShapeFromApp, ShapePhonebook, ShapeOptOut,
}

// shapesOf are the shapes of one event.
func shapesOf(e whatsapp.Event) (list []string) {
	add := func(is bool, shape string) {
		if is {
			list = append(list, shape)
		}
	}
	who := e.Party
	switch e.Kind {
	case whatsapp.KindMessage, whatsapp.KindCall:
		add(who.Phone != "" && who.BSUID != "", ShapePhoneID)
		add(who.Phone != "" && who.BSUID == "", ShapePhone)
		add(who.Phone == "" && who.BSUID != "", ShapeID)
		add(len(e.Cards) > 0, ShapeShared)
	case whatsapp.KindStatus:
		add(who.BSUID != "", ShapeStatusID)
	case whatsapp.KindEcho:
		add(true, ShapeFromApp)
	case whatsapp.KindSync:
		add(true, ShapePhonebook)
	case whatsapp.KindPreference:
		add(true, ShapeOptOut)
	case whatsapp.KindHistory: // what was once, in the shape of then
		return nil
	case whatsapp.KindSystem, whatsapp.KindIDUpdate, whatsapp.KindGroup, whatsapp.KindUserAction, whatsapp.KindUsername, whatsapp.KindError, whatsapp.KindChange:
	}
	add(e.Rotation != nil, ShapeChange)
	add(who.Username != "", ShapeUsername)
	add(who.Parent != "", ShapeParent)

	return list
}

// ShapeSeen is a shape that has come for a number.
type ShapeSeen struct {
	Shape   string    `db:"shape"`
	FirstAt time.Time `db:"first_at"`
	LastAt  time.Time `db:"last_at"`
}

// ShapesSeen lists the shapes that have come for a number of tx's tenant.
func ShapesSeen(ctx context.Context, tx *tenants.Tx, number uuid.UUID) ([]ShapeSeen, error) {
	list := []ShapeSeen{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT shape, first_at, last_at FROM number_shapes WHERE tenant_id = $1 AND number_id = $2 ORDER BY shape`, tx.Tenant, number); err != nil {
		return nil, fmt.Errorf("list shapes of number %s: %w", number, err)
	}

	return list, nil
}

type shapeKey struct {
	number uuid.UUID
	shape  string
}

// shapes collects which shapes a batch holds, and when they came.
type shapes map[shapeKey]ShapeSeen

func (s shapes) note(it waitingItem, e whatsapp.Event) {
	if !it.Number.Valid {
		return
	}
	for _, shape := range shapesOf(e) {
		k := shapeKey{it.Number.UUID, shape}
		was, known := s[k]
		if !known || it.ReceivedAt.Before(was.FirstAt) {
			was.FirstAt = it.ReceivedAt
		}
		if it.ReceivedAt.After(was.LastAt) {
			was.LastAt = it.ReceivedAt
		}
		s[k] = was
	}
}

// shapeGap is how far the last time of a shape may lie behind: without it each batch would write the same rows again.
const shapeGap = time.Minute

func (s shapes) write(ctx context.Context, tx *tenants.Tx) error {
	if len(s) == 0 {
		return nil
	}
	var (
		numbers     []uuid.UUID
		names       []string
		first, last []time.Time
	)
	for _, k := range slices.SortedFunc(maps.Keys(s), func(a, b shapeKey) int {
		return cmp.Or(bytes.Compare(a.number[:], b.number[:]), strings.Compare(a.shape, b.shape))
	}) {
		numbers, names, first, last = append(numbers, k.number), append(names, k.shape), append(first, s[k].FirstAt), append(last, s[k].LastAt)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO number_shapes AS s (tenant_id, number_id, shape, first_at, last_at)
		SELECT $1, w.* FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS w
		ON CONFLICT (tenant_id, number_id, shape) DO UPDATE
		SET first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)
		WHERE excluded.first_at < s.first_at OR excluded.last_at > s.last_at + $6 * interval '1 second'`,
		tx.Tenant, pq.Array(numbers), pq.Array(names), pq.Array(first), pq.Array(last), shapeGap.Seconds()); err != nil {
		return fmt.Errorf("note shapes: %w", err)
	}

	return nil
}
