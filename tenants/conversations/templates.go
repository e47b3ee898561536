package conversations

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// maxParam bounds the text of one variable. WhatsApp bounds the whole.
const maxParam = 1024

const templateApproved = "APPROVED"

// Why a template cannot be sent from here, as Template.Why says it.
const (
	WhyNotApproved    = "not_approved"    // Meta has not approved it, or has paused it
	WhyMediaHeader    = "media_header"    // its header is a picture, video or document
	WhyButtonVariable = "button_variable" // one of its buttons has a variable
	WhyUnknownPart    = "unknown_part"    // it has a part that is not known here
)

// Template is a template of a number's WABA, as people choose it.
type Template struct {
	Name, Language, Category, Status string
	Header, Body, Footer             string   // with their {{placeholders}}
	Params                           []string // the placeholders in order, without braces: those of the header, then of the body
	NeedsPhone                       bool     // a one-time code: only a phone can get it
	AsksNumber                       bool     // has WhatsApp's button that shares the phone number
	Sendable                         bool
	Why                              string // one of Why…, "" where it is Sendable

	named bool
}

var placeholder = regexp.MustCompile(`\{\{\s*([^{}\s]+)\s*\}\}`)

func newTemplate(t whatsapp.Template) Template {
	out := Template{
		Name: t.Name, Language: t.Language, Category: t.Category, Status: t.Status,
		NeedsPhone: t.Category == categoryAuth, named: strings.EqualFold(t.ParameterFormat, "NAMED"),
	}
	if t.Status != templateApproved {
		out.Why = WhyNotApproved
	}
	for _, c := range t.Components {
		switch strings.ToUpper(c.Type) {
		case "HEADER":
			out.Header = c.Text
			if c.Format != "" && !strings.EqualFold(c.Format, "TEXT") {
				out.Why = WhyMediaHeader
			}
		case "BODY":
			out.Body = c.Text
		case "FOOTER":
			out.Footer = c.Text
		case "BUTTONS":
			out.AsksNumber = slices.ContainsFunc(c.Buttons, func(b whatsapp.TemplateButton) bool { return b.Type == whatsapp.AskButton })
			if slices.ContainsFunc(c.Buttons, func(b whatsapp.TemplateButton) bool {
				return b.Type == "URL" && placeholder.MatchString(b.URL) && !out.NeedsPhone
			}) {
				out.Why = WhyButtonVariable
			}
		default:
			out.Why = WhyUnknownPart
		}
	}
	out.Sendable = out.Why == ""
	out.Params = append(placeholdersOf(out.Header), placeholdersOf(out.Body)...)

	return out
}

// placeholdersOf are what stands in braces, each once: numbers in their order, names as they stand.
func placeholdersOf(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		x, errA := strconv.Atoi(a)
		y, errB := strconv.Atoi(b)
		if errA != nil || errB != nil {
			return 0
		}

		return x - y
	})

	return names
}

// Preview is the template as the customer reads it, with its variables filled in; one that is not given stays a placeholder.
func (t Template) Preview(params []string) string {
	header := len(placeholdersOf(t.Header))
	parts := []string{fill(t.Header, params), fill(t.Body, params[min(header, len(params)):]), t.Footer}

	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "\n\n")
}

func fill(text string, params []string) string {
	names := placeholdersOf(text)

	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		at := slices.Index(names, placeholder.FindStringSubmatch(found)[1])
		if at >= len(params) {
			return found
		}

		return params[at]
	})
}

func (t Template) call(params []string) *whatsapp.TemplateCall {
	c := whatsapp.TemplateCall{Name: t.Name, Language: t.Language, Code: t.NeedsPhone}
	header := len(placeholdersOf(t.Header))
	for i, p := range params {
		param := whatsapp.TemplateParam{Text: p}
		if t.named {
			param.Name = t.Params[i]
		}
		if i < header {
			c.Header = append(c.Header, param)
		} else {
			c.Body = append(c.Body, param)
		}
	}

	return &c
}

// Templates are those of a number's WABA by name, as Graph listed them at fetchedAt; zero where it was never asked.
func Templates(ctx context.Context, tx *tenants.Tx, number uuid.UUID) (list []Template, fetchedAt time.Time, err error) {
	var row struct {
		List      []byte    `db:"list"`
		FetchedAt time.Time `db:"fetched_at"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT l.list, l.fetched_at FROM numbers n JOIN template_lists l ON l.tenant_id = $1 AND l.waba_id = n.waba_id
		WHERE n.tenant_id = $1 AND n.id = $2`, tx.Tenant, number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read templates: %w", err)
	}
	var raw []whatsapp.Template
	if err := json.Unmarshal(row.List, &raw); err != nil {
		return nil, time.Time{}, fmt.Errorf("read templates: %w", err)
	}
	for _, t := range raw {
		list = append(list, newTemplate(t))
	}
	slices.SortStableFunc(list, func(a, b Template) int { return strings.Compare(a.Name+" "+a.Language, b.Name+" "+b.Language) })

	return list, row.FetchedAt, nil
}

// KeepTemplates remembers what Graph listed for a WABA.
func KeepTemplates(ctx context.Context, tx *tenants.Tx, waba string, list []whatsapp.Template) error {
	raw, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encode templates: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO template_lists (tenant_id, waba_id, list) VALUES ($1, $2, $3)
		ON CONFLICT (tenant_id, waba_id) DO UPDATE SET list = excluded.list, fetched_at = now()`, tx.Tenant, waba, string(raw)); err != nil {
		return fmt.Errorf("keep templates: %w", err)
	}

	return nil
}
