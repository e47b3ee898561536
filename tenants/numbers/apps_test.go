package numbers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
)

func (p place) addApp(t *testing.T, tenant uuid.UUID, name string) {
	t.Helper()

	err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, p.keys, meera, numbers.AppInput{
			Name: name, MetaAppID: appID, AppSecret: appSecret, VerifyToken: verifyToken,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p place) app(tenant uuid.UUID, name string) (c numbers.Credentials, err error) {
	err = p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
		var err error
		c, err = numbers.AppByName(ctx, tx, p.keys, name)
		return err
	})

	return c, err
}

func TestAppsAreSeenByWhoMayUseThem(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "platform")
	p.addApp(t, p.asha, "ashas-own")

	for _, c := range []struct {
		who    string
		tenant uuid.UUID
		want   []string
	}{
		{"the platform", uuid.Nil, []string{"ashas-own", "platform"}},
		{"its owner", p.asha, []string{"ashas-own", "platform"}},
		{"another tenant", p.ravi, []string{"platform"}},
	} {
		var got []string
		err := p.as(c.tenant, func(ctx context.Context, tx *tenants.Tx) error {
			apps, err := numbers.Apps(ctx, tx)
			for _, a := range apps {
				got = append(got, a.Name)
			}
			return err
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s sees apps %v (%v), want %v", c.who, got, err, c.want)
		}
	}

	if _, err := p.app(p.ravi, "ashas-own"); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant's app by name: got %v, want ErrNotFound", err)
	}
	app, err := p.app(p.asha, "ashas-own")
	if err != nil || len(app.Secrets) != 1 || string(app.Secrets[0]) != appSecret || !slices.Equal(app.VerifyTokens, []string{verifyToken}) {
		t.Errorf("own app by name: got %d secrets, tokens %v (%v)", len(app.Secrets), app.VerifyTokens, err)
	}
}

func TestAppNamesAreUnique(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, p.asha, "clinic")

	err := p.as(p.ravi, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, p.keys, meera, numbers.AppInput{
			Name: "clinic", MetaAppID: "1", AppSecret: appSecret, VerifyToken: verifyToken,
		})
		return err
	})
	if got := tenants.ConflictCode(err); got != "app_name_taken" {
		t.Errorf("second app of one name: got %v, want conflict app_name_taken", err)
	}
}

func TestAppInputIsChecked(t *testing.T) {
	t.Parallel()
	p := newPlace(t)

	good := numbers.AppInput{Name: "demo", MetaAppID: "900100", AppSecret: appSecret, VerifyToken: verifyToken}
	for field, change := range map[string]func(*numbers.AppInput){
		"name":         func(in *numbers.AppInput) { in.Name = "Demo App" },
		"meta_app_id":  func(in *numbers.AppInput) { in.MetaAppID = "app-1" },
		"app_secret":   func(in *numbers.AppInput) { in.AppSecret = "short" },
		"verify_token": func(in *numbers.AppInput) { in.VerifyToken = strings.Repeat("x", 513) },
	} {
		in := good
		change(&in)
		err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := numbers.AddApp(ctx, tx, p.keys, meera, in)
			return err
		})
		var invalid *tenants.Invalid
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("bad %s: got %v, want it refused", field, err)
		}
	}

	in := good
	in.AppSecret = "सीक्रेट with spaces ✓"
	err := p.as(uuid.Nil, func(ctx context.Context, tx *tenants.Tx) error {
		_, err := numbers.AddApp(ctx, tx, p.keys, meera, in)
		return err
	})
	if err != nil {
		t.Errorf("a secret of any printable characters: got %v, want it taken", err)
	}
}

func TestRotationKeepsTheOldSecretForAWhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, p.asha, "clinic")

	rotate := func(tenant uuid.UUID, secret string, keep time.Duration) error {
		return p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := numbers.RotateApp(ctx, tx, p.keys, meera, "clinic", numbers.RotateInput{
				AppSecret: secret, VerifyToken: verifyToken, Keep: keep,
			})
			return err
		})
	}
	if err := rotate(p.ravi, "a-strangers-secret", 0); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("rotate another tenant's app: got %v, want ErrNotFound", err)
	}
	if err := rotate(p.asha, "second-secret", 0); err != nil {
		t.Fatal(err)
	}
	if got, want := p.secretsOf(t, "clinic"), []string{"second-secret", appSecret}; !slices.Equal(got, want) {
		t.Errorf("during the rotation: got secrets %v, want %v", got, want)
	}

	if err := rotate(p.asha, "third-secret", time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	if got, want := p.secretsOf(t, "clinic"), []string{"third-secret"}; !slices.Equal(got, want) {
		t.Errorf("after it: got secrets %v, want %v", got, want)
	}
	if err := rotate(p.asha, "fourth-secret", 31*24*time.Hour); err == nil {
		t.Error("keeping an old secret for 31 days: want it refused")
	}
}

func (p place) secretsOf(t *testing.T, name string) (list []string) {
	t.Helper()

	app, err := p.app(uuid.Nil, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range app.Secrets {
		list = append(list, string(s))
	}

	return list
}

const (
	appID       = "900100200300"
	appSecret   = "app-secret-of-the-sandbox"
	verifyToken = "verify-token-of-the-sandbox"
)

// The wall holds by itself, also where a statement forgets whose app it means.
func TestTenantsDoNotTouchThePlatformsApps(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.addApp(t, uuid.Nil, "platform")
	p.addApp(t, p.asha, "ashas-own")

	for _, c := range []struct {
		statement string
		asha      int64 // rows it may touch
		ravi      int64
	}{
		{`UPDATE apps SET meta_app_id = '9'`, 1, 0},
		{`UPDATE apps SET tenant_id = nullif(current_setting('app.tenant_id'), '')::uuid`, 1, 0},
		{`DELETE FROM apps`, 1, 0},
	} {
		for tenant, want := range map[uuid.UUID]int64{p.asha: c.asha, p.ravi: c.ravi} {
			var got int64
			undone := errors.New("undone")
			err := p.as(tenant, func(ctx context.Context, tx *tenants.Tx) error {
				result, err := tx.ExecContext(ctx, c.statement)
				if err != nil {
					return err
				}
				got, err = result.RowsAffected()

				return errors.Join(err, undone)
			})
			if !errors.Is(err, undone) || got != want {
				t.Errorf("%s: %d rows (%v), want %d", c.statement, got, err, want)
			}
		}
	}
}
