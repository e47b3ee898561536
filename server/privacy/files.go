package privacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	pages "github.com/pehchan/pehchan/views/privacy"
)

// HandOut gives out all that is known of a person, as JSON or to be read.
func (s *Pages) HandOut(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, format := c.UserContext(), web.Member(c), web.Field(c, "format")
	if format != "json" {
		format = "html"
	}
	var sections []privacy.Section
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if sections, err = privacy.Data(ctx, tx, m.Actor, id, format); err != nil {
			return err
		}
		r, err := privacy.Get(ctx, tx, s.Keys, id)
		if err != nil {
			return err
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.HandedOut, *r.Contact)
	})
	err = s.unproveChanged(ctx, m, id, err)
	if form, ok := web.Refilled(c, err); ok {
		return s.showRequest(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	now := time.Now()
	attach(c, "pehchan-data-"+id.String()[:8]+"."+format, format)
	if format == "json" {
		return sendJSON(c, map[string]any{"business": m.Tenant.Name, "request": id, "made_at": now.UTC(), "data": sections})
	}
	p := pages.File{Business: m.Tenant.Name, Now: now}
	for _, section := range sections {
		view := pages.Section{Name: section.Name}
		for _, row := range section.Rows {
			line := pages.Row{What: row.What, Text: row.Text}
			if row.At != nil {
				line.At = *row.At
			}
			view.Rows = append(view.Rows, line)
		}
		p.Sections = append(p.Sections, view)
	}
	var out bytes.Buffer
	if err := pages.DataFile(p).Render(ctx, &out); err != nil {
		return fmt.Errorf("write data of a person: %w", err)
	}

	return c.Send(out.Bytes())
}

// RequestReceipt gives out the receipt of a request that is closed, to be printed or, with ?format=json, to be checked.
func (s *Pages) RequestReceipt(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var r privacy.Request
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		r, err = privacy.Get(ctx, tx, s.Keys, id)
		return err
	})
	if err != nil {
		return err
	}
	if r.ClosedAt == nil {
		return tenants.ErrNotFound
	}
	if c.Query("format") == "json" {
		receipt, err := privacy.ReceiptOf(m.Tenant.Name, r)
		if err != nil {
			return err
		}
		attach(c, "pehchan-receipt-"+id.String()[:8]+".json", "json")

		return sendJSON(c, receipt)
	}
	view, err := receiptView(m.Tenant.Name, r)
	if err != nil {
		return err
	}
	attach(c, "pehchan-receipt-"+id.String()[:8]+".html", "html")
	var out bytes.Buffer
	if err := pages.ReceiptFile(*view).Render(ctx, &out); err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}

	return c.Send(out.Bytes())
}

func attach(c *fiber.Ctx, name, format string) {
	kind := "text/html; charset=utf-8"
	if format == "json" {
		kind = "application/json; charset=utf-8"
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
}

func sendJSON(c *fiber.Ctx, value any) error {
	raw, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode file: %w", err)
	}

	return c.Send(raw)
}
