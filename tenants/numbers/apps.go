package numbers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// App is a Meta app as people see it; its secret and verify token are never part of it.
type App struct {
	ID        uuid.UUID     `db:"id"`
	Name      string        `db:"name"`      // slug, in the webhook path
	TenantID  uuid.NullUUID `db:"tenant_id"` // not Valid: the platform's, usable by every tenant
	MetaAppID string        `db:"meta_app_id"`
	OldUntil  *time.Time    `db:"old_until"` // how long the secret and token from before the last rotation still hold
	CreatedAt time.Time     `db:"created_at"`
}

// Credentials are an app with its live secrets and verify tokens: one of each, or two during a rotation, the newest first.
type Credentials struct {
	App
	Secrets      [][]byte
	VerifyTokens []string
}

// AppInput is a new Meta app. Name is a slug of 2–40 of a–z 0–9 -, MetaAppID 1–32 digits, the secrets 8–512 printable characters.
type AppInput struct {
	Name        string
	MetaAppID   string
	AppSecret   string
	VerifyToken string
}

// RotateInput is an app's new secret and verify token. Those it replaces stay valid for Keep, 24 hours where it is 0, at most 30 days.
type RotateInput struct {
	AppSecret   string
	VerifyToken string
	Keep        time.Duration
}

const (
	defaultKeep = 24 * time.Hour
	maxKeep     = 30 * 24 * time.Hour
)

var (
	slugShape = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)
	metaID    = regexp.MustCompile(`^[0-9]{1,32}$`)
)

// HookPath is the path at which webhooks of the named app arrive.
func HookPath(app string) string { return "/hooks/whatsapp/" + app }

// AddApp adds the platform's app in a System transaction, and tx's tenant's own in a tenant's. Names are unique over the
// platform, for they are the webhook's path: one in use is a Conflict "app_name_taken", one more than a tenant's
// quota "too_many_apps".
func AddApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, actor tenants.Actor, in AppInput) (App, error) {
	if err := in.validate(); err != nil {
		return App{}, err
	}
	if tx.Tenant != uuid.Nil {
		if err := tenants.Within(ctx, tx, tenants.QuotaApps); err != nil {
			return App{}, err
		}
	}

	id, err := uuid.NewV7()
	if err != nil {
		return App{}, fmt.Errorf("make app id: %w", err)
	}
	secret, token, err := sealApp(keys, tx.Tenant, id, in.AppSecret, in.VerifyToken)
	if err != nil {
		return App{}, err
	}

	app := App{ID: id, Name: in.Name, MetaAppID: in.MetaAppID, TenantID: uuid.NullUUID{UUID: tx.Tenant, Valid: tx.Tenant != uuid.Nil}}
	err = tx.GetContext(ctx, &app.CreatedAt, `
		INSERT INTO apps (id, name, tenant_id, meta_app_id, app_secret, verify_token)
		VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING created_at`, id, in.Name, app.TenantID, in.MetaAppID, secret, token)
	if tenants.Violates(err, "apps_name_key") {
		return App{}, &tenants.Conflict{Code: "app_name_taken"}
	}
	if err != nil {
		return App{}, fmt.Errorf("add app: %w", err)
	}

	err = tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "app.add", ObjectKind: "app", ObjectID: id.String(),
		Detail: map[string]any{"name": in.Name, "meta_app_id": in.MetaAppID},
	})
	if err != nil {
		return App{}, err
	}

	return app, nil
}

// RotateApp gives an app a new secret and verify token. The ones it had stay valid for in.Keep, the ones before those end now.
// A tenant rotates its own apps only, a System transaction the platform's; any other app is tenants.ErrNotFound.
func RotateApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, actor tenants.Actor, name string, in RotateInput) (App, error) {
	if in.Keep == 0 {
		in.Keep = defaultKeep
	}
	if in.Keep < 0 || in.Keep > maxKeep {
		return App{}, &tenants.Invalid{Field: "keep", Key: "keep"}
	}
	if err := validateSecrets(in.AppSecret, in.VerifyToken); err != nil {
		return App{}, err
	}

	var app App
	err := tx.GetContext(ctx, &app, `
		SELECT id, name, tenant_id, meta_app_id, old_until, created_at FROM apps
		WHERE name = $1 AND tenant_id IS NOT DISTINCT FROM $2
		FOR UPDATE`, name, uuid.NullUUID{UUID: tx.Tenant, Valid: tx.Tenant != uuid.Nil})
	if errors.Is(err, sql.ErrNoRows) {
		return App{}, tenants.ErrNotFound
	}
	if err != nil {
		return App{}, fmt.Errorf("lock app %s: %w", name, err)
	}

	secret, token, err := sealApp(keys, tx.Tenant, app.ID, in.AppSecret, in.VerifyToken)
	if err != nil {
		return App{}, err
	}
	err = tx.GetContext(ctx, &app.OldUntil, `
		UPDATE apps
		SET old_app_secret = app_secret, old_verify_token = verify_token, old_until = now() + make_interval(secs => $2),
		    app_secret = $3, verify_token = $4
		WHERE id = $1
		RETURNING old_until`, app.ID, in.Keep.Seconds(), secret, token)
	if err != nil {
		return App{}, fmt.Errorf("rotate app %s: %w", name, err)
	}

	err = tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "app.rotate", ObjectKind: "app", ObjectID: app.ID.String(),
		Detail: map[string]any{"name": app.Name, "old_until": app.OldUntil},
	})
	if err != nil {
		return App{}, err
	}

	return app, nil
}

