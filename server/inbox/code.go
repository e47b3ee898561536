package inbox

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/inbox"
)

// CodePath is where a customer's codes are made.
func CodePath(contact uuid.UUID) string { return "/contacts/" + contact.String() + "/code" }

// CodePage shows the codes made for somebody, and makes new ones.
func (s *Pages) CodePage(c *fiber.Ctx) error {
	return s.showCodes(c, fiber.StatusOK, nil, components.Filled{})
}

func (s *Pages) showCodes(c *fiber.Ctx, status int, made *pages.MadeCode, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.LinkCode{Frame: s.Frame(c, "code.title"), Now: time.Now(), Made: made, Form: form}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, contact.ID); err != nil {
			return err
		}
		p.Who = e.Someone(contact)
		for _, d := range PhonesOf(contact) {
			p.Phones = append(p.Phones, components.Option{Value: d.ID.String(), Label: e.Handle(d.Kind, d.Value).Shown})
		}
		list, err := numbers.List(ctx, tx, uuid.Nil, 0)
		if err != nil {
			return err
		}
		for _, n := range list {
			if n.State != numbers.Disconnected {
				p.Numbers = append(p.Numbers, components.Option{Value: n.ID.String(), Label: e.Numbers[n.ID]})
			}
		}
		codes, err := identity.CodesOf(ctx, tx, contact)
		for _, code := range codes {
			p.Past = append(p.Past, codeLine(e, code, CodePath(contact.ID)))
		}

		return err
	})
	if err != nil {
		return err
	}
	if p.Frame.Path = CodePath(id); made != nil {
		c.Set(fiber.HeaderCacheControl, "no-store")
	}

	return s.Show(c, status, pages.LinkCodePage(p))
}

// PhonesOf are the phones that a contact has now and that are kept.
func PhonesOf(contact identity.Contact) []identity.Identifier {
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

func codeLine(e web.Eyes, code identity.Code, path string) pages.CodeLine {
	line := pages.CodeLine{
		Kind: code.Kind, State: "live", For: e.InSentence(whatsapp.KindPhone, code.Phone), By: code.MadeBy, At: code.MadeAt,
		Ends: web.OrZero(code.ExpiresAt), Used: web.OrZero(code.UsedAt),
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

// MakeCode shows the new code in its own answer: it is kept nowhere, so no page can show it later.
func (s *Pages) MakeCode(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var made pages.MadeCode
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		phone := ""
		for _, d := range PhonesOf(contact) {
			if d.ID.String() == web.Field(c, "phone") {
				phone = d.Value
			}
		}
		code, err := identity.MakeCode(ctx, tx, identity.NewCodeKey(s.Keys, m.Tenant.ID), m.Actor, contact.ID, phone, web.Field(c, "kind"))
		if err != nil {
			return err
		}
		e := web.Eyes{Clear: m.Can("phones:clear")}
		made = pages.MadeCode{Text: code.Text, Kind: code.Kind, For: e.InSentence(whatsapp.KindPhone, code.Phone), Ends: web.OrZero(code.ExpiresAt)}
		made.Link, err = codeLink(ctx, tx, web.Field(c, "number"), code.Text)

		return err
	})
	if form, refused := web.Refilled(c, err); refused {
		return s.showCodes(c, web.Classify(err).Status, nil, form)
	}
	if err != nil {
		return err
	}
	if made.Link != "" {
		if made.QR, err = web.QR(made.Link); err != nil {
			return err
		}
	}

	return s.showCodes(c, fiber.StatusOK, &made, components.Filled{})
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

// RevokeCode takes back a code that has not come back yet.
func (s *Pages) RevokeCode(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	code, err := uuid.Parse(c.Params("code"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return identity.RevokeCode(ctx, tx, m.Actor, id, code) })
	if err != nil {
		return err
	}

	return s.Done(c, CodePath(id), web.Flash{Key: "toast.code_revoked"})
}
