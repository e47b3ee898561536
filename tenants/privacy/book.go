package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What became of a person's entry in WhatsApp's contact book of a portfolio.
const (
	BookDeleted = "deleted"
	BookNone    = "none"      // there was none
	BookFailed  = "failed"    // WhatsApp did not answer, or refused
	BookNumber  = "no_number" // no number of the portfolio can call WhatsApp
)

const bookTries = 3

// eraseFromBook has WhatsApp delete the person's entries in the contact books, once for each of their BSUIDs (facts 7). It does not keep
// an erasure from ending: what could not be done stands on the receipt.
func eraseFromBook(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (string, error) {
	outcome := map[string]int{}
	var failed error
	for _, a := range p.subject.Aliases {
		if a.Kind != whatsapp.KindBSUID {
			continue
		}
		number, token, err := w.caller(ctx, tenant, a.Scope)
		if err != nil {
			return "", err
		}
		if token == "" {
			outcome[BookNumber]++
			continue
		}
		deleted, err := w.graph.DeleteFromContactBook(ctx, number, token, a.Value)
		switch {
		case err != nil:
			failed = err
			outcome[BookFailed]++
		case deleted:
			outcome[BookDeleted]++
		default:
			outcome[BookNone]++
		}
	}
	if failed != nil && p.Tries+1 < bookTries {
		return "", w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
			if _, err := tx.ExecContext(ctx, `UPDATE erasures SET tries = tries + 1 WHERE tenant_id = $1 AND request_id = $2`, tenant, p.Request); err != nil {
				return fmt.Errorf("count try: %w", err)
			}

			return errors.Join(errAgain, failed)
		})
	}
	encoded, err := json.Marshal(outcome)
	if err != nil {
		return "", fmt.Errorf("encode outcome: %w", err)
	}

	return "", w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE privacy_requests SET outcome = outcome || jsonb_build_object('book', $3::jsonb) WHERE tenant_id = $1 AND id = $2`, tenant, p.Request, string(encoded)); err != nil {
			return fmt.Errorf("keep outcome: %w", err)
		}

		return nil
	})
}

// caller is a number of a scope that can call WhatsApp now, with its token; "" where there is none.
func (w *Worker) caller(ctx context.Context, tenant uuid.UUID, scope string) (phoneNumberID, token string, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		var ids []uuid.UUID
		if err := tx.SelectContext(ctx, &ids, `SELECT id FROM numbers WHERE tenant_id = $1 AND scope = $2 ORDER BY id`, tenant, scope); err != nil {
			return fmt.Errorf("look for a number: %w", err)
		}
		for _, id := range ids {
			n, secret, err := numbers.Sender(ctx, tx, w.keys, id, time.Now())
			var cannot *tenants.Conflict
			if errors.As(err, &cannot) {
				continue
			}
			if err != nil {
				return err
			}
			phoneNumberID, token = n.PhoneNumberID, secret
			return nil
		}

		return nil
	})

	return phoneNumberID, token, err
}
