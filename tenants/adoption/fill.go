package adoption

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// KindFill is the kind of the job that counts what was said to a tenant before there were counts. It is planned by the migration.
const KindFill = "adoption_fill"

// Filling tells whether the tenant's past is still being counted: until then its sums are not all there.
func Filling(ctx context.Context, tx *tenants.Tx) (bool, error) {
	var waiting bool
	if err := tx.GetContext(ctx, &waiting, `
		SELECT EXISTS (SELECT 1 FROM jobs WHERE id = md5($2::text || ' ' || $1::uuid)::uuid AND tenant_id = $1 AND state <> 'done')`,
		tx.Tenant, KindFill); err != nil {
		return false, fmt.Errorf("look whether the past is counted: %w", err)
	}

	return waiting, nil
}

type fillArgs struct {
	After uuid.UUID `json:"after"` // the tenure up to which all is counted
}

// tenuresAtOnce is how many identifiers' past is read in one transaction: a lane waits for it.
const tenuresAtOnce = 500

// ContinueFill does the next part of a KindFill job, if it is due: its rows, and what they add to the sums. Under the identity lock.
func ContinueFill(ctx context.Context, tx *tenants.Tx, job uuid.UUID) error {
	var raw []byte
	err := tx.GetContext(ctx, &raw, `
		SELECT args FROM jobs WHERE tenant_id = $1 AND id = $2 AND kind = $3 AND state IN ('waiting', 'running') AND run_at <= now() FOR UPDATE`,
		tx.Tenant, job, KindFill)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claim job: %w", err)
	}
	var args fillArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return fmt.Errorf("read job: %w", err)
	}

	var tenures []uuid.UUID
	if err := tx.SelectContext(ctx, &tenures, `
		SELECT id FROM tenures WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3`, tx.Tenant, args.After, tenuresAtOnce); err != nil {
		return fmt.Errorf("read tenures: %w", err)
	}
	if len(tenures) == 0 {
		if _, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'done', finished_at = clock_timestamp() WHERE tenant_id = $1 AND id = $2`, tx.Tenant, job); err != nil {
			return fmt.Errorf("finish job: %w", err)
		}
		return nil
	}

	var accounts []uuid.UUID
	if err := tx.SelectContext(ctx, &accounts, `
		SELECT DISTINCT t.identity_id FROM tenures t WHERE t.tenant_id = $1 AND t.id = ANY($2) ORDER BY 1`, tx.Tenant, pq.Array(tenures)); err != nil {
		return fmt.Errorf("read whose tenures they are: %w", err)
	}
	lifted, err := Lift(ctx, tx, accounts)
	if err != nil {
		return err
	}
	if err := fillWeeks(ctx, tx, tenures); err != nil {
		return err
	}
	if err := lifted.Settle(ctx, tx, nil); err != nil {
		return err
	}
	if err := fillWindows(ctx, tx, tenures); err != nil {
		return err
	}
	args.After = tenures[len(tenures)-1]
	next, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	// Lanes ask for the tenant's lock rather than wait for it, so between two parts they get a moment.
	if _, err := tx.ExecContext(ctx, `
		UPDATE jobs SET args = $3, done = done + $4, state = 'running', run_at = clock_timestamp() + interval '50 milliseconds'
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, job, string(next), len(tenures)); err != nil {
		return fmt.Errorf("keep job going: %w", err)
	}

	return nil
}

