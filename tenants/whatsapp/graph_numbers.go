package whatsapp

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	numberFields = "id,display_phone_number,verified_name,quality_rating,status,platform_type," +
		"code_verification_status,name_status,account_mode,is_on_biz_app,username"
	wabaFields = "id,name,owner_business_info,account_review_status"

	numbersPage  = 100
	numbersPages = 20
)

// PhoneNumber is a business number as Graph describes it. Every value set of
// Meta's is open: compare with what is known and show the rest as it is.
type PhoneNumber struct {
	ID                     string `json:"id"`
	DisplayPhone           string `json:"display_phone_number"` // digits only
	VerifiedName           string `json:"verified_name"`
	QualityRating          string `json:"quality_rating"`           // GREEN, YELLOW, RED, NA, UNKNOWN
	Status                 string `json:"status"`                   // CONNECTED, PENDING, …
	PlatformType           string `json:"platform_type"`            // CLOUD_API, ON_PREMISE, NOT_APPLICABLE
	CodeVerificationStatus string `json:"code_verification_status"` // VERIFIED, NOT_VERIFIED, EXPIRED, …
	NameStatus             string `json:"name_status"`
	AccountMode            string `json:"account_mode"`  // LIVE, SANDBOX
	IsOnBizApp             *bool  `json:"is_on_biz_app"` // with CLOUD_API: shared with the Business app; nil: not said
	Username               string `json:"username"`
}

// WABA is a WhatsApp Business account. PortfolioID is the business portfolio that
// owns it, the scope of every BSUID; "" where the token may not see it.
type WABA struct {
	ID, Name                   string
	PortfolioID, PortfolioName string
	ReviewStatus               string
}

// TokenInfo is what debug_token tells of a token. Times are zero where the token
// never expires.
type TokenInfo struct {
	AppID               string
	Type                string
	Valid               bool
	ExpiresAt           time.Time
	DataAccessExpiresAt time.Time
	Scopes              []string
	Targets             map[string][]string // per scope the ids it is limited to, such as WABAs
	Problem             string              // Graph's reason where it is not valid
}

// HasScope reports whether the token holds a permission.
func (t TokenInfo) HasScope(scope string) bool { return slices.Contains(t.Scopes, scope) }

// SubscribedApp is one app that receives a WABA's webhooks. CallbackURL is empty
// where they go to the app's own callback.
type SubscribedApp struct {
	ID, Name, CallbackURL string
}

// PhoneNumber reads one business number.
func (g Graph) PhoneNumber(ctx context.Context, token, phoneNumberID string) (PhoneNumber, error) {
	var number PhoneNumber
	c := call{method: http.MethodGet, path: node(phoneNumberID), token: token, query: url.Values{"fields": {numberFields}}}
	if err := g.do(ctx, c, &number); err != nil {
		return PhoneNumber{}, fmt.Errorf("read phone number: %w", err)
	}
	number.DisplayPhone = Digits(number.DisplayPhone)
	return number, nil
}

// WABANumbers reads all numbers of a WABA. It follows Graph's cursors, not the
// addresses Graph answers with.
func (g Graph) WABANumbers(ctx context.Context, token, wabaID string) ([]PhoneNumber, error) {
	var all []PhoneNumber
	query := url.Values{"fields": {numberFields}, "limit": {fmt.Sprint(numbersPage)}}
	for range numbersPages {
		var page struct {
			Data   []PhoneNumber `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"`
			} `json:"paging"`
		}
		c := call{method: http.MethodGet, path: node(wabaID, "phone_numbers"), token: token, query: query}
		if err := g.do(ctx, c, &page); err != nil {
			return nil, fmt.Errorf("read numbers of WABA: %w", err)
		}
		for _, number := range page.Data {
			number.DisplayPhone = Digits(number.DisplayPhone)
			all = append(all, number)
		}
		if page.Paging.Next == "" || page.Paging.Cursors.After == "" {
			break
		}
		query.Set("after", page.Paging.Cursors.After)
	}
	return all, nil
}

