package numbers

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// ConnectInput is a number to connect. App is the name of the platform's or the tenant's own app; PublicURL is this
// installation's origin, under which the app's webhooks arrive. Unconfirmed asks Graph nothing.
type ConnectInput struct {
	App           string
	WABAID        string
	PhoneNumberID string
	DisplayPhone  string // digits, with or without + and spaces
	PortfolioID   string // "": whatever Graph says
	AccessToken   string
	PublicURL     string
	Unconfirmed   bool

	window window // how Meta's window connected it; none where that was done by hand
}

// window says that Meta's own window connected a number, and whether it was opened for one that stays in the Business app.
type window struct{ used, keepsApp bool }

var phoneShape = regexp.MustCompile(`^[0-9]{4,15}$`)

// Connect makes a number the tenant's: proof by token first, then the number, its place in the directory and its portfolio in
// one transaction, then the subscription to its events, and what was held for it at the platform. A failed proof is a *Refused
// with every check. A number that is some tenant's already is a Conflict, "number_connected" where it is this tenant's, else
// "number_taken", told only to who proved control of it; one more than
// the quota is "too_many_numbers". A number disconnected before comes back as the same number, with its
// history.
func Connect(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant uuid.UUID, in ConnectInput) (Number, error) {
	if err := in.validate(); err != nil {
		return Number{}, err
	}
	in.DisplayPhone = whatsapp.Digits(in.DisplayPhone)

	var app Credentials
	err := db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		app, err = AppByName(ctx, tx, keys, in.App)
		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return Number{}, &tenants.Invalid{Field: "app", Key: "app"}
	}
	if err != nil {
		return Number{}, err
	}

	proof := Proof{PortfolioID: in.PortfolioID, Checks: []CheckResult{}}
	if !in.Unconfirmed {
		proof = Check(ctx, graph, app.check(in.AccessToken, in.WABAID, in.PhoneNumberID, in.DisplayPhone, in.PortfolioID))
		if err := refused(proof.Checks); err != nil {
			return Number{}, err
		}
		// What the browser says that Meta's window said proves nothing; WhatsApp names the portfolio later.
		if proof.PortfolioID == "" && !in.window.used {
			proof.PortfolioID = in.PortfolioID
		}
	}

	var number Number
	err = db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		number, err = insert(ctx, tx, keys, actor, app.ID, in, proof)
		return err
	})
	if tenants.Violates(err, "number_directory_active") {
		return Number{}, &tenants.Conflict{Code: "number_taken"}
	}
	if err != nil {
		return Number{}, err
	}

	if !in.Unconfirmed {
		// Graph may not know yet of an app that the window has only just kept.
		number.OnApp = number.OnApp || in.window.keepsApp
		if number, err = switchOn(ctx, db, keys, graph, actor, tenant, number, app, in.AccessToken, in.PublicURL, proof.Checks); err != nil {
			return Number{}, err
		}
	}
	adopt(ctx, db, tenant, in.PhoneNumberID)

	return number, nil
}

// switchOn subscribes a number that has proved itself to its events, registers it where that is ours to do, and keeps the checks.
func switchOn(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant uuid.UUID, n Number, app Credentials, token, publicURL string, checks []CheckResult) (Number, error) {
	checks = append(checks, subscribe(ctx, graph, token, n.WABAID, app.reach(publicURL))...)
	checks, err := register(ctx, db, keys, graph, actor, tenant, n, token, checks)
	if err != nil {
		return Number{}, err
	}

	return keepChecks(ctx, db, keys, tenant, n.ID, token, checks)
}

// adopt takes over what came for a number before the tenant did. The number is the tenant's whatever comes of it: a worker adopts
// what is left.
func adopt(ctx context.Context, db *tenants.DB, tenant uuid.UUID, phoneNumberID string) {
	_, _ = ingest.Adopt(ctx, db, tenant, phoneNumberID)
}

