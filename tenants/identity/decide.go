package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
)

// The decisions a person can take about a case.
const (
	DecideSame    = "same"     // the person is this contact: they become one, reversibly
	DecideNotSame = "not_same" // they are not: remembered until WhatsApp proves otherwise
	DecideNew     = "new"      // somebody new
	DecideHold    = "hold"     // look again on a date
	DecideUnsure  = "unsure"   // a second person shall look; two unsure wait for the customer
)

// leaseFor is how long an opened case stays with whoever opened it.
const leaseFor = 5 * time.Minute

// waitAfterUnsure is how long a case rests once two people could not tell.
const waitAfterUnsure = 7 * 24 * time.Hour

// Lease takes a case for the actor for five minutes, or lengthens their lease. Conflict "leased" where somebody else has it.
func Lease(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) (until time.Time, err error) {
	err = tx.GetContext(ctx, &until, `
		UPDATE cases SET lease_by = $3, lease_until = now() + $4 * interval '1 second'
		WHERE tenant_id = $1 AND id = $2 AND state = 'open' AND (lease_by IN ('', $3) OR lease_until IS NULL OR lease_until <= now())
		RETURNING lease_until`, tx.Tenant, id, actor.ID, leaseFor.Seconds())
	if noRows(err) {
		c, err := GetCase(ctx, tx, id)
		switch {
		case err != nil:
			return time.Time{}, err
		case c.State != "open":
			return time.Time{}, &tenants.Conflict{Code: "changed"}
		default:
			return time.Time{}, &tenants.Conflict{Code: "leased"}
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("lease case: %w", err)
	}

	return until, nil
}

// Release gives a case back before its lease ends.
func Release(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases SET lease_by = '', lease_until = NULL WHERE tenant_id = $1 AND id = $2 AND lease_by = $3`, tx.Tenant, id, actor.ID); err != nil {
		return fmt.Errorf("release case: %w", err)
	}

	return nil
}

// ReleaseOthers gives back every other case the actor has open: who has gone on to the next one is done with the last. One that
// another tab of theirs is opening just now is left to it.
func ReleaseOthers(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases SET lease_by = '', lease_until = NULL WHERE tenant_id = $1 AND id IN (
			SELECT id FROM cases WHERE tenant_id = $1 AND id <> $2 AND state = 'open' AND lease_by <> '' AND lease_by = $3 FOR UPDATE SKIP LOCKED)`, tx.Tenant, id, actor.ID); err != nil {
		return fmt.Errorf("release cases: %w", err)
	}

	return nil
}

// Decision is what a person says about a case.
type Decision struct {
	Case    uuid.UUID
	Kind    string
	Contact uuid.UUID  // for same and not_same
	Reason  string     // needed for same against a warning or with nothing but a name to go by
	Until   *time.Time // for hold
	Version int        // the case version seen; 0 does not check
	MayRisk bool       // the actor may decide alone against a warning, with a reason
}

// Decide carries a decision out and closes, changes or puts off the case. It returns the link that "same" made, else Nil: also where
// something speaks against it and the actor may not decide that alone. Then the case waits for a second person (Case.Proposal).
// Errors: Conflict leased, changed, same_contact; ErrForbidden; Invalid.
func Decide(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, d Decision) (Case, uuid.UUID, error) {
	if err := Lock(ctx, tx); err != nil {
		return Case{}, uuid.Nil, err
	}
	c, err := GetCase(ctx, tx, d.Case)
	switch {
	case err != nil:
		return Case{}, uuid.Nil, err
	case c.State != "open" || d.Version != 0 && d.Version != c.Version:
		return Case{}, uuid.Nil, &tenants.Conflict{Code: "changed"}
	case c.LeaseBy != "" && c.LeaseBy != actor.ID:
		return Case{}, uuid.Nil, &tenants.Conflict{Code: "leased"}
	}

	linkID := uuid.Nil
	switch d.Kind {
	case DecideSame:
		linkID, err = decideSame(ctx, tx, actor, c, d)
	case DecideNotSame:
		err = decideNotSame(ctx, tx, actor, c, d)
	case DecideNew:
		err = decideNew(ctx, tx, actor, c)
	case DecideHold:
		err = putOff(ctx, tx, c, d.Until)
	case DecideUnsure:
		err = unsure(ctx, tx, actor, c)
	default:
		err = &tenants.Invalid{Field: "decision", Key: "unknown_decision"}
	}
	if err != nil {
		return Case{}, uuid.Nil, err
	}

	detail := map[string]any{"decision": d.Kind, "kind": c.Kind}
	if d.Contact != uuid.Nil {
		detail["contact"] = d.Contact
	}
	if err := tenants.Audit(ctx, tx, tenants.Act{Actor: actor, Action: "case.decide", ObjectKind: "case", ObjectID: c.ID.String(), Detail: detail}); err != nil {
		return Case{}, uuid.Nil, err
	}
	c, err = GetCase(ctx, tx, d.Case)

	return c, linkID, err
}

