package web

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// errorPage tells a person what went wrong, in both languages, with a reference to what the log has of it. The answer to htmx is a fragment for
// the place where the form shows its errors.
func (s *Site) errorPage(c *fiber.Ctx, r Refusal) error {
	ctx := c.UserContext()
	p := layout.Error{Status: r.Status, Code: r.code, Reference: RequestID(ctx), Retry: r.Status >= fiber.StatusInternalServerError && SafeMethod(c.Method())}
	if r.code == codeFormExpired {
		p.Status = fiber.StatusConflict // in words: nobody did wrong, the page was old
	}

	if c.Get("HX-Request") != "" {
		c.Set("HX-Retarget", "#form-errors")
		c.Set("HX-Reswap", "outerHTML")
		c.Set("HX-Reselect", "unset") // whatever of an answer the form would take
		c.Set("HX-Push-Url", "false")

		return s.Show(c, r.Status, layout.ErrorFragment(p))
	}

	// A request that reached no route has its session unread. Where the database is down it stays so.
	if _, known := access.From(ctx); !known && r.Status < fiber.StatusInternalServerError && s.Cookie(c, SessionCookie) != "" {
		if _, _, err := s.Identify(c); err != nil {
			c.SetUserContext(i18n.With(ctx, s.AnonymousLang(c), s.Zone))
		}
	}
	title := "error.what_" + strconv.Itoa(p.Status)
	if !i18n.Known(title) {
		title = "error.what_500"
	}
	p.Frame = s.Frame(c, title)

	return s.Show(c, r.Status, layout.ErrorPage(p))
}
