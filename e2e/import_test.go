package e2e_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
)

// upload leaves lists of customers at the steps that have pages of their own.
func (w *world) upload(t *testing.T) {
	t.Helper()

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = imports.NewWorker(w.DB, slog.New(slog.NewTextHandler(io.Discard, nil))).Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()

	const list = "Name,Mobile,WhatsApp ID,Customer ID\nAsha Verma,98123 45601,,C-1\nसुमन देवी,9.19E+11,,C-2\nRavi Kumar,,IN.12,C-3\nRavi,,IN.12,C-4\n"
	for _, last := range []string{imports.Unmapped, imports.Checked, imports.Done, imports.Undone} {
		var i imports.Import
		do := func(fn func(*tenants.Tx) error) { w.as(t, w.clinic, fn) }
		until := func(state string) bool {
			for deadline := time.Now().Add(time.Minute); i.State != state; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("import stays %s, want %s", i.State, state)
				}
				do(func(tx *tenants.Tx) (err error) {
					i, err = imports.Get(t.Context(), tx, i.ID)
					return err
				})
			}

			return state == last
		}
		do(func(tx *tenants.Tx) (err error) {
			i, err = imports.Start(t.Context(), tx, w.meera, "customers "+last, strings.NewReader(list))
			return err
		})
		w.lists = append(w.lists, "/contacts/import/"+i.ID.String())
		if until(imports.Unmapped) {
			continue
		}
		do(func(tx *tenants.Tx) error { return imports.Map(t.Context(), tx, w.meera, i.ID, i.Mapping, "") })
		if until(imports.Checked) {
			w.lists = append(w.lists, "/contacts/import/"+i.ID.String()+"?columns=1")
			continue
		}
		do(func(tx *tenants.Tx) error { return imports.Run(t.Context(), tx, w.meera, i.ID) })
		if until(imports.Done) {
			w.lists = append(w.lists, "/contacts/import/"+i.ID.String()+"?undo=1")
			continue
		}
		do(func(tx *tenants.Tx) error { return imports.Undo(t.Context(), tx, w.meera, i.ID) })
		until(imports.Undone)
	}
}
