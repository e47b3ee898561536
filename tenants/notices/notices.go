// Package notices keeps what WhatsApp says about the business's own account and numbers: its username there, names and quality
// judged, templates approved, accounts disconnected or disabled, errors. None of it concerns a customer.
package notices

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// FieldUsername stands for every name that the field about the business's own username has had, FieldError for an error that
// WhatsApp reported instead of a message.
const (
	FieldUsername = "business_username_updates"
	FieldError    = "errors"
)

// Heard is one notice as it came out of the inbox.
type Heard struct {
	ItemID     int64
	NumberID   uuid.NullUUID // not Valid: about the whole WABA
	WABA       string
	Field      string
	ReceivedAt time.Time
	Event      whatsapp.Event
}

// Notice is one thing WhatsApp said.
type Notice struct {
	ID       uuid.UUID     `db:"id"`
	WABA     string        `db:"waba_id"`
	NumberID uuid.NullUUID `db:"number_id"`
	Field    string        `db:"field"` // the webhook field, FieldUsername or FieldError
	Event    string        `db:"event"` // in WhatsApp's word: approved, PARTNER_REMOVED, …; of an error its code
	At       time.Time     `db:"at"`    // WhatsApp's clock, that of receipt where it sent none
	Facts    Facts         `db:"facts"`
	ItemID   int64         `db:"item_id"`
}

// Facts are the plain members of a notice by dotted path: "disconnection_info.reason".
type Facts map[string]string

// Scan reads the jsonb column.
func (f *Facts) Scan(src any) error {
	raw, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("scan facts: got %T", src)
	}

	return json.Unmarshal(raw, f)
}

// Record keeps notices. One that is known already changes nothing. Where one names the portfolio of a WABA, a job is left to learn it.
func Record(ctx context.Context, tx *tenants.Tx, heard []Heard) error {
	if len(heard) == 0 {
		return nil
	}

	var (
		ids                                   []uuid.UUID
		numbers                               []uuid.NullUUID
		wabas, fields, events, digests, facts []string
		at                                    []time.Time
		items                                 []int64
	)
	for _, h := range heard {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make notice id: %w", err)
		}
		encoded, err := json.Marshal(h.Event.Facts)
		if err != nil {
			return fmt.Errorf("encode notice: %w", err)
		}
		field, event, when := h.Field, h.Event.Type, h.Event.At
		switch h.Event.Kind {
		case whatsapp.KindUsername:
			field = FieldUsername
		case whatsapp.KindError:
			field, event = FieldError, h.Event.Facts["code"]
		default: // the field's own name
		}
		if when.IsZero() {
			when = h.ReceivedAt.UTC().Truncate(time.Second)
		}
		ids, numbers, wabas, fields, events = append(ids, id), append(numbers, h.NumberID), append(wabas, h.WABA), append(fields, field), append(events, event)
		digests, facts, at, items = append(digests, h.Event.Digest), append(facts, string(encoded)), append(at, when), append(items, h.ItemID)
	}
	var kept []struct {
		ID    uuid.UUID `db:"id"`
		Event string    `db:"event"`
		Fresh bool      `db:"fresh"`
	}
	err := tx.SelectContext(ctx, &kept, `
		INSERT INTO notices (tenant_id, id, number_id, waba_id, field, event, at, digest, facts, item_id)
		SELECT $1, w.id, w.number_id, w.waba_id, w.field, w.event, w.at, w.digest, w.facts::jsonb, w.item_id
		FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[], $10::bigint[])
		     AS w (id, number_id, waba_id, field, event, at, digest, facts, item_id)
		ON CONFLICT ON CONSTRAINT notices_once DO NOTHING
		RETURNING id, event, field = 'account_update' AND at > now() - interval '2 days' AS fresh`,
		tx.Tenant, pq.Array(ids), pq.Array(numbers), pq.Array(wabas), pq.Array(fields), pq.Array(events), pq.Array(at), pq.Array(digests),
		pq.Array(facts), pq.Array(items))
	if err != nil {
		return fmt.Errorf("keep notices: %w", err)
	}
	var bad []uuid.UUID
	for _, k := range kept {
		if k.Fresh && slices.Contains(troubles, k.Event) {
			bad = append(bad, k.ID)
		}
	}
	if err := planTelling(ctx, tx, bad); err != nil {
		return err
	}

	return planPortfolios(ctx, tx, heard)
}

const (
	maxList = 200
	columns = `SELECT n.id, n.waba_id, n.number_id, n.field, n.event, n.at, n.facts, n.item_id FROM notices n`
)

