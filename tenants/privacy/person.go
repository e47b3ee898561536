package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// errReopened: the erasure ended before it began, for the request is open again.
var errReopened = errors.New("reopened")

// erasePerson removes everything by which the person is known, in one transaction, and leaves the tombstones. Where the proof turns out to
// be of other accounts, nobody is erased and the request is open again; where another request erased the person, there is nothing to do.
func erasePerson(ctx context.Context, w *Worker, tenant uuid.UUID, p progress) (string, error) {
	reopened := false
	mentioned, err := w.mentionsOf(ctx, tenant, p)
	if err != nil {
		return "", err
	}
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		// Another worker may have gone on meanwhile.
		p, err := w.progressOf(ctx, tx, p.Request)
		if err != nil || p.Sealed != nil || p.Part > 0 {
			return err
		}
		r, err := get(ctx, tx, p.Request, "")
		if err != nil {
			return err
		}
		whole, own, err := whose(ctx, tx, r, p)
		if errors.Is(err, tenants.ErrNotFound) {
			return skip(ctx, tx, p.Request, len(w.parts))
		}
		if err != nil {
			return err
		}
		now := p.ErasedAt // as of when, where a backup had brought them back
		if r.Origin != restored {
			if err := stillOf(ctx, tx, r); tenants.ConflictCode(err) == Changed {
				reopened = true
				return reopen(ctx, tx, p.Request)
			} else if err != nil {
				return err
			}
			if now, err = w.layStones(ctx, tx, r, own); err != nil {
				return err
			}
		}
		s := subject{Aliases: own}
		if s.Held, err = identity.HeldBy(ctx, tx, whole); err != nil {
			return err
		}
		for _, a := range own {
			s.Words = append(s.Words, a.Value)
			if raw := strings.TrimPrefix(a.Raw, "+"); raw != a.Value {
				s.Words = append(s.Words, raw)
			}
		}
		if err := identity.Forget(ctx, tx, whole, own, mentioned); err != nil {
			return err
		}
		if err := conversations.ForgetRest(ctx, tx, whole.Identities, whole.Tenures, whole.Own); err != nil {
			return err
		}
		if _, err := imports.Forget(ctx, tx, whole.Contacts, s.Words); err != nil {
			return err
		}
		if err := forgetOthers(ctx, tx, whole); err != nil {
			return err
		}
		if err := forward.Erased(ctx, tx, whole.Contacts); err != nil {
			return err
		}
		// The answers kept for repeated requests quote customers. That a write was done stays known, so that a repeat is not done again.
		if err := tenants.ForgetAnswers(ctx, tx); err != nil {
			return err //nolint:wrapcheck // it says what it forgets
		}

		return keep(ctx, tx, w.keys, p.Request, s, whole, now)
	})
	if err == nil && reopened {
		err = errReopened
	}

	return "", err
}

// layStones leaves the tombstones of whom a request is about, and tells as of when.
func (w *Worker) layStones(ctx context.Context, tx *tenants.Tx, r Request, own []identity.Alias) (now time.Time, err error) {
	c, err := identity.Get(ctx, tx, *r.Contact)
	if err != nil {
		return time.Time{}, err //nolint:wrapcheck // it says what it read
	}
	told, err := identity.Preferences(ctx, tx, c)
	if err != nil {
		return time.Time{}, err //nolint:wrapcheck // it says what it read
	}
	said, _ := identity.Strictest(told, identity.Marketing)
	if err := tx.GetContext(ctx, &now, `SELECT clock_timestamp()`); err != nil {
		return time.Time{}, fmt.Errorf("read the time: %w", err)
	}
	h, stones := erased.For(w.keys, tx.Tenant), make([]erased.Stone, len(own))
	for i, a := range own {
		stones[i] = erased.Stone{Hash: h.Hash(erased.Identifier, a.Value), Kind: erased.Identifier, ErasedAt: now, Stopped: said.Value == identity.Stop}
	}

	return now, erased.Lay(ctx, tx, stones) //nolint:wrapcheck // it says what it lays
}

