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

// What asks for a phone number: the interactive message inside the window, the button of a template outside. Source: domain facts 6.
const (
	AskType   = "request_contact_info"
	AskButton = "REQUEST_CONTACT_INFO"
)

// Outgoing is one message to one customer: a text, or a template.
type Outgoing struct {
	Address  string        // a phone as WhatsApp wrote it, a BSUID or a parent BSUID
	Text     string        // used where Template is nil
	Ask      bool          // Text stands above WhatsApp's button that shares the phone number; says nothing of a template
	Template *TemplateCall // an approved template with its variables filled in
	Tag      string        // comes back with every status of the message (biz_opaque_callback_data); "" for none
}

// TemplateCall names an approved template and fills its variables. Source of the shape: Meta's page on template messages; domain
// facts 5.1 for who can get them.
type TemplateCall struct {
	Name     string          `json:"name"`
	Language string          `json:"language"`
	Header   []TemplateParam `json:"header,omitempty"` // variables of a text header
	Body     []TemplateParam `json:"body,omitempty"`
	Code     bool            `json:"code,omitempty"` // a one-time code: its button repeats the body's variable
}

// TemplateParam is the text of one variable. Name is "" where the template counts its variables.
type TemplateParam struct {
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// Send sends a message and returns the wamid. The address goes into the field its shape asks for: a BSUID in "to" would be
// accepted and then dropped without a word. Source: domain facts 5.1. What became of a message whose sending ended in an error
// says FateOf.
func (g Graph) Send(ctx context.Context, token, phoneNumberID string, m Outgoing) (wamid string, err error) {
	body, err := m.body()
	if err != nil {
		return "", fmt.Errorf("send message: %w", err)
	}

	var answer struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	c := call{method: http.MethodPost, path: node(phoneNumberID, "messages"), token: token, body: body}
	if err := g.do(ctx, c, &answer); err != nil {
		return "", fmt.Errorf("send message: %w", err)
	}
	if len(answer.Messages) == 0 || answer.Messages[0].ID == "" {
		return "", errors.New("send message: graph answered without a message id")
	}
	return answer.Messages[0].ID, nil
}

func (m Outgoing) body() (map[string]any, error) {
	body := map[string]any{"messaging_product": "whatsapp", "recipient_type": "individual"}
	switch {
	case IsParentBSUID(m.Address), IsBSUID(m.Address):
		body["recipient"] = m.Address
	default:
		if _, ok := Phone(m.Address); !ok {
			return nil, ErrAddress
		}
		body["to"] = m.Address
	}
	if m.Tag != "" {
		body["biz_opaque_callback_data"] = m.Tag
	}
	if m.Template != nil {
		body["type"], body["template"] = "template", m.Template.wire()
		return body, nil
	}
	if n := utf8.RuneCountInString(m.Text); n == 0 || n > MaxTextRunes {
		return nil, fmt.Errorf("text has %d characters, want 1 to %d", n, MaxTextRunes)
	}
	if m.Ask {
		body["type"], body["interactive"] = "interactive", map[string]any{
			"type": AskType, "body": map[string]any{"text": m.Text}, "action": map[string]any{"name": AskType},
		}
		return body, nil
	}
	body["type"], body["text"] = "text", map[string]any{"body": m.Text}
	return body, nil
}

func (t TemplateCall) wire() map[string]any {
	components := []map[string]any{}
	for _, part := range []struct {
		kind   string
		params []TemplateParam
	}{{"header", t.Header}, {"body", t.Body}} {
		if len(part.params) > 0 {
			components = append(components, map[string]any{"type": part.kind, "parameters": wireParams(part.params)})
		}
	}
	if t.Code {
		components = append(components, map[string]any{"type": "button", "sub_type": "url", "index": "0", "parameters": wireParams(t.Body)})
	}
	wire := map[string]any{"name": t.Name, "language": map[string]any{"code": t.Language}}
	if len(components) > 0 {
		wire["components"] = components
	}
	return wire
}

func wireParams(params []TemplateParam) []map[string]any {
	wire := make([]map[string]any, len(params))
	for i, p := range params {
		wire[i] = map[string]any{"type": "text", "text": p.Text}
		if p.Name != "" {
			wire[i]["parameter_name"] = p.Name
		}
	}
	return wire
}
