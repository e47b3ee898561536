package numbers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/phonefree"
)

// PhoneFree tells whether no customer's phone is kept of what comes and goes by a number of tx's tenant: then nobody is asked for one
// through it either. tenants.ErrNotFound where there is no such number.
func PhoneFree(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (free bool, err error) {
	err = tx.GetContext(ctx, &free, `SELECT phone_free FROM numbers WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, tenants.ErrNotFound
	}
	if err != nil {
		return false, fmt.Errorf("look whether number %s keeps phones: %w", id, err)
	}

	return free, nil
}

// SetPhoneFree says whether phones are kept of what comes by a number from here on. Where they are no longer, what was stored before is
// cleaned by and by (Number.PhoneCleaning). Keeping them again brings back none that are gone. Nothing changes, and nothing is noted,
// where it is so already.
func SetPhoneFree(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, free bool) error {
	// The lane reads it: what it is working on is finished before.
	if err := identity.Lock(ctx, tx); err != nil {
		return err
	}
	was, err := PhoneFree(ctx, tx, id)
	if err != nil || was == free {
		return err
	}

	var cleaning *string
	if free {
		start := "{}"
		cleaning = &start
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers SET phone_free = $3, phone_free_since = coalesce(phone_free_since, now()), phone_cleaning = $4::jsonb
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, free, cleaning); err != nil {
		return fmt.Errorf("switch number %s: %w", id, err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_directory SET phone_free = $3 WHERE tenant_id = $1 AND number_id = $2`, tx.Tenant, id, free); err != nil {
		return fmt.Errorf("switch directory entry of number %s: %w", id, err)
	}
	if free {
		if err := plan(ctx, tx, jobClean, id, time.Now()); err != nil {
			return err
		}
	} else if err := drop(ctx, tx, jobClean, id); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "number.phone_free", ObjectKind: "number", ObjectID: id.String(), Detail: map[string]any{"on": free},
	})
}

const (
	cleanRows  = 300              // in one transaction
	cleanLimit = 20 * time.Second // at a stretch, so that other jobs have their turn
)

// cleaning is how far what was stored before has been cleaned.
type cleaning struct {
	Part  int    `json:"part"`
	After string `json:"after"` // the key of the last row of it
	Steps int64  `json:"steps"` // taken so far

	stored string // as it was read
}

// cleanPart takes phones out of the next rows of one part of what a number has stored.
type cleanPart func(ctx context.Context, tx *tenants.Tx, h phonefree.Hider, number uuid.UUID, after string, limit int) (last string, err error)

// cleanParts are the parts in their order: hints and address book before the phones that they name, and evidence after them.
var cleanParts = []cleanPart{
	identity.HideRotations, identity.HideHints, identity.HideSaved, conversations.HideMessages, conversations.HideStatuses, conversations.HideCalls,
	conversations.HideOutgoing, notices.Hide, identity.HidePhones, identity.HideCases, identity.HideLinks, forgetAnswers,
}

// forgetAnswers drops the answers that are kept for repeated requests, which quote customers. That they were answered stays known.
func forgetAnswers(ctx context.Context, tx *tenants.Tx, _ phonefree.Hider, _ uuid.UUID, _ string, _ int) (string, error) {
	return "", tenants.ForgetAnswers(ctx, tx)
}

// clean goes on taking phones out of what a number stored before it kept none, and returns when to go on; the zero time when it is
// done. First the bytes as they came, which a repeat would be made from; then what was made of them.
func (w *Worker) clean(ctx context.Context, tenant, id uuid.UUID) (next time.Time, err error) {
	for until := time.Now().Add(cleanLimit); time.Now().Before(until); {
		done, err := w.cleanStep(ctx, tenant, id)
		if err != nil || done {
			return time.Time{}, err
		}
	}

	return time.Now(), nil
}

// cleanStep cleans the next rows, or ends the cleaning.
func (w *Worker) cleanStep(ctx context.Context, tenant, id uuid.UUID) (done bool, err error) {
	var at cleaning
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		at, done, err = cleaningOf(ctx, tx, id)
		return err
	})
	if err != nil || done {
		return done, err
	}
	if at.Part == 0 {
		last, err := ingest.SealStored(ctx, w.db, w.keys, tenant, id, at.After, cleanRows)
		if err != nil {
			return false, err
		}

		return false, w.db.As(ctx, tenant, func(tx *tenants.Tx) error { return at.keep(ctx, tx, id, last) })
	}

	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := identity.Lock(ctx, tx); err != nil {
			return err
		}
		// Somebody may have switched the number back meanwhile, or another worker gone on.
		if at, done, err = cleaningOf(ctx, tx, id); err != nil || done || at.Part == 0 {
			return err
		}
		last, err := cleanParts[at.Part-1](ctx, tx, phonefree.For(w.keys, tenant), id, at.After, cleanRows)
		if err != nil {
			return err
		}

		return at.keep(ctx, tx, id, last)
	})

	return done, err
}

// cleaningOf reads how far the cleaning of a number has come; done where there is none.
func cleaningOf(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (at cleaning, done bool, err error) {
	var raw []byte
	err = tx.GetContext(ctx, &raw, `SELECT phone_cleaning FROM numbers WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && raw == nil {
		return at, true, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("read cleaning of number %s: %w", id, err)
	}
	if err := json.Unmarshal(raw, &at); err != nil {
		return at, false, fmt.Errorf("read cleaning of number %s: %w", id, err)
	}
	at.stored = string(raw)

	return at, false, nil
}

// keep notes that a step is done, unless another worker has gone on meanwhile. Without a last row its part is done, and after the last
// part all.
func (at cleaning) keep(ctx context.Context, tx *tenants.Tx, id uuid.UUID, last string) error {
	at.After, at.Steps = last, at.Steps+1
	if last == "" {
		at.Part++
	}
	if at.Part > len(cleanParts) {
		if _, err := tx.ExecContext(ctx, `UPDATE numbers SET phone_cleaning = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id); err != nil {
			return fmt.Errorf("end cleaning of number %s: %w", id, err)
		}

		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: tenants.SystemActor, Action: "number.phones_cleaned", ObjectKind: "number", ObjectID: id.String(),
		})
	}

	raw, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("encode cleaning: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers SET phone_cleaning = $3::jsonb WHERE tenant_id = $1 AND id = $2 AND phone_cleaning = $4::jsonb`, tx.Tenant, id, string(raw), at.stored); err != nil {
		return fmt.Errorf("keep cleaning of number %s: %w", id, err)
	}

	return nil
}
