package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// take judges the rows after the given one and, unless this is the trial, does what they say. It returns the last row it dealt
// with, after where there was none.
func take(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, i Import, after int) (int, error) {
	if i.State == Running {
		if err := identity.Lock(ctx, tx); err != nil {
			return 0, err
		}
	}
	rows, err := rowsAfter(ctx, tx, i.ID, after, batchRows)
	if err != nil || len(rows) == 0 {
		return after, err
	}
	verdicts, err := judge(ctx, tx, keys, i, rows)
	if err != nil {
		return 0, err
	}
	if i.State == Running {
		if err := apply(ctx, tx, i, verdicts); err != nil {
			return 0, err
		}
	}
	if err := writeVerdicts(ctx, tx, i, verdicts); err != nil {
		return 0, err
	}
	if i.State == Running {
		if err := identity.SettleListed(ctx, tx, i.Actor(), i.FileName, matched(verdicts)); err != nil {
			return 0, err
		}
	}

	return rows[len(rows)-1].Row, nil
}

// matched are the contacts known before that rows say who they are.
func matched(verdicts []verdict) []uuid.UUID {
	var contacts []uuid.UUID
	for _, v := range verdicts {
		if v.answers() && !v.made {
			contacts = append(contacts, v.contact)
		}
	}

	return contacts
}

func apply(ctx context.Context, tx *tenants.Tx, i Import, verdicts []verdict) error {
	scope, err := i.scopeNow(ctx, tx)
	if err != nil {
		return err
	}
	var (
		claims  []identity.Claim
		of      []int
		changes []identity.CardChange
		pairs   []identity.Pair
	)
	for n, v := range verdicts {
		if v.claim != nil {
			claims, of = append(claims, *v.claim), append(of, n)
		} else if v.outcome == OutcomeChanged && !v.change.Empty() {
			changes = append(changes, v.change)
		}
		if v.pair != nil {
			pairs = append(pairs, *v.pair)
		}
	}

	contacts, err := identity.AddClaimed(ctx, tx, i.Actor(), scope, i.FileName, claims)
	if err != nil {
		return err
	}
	for n, contact := range contacts {
		verdicts[of[n]].contact = contact
	}
	if err := identity.ChangeCards(ctx, tx, changes); err != nil {
		return err
	}

	return identity.SuggestPairs(ctx, tx, scope, pairs)
}

// effect is what taking a row in changed, as it is kept for taking it back. A row that was not taken in has none, not even an empty one.
type effect struct {
	identity.CardChange
	Pair    *identity.Pair `json:"pair,omitempty"`
	Answers bool           `json:"answers,omitempty"` // says who somebody is that was known before
}

// writeVerdicts keeps what became of rows. What a list says of somebody who was erased goes when the list is taken in; until then it may be
// that a column was named wrongly.
func writeVerdicts(ctx context.Context, tx *tenants.Tx, i Import, verdicts []verdict) error {
	n := len(verdicts)
	var (
		rows                                                      = make([]int64, n)
		phones, bsuids, externals, outcomes, reasons, effectTexts = make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		others                                                    = make([]*int, n)
		contacts                                                  = make([]*uuid.UUID, n)
		made                                                      = make([]bool, n)
		counts                                                    = map[string]int{}
	)
	for k := range verdicts {
		v := &verdicts[k]
		rows[k], outcomes[k], reasons[k], others[k], made[k] = int64(v.row), v.outcome, v.why, v.otherRow, v.made
		counts[v.outcome]++
		if v.outcome != OutcomeSkipped {
			phones[k], bsuids[k], externals[k] = v.values.phone, v.values.bsuid, v.values.key()
		}
		if v.contact != uuid.Nil {
			contacts[k] = &v.contact
		}
		if i.State == Running && (v.pair != nil || v.taken()) {
			encoded, err := json.Marshal(effect{CardChange: v.change, Pair: v.pair, Answers: v.answers() && !v.made})
			if err != nil {
				return fmt.Errorf("encode effect: %w", err)
			}
			effectTexts[k] = string(encoded)
		}
	}

	if _, err := tx.ExecContext(ctx, `
		UPDATE import_rows r SET phone = w.phone, bsuid = w.bsuid, external = w.external, outcome = w.outcome, reason = w.reason,
		       other_row = w.other_row, contact_id = w.contact_id, made = w.made, effect = w.effect,
		       cells = CASE WHEN $13 AND w.reason = $14 THEN '[]' ELSE r.cells END
		FROM unnest($3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[], $10::uuid[], $11::boolean[], $12::text[])
		     AS w (row, phone, bsuid, external, outcome, reason, other_row, contact_id, made, effect)
		WHERE r.tenant_id = $1 AND r.import_id = $2 AND r.row = w.row`,
		tx.Tenant, i.ID, pq.Array(rows), pq.Array(phones), pq.Array(bsuids), pq.Array(externals), pq.Array(outcomes), pq.Array(reasons),
		pq.Array(others), pq.Array(contacts), pq.Array(made), pq.Array(effectTexts), i.State == Running, WhyErased); err != nil {
		return fmt.Errorf("write what became of rows: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE imports SET n_new = n_new + $3, n_changed = n_changed + $4, n_same = n_same + $5, n_conflict = n_conflict + $6, n_skipped = n_skipped + $7
		WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, i.ID, counts[OutcomeNew], counts[OutcomeChanged], counts[OutcomeSame], counts[OutcomeConflict], counts[OutcomeSkipped]); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}

	return nil
}