func (in ConnectInput) validate() error {
	if !slugShape.MatchString(in.App) {
		return &tenants.Invalid{Field: "app", Key: "app"}
	}
	if !metaID.MatchString(in.WABAID) {
		return &tenants.Invalid{Field: "waba_id", Key: "meta_id"}
	}
	if !metaID.MatchString(in.PhoneNumberID) {
		return &tenants.Invalid{Field: "phone_number_id", Key: "meta_id"}
	}
	if !phoneShape.MatchString(whatsapp.Digits(in.DisplayPhone)) {
		return &tenants.Invalid{Field: "display_phone_number", Key: "phone"}
	}
	if in.PortfolioID != "" && !metaID.MatchString(in.PortfolioID) {
		return &tenants.Invalid{Field: "portfolio_id", Key: "meta_id"}
	}
	if !printable(in.AccessToken) {
		return &tenants.Invalid{Field: "access_token", Key: "secret"}
	}

	return nil
}

func (c Credentials) check(token, wabaID, phoneNumberID, displayPhone, portfolioID string) CheckInput {
	return CheckInput{
		MetaAppID: c.MetaAppID, AppSecret: string(c.Secrets[0]), AccessToken: token,
		WABAID: wabaID, PhoneNumberID: phoneNumberID, DisplayPhone: displayPhone, PortfolioID: portfolioID,
	}
}

func (c Credentials) reach(publicURL string) Reach {
	return Reach{CallbackURL: publicURL + HookPath(c.Name), VerifyToken: c.VerifyTokens[0]}
}

// insert writes everything a connected number consists of. The directory's unique index decides between two tenants.
func insert(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, actor tenants.Actor, app uuid.UUID, in ConnectInput, proof Proof) (Number, error) {
	if err := lockNumbers(ctx, tx); err != nil {
		return Number{}, err
	}

	id, known, err := numberRow(ctx, tx, in.PhoneNumberID)
	if err != nil {
		return Number{}, err
	}
	if err := tenants.Within(ctx, tx, tenants.QuotaNumbers); err != nil {
		return Number{}, err
	}
	token, err := keys.Seal(tx.Tenant, tokenPurpose(id), []byte(in.AccessToken))
	if err != nil {
		return Number{}, fmt.Errorf("seal token: %w", err)
	}
	scope, portfolio, err := scopeOf(ctx, tx, actor, in.WABAID, proof)
	if err != nil {
		return Number{}, err
	}
	if err := identity.AdoptUnplaced(ctx, tx, scope); err != nil {
		return Number{}, err
	}
	checks, err := json.Marshal(proof.Checks)
	if err != nil {
		return Number{}, fmt.Errorf("encode checks: %w", err)
	}

	state := Waiting
	if in.Unconfirmed {
		state = Unconfirmed
	}
	onApp := inApp(proof.OnApp, in.window.keepsApp)
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, name, portfolio_id, scope,
		                     access_token, token_expires_at, state, checks, on_app, onboarded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, $11, $12, $13, $14, CASE WHEN $15 THEN now() END)
		ON CONFLICT (tenant_id, id) DO UPDATE
		SET app_id = excluded.app_id, waba_id = excluded.waba_id, display_phone = excluded.display_phone, name = excluded.name,
		    portfolio_id = excluded.portfolio_id, scope = excluded.scope, access_token = excluded.access_token,
		    token_expires_at = excluded.token_expires_at, token_problem = '', state = excluded.state, checks = excluded.checks,
		    first_event_at = NULL, disconnected_at = NULL, grace_until = NULL, on_app = excluded.on_app,
		    onboarded_at = excluded.onboarded_at, registered_at = NULL`,
		tx.Tenant, id, app, in.WABAID, in.PhoneNumberID, in.DisplayPhone, proof.Name, portfolio, scope,
		token, nullTime(proof.TokenExpires), state, string(checks), onApp, in.window.used); err != nil {
		return Number{}, fmt.Errorf("write number: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO number_directory (phone_number_id, tenant_id, number_id, app_id, waba_id, display_phone)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, number_id) DO UPDATE
		SET app_id = excluded.app_id, waba_id = excluded.waba_id, display_phone = excluded.display_phone, since = now(), until = NULL,
		    token_problem = ''`,
		in.PhoneNumberID, tx.Tenant, id, app, in.WABAID, in.DisplayPhone); err != nil {
		return Number{}, fmt.Errorf("enter number into the directory: %w", err)
	}

	if err := drop(ctx, tx, jobForget, id); err != nil {
		return Number{}, err
	}
	if onApp && in.window.keepsApp {
		if err := forgetSyncs(ctx, tx, id); err != nil {
			return Number{}, err
		}
	}
	if err := plan(ctx, tx, jobToken, id, nextLook(time.Now(), proof.TokenExpires)); err != nil {
		return Number{}, err
	}
	if err := planListening(ctx, tx, id); err != nil {
		return Number{}, err
	}

	err = tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "number.connect", ObjectKind: "number", ObjectID: id.String(),
		Detail: map[string]any{
			"phone_number_id": in.PhoneNumberID, "waba_id": in.WABAID, "scope": scope, "app": in.App, "state": state, "again": known,
		},
	})
	if err != nil {
		return Number{}, err
	}

	return Get(ctx, tx, id)
}

