package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Codes and sub-codes of Graph around connecting a number. Source: domain facts 5.2, 10.4.
const (
	CodeExpired   = 36007   // the code of Meta's window lives 30 seconds
	CodeUsed      = 36009   // and is good once
	SyncRequested = 2593107 // a sync of the Business app that was asked for before
	SyncDeclined  = 2593109 // the owner does not share the chats
)

// The syncs of a number that is in the Business app as well, in the order Meta wants them.
const (
	SyncContacts = "smb_app_state_sync"
	SyncHistory  = "history"
)

// ExchangeCode turns the code of Meta's window into the business's token. The code is spent by it, whatever comes of it.
func (g Graph) ExchangeCode(ctx context.Context, appID, appSecret, code string) (token string, err error) {
	c := call{
		method: http.MethodGet, path: "/oauth/access_token",
		query:   url.Values{"client_id": {appID}, "client_secret": {appSecret}, "code": {code}},
		secrets: []string{appSecret, code},
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return "", fmt.Errorf("exchange code: %w", err)
	}
	if answer.Token == "" {
		return "", errors.New("exchange code: graph answered without a token")
	}

	return answer.Token, nil
}

// Register switches a number on for the Cloud API and sets its two-step PIN, six digits. Never for a number that is in the
// Business app as well: it would lose the app.
func (g Graph) Register(ctx context.Context, token, phoneNumberID, pin string) error {
	c := call{
		method: http.MethodPost, path: node(phoneNumberID, "register"), token: token, secrets: []string{pin},
		body: map[string]string{"messaging_product": "whatsapp", "pin": pin},
	}
	if err := g.do(ctx, c, &struct{}{}); err != nil {
		return fmt.Errorf("register number: %w", err)
	}

	return nil
}

// RequestSync asks for the address book or the past chats of a number's Business app: once each, within 24 hours of its
// connection. They come as webhooks.
func (g Graph) RequestSync(ctx context.Context, token, phoneNumberID, sync string) (requestID string, err error) {
	c := call{
		method: http.MethodPost, path: node(phoneNumberID, "smb_app_data"), token: token,
		body: map[string]string{"messaging_product": "whatsapp", "sync_type": sync},
	}
	var answer struct {
		RequestID string `json:"request_id"`
	}
	if err := g.do(ctx, c, &answer); err != nil {
		return "", fmt.Errorf("request %s: %w", sync, err)
	}

	return answer.RequestID, nil
}

// Has tells whether Graph named a code, as its code or its sub-code.
func (e *GraphError) Has(code int) bool { return e.Code == code || e.Subcode == code }
