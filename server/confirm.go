package server

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

// confirmPath is where somebody who is signed in proves that it is still them.
const confirmPath = "/confirm"

// errStale says that what a form asks for needs a recent proof of who asks. A handler whose form needs one only at times returns it.
var errStale = errors.New("needs a recent proof")

// toConfirm sends somebody to prove that it is still them, and from there back to the page they were on. What a form held is not taken
// along, for it may be a secret: the page says that nothing was done.
func (s *Server) toConfirm(c *fiber.Ctx) error {
	q := url.Values{}
	if safeMethod(c.Method()) {
		q.Set("next", localPath(c.OriginalURL()))
	} else {
		q.Set("next", localPath(s.pageBehind(c)))
		q.Set("again", "1")
	}
	to := confirmPath + "?" + q.Encode()
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", to)
		return c.SendStatus(fiber.StatusUnauthorized)
	}

	return c.Redirect(to, fiber.StatusSeeOther)
}

// pageBehind is the page that a form was on: as the browser says, else the nearest page above the form's address.
func (s *Server) pageBehind(c *fiber.Ctx) string {
	if from, err := url.Parse(c.Get(fiber.HeaderReferer)); err == nil && from.Host == string(c.Request().Host()) && from.Path != "" {
		return from.RequestURI()
	}
	route, path := strings.Split(c.Route().Path, "/"), strings.Split(c.Path(), "/")
	for n := min(len(route), len(path)); n > 1; n-- {
		if _, ok := s.pages[strings.Join(route[:n], "/")]; ok {
			return strings.Join(path[:n], "/")
		}
	}

	return "/"
}

func (s *Server) confirmPage(c *fiber.Ctx) error {
	return s.showConfirm(c, fiber.StatusOK, pages.Confirm{Next: localPath(c.Query("next")), Again: c.Query("again") != ""})
}

func (s *Server) showConfirm(c *fiber.Ctx, status int, p pages.Confirm) error {
	ctx, m := c.UserContext(), member(c)
	if party := s.party(c); party != nil && m.HasFactor {
		err := s.db.System(ctx, func(tx *tenants.Tx) error {
			options, err := access.AskProof(ctx, tx, party, m)
			p.Passkey = string(options)
			return err
		})
		if err != nil {
			return err
		}
	}
	p.Frame, p.Code = s.frame(c, "proof.title"), m.HasFactor
	p.Frame.Path = confirmPath + "?" + url.Values{"next": {p.Next}}.Encode()

	return s.show(c, status, pages.ConfirmPage(p))
}

// confirm takes the proof, and goes on to where it was asked for.
func (s *Server) confirm(c *fiber.Ctx) error {
	p := pages.Confirm{Next: localPath(field(c, "next")), Again: field(c, "again") != ""}
	ctx, m := c.UserContext(), member(c)
	var err error
	code, answer, party := field(c, "code"), rawField(c, "passkey"), s.party(c)
	switch {
	case answer != "" && party != nil:
		err = access.ProveByPasskey(ctx, s.db, party, m, answer)
	case code != "":
		err = access.ProveByCode(ctx, s.db, s.keys, m, code)
	default:
		err = access.Prove(ctx, s.db, m, rawField(c, "password"))
	}
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		p.Wait = tooMany.RetryAfter.Round(time.Second)
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
		return s.showConfirm(c, classify(err).status, p)
	}
	if form, refused := refilled(c, err); refused {
		p.Form = form
		return s.showConfirm(c, classify(err).status, p)
	}
	if err != nil {
		return err
	}

	return s.done(c, p.Next, flash{Key: "toast.proved"})
}