// closeCase ends a case by a person. What the evidence then calls for may open it again.
func closeCase(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, outcome string, link *uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE cases k SET state = 'done', outcome = $3, closed_at = clock_timestamp(), closed_by = $4, link_id = $5, lease_by = '',
			       lease_until = NULL, part_of = NULL, version = version + 1
			WHERE k.tenant_id = $1 AND k.id = $2 RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`, tx.Tenant, id, outcome, actor.Name, link); err != nil {
		return fmt.Errorf("close case: %w", err)
	}

	return freeParts(ctx, tx, []uuid.UUID{id})
}

func decideSame(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c Case, d Decision) (uuid.UUID, error) {
	if d.Contact == uuid.Nil {
		return uuid.Nil, &tenants.Invalid{Field: "contact_id", Key: "needed"}
	}
	lose, err := c.contact(ctx, tx)
	if err != nil {
		return uuid.Nil, err
	}
	if onlyAHint(c, d.Contact) && strings.TrimSpace(d.Reason) == "" {
		return uuid.Nil, &tenants.Invalid{Field: "reason", Key: "reason_needed"}
	}
	if !d.MayRisk {
		waits, err := secondPerson(ctx, tx, actor, c, lose, &d)
		if err != nil || waits {
			return uuid.Nil, err
		}
	}
	linkID, err := merge(ctx, tx, actor, MergeInput{Keep: d.Contact, Lose: lose, Reason: d.Reason, CaseID: &c.ID, MayRisk: d.MayRisk})
	if err != nil {
		return uuid.Nil, err
	}

	return linkID, closeCase(ctx, tx, actor, c.ID, OutcomeSame, &linkID)
}

// secondPerson keeps, where something speaks against it, what the first of two people says (matching.md 2.5), and lets the second
// carry it out. waits tells that the case now waits for the second. With nothing but a hint two people are not enough either.
func secondPerson(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c Case, lose uuid.UUID, d *Decision) (waits bool, err error) {
	p, err := PreviewMerge(ctx, tx, d.Contact, lose)
	if err != nil || !p.Allowed() || !p.Risky() || onlyAHint(c, d.Contact) {
		return false, err // merge says what is wrong
	}
	if c.Proposal != nil && c.Proposal.Contact == d.Contact && c.Proposal.By != actor.ID {
		d.MayRisk = true
		if strings.TrimSpace(d.Reason) == "" {
			d.Reason = c.Proposal.Reason
		}

		return false, nil
	}
	switch {
	case strings.TrimSpace(d.Reason) == "":
		return false, &tenants.Invalid{Field: "reason", Key: "reason_needed"}
	case len([]rune(d.Reason)) > 500 || strings.ContainsRune(d.Reason, 0):
		return false, &tenants.Invalid{Field: "reason", Key: "too_long"}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases SET proposed_by = $3, proposed_contact = $4, proposed_reason = $5, lease_by = '', lease_until = NULL, version = version + 1
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, c.ID, actor.ID, d.Contact, d.Reason); err != nil {
		return false, fmt.Errorf("keep proposal: %w", err)
	}

	return true, nil
}

// dropProposal forgets what one person said, since another has said otherwise.
func dropProposal(ctx context.Context, tx *tenants.Tx, c Case) error {
	if c.Proposal == nil {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE cases SET proposed_by = '' WHERE tenant_id = $1 AND id = $2`, tx.Tenant, c.ID); err != nil {
		return fmt.Errorf("drop proposal: %w", err)
	}

	return nil
}

// onlyAHint: nothing but a name, or nothing at all, suggests this contact (matching.md 2.5).
func onlyAHint(c Case, contact uuid.UUID) bool {
	return !slices.ContainsFunc(c.Candidates, func(k Candidate) bool { return k.Contact.ID == contact && k.Tier != "C" })
}

// contact is whom the case is about; an account nobody has written from becomes a contact by the agent's act.
func (c Case) contact(ctx context.Context, tx *tenants.Tx) (uuid.UUID, error) {
	if c.ContactID != nil {
		return *c.ContactID, nil
	}
	if c.IdentityID == nil {
		return uuid.Nil, &tenants.Conflict{Code: "names_nobody"}
	}
	id := newID()
	if err := addContacts(ctx, tx, []uuid.UUID{*c.IdentityID}, []uuid.UUID{id}); err != nil {
		return uuid.Nil, err
	}

	return id, listContacts(ctx, tx, []uuid.UUID{*c.IdentityID})
}