// About lists what WhatsApp said about a number and its WABA, newest first, at most limit (1 to 200).
func About(ctx context.Context, tx *tenants.Tx, number uuid.UUID, waba string, limit int) ([]Notice, error) {
	if limit < 1 || limit > maxList {
		limit = maxList
	}

	list := []Notice{}
	err := tx.SelectContext(ctx, &list, columns+`
		WHERE n.tenant_id = $1 AND (n.number_id = $2 OR n.number_id IS NULL AND n.waba_id = $3)
		ORDER BY n.at DESC, n.id DESC LIMIT $4`, tx.Tenant, number, waba, limit)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}

	return list, nil
}

// Username is the last that WhatsApp said of a number's own username; ok is false where it never spoke of one. Event is reserved,
// approved or deleted, Facts hold username and, where Meta took a name away, context revoked.
func Username(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (n Notice, ok bool, err error) {
	return last(ctx, tx, `
		WHERE n.tenant_id = $1 AND n.number_id = $2 AND n.field = '`+FieldUsername+`'
		ORDER BY n.at DESC, n.event = 'deleted', n.digest LIMIT 1`, tx.Tenant, number)
}

// Usernames is Username of every number of tx's tenant, by number.
func Usernames(ctx context.Context, tx *tenants.Tx) (map[uuid.UUID]Notice, error) {
	var list []Notice
	err := tx.SelectContext(ctx, &list, `
		SELECT DISTINCT ON (n.number_id) n.id, n.waba_id, n.number_id, n.field, n.event, n.at, n.facts, n.item_id FROM notices n
		WHERE n.tenant_id = $1 AND n.number_id IS NOT NULL AND n.field = $2
		ORDER BY n.number_id, n.at DESC, n.event = 'deleted', n.digest`, tx.Tenant, FieldUsername)
	if err != nil {
		return nil, fmt.Errorf("list usernames: %w", err)
	}
	names := make(map[uuid.UUID]Notice, len(list))
	for _, n := range list {
		names[n.NumberID.UUID] = n
	}

	return names, nil
}

// troubles are the account events after which nothing arrives, or soon nothing will; recoveries those that end them. Source:
// domain facts 3.12.
var (
	troubles = []string{
		"PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED", "ACCOUNT_OFFBOARDED", "ACCOUNT_DELETED", "DISABLED_UPDATE", "ACCOUNT_RESTRICTION",
		"ACCOUNT_VIOLATION",
	}
	recoveries = []string{"PARTNER_APP_INSTALLED", "PARTNER_ADDED", "ACCOUNT_RECONNECTED"}
)

// reinstated is the state of a DISABLED_UPDATE that lifts a ban.
const reinstated = "REINSTATE"

// Trouble is what WhatsApp last said that stops a WABA's or number's messages, unless it has said since that all is well; ok is
// false where nothing stands against it.
func Trouble(ctx context.Context, tx *tenants.Tx, number uuid.UUID, waba string) (n Notice, ok bool, err error) {
	n, ok, err = last(ctx, tx, `
		WHERE n.tenant_id = $1 AND (n.number_id = $2 OR n.number_id IS NULL AND n.waba_id = $3) AND n.field = 'account_update' AND n.event = ANY($4)
		ORDER BY n.at DESC, n.event = ANY($5) DESC, n.digest LIMIT 1`,
		tx.Tenant, number, waba, pq.Array(append(append([]string{}, troubles...), recoveries...)), pq.Array(troubles))
	if err != nil || !ok {
		return Notice{}, false, err
	}
	for _, r := range recoveries {
		if n.Event == r {
			return Notice{}, false, nil
		}
	}

	return n, n.Facts["ban_info.waba_ban_state"] != reinstated, nil
}

// Get returns a notice of tx's tenant, or tenants.ErrNotFound.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Notice, error) {
	n, ok, err := last(ctx, tx, ` WHERE n.tenant_id = $1 AND n.id = $2`, tx.Tenant, id)
	if err == nil && !ok {
		err = tenants.ErrNotFound
	}

	return n, err
}

func last(ctx context.Context, tx *tenants.Tx, where string, args ...any) (Notice, bool, error) {
	var list []Notice
	if err := tx.SelectContext(ctx, &list, columns+where, args...); err != nil {
		return Notice{}, false, fmt.Errorf("read notice: %w", err)
	}
	if len(list) == 0 {
		return Notice{}, false, nil
	}

	return list[0], true, nil
}
