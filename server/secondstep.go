package server

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// stepPath is the second step of signing in.
const stepPath = "/login/step"

// stepPage asks for the second factor of somebody whose password was right in this browser, a few minutes ago at most.
func (s *Server) stepPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if m, known := access.From(ctx); known {
		return c.Redirect(startOf(m, known), fiber.StatusSeeOther)
	}

	return s.showSecondStep(c, fiber.StatusOK, pages.SecondStep{Next: localPath(c.Query("next"))})
}

func (s *Server) showSecondStep(c *fiber.Ctx, status int, p pages.SecondStep) error {
	ctx := c.UserContext()
	var step access.Step
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		step, err = access.OpenStep(ctx, tx, s.cookie(c, stepCookie), s.cookie(c, visitorCookie))
		return err
	})
	if errors.Is(err, access.ErrBadStep) {
		return s.stepOver(c)
	}
	if err != nil {
		return err
	}
	p.Frame, p.Code, p.Passkey = s.frame(c, "factor.step_title"), step.Code, string(step.Passkey)
	p.Frame.Path = stepPath

	return s.show(c, status, pages.SecondStepPage(p))
}

// stepOver sends somebody back to the first step.
func (s *Server) stepOver(c *fiber.Ctx) error {
	s.dropCookie(c, stepCookie)

	return c.Redirect("/login?over=1", fiber.StatusSeeOther)
}

// secondStep takes the second factor and signs in.
func (s *Server) secondStep(c *fiber.Ctx) error {
	p := pages.SecondStep{Next: localPath(field(c, "next"))}
	in, err := s.sessions.FinishSignIn(c.UserContext(), s.db, s.keys, access.Second{
		Step: s.cookie(c, stepCookie), Code: field(c, "code"), Passkey: rawField(c, "passkey"), Party: s.party(c), Browser: s.cookie(c, visitorCookie), Device: s.cookie(c, deviceCookie),
		Address: s.clientIP(c), Agent: c.Get(fiber.HeaderUserAgent),
	})
	if errors.Is(err, access.ErrBadStep) {
		return s.stepOver(c)
	}
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		p.Wait = tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
		return s.showSecondStep(c, classify(err).status, p)
	}
	if form, refused := refilled(c, err); refused {
		p.Form = form
		return s.showSecondStep(c, classify(err).status, p)
	}
	if err != nil {
		return err
	}
	s.dropCookie(c, stepCookie)

	return s.signedIn(c, in, p.Next)
}