// mentionsOf looks for the cases that name whom a request is about: through all of the tenant's, and so before anything is locked.
func (w *Worker) mentionsOf(ctx context.Context, tenant uuid.UUID, p progress) (mentioned identity.Mentions, err error) {
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		r, err := get(ctx, tx, p.Request, "")
		if err != nil {
			return err
		}
		whole, own, err := whose(ctx, tx, r, p)
		if errors.Is(err, tenants.ErrNotFound) {
			return nil // gone already, which is seen under the lock
		}
		if err != nil {
			return err
		}
		mentioned, err = identity.MentionsOf(ctx, tx, whole.Identities, valuesOf(own))

		return err
	})

	return mentioned, err
}

// skip goes to the end of an erasure of somebody who is gone already: it removes nothing.
func skip(ctx context.Context, tx *tenants.Tx, request uuid.UUID, end int) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET found = jsonb_build_object('counts', '[]'::jsonb) WHERE tenant_id = $1 AND id = $2`, tx.Tenant, request); err != nil {
		return fmt.Errorf("count nothing: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE erasures SET part = $3 WHERE tenant_id = $1 AND request_id = $2`, tx.Tenant, request, end); err != nil {
		return fmt.Errorf("skip erasure: %w", err)
	}

	return nil
}

// reopen gives up an erasure that has removed nothing yet, for its proof was of other accounts.
func reopen(ctx context.Context, tx *tenants.Tx, request uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM erasures WHERE tenant_id = $1 AND request_id = $2`, tx.Tenant, request); err != nil {
		return fmt.Errorf("give up erasure: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE privacy_requests SET state = 'open', found = '{}', closed_by = '' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, request); err != nil {
		return fmt.Errorf("open request %s again: %w", request, err)
	}

	return dropProof(ctx, tx, tenants.SystemActor, request)
}

// forgetOthers removes what else is kept of contacts: what they said of offers, who looked at them, what the team passed on about them
// and what they asked on the public page. Their other open requests are about nobody any more; closed ones stay as their receipts say.
func forgetOthers(ctx context.Context, tx *tenants.Tx, whole identity.Whole) error {
	for _, step := range []struct {
		what, statement string
		ids             []uuid.UUID
	}{
		{"forget consents", `DELETE FROM consents WHERE tenant_id = $1 AND identity_id = ANY($2)`, whole.Identities},
		{"forget who looked", `DELETE FROM contact_views WHERE tenant_id = $1 AND contact_id = ANY($2)`, whole.Contacts},
		{"forget what was passed on", `UPDATE escalations SET contact_id = NULL, reason = '', outcome = '', lesson = ''
			WHERE tenant_id = $1 AND contact_id = ANY($2)`, whole.Contacts},
		{"forget what was asked on the page", `DELETE FROM trust_requests t USING privacy_requests r
			WHERE r.tenant_id = $1 AND r.contact_id = ANY($2) AND t.tenant_id = $1 AND t.id = r.origin_id`, whole.Contacts},
		{"forget words of other requests", `UPDATE privacy_requests SET subject = NULL, note = NULL, changes = NULL,
				contact_id = CASE WHEN state = 'open' THEN NULL ELSE contact_id END
			WHERE tenant_id = $1 AND contact_id = ANY($2)`, whole.Contacts},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, tx.Tenant, pq.Array(step.ids)); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}

	return nil
}

// keep notes what is left to do, for whoever goes on.
func keep(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, request uuid.UUID, s subject, whole identity.Whole, at time.Time) error {
	plain, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode erasure: %w", err)
	}
	sealed, err := keys.Seal(tx.Tenant, sealErasure, plain)
	if err != nil {
		return fmt.Errorf("seal erasure: %w", err)
	}
	rows, err := json.Marshal(whole)
	if err != nil {
		return fmt.Errorf("encode rows of erasure: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE erasures SET subject = $3, rows = $4, erased_at = $5 WHERE tenant_id = $1 AND request_id = $2`, tx.Tenant, request, sealed, string(rows), at); err != nil {
		return fmt.Errorf("keep erasure: %w", err)
	}

	return nil
}
