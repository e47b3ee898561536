package access_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

func (h *house) key(t *testing.T, tenant tenants.Tenant, scopes ...string) (k access.Key, secret string) {
	t.Helper()
	h.as(t, tenant, func(ctx context.Context, tx *tenants.Tx) (err error) {
		k, secret, err = access.CreateKey(ctx, tx, as(access.Developer), "CRM", scopes)
		return err
	})

	return k, secret
}

func (h *house) checkKey(secret string) (m access.Member, err error) {
	ctx := context.Background()
	err = h.DB.System(ctx, func(tx *tenants.Tx) error {
		m, err = access.CheckKey(ctx, tx, secret)
		return err
	})

	return m, err
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	k, secret := h.key(t, h.clinic, "read")

	if !strings.HasPrefix(secret, "pk_") || len(secret) != 46 || !strings.HasPrefix(secret, k.Prefix) || len(k.Prefix) != 10 {
		t.Errorf("want pk_ and 256 bits, got %q shown as %q", secret, k.Prefix)
	}
	m, err := h.checkKey(secret)
	if err != nil || m.Tenant.ID != h.clinic.ID || m.Role != access.Lead || m.Actor.Kind != "api_key" || m.Actor.ID != k.ID.String() {
		t.Errorf("want the clinic's lead by key, got %+v, %v", m, err)
	}
	if !m.HasScope("read") || m.HasScope("write") {
		t.Errorf("want the scope read only, got %v", m.Scopes)
	}

	for _, bad := range []string{"", "pk_", secret[:45], secret + "x", "pk_" + strings.Repeat("A", 43), strings.ToUpper(secret)} {
		_, err := h.checkKey(bad)
		wantIs(t, err, access.ErrNoSession)
	}

	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RevokeKey(ctx, tx, as(access.Owner), k.ID, k.Prefix))
	})
	_, err = h.checkKey(secret)
	wantIs(t, err, access.ErrNoSession)
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RevokeKey(ctx, tx, as(access.Owner), k.ID, k.Prefix))
	})
}

func TestKeyLastUseIsKeptToTheMinute(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, secret := h.key(t, h.clinic, "read", "write")

	used := func() *time.Time {
		if _, err := h.checkKey(secret); err != nil {
			t.Fatalf("check key: %v", err)
		}
		var keys []access.Key
		h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) (err error) {
			keys, err = access.Keys(ctx, tx)
			return err
		})

		return keys[0].LastUsedAt
	}
	first := used()
	if first == nil || !used().Equal(*first) {
		t.Errorf("want one touch in a minute, got %v", first)
	}
	h.exec(t, `UPDATE api_keys SET last_used_at = last_used_at - interval '2 minutes'`)
	if again := used(); !again.After(first.Add(-time.Minute)) {
		t.Errorf("want another touch, got %v", again)
	}
}

func TestKeysNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	k, secret := h.key(t, h.motors, "read")

	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		keys, err := access.Keys(ctx, tx)
		if len(keys) != 0 {
			t.Errorf("want none of ravi-motors' keys, got %v", keys)
		}
		return err
	})
	err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return second(access.RevokeKey(ctx, tx, as(access.Owner), k.ID, k.Prefix))
	})
	wantIs(t, err, tenants.ErrNotFound)
	if _, err := h.checkKey(secret); err != nil {
		t.Errorf("want the key alive, got %v", err)
	}

	h.exec(t, `UPDATE tenants SET state = 'suspended' WHERE id = $1`, h.motors.ID)
	_, err = h.checkKey(secret)
	var stopped *access.Stopped
	if !errors.As(err, &stopped) || stopped.State != tenants.Suspended {
		t.Errorf("key of a suspended business: want it told so, got %v", err)
	}
}

func TestKeysRefuse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	for _, role := range []string{access.Lead, access.Agent, access.Marketing, access.Auditor} {
		err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			_, _, err := access.CreateKey(ctx, tx, as(role), "CRM", []string{"read"})
			return err
		})
		wantIs(t, err, tenants.ErrForbidden)
	}
	for _, scopes := range [][]string{nil, {"admin"}, {"read", "*"}} {
		err := h.try(h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
			_, _, err := access.CreateKey(ctx, tx, as(access.Owner), "CRM", scopes)
			return err
		})
		wantInvalid(t, err, "scopes", "scopes")
	}

	k, _ := h.key(t, h.clinic, "write", "read", "write")
	if want := []string{"read", "write"}; !slices.Equal(k.Scopes, want) {
		t.Errorf("want %v, got %v", want, k.Scopes)
	}
}
