package imports_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/operator"
)

// partly lets a worker carry a step on until some rows are through, and no further.
func (s *shop) partly(id uuid.UUID, state string) imports.Import {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = imports.NewWorker(s.db, s.keys, slog.New(slog.DiscardHandler)).Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(2 * time.Millisecond) {
		i := s.get(id)
		if i.State == state && i.AtRow > 1 && i.AtRow < i.Rows {
			stop()
			<-ended

			return s.get(id)
		}
	}
	s.t.Fatalf("import does not come half way: %+v", s.get(id))

	return imports.Import{}
}

func (s *shop) get(id uuid.UUID) (i imports.Import) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) (err error) {
		i, err = imports.Get(s.t.Context(), tx, id)
		return err
	})

	return i
}

// Whoever stops a list finds what has been done, and can take it back or have the rest.
func TestStoppedHalfWay(t *testing.T) {
	t.Parallel()
	const people = 2500
	for what, ends := range map[string]func(*testing.T, *shop, imports.Import){
		"taken back": func(t *testing.T, s *shop, i imports.Import) {
			s.step(i.ID, imports.Undo)
			i = s.until(i.ID, imports.Undone)
			if i.Reverted != i.New || i.Kept != 0 {
				t.Errorf("want %d taken back, got %d, and %d kept", i.New, i.Reverted, i.Kept)
			}
			if left := s.dump(); left != "" {
				t.Errorf("want nothing left, got %.300s", left)
			}
		},
		"the rest": func(t *testing.T, s *shop, i imports.Import) {
			s.step(i.ID, imports.Run)
			i = s.until(i.ID, imports.Done)
			if n := s.contacts(); i.New != people || i.Same != 0 || n != people {
				t.Errorf("want %d new, none twice, got %d and %d the same; %d contacts", people, i.New, i.Same, n)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			i := s.upload(&longList{rows: people})
			s.as(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, meera, i.ID, i.Mapping, "") })
			s.partly(i.ID, imports.Checking)
			s.step(i.ID, imports.Stop)
			if i = s.get(i.ID); i.State != imports.Unmapped {
				t.Fatalf("want a stopped trial back at its columns, got %s", i.State)
			}

			s.as(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, meera, i.ID, i.Mapping, "") })
			func() {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				go func() { _ = imports.NewWorker(s.db, s.keys, slog.New(slog.DiscardHandler)).Run(ctx) }()
				s.until(i.ID, imports.Checked)
			}()
			s.step(i.ID, imports.Run)
			s.partly(i.ID, imports.Running)
			s.step(i.ID, imports.Stop)
			s.work()
			i = s.get(i.ID)
			if n := s.contacts(); i.State != imports.Stopped || i.New != i.AtRow-1 || n != i.New {
				t.Fatalf("want a stopped list with as many contacts as rows, got %s at %d with %d new, %d contacts", i.State, i.AtRow, i.New, n)
			}
			ends(t, s, i)
		})
	}
}

// A trial that is stopped and whose list is thrown away before any worker came to it ends without a fault.
func TestStoppedAndThrownAway(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	i := s.upload(&longList{rows: 3})
	s.as(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, meera, i.ID, i.Mapping, "") })
	s.step(i.ID, imports.Stop)
	s.step(i.ID, imports.Discard)

	s.work()
	var job struct {
		State string `db:"state"`
		Tries int    `db:"tries"`
	}
	for began := time.Now(); job.State != "done" && time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
		s.as(func(tx *tenants.Tx) error { return tx.Get(&job, `SELECT state, tries FROM jobs WHERE kind = 'import'`) })
	}
	if job.State != "done" || job.Tries != 0 {
		t.Errorf("the job is %s after %d tries, want it ended at the first", job.State, job.Tries)
	}
}

// A fault that ends the taking back half way costs nothing: it goes on where it was.
func TestUndoGoesOn(t *testing.T) {
	t.Parallel()
	const people = 1500
	s := newShop(t, false)
	i := s.upload(&longList{rows: people})
	func() {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() { _ = imports.NewWorker(s.db, s.keys, slog.New(slog.DiscardHandler)).Run(ctx) }()
		i = s.try(i, nil)
		s.step(i.ID, imports.Run)
		s.until(i.ID, imports.Done)
	}()
	s.step(i.ID, imports.Undo)
	half := s.partly(i.ID, imports.Undoing)
	s.as(func(tx *tenants.Tx) error {
		if _, err := tx.Exec(`UPDATE jobs SET state = 'dead' WHERE id = $1`, half.Job); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE imports SET state = 'failed' WHERE id = $1`, i.ID)
		return err
	})

	s.work()
	s.step(i.ID, imports.Undo)
	i = s.until(i.ID, imports.Undone)
	if i.Reverted != people || i.Kept != 0 || s.dump() != "" {
		t.Errorf("want %d taken back and nothing left, got %d, and %d kept", people, i.Reverted, i.Kept)
	}
}

func (s *shop) contacts() (n int) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) error { return tx.Get(&n, `SELECT count(*) FROM contacts`) })

	return n
}

// What failed for good goes on where it was when an operator has it tried again, unless its business has done something else with it since.
func TestFailedAndTriedAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	omar := access.Member{Role: "operator_admin", Actor: tenants.Actor{Kind: "operator", ID: uuid.NewString(), Name: "Omar"}}
	again := func() error {
		return s.db.System(t.Context(), func(tx *tenants.Tx) error {
			_, err := operator.Retry(t.Context(), tx, omar, uuid.Nil)
			return err
		})
	}
	fail := func(i imports.Import, state string) {
		s.as(func(tx *tenants.Tx) error {
			if _, err := tx.Exec(`UPDATE jobs SET state = 'dead', problem = 'import_failed', finished_at = now() WHERE id = $1`, s.get(i.ID).Job); err != nil {
				return err
			}
			_, err := tx.Exec(`UPDATE imports SET state = $2, ended_at = now() WHERE id = $1`, i.ID, state)
			return err
		})
	}
	i := s.upload(&longList{rows: 3})
	s.as(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, meera, i.ID, i.Mapping, "") })
	fail(i, imports.Unmapped)
	if err := again(); err != nil {
		t.Fatal(err)
	}
	s.work()
	s.until(i.ID, imports.Checked)
	s.as(func(tx *tenants.Tx) error {
		if err := imports.Run(t.Context(), tx, meera, i.ID); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE jobs SET state = 'dead' WHERE kind = 'import' AND state = 'waiting'`)
		return err
	})
	fail(i, imports.Failed)
	if err := again(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); s.get(i.ID).State == imports.Failed && time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
	}
	if i = s.until(i.ID, imports.Done); i.New != 3 || i.EndedAt == nil {
		t.Errorf("got %d new, ended at %v, want all three", i.New, i.EndedAt)
	}

	// Nothing that could be tried again is left, and what has moved on stays as it is.
	if err := again(); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("nothing to try again: got %v", err)
	}
	s.as(func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET state = 'dead' WHERE args->>'step' = 'running'`)
		return err
	})
	s.step(i.ID, imports.Undo)
	if err := again(); err != nil {
		t.Fatal(err)
	}
	if i = s.until(i.ID, imports.Undone); i.Reverted != 3 {
		t.Errorf("got %d taken back, want all three", i.Reverted)
	}
	if n := s.contacts(); n != 0 {
		t.Errorf("%d contacts are back after the list was taken back", n)
	}
}
