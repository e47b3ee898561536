package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

const (
	templateFields = "name,language,category,status,parameter_format,components"
	templatesPage  = 100
	templatesPages = 20
)

// Template is a message template of a WABA as Graph lists it. Source: Meta's page on template management.
type Template struct {
	Name            string              `json:"name"`
	Language        string              `json:"language"`
	Category        string              `json:"category"`         // AUTHENTICATION, MARKETING, UTILITY
	Status          string              `json:"status"`           // APPROVED, PENDING, REJECTED, PAUSED, …
	ParameterFormat string              `json:"parameter_format"` // NAMED or POSITIONAL; "" reads as POSITIONAL
	Components      []TemplateComponent `json:"components"`
}

// TemplateComponent is one part of a template.
type TemplateComponent struct {
	Type    string           `json:"type"`             // HEADER, BODY, FOOTER, BUTTONS, …
	Format  string           `json:"format,omitempty"` // of a header: TEXT, IMAGE, …
	Text    string           `json:"text,omitempty"`
	Buttons []TemplateButton `json:"buttons,omitempty"`
}

// TemplateButton is one button of a template. Its other members are of no use here.
type TemplateButton struct {
	Type string `json:"type"` // QUICK_REPLY, URL, PHONE_NUMBER, OTP, REQUEST_CONTACT_INFO, …
	Text string `json:"text,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Templates lists the templates of a WABA, at most 2000. One of an unexpected shape is left out.
func (g Graph) Templates(ctx context.Context, token, wabaID string) ([]Template, error) {
	var all []Template
	query := url.Values{"fields": {templateFields}, "limit": {fmt.Sprint(templatesPage)}}
	for range templatesPages {
		var page struct {
			Data   []json.RawMessage `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"`
			} `json:"paging"`
		}
		c := call{method: http.MethodGet, path: node(wabaID, "message_templates"), token: token, query: query}
		if err := g.do(ctx, c, &page); err != nil {
			return nil, fmt.Errorf("list templates: %w", err)
		}
		for _, raw := range page.Data {
			var t Template
			if json.Unmarshal(raw, &t) == nil && t.Name != "" {
				all = append(all, t)
			}
		}
		if page.Paging.Next == "" || page.Paging.Cursors.After == "" {
			break
		}
		query.Set("after", page.Paging.Cursors.After)
	}
	return all, nil
}
