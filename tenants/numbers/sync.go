package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What a number that is in the Business app as well can bring along: the owner's address book and the chats of before. Meta lets
// it be asked for once, within SyncWindow of the number's connection.
const (
	SyncContacts = "contacts"
	SyncHistory  = "history"

	SyncWindow = 24 * time.Hour
)

// Sync is one of the two, asked for. Progress is WhatsApp's own, of 100, and of SyncHistory alone; Arrived counts the saved
// contacts or the messages there now are.
type Sync struct {
	Kind      string     `db:"kind"`
	StartedAt time.Time  `db:"started_at"`
	Progress  int        `db:"progress"`
	Arrived   int64      `db:"-"`
	LastAt    *time.Time `db:"last_at"`  // when the last of it came
	Declined  bool       `db:"declined"` // the owner chose in the app not to share it
}

// Done tells whether WhatsApp has sent all of it. It does not say so of contacts.
func (s Sync) Done() bool { return s.Declined || s.Progress == 100 }

// Syncs are what has been asked for of a number's Business app, contacts first.
func Syncs(ctx context.Context, tx *tenants.Tx, id uuid.UUID) ([]Sync, error) {
	list, err := syncsOf(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		count := identity.CountSaved
		if s.Kind == SyncHistory {
			count = conversations.CountImported
		}
		if list[i].Arrived, err = count(ctx, tx, id); err != nil {
			return nil, err
		}
	}

	return list, nil
}

// syncsOf are Syncs with nothing counted.
func syncsOf(ctx context.Context, tx *tenants.Tx, id uuid.UUID) ([]Sync, error) {
	list := []Sync{}
	err := tx.SelectContext(ctx, &list, `
		SELECT kind, started_at, progress, last_at, declined FROM number_syncs
		WHERE tenant_id = $1 AND number_id = $2 AND request_id <> '' ORDER BY kind`, tx.Tenant, id)
	if err != nil {
		return nil, fmt.Errorf("list syncs of number %s: %w", id, err)
	}

	return list, nil
}

// SyncUntil is until when a number's contacts and chats may be asked for; ok is false where they never can be.
func (n Number) SyncUntil() (until time.Time, ok bool) {
	if !n.OnApp || n.OnboardedAt == nil || n.State == Disconnected {
		return time.Time{}, false
	}

	return n.OnboardedAt.Add(SyncWindow), true
}

// asked is the request id where Meta says that it was asked before and gave us none.
const asked = "before"

// StartSync asks for both, the contacts first, as Meta wants it. What was asked for already is not asked for again. After the
// window it is a Conflict "sync_late", for a number that is not in the app "sync_none", and where Meta took a wish badly
// "sync_failed": then it may be tried again.
func StartSync(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, id uuid.UUID) error {
	number, _, token, err := open(ctx, db, keys, tenant, id)
	if err != nil {
		return err
	}
	until, ok := number.SyncUntil()
	if !ok {
		return &tenants.Conflict{Code: "sync_none"}
	}
	if time.Now().After(until) {
		return &tenants.Conflict{Code: "sync_late"}
	}

	for _, s := range []struct{ kind, wire string }{{SyncContacts, whatsapp.SyncContacts}, {SyncHistory, whatsapp.SyncHistory}} {
		if err := startSync(ctx, db, graph, actor, number, tenant, token, s.kind, s.wire); err != nil {
			return err
		}
	}

	return nil
}

