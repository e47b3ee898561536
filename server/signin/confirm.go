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
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/signin"
)

// ToConfirm sends somebody to prove that it is still them, and from there back to what they were doing. A form waits meanwhile, without its
// secrets: it is carried out when they have proved it and press once more. permission is what it takes.
func (s *Pages) ToConfirm(c *fiber.Ctx, permission string) error {
	q := url.Values{}
	if web.SafeMethod(c.Method()) {
		q.Set("next", web.LocalPath(c.OriginalURL()))
	} else {
		if _, err := s.Wait(c, permission); err != nil {
			return err
		}
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
	p := pages.Confirm{Next: web.LocalPath(c.Query("next")), Again: c.Query("again") != ""}
	w := s.WaitingForm(c)
	if p.Again && w != nil && web.Member(c).Proved {
		return s.showGoOn(c, p.Next, w)
	}

	return s.showConfirm(c, fiber.StatusOK, p)
}

// showGoOn shows the form that waited, for who has proved who they are.
func (s *Pages) showGoOn(c *fiber.Ctx, next string, w *web.Waiting) error {
	p := pages.GoOn{Frame: s.Frame(c, "proof.on"), Next: next, Action: w.Path}
	p.Frame.Path = web.ConfirmPath + "?" + url.Values{"next": {next}, "again": {"1"}}.Encode()
	if may := "may." + strings.ReplaceAll(w.May, ":", "_"); i18n.Known(may) {
		p.May = i18n.T(c.UserContext(), may)
	}
	for _, name := range w.Names() {
		for _, value := range w.Fields[name] {
			p.Fields = append(p.Fields, components.Option{Value: value, Label: name})
		}
	}
	for _, name := range w.Again {
		p.Again = append(p.Again, components.Option{Value: name, Label: i18n.T(c.UserContext(), web.Secrets[name])})
	}

	return s.Show(c, fiber.StatusOK, pages.GoOnPage(p))
}

func (s *Pages) showConfirm(c *fiber.Ctx, status int, p pages.Confirm) error {
	ctx, m := c.UserContext(), web.Member(c)
	p.Waits = p.Again && s.WaitingForm(c) != nil
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

	if p.Again && s.WaitingForm(c) != nil {
		return c.Redirect(web.ConfirmPath+"?"+url.Values{"next": {p.Next}, "again": {"1"}}.Encode(), fiber.StatusSeeOther)
	}

	return s.Done(c, p.Next, web.Flash{Key: "toast.proved"})
}
