package server

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	qrcode "github.com/skip2/go-qrcode"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/pages"
)

func codePath(contact uuid.UUID) string { return "/contacts/" + contact.String() + "/code" }

// codePage shows the codes made for somebody, and makes new ones.
func (s *Server) codePage(c *fiber.Ctx) error {
	return s.showCodes(c, fiber.StatusOK, nil, pages.Filled{})
}

func (s *Server) showCodes(c *fiber.Ctx, status int, made *pages.MadeCode, form pages.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	p := pages.LinkCode{Frame: s.frame(c, "code.title"), Now: time.Now(), Made: made, Form: form}
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := eyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Who = e.someone(contact)
		for _, d := range phonesOf(contact) {
			p.Phones = append(p.Phones, components.Option{Value: d.ID.String(), Label: e.handle(d.Kind, d.Value).Shown})
		}
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		for _, n := range list {
			if n.State != numbers.Disconnected {
				p.Numbers = append(p.Numbers, components.Option{Value: n.ID.String(), Label: e.numbers[n.ID]})
			}
		}
		codes, err := identity.CodesOf(ctx, tx, contact)
		for _, code := range codes {
			p.Past = append(p.Past, e.code(code, codePath(contact.ID)))
		}

		return err
	})
	if err != nil {
		return err
	}
	if p.Frame.Path = codePath(id); made != nil {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}

	return s.show(c, status, pages.LinkCodePage(p))
}

// phonesOf are the phones that a contact has now and that are kept.
func phonesOf(contact identity.Contact) []identity.Identifier {
	var phones []identity.Identifier
	for _, i := range contact.Identities {
		for _, d := range i.Identifiers {
			if d.Kind == whatsapp.KindPhone && d.Current && !whatsapp.IsHiddenPhone(d.Value) {
				phones = append(phones, d)
			}
		}
	}

	return phones
}

func (e eyes) code(code identity.Code, path string) pages.CodeLine {
	line := pages.CodeLine{
		Kind: code.Kind, State: "live", For: e.inSentence(whatsapp.KindPhone, code.Phone), By: code.MadeBy, At: code.MadeAt,
		Ends: orZero(code.ExpiresAt), Used: orZero(code.UsedAt),
	}
	if code.UsedBy != nil {
		line.UsedBy = "/contacts/" + code.UsedBy.String()
	}
	switch {
	case code.Live:
		line.Revoke = path + "/" + code.ID.String() + "/revoke"
	case code.UsedAt != nil:
		line.State = "used"
	case code.RevokedAt != nil:
		line.State = "revoked"
	default:
		line.State = "expired"
	}

	return line
}

// makeCode shows the new code in its own answer: it is kept nowhere, so no page can show it later.
func (s *Server) makeCode(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var made pages.MadeCode
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		phone := ""
		for _, d := range phonesOf(contact) {
			if d.ID.String() == field(c, "phone") {
				phone = d.Value
			}
		}
		code, err := identity.MakeCode(ctx, tx, identity.NewCodeKey(s.keys, m.Tenant.ID), m.Actor, contact.ID, phone, field(c, "kind"))
		if err != nil {
			return err
		}
		e := eyes{clear: m.Can("phones:clear")}
		made = pages.MadeCode{Text: code.Text, Kind: code.Kind, For: e.inSentence(whatsapp.KindPhone, code.Phone), Ends: orZero(code.ExpiresAt)}
		made.Link, err = codeLink(ctx, tx, field(c, "number"), code.Text)

		return err
	})
	if form, refused := refilled(c, err); refused {
		return s.showCodes(c, classify(err).status, nil, form)
	}
	if err != nil {
		return err
	}
	if made.Link != "" {
		if made.QR, err = qrOf(made.Link); err != nil {
			return err
		}
	}

	return s.showCodes(c, fiber.StatusOK, &made, pages.Filled{})
}

// codeLink opens WhatsApp on a chat with the number, the code written; "" where the business has no such number.
func codeLink(ctx context.Context, tx *tenants.Tx, number, code string) (string, error) {
	id, err := uuid.Parse(number)
	if err != nil {
		return "", nil //nolint:nilerr // no number, no link
	}
	n, err := numbers.Get(ctx, tx, id)
	if err != nil {
		return "", err
	}
	if n.State == numbers.Disconnected {
		return "", tenants.ErrNotFound
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, n.DisplayPhone)

	return "https://wa.me/" + digits + "?text=" + url.QueryEscape(code), nil
}

// qrOf draws a link: a run of dark squares is one piece of the path.
func qrOf(link string) (pages.QR, error) {
	code, err := qrcode.New(link, qrcode.Medium)
	if err != nil {
		return pages.QR{}, fmt.Errorf("draw link: %w", err)
	}
	code.DisableBorder = true
	rows := code.Bitmap()
	var path strings.Builder
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}

	return pages.QR{Path: path.String(), Size: len(rows)}, nil
}

// revokeCode takes back a code that has not come back yet.
func (s *Server) revokeCode(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	code, err := uuid.Parse(c.Params("code"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return identity.RevokeCode(ctx, tx, m.Actor, id, code) })
	if err != nil {
		return err
	}

	return s.done(c, codePath(id), flash{Key: "toast.code_revoked"})
}
