package signin

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	pages "github.com/pehchan/pehchan/views/signin"
)

// StepPage asks for the second factor of somebody whose password was right in this browser, a few minutes ago at most.
func (s *Pages) StepPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if m, known := access.From(ctx); known {
		return c.Redirect(StartOf(m), fiber.StatusSeeOther)
	}

	return s.showSecondStep(c, fiber.StatusOK, pages.SecondStep{Next: web.LocalPath(c.Query("next"))})
}

func (s *Pages) showSecondStep(c *fiber.Ctx, status int, p pages.SecondStep) error {
	ctx := c.UserContext()
	var step access.Step
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		step, err = access.OpenStep(ctx, tx, s.Cookie(c, web.StepCookie), s.Cookie(c, web.VisitorCookie))
		return err
	})
	if errors.Is(err, access.ErrBadStep) {
		return s.stepOver(c)
	}
	if err != nil {
		return err
	}
	p.Frame, p.Code, p.Passkey = s.Frame(c, "factor.step_title"), step.Code, string(step.Passkey)
	p.Frame.Path = web.StepPath

	return s.Show(c, status, pages.SecondStepPage(p))
}

// stepOver sends somebody back to the first step.
func (s *Pages) stepOver(c *fiber.Ctx) error {
	s.DropCookie(c, web.StepCookie)

	return c.Redirect("/login?over=1", fiber.StatusSeeOther)
}

// SecondStep takes the second factor and signs in.
func (s *Pages) SecondStep(c *fiber.Ctx) error {
	p := pages.SecondStep{Next: web.LocalPath(web.Field(c, "next"))}
	in, err := s.Sessions.FinishSignIn(c.UserContext(), s.DB, s.Keys, access.Second{
		Step: s.Cookie(c, web.StepCookie), Code: web.Field(c, "code"), Passkey: web.RawField(c, "passkey"), Party: s.party(c), Browser: s.Cookie(c, web.VisitorCookie), Device: s.Cookie(c, web.DeviceCookie),
		Address: s.ClientIP(c), Agent: c.Get(fiber.HeaderUserAgent),
	})
	if errors.Is(err, access.ErrBadStep) {
		return s.stepOver(c)
	}
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		p.Wait = tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
		return s.showSecondStep(c, web.Classify(err).Status, p)
	}
	if form, refused := web.Refilled(c, err); refused {
		p.Form = form
		return s.showSecondStep(c, web.Classify(err).Status, p)
	}
	if err != nil {
		return err
	}
	s.DropCookie(c, web.StepCookie)

	return s.enter(c, in, p.Next)
}
