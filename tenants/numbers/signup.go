package numbers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// SignupInput is what Meta's own window (Embedded Signup) gave the browser. The ids are what the window said, "" where that was
// lost; nothing of it is believed before Graph confirms it.
type SignupInput struct {
	App           string // the platform's app the window was opened for
	Code          string // lives 30 seconds and is good once
	OnApp         bool   // the number stays in the WhatsApp Business app (coexistence)
	WABAID        string
	PhoneNumberID string
	PortfolioID   string
	PublicURL     string
}

// maxCode is far above any code Meta has been seen to make.
const maxCode = 4096

// PlatformApp returns the platform's own app of a name with its secrets, or a Conflict "signup_off" where there is none: a
// tenant's own app is not what Meta's window may be opened for.
func PlatformApp(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, name string) (Credentials, error) {
	app, err := AppByName(ctx, tx, keys, name)
	if errors.Is(err, tenants.ErrNotFound) || err == nil && app.TenantID.Valid {
		return Credentials{}, &tenants.Conflict{Code: "signup_off"}
	}

	return app, err
}

// Signup connects the number that somebody chose in Meta's window. The code is exchanged first, for it lives 30 seconds; then Meta
// is asked what the token may see, and the rest is as in Connect, with two differences: a number that is not in the Business app
// is registered, and one that is this tenant's already gets the new token. What went wrong is a Conflict "signup_…", a *Refused,
// or what Connect says.
func Signup(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant uuid.UUID, in SignupInput) (Number, error) {
	if in.Code == "" || len(in.Code) > maxCode {
		return Number{}, &tenants.Conflict{Code: "signup_no_code"}
	}
	for _, id := range []*string{&in.WABAID, &in.PhoneNumberID, &in.PortfolioID} {
		if !metaID.MatchString(*id) {
			*id = "" // as good as lost
		}
	}
	var app Credentials
	err := db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
		app, err = PlatformApp(ctx, tx, keys, in.App)
		return err
	})
	if err != nil {
		return Number{}, err
	}

	token, err := graph.ExchangeCode(ctx, app.MetaAppID, string(app.Secrets[0]), in.Code)
	if err != nil {
		return Number{}, exchangeRefused(err)
	}
	waba, phone, err := chosen(ctx, graph, app, token, in)
	if err != nil {
		return Number{}, err
	}

	connect := ConnectInput{
		App: in.App, WABAID: waba, PhoneNumberID: phone.ID, DisplayPhone: phone.DisplayPhone, PortfolioID: in.PortfolioID,
		AccessToken: token, PublicURL: in.PublicURL, window: window{used: true, keepsApp: in.OnApp},
	}
	number, err := Connect(ctx, db, keys, graph, actor, tenant, connect)
	if tenants.ConflictCode(err) == "number_connected" {
		return renew(ctx, db, keys, graph, actor, tenant, connect)
	}

	return number, err
}

// exchangeRefused puts into words what became of the code.
func exchangeRefused(err error) error {
	var refusal *whatsapp.GraphError
	code := "signup_refused"
	switch {
	case !errors.As(err, &refusal):
		code = "signup_away"
	case refusal.Has(whatsapp.CodeExpired):
		code = "signup_expired"
	case refusal.Has(whatsapp.CodeUsed):
		code = "signup_used"
	}

	return fmt.Errorf("%w: %w", &tenants.Conflict{Code: code}, err)
}

// chosen finds the account and the number that the token is for. What the window said of them counts where the token sees it.
func chosen(ctx context.Context, graph whatsapp.Graph, app Credentials, token string, in SignupInput) (waba string, phone whatsapp.PhoneNumber, err error) {
	info, err := graph.DebugToken(ctx, app.MetaAppID+"|"+string(app.Secrets[0]), token)
	if err != nil {
		return "", phone, fmt.Errorf("%w: %w", &tenants.Conflict{Code: "signup_away"}, err)
	}
	seen := info.Targets[neededScopes[0]]
	switch {
	case in.WABAID != "" && slices.Contains(seen, in.WABAID):
		waba = in.WABAID
	case in.WABAID != "":
		return "", phone, &tenants.Conflict{Code: "signup_other_account"}
	case len(seen) == 1:
		waba = seen[0]
	case len(seen) == 0:
		return "", phone, &tenants.Conflict{Code: "signup_no_account"}
	default:
		return "", phone, &tenants.Conflict{Code: "signup_which_account"}
	}

	list, err := graph.WABANumbers(ctx, token, waba)
	if err != nil {
		return "", phone, fmt.Errorf("%w: %w", &tenants.Conflict{Code: "signup_away"}, err)
	}
	// Where the window named no number, the account may tell: of a number kept in the app Meta says so.
	fits := func(n whatsapp.PhoneNumber) bool {
		if in.PhoneNumberID != "" {
			return n.ID == in.PhoneNumberID
		}

		return inApp(n.IsOnBizApp, false) == in.OnApp
	}
	list = slices.DeleteFunc(list, func(n whatsapp.PhoneNumber) bool { return !fits(n) })
	switch {
	case len(list) == 1:
		return waba, list[0], nil
	case in.PhoneNumberID != "":
		return "", phone, &tenants.Conflict{Code: "signup_other_account"}
	case len(list) == 0:
		return "", phone, &tenants.Conflict{Code: "signup_no_number"}
	}

	return "", phone, &tenants.Conflict{Code: "signup_which_number"}
}

// renew gives a number of the tenant's own the token that Meta's window made for it.
func renew(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant uuid.UUID, in ConnectInput) (Number, error) {
	var id uuid.UUID
	err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &id, `
			SELECT id FROM numbers WHERE tenant_id = $1 AND phone_number_id = $2 AND state <> 'disconnected'`, tenant, in.PhoneNumberID)
	})
	if err != nil {
		return Number{}, fmt.Errorf("find the number to renew: %w", err)
	}

	return replaceToken(ctx, db, keys, graph, actor, tenant, id, in)
}
