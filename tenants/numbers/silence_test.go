package numbers_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
)

// A number from which something comes every hour falls silent, and its owner is told once; with the next event all is well.
func TestSilenceIsTold(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := numbers.Connect(context.Background(), p.DB, p.keys, m.graph, meera, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := tx.ExecContext(ctx, query, args...)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	told := func() (silences int) {
		t.Helper()
		if err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
			list, err := notices.About(ctx, tx, n.ID, n.WABAID, 20)
			for _, one := range list {
				if one.Field == notices.FieldSilence {
					silences++
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return silences
	}
	quiet := func() *time.Time {
		t.Helper()
		got, err := p.get(p.asha, n.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.QuietSince
	}

	// Five an hour until six hours ago.
	exec(`
		INSERT INTO inbox_rates (tenant_id, number_id, unit, slot, at, items)
		SELECT $1, $2, 'hour', extract(epoch FROM h)::bigint / 3600 % 192, h, 5
		FROM generate_series(date_trunc('hour', now(), 'UTC') - interval '60 hours', date_trunc('hour', now(), 'UTC') - interval '6 hours', '1 hour') AS h`, p.asha, n.ID)
	exec(`UPDATE numbers SET last_event_at = now() - interval '6 hours', first_event_at = now() - interval '60 hours', state = 'connected' WHERE id = $1`, n.ID)
	p.works(t, m.graph)
	p.due(t, "number_silence")
	until(t, "the silence is noticed", func() bool { return quiet() != nil })
	if got := time.Since(*quiet()); got < 5*time.Hour || got > 7*time.Hour {
		t.Errorf("silent for %s, want about 6 hours", got)
	}
	p.due(t, "number_silence")
	until(t, "it is listened to again", func() bool {
		var waiting bool
		if err := p.DB.SQL().QueryRow(`SELECT state = 'waiting' AND run_at > now() FROM jobs WHERE kind = 'number_silence'`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		return waiting
	})
	if got := told(); got != 1 {
		t.Errorf("told %d times, want once", got)
	}

	// The next event ends it at once.
	exec(`UPDATE numbers SET last_event_at = now() WHERE id = $1`, n.ID)
	if quiet() != nil {
		t.Error("an event has come, and the number is still called silent")
	}

	// One that nobody ever wrote to is not called silent.
	exec(`UPDATE numbers SET last_event_at = now() - interval '9 hours' WHERE id = $1`, n.ID)
	exec(`DELETE FROM inbox_rates`)
	p.due(t, "number_silence")
	until(t, "it is called silent no longer", func() bool { return quiet() == nil })
}

// What is set aside, and an app of the business's own that refuses everything, are told once a day.
func TestWhatIsWrongIsToldOnceADay(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, p.asha, "demo")
	n, err := numbers.Connect(context.Background(), p.DB, p.keys, m.graph, meera, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := p.DB.SQL().Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	told := func() (fields map[string]int) {
		t.Helper()
		fields = map[string]int{}
		if err := p.as(p.asha, func(ctx context.Context, tx *tenants.Tx) error {
			list, err := notices.About(ctx, tx, n.ID, n.WABAID, 20)
			for _, one := range list {
				fields[one.Field]++
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return fields
	}
	listened := func() {
		t.Helper()
		p.due(t, "number_silence")
		until(t, "it is listened to", func() bool {
			var waiting bool
			if err := p.DB.SQL().QueryRow(`SELECT state = 'waiting' AND run_at > now() FROM jobs WHERE kind = 'number_silence'`).Scan(&waiting); err != nil {
				t.Fatal(err)
			}
			return waiting
		})
	}

	p.works(t, m.graph)
	listened()
	if got := told(); got[notices.FieldAside]+got[notices.FieldSecret] != 0 {
		t.Errorf("where all is well: told %v", got)
	}
	app := n.AppID
	exec(`
		INSERT INTO inbox_items (event_id, position, app_id, tenant_id, number_id, field, kind, body, state, reason, received_at)
		VALUES (1, '0', $1, $2, $3, 'messages', 'message', '{}', 'set_aside', 'item_not_object', now())`, app, p.asha, n.ID)
	exec(`INSERT INTO app_counters (app_id, slot, refused, refused_at) VALUES ($1, 0, 9, now())`, app)
	exec(`INSERT INTO app_refusals (app_id, slot, at, refused) VALUES ($1, 0, now(), 9)`, app)
	listened()
	listened()
	if got := told(); got[notices.FieldAside] != 1 || got[notices.FieldSecret] != 1 {
		t.Errorf("told %v, want each once", got)
	}
	var mails int
	if err := p.DB.SQL().QueryRow(`SELECT count(*) FROM jobs WHERE kind = $1`, notices.KindTell).Scan(&mails); err != nil || mails != 2 {
		t.Errorf("%d mails are due (%v), want 2", mails, err)
	}
}
