package signin

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/signin"
)

// emailPath is where the link to a new e-mail leads, and undoEmailPath the one to the old.
// emailReader reads what a link about an e-mail would do.
type emailReader func(ctx context.Context, tx *tenants.Tx, token string) (access.EmailChange, error)

// AskEmail sends a link to the e-mail that somebody wants to sign in by.
func (s *Pages) AskEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		in, token, err := access.AskEmail(ctx, tx, web.Member(c), web.Field(c, "email"), s.ClientIP(c))
		if err != nil {
			return err
		}
		letter := pages.NewEmailMail(ctx, s.Origin.Load().String()+web.EmailPath+token, access.EmailLife)

		return teller.Queue(ctx, tx, s.Keys, in.Email, "new e-mail "+token[:16], letter)
	})
	form, refused := web.Refilled(c, err, "email")
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		form.Failed, refused = "asked_often", true
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
	}
	if refused {
		return s.showSecurity(c, web.Classify(err).Status, pages.Security{EmailForm: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.SecurityPath, web.Flash{Key: "toast.email_asked", Args: []any{"email", web.Field(c, "email")}})
}

func (s *Pages) EmailLinkPage(c *fiber.Ctx) error {
	return s.showEmailLink(c, fiber.StatusOK, components.Filled{}, access.EmailBy, false)
}

func (s *Pages) UndoEmailPage(c *fiber.Ctx) error {
	return s.showEmailLink(c, fiber.StatusOK, components.Filled{}, access.UndoableEmail, true)
}

// showEmailLink shows what a link about an e-mail does, or that it is good no more. Programs that look at every link in a mail change
// nothing by it, and nothing that the page leads to learns its address.
func (s *Pages) showEmailLink(c *fiber.Ctx, status int, form components.Filled, read emailReader, undo bool) error {
	ctx := c.UserContext()
	p := pages.EmailLink{Frame: s.Frame(c, "email.title"), Undo: undo, Token: c.Params("token"), Form: form}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		in, err := read(ctx, tx, p.Token)
		p.Email, p.Old = in.Email, in.Old
		return err
	})
	if errors.Is(err, access.ErrBadEmailLink) {
		return s.badEmailLink(c)
	}
	if err != nil {
		return err
	}
	c.Set("Referrer-Policy", "no-referrer")

	return s.Show(c, status, pages.EmailLinkPage(p))
}

func (s *Pages) badEmailLink(c *fiber.Ctx) error {
	return s.Show(c, fiber.StatusGone, pages.EmailLinkPage(pages.EmailLink{Frame: s.Frame(c, "email.title"), Over: true}))
}

// TakeEmail makes the new e-mail the one to sign in by, and tells the old one.
func (s *Pages) TakeEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	p := pages.EmailLink{Frame: s.Frame(c, "email.title"), Done: true}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		in, undo, err := access.FinishEmail(ctx, tx, m, c.Params("token"))
		if err != nil {
			return err
		}
		ways, err := teller.WaysIn(ctx, tx, in.Person)
		if err != nil {
			return err
		}
		if in.Person == m.Person.ID {
			p.Ways = ways
		}
		letter := pages.OldEmailMail(ctx, in.Email, ways, s.Origin.Load().String()+web.UndoEmailPath+undo, time.Now().Add(access.UndoLife))

		return teller.Queue(ctx, tx, s.Keys, in.Old, "old e-mail "+undo[:16], letter)
	})
	if errors.Is(err, access.ErrBadEmailLink) {
		return s.badEmailLink(c)
	}
	if form, refused := web.Refilled(c, err); refused {
		return s.showEmailLink(c, web.Classify(err).Status, form, access.EmailBy, false)
	}
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.EmailLinkPage(p))
}

// UndoEmail takes a change of e-mail back.
func (s *Pages) UndoEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.UndoEmail(ctx, tx, c.Params("token"))
		return err
	})
	if errors.Is(err, access.ErrBadEmailLink) {
		return s.badEmailLink(c)
	}
	if form, refused := web.Refilled(c, err); refused {
		return s.showEmailLink(c, web.Classify(err).Status, form, access.UndoableEmail, true)
	}
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.EmailLinkPage(pages.EmailLink{Frame: s.Frame(c, "email.title"), Done: true, Undo: true}))
}
