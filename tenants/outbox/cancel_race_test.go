package outbox_test

import (
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// A message is taken back while a lane notes that other software has answered: the thread stays answered.
func TestTakingBackWhileALaneNotesAnAnswer(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes("", "IN.1")
	out := h.sends(h.opens(h.whois(whatsapp.KindBSUID, "IN.1").ID), "one moment")

	done := make(chan error, 1)
	h.as(func(tx *tenants.Tx) error {
		// As a lane does: it locks the thread, and what it writes is seen when it is done.
		if _, err := tx.Exec(`SELECT FROM thread_tips WHERE tenant_id = $1 FOR UPDATE`, h.tenant); err != nil {
			return err
		}
		go func() {
			done <- h.db.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return conversations.Cancel(t.Context(), tx, meera, out.ID) })
		}()
		for waits := false; !waits; {
			if err := h.db.DB.SQL().QueryRow(`
				SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple'))
				   AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`
			INSERT INTO statuses (tenant_id, number_id, wamid, status, participant, at, digest, tenure_id, item_id)
			SELECT tenant_id, number_id, 'theirs', 'sent', '00000000-0000-0000-0000-000000000000', now(), '', tenure_id, 1 FROM thread_tips WHERE tenant_id = $1`, h.tenant)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE thread_tips SET answered_at = now(), waiting_since = NULL WHERE tenant_id = $1`, h.tenant)
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	var answered, waiting *time.Time
	h.as(func(tx *tenants.Tx) error {
		return tx.QueryRow(`SELECT answered_at, waiting_since FROM thread_tips WHERE tenant_id = $1`, h.tenant).Scan(&answered, &waiting)
	})
	if answered == nil || waiting != nil {
		t.Errorf("answered %v, waiting since %v: want the answer of the other software to count", answered, waiting)
	}
}
