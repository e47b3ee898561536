package signin

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	pages "github.com/pehchan/pehchan/views/signin"
)

// ToConfirm sends somebody to prove that it is still them, and from there back to the page they were on. What a form held is not taken
// along, for it may be a secret: the page says that nothing was done.
func (s *Pages) ToConfirm(c *fiber.Ctx) error {
	q := url.Values{}
	if web.SafeMethod(c.Method()) {
		q.Set("next", web.LocalPath(c.OriginalURL()))
	} else {
		q.Set("next", web.LocalPath(s.pageBehind(c)))
		q.Set("again", "1")
	}
	to := web.ConfirmPath + "?" + q.Encode()
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", to)
		return c.SendStatus(fiber.StatusUnauthorized)
	}

	return c.Redirect(to, fiber.StatusSeeOther)
}

// pageBehind is the page that a form was on: as the browser says, else the nearest page above the form's address.
func (s *Pages) pageBehind(c *fiber.Ctx) string {
	if from, err := url.Parse(c.Get(fiber.HeaderReferer)); err == nil && from.Host == string(c.Request().Host()) && from.Path != "" {
		return from.RequestURI()
	}
	route, path := strings.Split(c.Route().Path, "/"), strings.Split(c.Path(), "/")
	for n := min(len(route), len(path)); n > 1; n-- {
		if _, ok := s.Permissions[strings.Join(route[:n], "/")]; ok {
			return strings.Join(path[:n], "/")
		}
	}

	return "/"
}

func (s *Pages) ConfirmPage(c *fiber.Ctx) error {
	return s.showConfirm(c, fiber.StatusOK, pages.Confirm{Next: web.LocalPath(c.Query("next")), Again: c.Query("again") != ""})
}

func (s *Pages) showConfirm(c *fiber.Ctx, status int, p pages.Confirm) error {
	ctx, m := c.UserContext(), web.Member(c)
	if party := s.party(c); party != nil && m.HasFactor {
		err := s.DB.System(ctx, func(tx *tenants.Tx) error {
			options, err := access.AskProof(ctx, tx, s.Keys, party, m, time.Now())
			p.Passkey = string(options)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.Frame, p.Code = s.Frame(c, "proof.title"), m.HasFactor
	p.Frame.Path = web.ConfirmPath + "?" + url.Values{"next": {p.Next}}.Encode()

	return s.Show(c, status, pages.ConfirmPage(p))
}

// Confirm takes the proof, and goes on to where it was asked for.
func (s *Pages) Confirm(c *fiber.Ctx) error {
	p := pages.Confirm{Next: web.LocalPath(web.Field(c, "next")), Again: web.Field(c, "again") != ""}
	ctx, m := c.UserContext(), web.Member(c)
	var err error
	code, answer, party := web.Field(c, "code"), web.RawField(c, "passkey"), s.party(c)
	switch {
	case answer != "" && party != nil:
		err = access.ProveByPasskey(ctx, s.DB, s.Keys, party, m, answer, time.Now())
	case code != "":
		err = access.ProveByCode(ctx, s.DB, s.Keys, m, code)
	default:
		err = access.Prove(ctx, s.DB, m, web.RawField(c, "password"))
	}
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		p.Wait = tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
		return s.showConfirm(c, web.Classify(err).Status, p)
	}
	if form, refused := web.Refilled(c, err); refused {
		p.Form = form
		return s.showConfirm(c, web.Classify(err).Status, p)
	}
	if err != nil {
		return err
	}

	return s.Done(c, p.Next, web.Flash{Key: "toast.proved"})
}
