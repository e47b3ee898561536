package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"
)

// ErrAddress says that an address is neither a phone nor a BSUID, so nothing was sent.
var ErrAddress = errors.New("address is neither a phone nor a BSUID")

// MaxTextRunes is WhatsApp's limit for the body of a text message.
const MaxTextRunes = 4096

// SendText sends a text to a phone, BSUID or parent BSUID and returns the wamid.
// The address goes into the field its shape asks for: a BSUID in "to" would be
// accepted and then dropped without a word. Source: domain facts 5.1.
func (g Graph) SendText(ctx context.Context, token, phoneNumberID, address, text string) (wamid string, err error) {
	if n := utf8.RuneCountInString(text); n == 0 || n > MaxTextRunes {
		return "", fmt.Errorf("send text: %d characters, want 1 to %d", n, MaxTextRunes)
	}
	message := map[string]any{
		"messaging_product": "whatsapp", "recipient_type": "individual",
		"type": "text", "text": map[string]any{"body": text},
	}
	switch {
	case IsParentBSUID(address), IsBSUID(address):
		message["recipient"] = address
	default:
		if _, ok := Phone(address); !ok {
			return "", fmt.Errorf("send text: %w", ErrAddress)
		}
		message["to"] = address
	}

	var answer struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	c := call{method: http.MethodPost, path: node(phoneNumberID, "messages"), token: token, body: message}
	if err := g.do(ctx, c, &answer); err != nil {
		return "", fmt.Errorf("send text: %w", err)
	}
	if len(answer.Messages) == 0 || answer.Messages[0].ID == "" {
		return "", fmt.Errorf("send text: graph answered without a message id")
	}
	return answer.Messages[0].ID, nil
}
