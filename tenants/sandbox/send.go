package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const maxAnswer = 64 << 10

// Send signs body with the app secret, posts it to a webhook URL the way Meta
// does and returns the HTTP status. The error speaks of the transport only.
func Send(ctx context.Context, client *http.Client, url string, secret, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("build webhook: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hub-Signature-256", whatsapp.Sign(secret, body))
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("post webhook: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
		return response.StatusCode, fmt.Errorf("read webhook answer: %w", err)
	}
	return response.StatusCode, nil
}