func decideNotSame(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c Case, d Decision) error {
	if d.Contact == uuid.Nil {
		return &tenants.Invalid{Field: "contact_id", Key: "needed"}
	}
	if c.Identity == nil {
		return &tenants.Conflict{Code: "names_nobody"}
	}
	other, err := Get(ctx, tx, d.Contact)
	if err != nil {
		return err
	}
	if c.ContactID != nil && other.ID == *c.ContactID {
		return &tenants.Conflict{Code: "same_contact"}
	}
	if err := apart(ctx, tx, actor, []Identity{*c.Identity}, other.Identities, &c.ID); err != nil {
		return err
	}
	if err := dropProposal(ctx, tx, c); err != nil {
		return err
	}
	if err := c.settle(ctx, tx, idsOf(other.Identities), other.ID); err != nil {
		return err
	}

	// What is left may still be open: another candidate, or somebody without a phone. Otherwise the decision ended it.
	after, err := GetCase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if after.State == "done" && after.ClosedBy == "system" || c.Kind == CaseConflict && len(after.Candidates) == 0 {
		return closeCase(ctx, tx, actor, c.ID, OutcomeNotSame, nil)
	}

	return Release(ctx, tx, actor, c.ID)
}

func decideNew(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c Case) error {
	if c.Identity == nil {
		return closeCase(ctx, tx, actor, c.ID, OutcomeGone, nil)
	}
	for _, k := range c.Candidates {
		if err := apart(ctx, tx, actor, []Identity{*c.Identity}, k.Contact.Identities, &c.ID); err != nil {
			return err
		}
	}
	var nobodys []uuid.UUID // accounts it might be that are no contact
	if err := tx.SelectContext(ctx, &nobodys, `
		SELECT i.id FROM cases k CROSS JOIN LATERAL jsonb_array_elements(k.candidates) AS c
		JOIN identities i ON i.tenant_id = $1 AND i.id = (c ->> 'identity_id')::uuid AND i.contact_id IS NULL AND i.absorbed_into IS NULL
		WHERE k.tenant_id = $1 AND k.id = $2 ORDER BY i.id`, tx.Tenant, c.ID); err != nil {
		return fmt.Errorf("read candidates: %w", err)
	}
	for _, id := range nobodys {
		of, err := identityByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := apart(ctx, tx, actor, []Identity{*c.Identity}, []Identity{of}, &c.ID); err != nil {
			return err
		}
	}
	if err := decide(ctx, tx, actor, decision{kind: "is_new", a: leadingOf(*c.Identity), caseID: &c.ID}); err != nil {
		return err
	}
	if c.ContactID == nil {
		if _, err := c.contact(ctx, tx); err != nil {
			return err
		}
	}
	if err := c.settle(ctx, tx, nil); err != nil {
		return err
	}

	return closeCase(ctx, tx, actor, c.ID, OutcomeNew, nil)
}

// settle derives anew what the decision touches.
func (c Case) settle(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID, contacts ...uuid.UUID) error {
	if c.ContactID != nil {
		contacts = append(contacts, *c.ContactID)
	}
	if err := resettle(ctx, tx, append(identities, *c.IdentityID)); err != nil {
		return err
	}

	return SyncContacts(ctx, tx, contacts)
}

func putOff(ctx context.Context, tx *tenants.Tx, c Case, until *time.Time) error {
	if until == nil || until.Before(time.Now()) || until.After(time.Now().AddDate(1, 0, 0)) {
		return &tenants.Invalid{Field: "until", Key: "bad_date"}
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases SET hold_until = $3, lease_by = '', lease_until = NULL, version = version + 1 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, c.ID, until.UTC()); err != nil {
		return fmt.Errorf("hold case: %w", err)
	}

	return nil
}

func unsure(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c Case) error {
	by := c.UnsureBy
	if !slices.Contains(by, actor.ID) {
		by = append(by, actor.ID)
	}
	var until *time.Time
	if len(by) > 1 {
		t := time.Now().Add(waitAfterUnsure)
		until = &t
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases SET unsure_by = $3, hold_until = coalesce($4, hold_until), lease_by = '', lease_until = NULL, version = version + 1
		WHERE tenant_id = $1 AND id = $2`, tx.Tenant, c.ID, pq.Array(by), until); err != nil {
		return fmt.Errorf("pass case on: %w", err)
	}

	return nil
}