func startSync(ctx context.Context, db *tenants.DB, graph whatsapp.Graph, actor tenants.Actor, n Number, tenant uuid.UUID, token, kind, wire string) error {
	// Noted before it is asked: of two who press at once one asks, and what came of a process that died is found out by asking
	// again, which Meta answers with "before".
	var mine string
	err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &mine, `
			INSERT INTO number_syncs (tenant_id, number_id, kind) VALUES ($1, $2, $3)
			ON CONFLICT (tenant_id, number_id, kind) DO UPDATE SET started_at = now()
			WHERE number_syncs.request_id = '' AND number_syncs.started_at < now() - interval '1 minute'
			RETURNING kind`, tenant, n.ID, kind)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("note sync of number %s: %w", n.ID, err)
	}

	request, err := graph.RequestSync(ctx, token, n.PhoneNumberID, wire)
	var refusal *whatsapp.GraphError
	switch {
	case errors.As(err, &refusal) && refusal.Has(whatsapp.SyncRequested):
		request = asked
	case err != nil:
		return errors.Join(&tenants.Conflict{Code: "sync_failed"}, err, unclaimSync(ctx, db, tenant, n.ID, kind))
	case request == "":
		request = asked
	}

	return db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			UPDATE number_syncs SET request_id = $4 WHERE tenant_id = $1 AND number_id = $2 AND kind = $3`, tenant, n.ID, kind, request); err != nil {
			return fmt.Errorf("keep request of sync: %w", err)
		}
		if err := plan(ctx, tx, jobSync, n.ID, time.Now()); err != nil {
			return err
		}

		return tenants.Audit(ctx, tx, tenants.Act{
			Actor: actor, Action: "number.sync", ObjectKind: "number", ObjectID: n.ID.String(),
			Detail: map[string]any{"what": kind, "request": request},
		})
	})
}

// unclaimSync lets a wish be tried again at once.
func unclaimSync(ctx context.Context, db *tenants.DB, tenant, id uuid.UUID, kind string) error {
	return db.As(ctx, tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			DELETE FROM number_syncs WHERE tenant_id = $1 AND number_id = $2 AND kind = $3 AND request_id = ''`, tenant, id, kind)

		return err
	})
}

// forgetSyncs lets what a number's app holds be asked for again: the app was connected anew.
func forgetSyncs(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM number_syncs WHERE tenant_id = $1 AND number_id = $2`, tx.Tenant, id); err != nil {
		return fmt.Errorf("forget syncs of number %s: %w", id, err)
	}

	return drop(ctx, tx, jobSync, id)
}

const (
	followBusy   = 2 * time.Second
	followQuiet  = 30 * time.Second
	followSeldom = 10 * time.Minute
	quietAfter   = 2 * time.Minute
	stillAfter   = time.Hour
	// Meta repeats what it could not deliver for up to seven days; nothing comes after that.
	followFor = 8 * 24 * time.Hour
	fewBodies = 3
)

// followSync brings up to date how far a number's contacts and chats have come, and returns when to look again.
func (w *Worker) followSync(ctx context.Context, tenant, id uuid.UUID) (next time.Time, err error) {
	var (
		number Number
		syncs  []Sync
	)
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		if number, err = Get(ctx, tx, id); err != nil {
			return err
		}
		syncs, err = syncsOf(ctx, tx, id)

		return err
	})
	if errors.Is(err, tenants.ErrNotFound) || err == nil && (len(syncs) == 0 || number.State == Disconnected) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}

	now, last, done := time.Now(), syncs[0].StartedAt, false
	for _, s := range syncs {
		if s, err = w.follow(ctx, tenant, number, s); err != nil {
			return time.Time{}, err
		}
		if s.LastAt != nil && s.LastAt.After(last) {
			last = *s.LastAt
		}
		done = done || s.Kind == SyncHistory && s.Done()
	}
	quiet := now.Sub(last)
	switch {
	case quiet > followFor, done && quiet > stillAfter:
		return time.Time{}, nil
	case quiet > stillAfter:
		return now.Add(followSeldom), nil
	case quiet > quietAfter:
		return now.Add(followQuiet), nil
	}

	return now.Add(followBusy), nil
}

// follow looks for what came of one sync since the last look.
func (w *Worker) follow(ctx context.Context, tenant uuid.UUID, n Number, s Sync) (Sync, error) {
	after, field := s.StartedAt, whatsapp.SyncContacts
	if s.LastAt != nil {
		after = *s.LastAt
	}
	if s.Kind == SyncHistory {
		field = whatsapp.SyncHistory
	}
	news, err := ingest.NewsOf(ctx, w.db, w.keys, tenant, n.ID, field, after, fewBodies)
	if err != nil || news.Last.IsZero() {
		return s, err
	}

	s.LastAt = &news.Last
	if s.Kind == SyncHistory {
		for _, body := range news.Bodies {
			percent, declined, ok := whatsapp.HistoryProgress(body, n.PhoneNumberID)
			if ok {
				s.Progress, s.Declined = max(s.Progress, percent), s.Declined || declined
			}
		}
	}
	err = w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE number_syncs SET progress = $4, last_at = $5, declined = $6
			WHERE tenant_id = $1 AND number_id = $2 AND kind = $3`, tenant, n.ID, s.Kind, s.Progress, s.LastAt, s.Declined)

		return err
	})
	if err != nil {
		return s, fmt.Errorf("keep progress of %s of number %s: %w", s.Kind, n.ID, err)
	}

	return s, nil
}