// fillWeeks makes rows of what is kept of the past. Messages do not say what WhatsApp showed with each: a phone counts as shown with a
// WhatsApp ID in the weeks of a run in which both were seen, and a username in those between its first and last sight.
func fillWeeks(ctx context.Context, tx *tenants.Tx, tenures []uuid.UUID) error {
	var rows []struct {
		row

		Value string `db:"value"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		WITH said AS (
			SELECT t.id, t.identity_id, t.identifier_id, w.week, w.number_id, w.days, w.first_at, w.last_at
			FROM unnest($2::uuid[]) AS o (id) JOIN tenures t ON t.tenant_id = $1 AND t.id = o.id
			CROSS JOIN LATERAL ( -- by the messages' index, whatever the statistics of a young tenant say
				SELECT date_trunc('week', m.at AT TIME ZONE 'UTC')::date AS week, m.number_id,
				       bit_or(1 << (extract(isodow FROM m.at AT TIME ZONE 'UTC')::int - 1)) AS days, min(m.at) AS first_at, max(m.at) AS last_at
				FROM messages m WHERE m.tenant_id = $1 AND m.tenure_id = t.id AND m.direction = 'in' GROUP BY 1, 2) w
		)
		SELECT s.identity_id, s.week, s.number_id, s.id AS tenure_id, d.kind = 'bsuid' AS bsuid, d.value, s.days,
		       CASE WHEN d.kind = 'bsuid' AND EXISTS (
		            SELECT 1 FROM profile_facts f WHERE f.tenant_id = $1 AND f.tenure_id = s.id AND f.kind = 'username'
		              AND f.first_seen <= s.last_at AND f.last_seen + interval '10 minutes' >= s.first_at) THEN s.days ELSE 0 END AS named,
		       CASE WHEN d.kind = 'phone' OR d.kind = 'bsuid' AND EXISTS (
		            SELECT 1 FROM pairings p JOIN identifiers o ON o.tenant_id = $1 AND o.id = p.other_id AND o.kind || '' = 'phone'
		            WHERE p.tenant_id = $1 AND p.bsuid_id = d.id AND p.first_at <= s.last_at AND p.last_at >= s.first_at) THEN s.days ELSE 0 END AS phoned
		FROM said s JOIN identifiers d ON d.tenant_id = $1 AND d.id = s.identifier_id`, tx.Tenant, pq.Array(tenures)); err != nil {
		return fmt.Errorf("read past messages: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}

	told, fresh := make(map[rowKey]row, len(rows)), make([]row, 0, len(rows))
	for _, r := range rows {
		r.Country = countryOf(r.Value)
		told[r.key()] = r.row
	}
	known, err := weeksOf(ctx, tx, told) // what has come since says more
	if err != nil {
		return err
	}
	for _, k := range known {
		if r, ok := told[k.key()]; ok {
			r.Days, r.Named, r.Phoned = r.Days|k.Days, r.Named|k.Named, r.Phoned|k.Phoned
			told[k.key()] = r
		}
	}
	for _, r := range told {
		fresh = append(fresh, r)
	}

	return putRows(ctx, tx, fresh)
}

// fillWindows makes windows of the messages by a phone, and by a WhatsApp ID while it was seen with one.
func fillWindows(ctx context.Context, tx *tenants.Tx, tenures []uuid.UUID) error {
	var rows []window
	if err := tx.SelectContext(ctx, &rows, `
		SELECT s.phone_id, s.number_id, max(s.at) AS last_at FROM unnest($2::uuid[]) AS o (id)
		JOIN tenures t ON t.tenant_id = $1 AND t.id = o.id
		CROSS JOIN LATERAL (
			SELECT d.id AS phone_id, m.number_id, m.at FROM identifiers d
			JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.group_id = '' AND m.status <> 'failed'
			WHERE d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind || '' = 'phone'
			UNION ALL
			SELECT r.phone_id, m.number_id, m.at
			FROM (SELECT p.other_id AS phone_id, p.first_at, p.last_at FROM pairings p
			      JOIN identifiers d ON d.tenant_id = $1 AND d.id = p.other_id AND d.kind || '' = 'phone'
			      WHERE p.tenant_id = $1 AND p.bsuid_id = t.identifier_id) r
			JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id AND m.group_id = '' AND m.direction = 'in' AND m.at BETWEEN r.first_at AND r.last_at
		) s GROUP BY s.phone_id, s.number_id`, tx.Tenant, pq.Array(tenures)); err != nil {
		return fmt.Errorf("read past calls of phones: %w", err)
	}
	calls := make([]Call, len(rows))
	for i, r := range rows {
		calls[i] = Call{Phone: r.Phone, Number: r.Number, At: r.LastAt}
	}

	return RecordCalls(ctx, tx, calls)
}