// WABA reads a WhatsApp Business account and the portfolio that owns it.
func (g Graph) WABA(ctx context.Context, token, wabaID string) (WABA, error) {
	var answer struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Owner struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"owner_business_info"`
		ReviewStatus string `json:"account_review_status"`
	}
	c := call{method: http.MethodGet, path: node(wabaID), token: token, query: url.Values{"fields": {wabaFields}}}
	if err := g.do(ctx, c, &answer); err != nil {
		return WABA{}, fmt.Errorf("read WABA: %w", err)
	}
	return WABA{answer.ID, answer.Name, answer.Owner.ID, answer.Owner.Name, answer.ReviewStatus}, nil
}

// DebugToken inspects token with an app token, "<app id>|<app secret>".
func (g Graph) DebugToken(ctx context.Context, appToken, token string) (TokenInfo, error) {
	var answer struct {
		Data struct {
			AppID               string   `json:"app_id"`
			Type                string   `json:"type"`
			Valid               bool     `json:"is_valid"`
			ExpiresAt           int64    `json:"expires_at"`
			DataAccessExpiresAt int64    `json:"data_access_expires_at"`
			Scopes              []string `json:"scopes"`
			Granular            []struct {
				Scope     string   `json:"scope"`
				TargetIDs []string `json:"target_ids"`
			} `json:"granular_scopes"`
			Error struct {
				Message string `json:"message"`
			} `json:"error"`
		} `json:"data"`
	}
	c := call{
		method: http.MethodGet, path: "/debug_token", token: appToken,
		query: url.Values{"input_token": {token}}, secrets: []string{token},
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return TokenInfo{}, fmt.Errorf("inspect token: %w", err)
	}

	d := answer.Data
	info := TokenInfo{
		AppID: d.AppID, Type: d.Type, Valid: d.Valid, Scopes: d.Scopes,
		ExpiresAt: unixOrZero(d.ExpiresAt), DataAccessExpiresAt: unixOrZero(d.DataAccessExpiresAt),
		Targets: map[string][]string{}, Problem: truncate(c.scrub(d.Error.Message), graphMaxMessage),
	}
	for _, granular := range d.Granular {
		info.Targets[granular.Scope] = granular.TargetIDs
	}
	return info, nil
}

// SubscribedApps lists the apps that receive a WABA's webhooks.
func (g Graph) SubscribedApps(ctx context.Context, token, wabaID string) ([]SubscribedApp, error) {
	var answer struct {
		Data []struct {
			App struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"whatsapp_business_api_data"`
			Override string `json:"override_callback_uri"`
		} `json:"data"`
	}
	c := call{method: http.MethodGet, path: node(wabaID, "subscribed_apps"), token: token}
	if err := g.do(ctx, c, &answer); err != nil {
		return nil, fmt.Errorf("read subscribed apps: %w", err)
	}
	apps := []SubscribedApp{}
	for _, app := range answer.Data {
		apps = append(apps, SubscribedApp{app.App.ID, app.App.Name, app.Override})
	}
	return apps, nil
}

// Subscribe sends a WABA's webhooks to the token's app, and where callbackURL is
// not empty to that address instead of the app's own. Meta makes its handshake
// with callbackURL, with verifyToken, before it answers.
func (g Graph) Subscribe(ctx context.Context, token, wabaID, callbackURL, verifyToken string) error {
	c := call{method: http.MethodPost, path: node(wabaID, "subscribed_apps"), token: token, secrets: []string{verifyToken}}
	if callbackURL != "" {
		c.body = map[string]string{"override_callback_uri": callbackURL, "verify_token": verifyToken}
	}
	var answer struct {
		Success bool `json:"success"`
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return fmt.Errorf("subscribe app: %w", err)
	}
	if !answer.Success {
		return fmt.Errorf("subscribe app: graph answered without success")
	}
	return nil
}

func unixOrZero(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