// Apps lists the apps that tx may use by name: the platform's and the tenant's own, or, in a System transaction, all.
func Apps(ctx context.Context, tx *tenants.Tx) ([]App, error) {
	apps := []App{}
	err := tx.SelectContext(ctx, &apps, `
		SELECT id, name, tenant_id, meta_app_id, CASE WHEN old_until > now() THEN old_until END AS old_until, created_at
		FROM apps ORDER BY name LIMIT $1`, maxList)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}

	return apps, nil
}

// AppByName returns an app with its live secrets: any app in a System transaction (the webhook's), the platform's and the
// tenant's own in a tenant's. An app that is not there, or not to be seen, is tenants.ErrNotFound.
func AppByName(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, name string) (Credentials, error) {
	var row struct {
		App
		Secret    []byte `db:"app_secret"`
		Token     []byte `db:"verify_token"`
		OldSecret []byte `db:"old_app_secret"`
		OldToken  []byte `db:"old_verify_token"`
	}
	err := tx.GetContext(ctx, &row, `
		SELECT id, name, tenant_id, meta_app_id, created_at, app_secret, verify_token,
		       CASE WHEN old_until > now() THEN old_until END AS old_until,
		       CASE WHEN old_until > now() THEN old_app_secret END AS old_app_secret,
		       CASE WHEN old_until > now() THEN old_verify_token END AS old_verify_token
		FROM apps WHERE name = $1`, name)
	if errors.Is(err, sql.ErrNoRows) {
		return Credentials{}, tenants.ErrNotFound
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("get app: %w", err)
	}

	c := Credentials{App: row.App}
	for _, sealed := range [][]byte{row.Secret, row.OldSecret} {
		if sealed == nil {
			continue
		}
		plain, err := keys.Open(c.TenantID.UUID, secretPurpose(c.ID), sealed)
		if err != nil {
			return Credentials{}, fmt.Errorf("open secret of app %s: %w", c.Name, err)
		}
		c.Secrets = append(c.Secrets, plain)
	}
	for _, sealed := range [][]byte{row.Token, row.OldToken} {
		if sealed == nil {
			continue
		}
		plain, err := keys.Open(c.TenantID.UUID, verifyPurpose(c.ID), sealed)
		if err != nil {
			return Credentials{}, fmt.Errorf("open verify token of app %s: %w", c.Name, err)
		}
		c.VerifyTokens = append(c.VerifyTokens, string(plain))
	}

	return c, nil
}

// The purposes bind a sealed value to its row, so one copied to another row does not open.
func secretPurpose(app uuid.UUID) string   { return "app secret " + app.String() }
func verifyPurpose(app uuid.UUID) string   { return "verify token " + app.String() }
func tokenPurpose(number uuid.UUID) string { return "number token " + number.String() }
func pinPurpose(number uuid.UUID) string   { return "number pin " + number.String() }

func sealApp(keys *secrets.Keyring, tenant, app uuid.UUID, secret, token string) (sealedSecret, sealedToken []byte, err error) {
	if sealedSecret, err = keys.Seal(tenant, secretPurpose(app), []byte(secret)); err != nil {
		return nil, nil, fmt.Errorf("seal app secret: %w", err)
	}
	if sealedToken, err = keys.Seal(tenant, verifyPurpose(app), []byte(token)); err != nil {
		return nil, nil, fmt.Errorf("seal verify token: %w", err)
	}

	return sealedSecret, sealedToken, nil
}

func (in AppInput) validate() error {
	if !slugShape.MatchString(in.Name) {
		return &tenants.Invalid{Field: "name", Key: "slug"}
	}
	if !metaID.MatchString(in.MetaAppID) {
		return &tenants.Invalid{Field: "meta_app_id", Key: "meta_id"}
	}

	return validateSecrets(in.AppSecret, in.VerifyToken)
}

func validateSecrets(secret, token string) error {
	if !printable(secret) {
		return &tenants.Invalid{Field: "app_secret", Key: "secret"}
	}
	if !printable(token) {
		return &tenants.Invalid{Field: "verify_token", Key: "secret"}
	}

	return nil
}

// printable tells whether s can be a secret or token: 8 to 512 printable characters.
func printable(s string) bool {
	n := utf8.RuneCountInString(s)

	return n >= 8 && n <= 512 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
