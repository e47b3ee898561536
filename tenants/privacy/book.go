package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
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

// eraseFromBook has WhatsApp delete the person's entries in the contact books, once for each of their BSUIDs (facts 7). What became of one
// is kept at once, so that trying the others again does not ask for it again. It does not keep an erasure from ending: what could not be
// done stands on the receipt.
func eraseFromBook(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (string, error) {
	outcome := map[string]int{}
	var failed error
	for _, a := range p.subject.Aliases {
		if a.Kind != whatsapp.KindBSUID {
			continue
		}
		was := p.book[a.ID]
		if was == "" {
			var err error
			if was, err = w.eraseEntry(ctx, tenant, p.Request, a); was == "" {
				return "", err
			}
			if err != nil {
				failed = err
			}
		}
		outcome[was]++
	}
	if failed != nil && p.Tries+1 < bookTries {
		if err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE erasures SET tries = tries + 1 WHERE tenant_id = $1 AND request_id = $2`, tenant, p.Request)
			return err
		}); err != nil {
			return "", fmt.Errorf("count try: %w", err)
		}

		// Outside of the transaction: an error in it would take the count back.
		return "", errors.Join(errAgain, failed)
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

// eraseEntry has WhatsApp delete one entry and keeps what became of it. BookFailed comes with why, and is not kept: it is tried again. ""
// means that we could not ask.
func (w *Worker) eraseEntry(ctx context.Context, tenant, request uuid.UUID, a identity.Alias) (outcome string, err error) {
	number, token, err := w.caller(ctx, tenant, a.Scope)
	if err != nil {
		return "", err
	}
	if token == "" {
		return BookNumber, nil
	}
	deleted, err := w.graph.DeleteFromContactBook(ctx, number, token, a.Value)
	if err != nil {
		return BookFailed, fmt.Errorf("delete from contact book: %w", err)
	}
	outcome = BookNone
	if deleted {
		outcome = BookDeleted
	}
	if err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE erasures SET rows = jsonb_set(rows, '{book}', coalesce(rows->'book', '{}') || jsonb_build_object($3::text, $4::text))
			WHERE tenant_id = $1 AND request_id = $2`, tenant, request, a.ID, outcome)
		return err
	}); err != nil {
		return "", fmt.Errorf("keep what became of an entry: %w", err)
	}

	return outcome, nil
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
