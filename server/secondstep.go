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
	open := false
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		open, err = access.StepIsOpen(ctx, tx, s.cookie(c, stepCookie), s.cookie(c, visitorCookie))
		return err
	})
	if err != nil {
		return err
	}
	if !open {
		return s.stepOver(c)
	}

	return s.showSecondStep(c, fiber.StatusOK, pages.SecondStep{Next: localPath(c.Query("next"))})
}

func (s *Server) showSecondStep(c *fiber.Ctx, status int, p pages.SecondStep) error {
	p.Frame = s.frame(c, "factor.step_title")
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
		Step: s.cookie(c, stepCookie), Code: field(c, "code"), Browser: s.cookie(c, visitorCookie), Device: s.cookie(c, deviceCookie),
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
