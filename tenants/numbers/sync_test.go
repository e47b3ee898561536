package numbers_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

func (w *metaWindow) startSync(tenant, id uuid.UUID) error {
	return numbers.StartSync(context.Background(), w.DB, w.keys, w.graph, meera, tenant, id)
}

func (w *metaWindow) syncs(t *testing.T, tenant, id uuid.UUID) map[string]numbers.Sync {
	t.Helper()

	byKind := map[string]numbers.Sync{}
	err := w.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := numbers.Syncs(ctx, tx, id)
		for _, s := range list {
			byKind[s.Kind] = s
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return byKind
}

// takeIn stores what the window's webhooks bring, as the web server does, and processes it.
func (w *metaWindow) takeIn(t *testing.T) {
	t.Helper()

	app, err := w.app(uuid.Nil, "platform")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	receiver := ingest.NewReceiver(w.DB, ingest.Options{Log: log})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- ingest.NewWorker(w.DB, log).Run(ctx) }()
	go func() {
		for {
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case body := <-w.took:
				if _, err := receiver.Receive(ctx, app.ID, body); err != nil && ctx.Err() == nil {
					t.Errorf("receive: %v", err)
				}
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		receiver.Close()
	})
}

func TestSyncBringsContactsAndChatsOnce(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	inApp, fresh := sandbox.SignupNumbers()
	n, err := w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, inApp, keepsApp, "finish"), WABAID: inApp.WABAID})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.syncs(t, w.asha, n.ID); len(got) != 0 || w.called("smb_app_data") != 0 {
		t.Errorf("before anybody asked: %v, want no sync: it can be started only once", got)
	}
	if err := w.startSync(w.ravi, n.ID); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("start another tenant's: got %v, want ErrNotFound", err)
	}

	w.takeIn(t)
	w.works(t, w.graph)
	if err := w.startSync(w.asha, n.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "all is there", func() bool {
		got := w.syncs(t, w.asha, n.ID)
		return got[numbers.SyncHistory].Done() && got[numbers.SyncHistory].Arrived == 8 && got[numbers.SyncContacts].Arrived == 4
	})
	if err := w.startSync(w.asha, n.ID); err != nil {
		t.Errorf("start again: %v, want nothing to happen", err)
	}
	if got := w.called("smb_app_data"); got != 2 {
		t.Errorf("Meta was asked %d times, want once for each", got)
	}
	if got := w.auditOf(t, w.asha, "number.sync"); got != 2 {
		t.Errorf("audit entries: got %d, want one for each", got)
	}

	other, err := w.signup(w.asha, numbers.SignupInput{Code: w.choose(t, fresh, "", "finish")})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.startSync(w.asha, other.ID); tenants.ConflictCode(err) != "sync_none" {
		t.Errorf("a number without the app: got %v, want sync_none", err)
	}
}

func TestSyncThatMetaRefuses(t *testing.T) {
	t.Parallel()
	w := newWindow(t)
	inApp, _ := sandbox.SignupNumbers()
	n, err := w.signup(w.asha, numbers.SignupInput{OnApp: true, Code: w.choose(t, inApp, keepsApp, "finish"), WABAID: inApp.WABAID})
	if err != nil {
		t.Fatal(err)
	}
	path := "/" + inApp.PhoneNumberID + "/smb_app_data"
	refuses := func(code string) {
		w.instead(path, func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(rw, `{"error":{"code":`+code+`,"message":"no"}}`)
		})
	}

	refuses("2")
	if err := w.startSync(w.asha, n.ID); tenants.ConflictCode(err) != "sync_failed" {
		t.Errorf("Meta stumbles: got %v, want sync_failed", err)
	}
	if got := w.syncs(t, w.asha, n.ID); len(got) != 0 {
		t.Errorf("after a failure: %v, want it open to be tried again", got)
	}
	refuses("2593107")
	if err := w.startSync(w.asha, n.ID); err != nil || len(w.syncs(t, w.asha, n.ID)) != 2 {
		t.Errorf("asked for before: got %v, want it taken as started", err)
	}

	err = w.as(w.asha, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE numbers SET onboarded_at = now() - interval '25 hours'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.startSync(w.asha, n.ID); tenants.ConflictCode(err) != "sync_late" {
		t.Errorf("a day later: got %v, want sync_late", err)
	}
}
