package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// jobKind is the kind of the jobs that carry imports out.
const jobKind = "import"

// Map says what the columns hold, and has the list judged in a trial that changes nothing. scope is one of Scopes, "" for the
// first. It can be said again until the list is taken in. Conflict "import_moved" where it is too late.
func Map(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID, m Mapping, scope string) error {
	i, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	if i.State != Unmapped && i.State != Checked {
		return &tenants.Conflict{Code: "import_moved"}
	}
	for n, name := range m.Names {
		m.Names[n] = clipped(clean(name), maxSystem)
	}
	m.nameUnnamed()
	if err := m.check(i.Widest); err != nil {
		return err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode mapping: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE import_rows SET phone = '', bsuid = '', external = '', outcome = '', reason = '', other_row = NULL, contact_id = NULL, made = false
		WHERE tenant_id = $1 AND import_id = $2 AND outcome <> ''`, tx.Tenant, id); err != nil {
		return fmt.Errorf("forget trial: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET mapping = $3, scope = $4 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, string(raw), scope); err != nil {
		return fmt.Errorf("write mapping: %w", err)
	}

	return begin(ctx, tx, actor, i, Checking, "import.check")
}

// Run takes the list in as it was judged, each row judged again at its turn; of one that was stopped, the rest. Conflict
// "import_moved" unless it is Checked or Stopped.
func Run(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	i, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	switch i.State {
	case Checked:
		return begin(ctx, tx, actor, i, Running, "import.run")
	case Stopped:
		return goOn(ctx, tx, actor, i, Running, "import.run")
	}

	return &tenants.Conflict{Code: "import_moved"}
}

// Stop ends the step under way once its present batch is done. A trial leaves nothing behind; what a list has brought so far stands,
// and can be taken back or gone on with. Conflict "import_moved" where the list is neither tried nor taken in.
func Stop(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	i, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	next := map[string]string{Checking: Unmapped, Running: Stopped}[i.State]
	if next == "" {
		return &tenants.Conflict{Code: "import_moved"}
	}
	// The job ends itself: its worker holds it before the list.
	if _, err := tx.ExecContext(ctx, `
		UPDATE imports SET state = $3, ended_at = CASE WHEN $3 = 'stopped' THEN now() END WHERE tenant_id = $1 AND id = $2`, tx.Tenant, id, next); err != nil {
		return fmt.Errorf("stop import: %w", err)
	}

	return audit(ctx, tx, actor, "import.stop", id, map[string]any{"at_row": i.AtRow, "new": i.New, "changed": i.Changed})
}

// Undo takes the list back: what it made goes, what it changed is as before, but for what somebody has done since; that stays and
// is counted. One that a fault broke off goes on where it was. Conflict "import_moved" unless it is Done, Stopped or Failed.
func Undo(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	i, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	switch {
	case i.State == Failed && i.Reverted+i.Kept > 0:
		return goOn(ctx, tx, actor, i, Undoing, "import.undo")
	case i.State == Done || i.State == Stopped || i.State == Failed:
		return begin(ctx, tx, actor, i, Undoing, "import.undo")
	}

	return &tenants.Conflict{Code: "import_moved"}
}

// Discard deletes a list that nothing came of, or that was taken back. Conflict "import_moved" where customers came of it.
func Discard(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
	i, err := locked(ctx, tx, id)
	if err != nil {
		return err
	}
	if i.State != Unmapped && i.State != Checked && (i.State != Undone || i.Kept > 0) {
		return &tenants.Conflict{Code: "import_moved"}
	}
	for _, statement := range []string{
		`DELETE FROM import_rows WHERE tenant_id = $1 AND import_id = $2`,
		`DELETE FROM imports WHERE tenant_id = $1 AND id = $2`,
	} {
		if _, err := tx.ExecContext(ctx, statement, tx.Tenant, id); err != nil {
			return fmt.Errorf("discard import: %w", err)
		}
	}

	return audit(ctx, tx, actor, "import.discard", id, nil)
}

func locked(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Import, error) {
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM imports WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, tx.Tenant, id); err != nil {
		return Import{}, fmt.Errorf("lock import: %w", err)
	}

	return Get(ctx, tx, id)
}

// begin starts a step from the first row, with nothing counted.
func begin(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, i Import, state, action string) error {
	counts := "n_undone = 0, n_kept = 0"
	if state != Undoing {
		counts = "n_new = 0, n_changed = 0, n_same = 0, n_conflict = 0, n_skipped = 0"
	}
	if _, err := tx.ExecContext(ctx, `UPDATE imports SET at_row = 0, `+counts+` WHERE tenant_id = $1 AND id = $2`, tx.Tenant, i.ID); err != nil {
		return fmt.Errorf("begin step of import: %w", err)
	}

	return goOn(ctx, tx, actor, i, state, action)
}

// goOn starts a step at the row where the list is, with the job that carries it out.
func goOn(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, i Import, state, action string) error {
	job, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make job id: %w", err)
	}
	args, err := json.Marshal(jobArgs{Import: i.ID, Step: state, By: actor.ID, Kind: actor.Kind, Name: actor.Name})
	if err != nil {
		return fmt.Errorf("encode job: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args, total) VALUES ($1, $2, $3, $4, $5)`, job, tx.Tenant, jobKind, string(args), i.Rows); err != nil {
		return fmt.Errorf("write job: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE imports SET state = $3, job_id = $4, ended_at = NULL WHERE tenant_id = $1 AND id = $2`, tx.Tenant, i.ID, state, job); err != nil {
		return fmt.Errorf("begin step of import: %w", err)
	}

	return audit(ctx, tx, actor, action, i.ID, nil)
}
