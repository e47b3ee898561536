package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
	"github.com/pehchan/pehchan/views/pages"
)

// invitePath is where an invitation leads.
const invitePath = "/invite/"

// inviteByForm asks whoever a form names to join the team, and mails them the link.
func (s *Server) inviteByForm(c *fiber.Ctx) (in access.Invitation, err error) {
	ctx, m := c.UserContext(), member(c)
	if field(c, "role") != access.Agent && !m.Proved {
		return access.Invitation{}, errStale // as giving somebody of the team the role would be
	}
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		var token string
		if in, token, err = access.Invite(ctx, tx, m, field(c, "email"), field(c, "role")); err != nil {
			return err
		}
		ctx := i18n.With(ctx, in.Lang, m.Tenant.Location())
		letter := pages.InviteMail(ctx, in.Business, in.By, in.Role, s.origin.Load().String()+invitePath+token, in.ExpiresAt)

		return queueMail(ctx, tx, s.keys, in.Email, "invitation "+in.ID.String(), letter)
	})

	return in, err
}

// queueMail queues a mail, in the language of ctx.
func queueMail(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, to, key string, m mails.Mail) error {
	return queueMailAt(ctx, tx, keys, to, key, m, time.Time{})
}

// queueMailAt is queueMail of one that is sent at some time, and not before.
func queueMailAt(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, to, key string, m mails.Mail, at time.Time) error {
	var html bytes.Buffer
	if err := mails.HTML(m).Render(ctx, &html); err != nil {
		return fmt.Errorf("render mail: %w", err)
	}

	return mail.Queue(ctx, tx, keys, key, mail.Message{
		To: to, Subject: strings.Join(strings.Fields(m.Subject), " "), Text: m.Text(ctx), HTML: html.String(), Leave: m.Leave, NotBefore: at,
	})
}

func (s *Server) inviteMember(c *fiber.Ctx) error {
	in, err := s.inviteByForm(c)
	if form, ok := refilled(c, err, "email", "role"); ok {
		return s.showTeam(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, "/team", flash{Key: "toast.invited", Args: []any{"email", in.Email}})
}

// withdrawInvitation ends an invitation that has not been answered.
func (s *Server) withdrawInvitation(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var in access.Invitation
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		in, err = access.Withdraw(ctx, tx, m, id)
		return err
	})
	if err != nil {
		return err
	}

	return s.done(c, "/team", flash{Key: "toast.withdrawn", Args: []any{"email", in.Email}})
}

func (s *Server) invitePage(c *fiber.Ctx) error {
	return s.showInvitation(c, fiber.StatusOK, pages.Filled{})
}

// showInvitation shows what a link asks, or that it is good no more. Nothing that the page leads to learns its address.
func (s *Server) showInvitation(c *fiber.Ctx, status int, form pages.Filled) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	var in access.Invitation
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		in, err = access.InvitationBy(ctx, tx, c.Params("token"))
		return err
	})
	p := pages.Invitation{Frame: s.frame(c, "invite.title"), Now: time.Now(), Form: form}
	if errors.Is(err, access.ErrBadInvitation) {
		p.Over = true
		return s.show(c, fiber.StatusGone, pages.InvitationPage(p))
	}
	if err != nil {
		return err
	}
	p.Token, p.Business, p.By, p.Role, p.Email, p.Known = c.Params("token"), in.Business, in.By, in.Role, in.Email, in.Known
	p.Me = m.Person.Email
	p.MayJoin = access.SameMailbox(m.Person.Email, in.Email)

	return s.show(c, status, pages.InvitationPage(p))
}

// acceptInvitation joins the team, and signs in whoever had no account until now.
func (s *Server) acceptInvitation(c *fiber.Ctx) error {
	ctx := c.UserContext()
	m, _ := access.From(ctx)
	in, err := access.Accept(ctx, s.db, c.Params("token"), m, field(c, "name"), rawField(c, "password"))
	if errors.Is(err, access.ErrBadInvitation) {
		return s.showInvitation(c, fiber.StatusGone, pages.Filled{})
	}
	if form, ok := refilled(c, err, "name"); ok {
		return s.showInvitation(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}
	if in.Known {
		return c.Redirect("/choose", fiber.StatusSeeOther)
	}
	signed, err := s.sessions.SignIn(ctx, s.db, access.Credentials{
		Email: in.Email, Password: rawField(c, "password"), Address: s.clientIP(c), Agent: c.Get(fiber.HeaderUserAgent),
	})
	if err != nil {
		return c.Redirect("/login", fiber.StatusSeeOther) // they have an account; only signing in has to wait
	}

	return s.signedIn(c, signed, "/")
}