// numberRow returns the id the number is to have: that of its row from before, or a new one.
func numberRow(ctx context.Context, tx *tenants.Tx, phoneNumberID string) (id uuid.UUID, known bool, err error) {
	var before struct {
		ID    uuid.UUID `db:"id"`
		State string    `db:"state"`
	}
	err = tx.GetContext(ctx, &before, `
		SELECT id, state FROM numbers
		WHERE tenant_id = $1 AND phone_number_id = $2
		ORDER BY state = 'disconnected', id DESC LIMIT 1`, tx.Tenant, phoneNumberID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if id, err = uuid.NewV7(); err != nil {
			return uuid.Nil, false, fmt.Errorf("make number id: %w", err)
		}

		return id, false, nil
	case err != nil:
		return uuid.Nil, false, fmt.Errorf("look for number: %w", err)
	case before.State != Disconnected:
		return uuid.Nil, false, &tenants.Conflict{Code: "number_connected"}
	}

	return before.ID, true, nil
}

// keepChecks stores what the last round of checks said of a number with a token, audits the acts, and returns the number as it then
// is. What it says against the token is told as a look at the token would; where Meta was not reached, what was known stays.
func keepChecks(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, tenant, id uuid.UUID, token string, checks []CheckResult, acts ...tenants.Act) (number Number, err error) {
	raw, err := json.Marshal(checks)
	if err != nil {
		return Number{}, fmt.Errorf("encode checks: %w", err)
	}
	problem := ""
	if i := slices.IndexFunc(checks, func(c CheckResult) bool { return stopsSending(c.Reason) }); i >= 0 {
		problem = checks[i].Reason
	}
	well := problem == "" && slices.ContainsFunc(checks, func(c CheckResult) bool { return c.Code == CheckToken && c.OK })

	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if number, err = Get(ctx, tx, id); err != nil {
			return err
		}
		still, err := stillHas(ctx, tx, keys, number, token)
		if err != nil {
			return err
		}
		if still && number.State != Disconnected {
			if number, err = writeChecks(ctx, tx, number, raw, problem, well); err != nil {
				return err
			}
		}
		for _, act := range acts {
			if err := tenants.Audit(ctx, tx, act); err != nil {
				return err
			}
		}

		return nil
	})

	return number, err
}

func writeChecks(ctx context.Context, tx *tenants.Tx, n Number, checks []byte, problem string, well bool) (Number, error) {
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers SET checks = $3, token_problem = CASE WHEN $4 THEN '' ELSE token_problem END
		WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected'`, tx.Tenant, n.ID, string(checks), well); err != nil {
		return Number{}, fmt.Errorf("write checks: %w", err)
	}
	if err := mirrorProblem(ctx, tx, n.ID); err != nil {
		return Number{}, err
	}
	if problem != "" {
		if err := noteProblem(ctx, tx, n, problem); err != nil {
			return Number{}, err
		}
		if err := plan(ctx, tx, jobToken, n.ID, time.Now().Add(lookAfterRefusal)); err != nil {
			return Number{}, err
		}
	}

	return Get(ctx, tx, n.ID)
}

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t, Valid: !t.IsZero()} }
