package server

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// emailPath is where the link to a new e-mail leads, and undoEmailPath the one to the old.
const (
	emailPath     = "/email/"
	undoEmailPath = "/email/undo/"
)

// emailReader reads what a link about an e-mail would do.
type emailReader func(ctx context.Context, tx *tenants.Tx, token string) (access.EmailChange, error)

// askEmail sends a link to the e-mail that somebody wants to sign in by.
func (s *Server) askEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		in, token, err := access.AskEmail(ctx, tx, member(c), field(c, "email"), s.clientIP(c))
		if err != nil {
			return err
		}
		letter := pages.NewEmailMail(ctx, s.origin.Load().String()+emailPath+token, access.EmailLife)

		return queueMail(ctx, tx, s.keys, in.Email, "new e-mail "+token[:16], letter)
	})
	form, refused := refilled(c, err, "email")
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		form.Failed, refused = "asked_often", true
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
	}
	if refused {
		return s.showSecurity(c, classify(err).status, pages.Security{EmailForm: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, securityPath, flash{Key: "toast.email_asked", Args: []any{"email", field(c, "email")}})
}

func (s *Server) emailLinkPage(c *fiber.Ctx) error {
	return s.showEmailLink(c, fiber.StatusOK, pages.Filled{}, access.EmailBy, false)
}

func (s *Server) undoEmailPage(c *fiber.Ctx) error {
	return s.showEmailLink(c, fiber.StatusOK, pages.Filled{}, access.UndoableEmail, true)
}

// showEmailLink shows what a link about an e-mail does, or that it is good no more. Programs that look at every link in a mail change
// nothing by it, and nothing that the page leads to learns its address.
func (s *Server) showEmailLink(c *fiber.Ctx, status int, form pages.Filled, read emailReader, undo bool) error {
	ctx := c.UserContext()
	p := pages.EmailLink{Frame: s.frame(c, "email.title"), Undo: undo, Token: c.Params("token"), Form: form}
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
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

	return s.show(c, status, pages.EmailLinkPage(p))
}

func (s *Server) badEmailLink(c *fiber.Ctx) error {
	return s.show(c, fiber.StatusGone, pages.EmailLinkPage(pages.EmailLink{Frame: s.frame(c, "email.title"), Over: true}))
}

// takeEmail makes the new e-mail the one to sign in by, and tells the old one.
func (s *Server) takeEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	p := pages.EmailLink{Frame: s.frame(c, "email.title"), Done: true}
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		in, undo, err := access.FinishEmail(ctx, tx, m, c.Params("token"))
		if err != nil {
			return err
		}
		ways, err := waysIn(ctx, tx, in.Person)
		if err != nil {
			return err
		}
		if in.Person == m.Person.ID {
			p.Ways = ways
		}
		letter := pages.OldEmailMail(ctx, in.Email, ways, s.origin.Load().String()+undoEmailPath+undo, time.Now().Add(access.UndoLife))

		return queueMail(ctx, tx, s.keys, in.Old, "old e-mail "+undo[:16], letter)
	})
	if errors.Is(err, access.ErrBadEmailLink) {
		return s.badEmailLink(c)
	}
	if form, refused := refilled(c, err); refused {
		return s.showEmailLink(c, classify(err).status, form, access.EmailBy, false)
	}
	if err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.EmailLinkPage(p))
}

// undoEmail takes a change of e-mail back.
func (s *Server) undoEmail(c *fiber.Ctx) error {
	ctx := c.UserContext()
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := access.UndoEmail(ctx, tx, c.Params("token"))
		return err
	})
	if errors.Is(err, access.ErrBadEmailLink) {
		return s.badEmailLink(c)
	}
	if form, refused := refilled(c, err); refused {
		return s.showEmailLink(c, classify(err).status, form, access.UndoableEmail, true)
	}
	if err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.EmailLinkPage(pages.EmailLink{Frame: s.frame(c, "email.title"), Done: true, Undo: true}))
}
