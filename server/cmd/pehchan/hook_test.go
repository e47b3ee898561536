package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// business is asha-clinic with one number, on an app of the platform, as the commands set it up.
const (
	hookPath      = "/hooks/whatsapp/demo"
	hookSecret    = "canary-app-secret" // of appSecrets
	waba          = "700"
	phoneNumberID = "800"
	displayPhone  = "919800000101"
)

// addBusiness sets up the business.
func (m machine) addBusiness(t *testing.T) {
	t.Helper()

	m.object(t, password, []string{"slug", "tenant_id"},
		"tenant", "add", "--slug", "asha-clinic", "--name", "Asha Clinic", "--owner-email", "owner@asha-clinic.example")
	m.object(t, appSecrets, []string{"app", "webhook_path"}, "app", "add", "--name", "demo", "--meta-app-id", "900100")
	m.object(t, `{"access_token":"canary-access-token"}`, []string{"number_id", "state"}, "number", "connect",
		"--tenant", "asha-clinic", "--app", "demo", "--waba-id", waba, "--phone-number-id", phoneNumberID, "--display-phone", displayPhone, "--unconfirmed")
}

// messageFrom is a text of a person who shows both ids.
func messageFrom(person int, wamid string) string {
	return fmt.Sprintf(`{"from":"9197%08d","from_user_id":"IN.88%08d","id":%q,"timestamp":"%d","type":"text","text":{"body":"namaste"}}`,
		person, person, wamid, 1790000000+person)
}

// webhook is the body of a delivery to the business's number.
func webhook(messages ...string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"display_phone_number":%q,"phone_number_id":%q},"messages":[%s]}}]}]}`, waba, displayPhone, phoneNumberID, strings.Join(messages, ","))
}

// meta posts signed webhooks over connections that it keeps.
type meta struct {
	client *http.Client
	url    string
}

func newMeta(url string, connections int) meta {
	return meta{
		client: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		url:    url + hookPath,
	}
}

// post sends one body and returns the status, with the Retry-After of the answer.
func (m meta) post(ctx context.Context, body []byte) (status int, retryAfter string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", whatsapp.Sign([]byte(hookSecret), body))
	resp, err := m.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, "", err
	}

	return resp.StatusCode, resp.Header.Get("Retry-After"), nil
}
