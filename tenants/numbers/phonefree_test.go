package numbers_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
)

func TestSetPhoneFree(t *testing.T) {
	t.Parallel()
	p, m := newPlace(t), newMeta(t)
	p.addApp(t, uuid.Nil, "demo")
	n, err := p.connect(m, p.asha, m.input())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	as := func(tenant uuid.UUID, fn func(*tenants.Tx) error) {
		t.Helper()
		if err := p.DB.As(ctx, tenant, fn); err != nil {
			t.Fatal(err)
		}
	}
	set := func(free bool) {
		t.Helper()
		as(p.asha, func(tx *tenants.Tx) error { return numbers.SetPhoneFree(ctx, tx, meera, n.ID, free) })
	}
	is := func(free, cleaning bool) {
		t.Helper()
		as(p.asha, func(tx *tenants.Tx) error {
			got, err := numbers.Get(ctx, tx, n.ID)
			if err == nil && (got.PhoneFree != free || got.PhoneCleaning != cleaning) {
				t.Errorf("phone-free %v, cleaning %v; want %v, %v", got.PhoneFree, got.PhoneCleaning, free, cleaning)
			}
			if told, err := numbers.PhoneFree(ctx, tx, n.ID); err != nil || told != free {
				t.Errorf("told %v, %v; want %v", told, err, free)
			}

			return err
		})
	}

	is(false, false)
	set(true)
	set(true)
	is(true, true)
	set(false)
	is(false, false)

	as(p.ravi, func(tx *tenants.Tx) error {
		if err := numbers.SetPhoneFree(ctx, tx, meera, n.ID, true); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("another tenant switches: %v, want not found", err)
		}
		if _, err := numbers.PhoneFree(ctx, tx, n.ID); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("another tenant asks: %v, want not found", err)
		}

		return nil
	})
	is(false, false)
}
