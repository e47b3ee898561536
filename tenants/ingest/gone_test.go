package ingest_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

func (p *place) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyAnErasedBusinessIsTakenOut(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.receive(t, p.app, toAsha(text(1, "hello")))
	p.work(t)
	p.settle(t)

	if n, err := ingest.EraseTenant(t.Context(), p.DB, p.asha, 100); err == nil || n != 0 {
		t.Errorf("took %d items (%v) of a business that is open, want it refused", n, err)
	}
	if n := len(p.items(t, p.asha, "")); n != 1 {
		t.Errorf("%d items left, want the one", n)
	}
	p.wantBalance(t)
}

// What is held of a number that is another business's by now is not for the one that had it before to take along.
func TestErasingLeavesWhatIsHeldOfAnother(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.exec(t, `UPDATE number_directory SET until = now() WHERE tenant_id = $1`, p.asha)
	p.receive(t, p.app, toAsha(text(1, "to nobody")))
	p.receive(t, p.app, toAsha(text(2, "to nobody either")))
	stop := p.work(t)
	p.settle(t)
	stop()
	held := func() int { return p.count(t, uuid.Nil, `SELECT count(*) FROM inbox_items WHERE state = 'held'`) }
	if held() != 2 {
		t.Fatalf("%d items held, want both", held())
	}
	p.exec(t, `UPDATE tenants SET state = 'erased', erase_after = now() WHERE id = $1`, p.asha)
	p.exec(t, `INSERT INTO number_directory (phone_number_id, tenant_id, number_id, app_id, waba_id, display_phone)
		VALUES ('801', $1, $2, $3, '702', '919800000801')`, p.ravi, uuid.New(), p.app)

	if n, err := ingest.EraseTenant(t.Context(), p.DB, p.asha, 100); err != nil || n != 0 || held() != 2 {
		t.Errorf("took %d items (%v), %d are held, want both left to the number's owner", n, err, held())
	}
	p.exec(t, `UPDATE number_directory SET until = now() WHERE tenant_id = $1 AND phone_number_id = '801'`, p.ravi)
	if n, err := ingest.EraseTenant(t.Context(), p.DB, p.asha, 100); err != nil || n != 2 || held() != 0 {
		t.Errorf("took %d items (%v), %d are held, want both gone when the number is nobody's", n, err, held())
	}
}
