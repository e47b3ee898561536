package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/front"
	"github.com/pehchan/pehchan/server/settings"
	"github.com/pehchan/pehchan/server/signin"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

// around stands about every request: headers, language, a deadline, and what to do with errors and panics.
func (s *Server) around(c *fiber.Ctx) error {
	s.SecureHeaders(c)
	started := time.Now()

	// fiber does not end a request's context when the client leaves, so each has a deadline of its own.
	ctx, cancel := context.WithTimeout(c.UserContext(), web.PageTimeout)
	defer cancel()
	c.SetUserContext(i18n.With(tenants.Often(ctx), s.AnonymousLang(c), s.Zone))

	if err := s.safely(c); err != nil {
		if err := s.Fail(c, err); err != nil {
			return err
		}
	}
	s.metrics.count(c, time.Since(started))

	return compress(c)
}

func (s *Server) safely(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()

	// A compressed body could unfold to any size, and no browser sends one.
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return fiber.ErrUnsupportedMediaType
	}

	return c.Next()
}

// guard lets a request to its handler if the route's permission allows it.
func (s *Server) guard(r Route) fiber.Handler {
	switch r.Permission {
	case public:
		return r.Handler
	case keyRead, keyWrite:
		return s.guardAPI(r)
	}

	permission, asks := strings.CutSuffix(r.Permission, fresh)

	return func(c *fiber.Ctx) error {
		if err := checkText(c); err != nil {
			return err
		}
		m, known, err := s.Identify(c)
		if err != nil {
			return err
		}
		if permission != anyone && !known {
			return s.ToLogin(c)
		}
		if !web.SafeMethod(c.Method()) {
			if err := s.CheckForm(c, m, known); err != nil {
				return err
			}
			if m.Role == access.Visitor {
				front.Hush(c)
			}
		}
		if permission != anyone && permission != web.SignedIn && !m.Can(permission) {
			if web.AsksItself(c) && c.Get("HX-Request") != "" {
				return web.EndPage(c, web.OverMoved)
			}
			if to := settings.AwayFrom(m); to != "" && c.Method() == fiber.MethodGet && c.Path() != web.EventsPath {
				return c.Redirect(to, fiber.StatusSeeOther)
			}

			return fmt.Errorf("%s: %w", permission, tenants.ErrForbidden)
		}
		if m.MustAddFactor && permission != anyone && !signin.OpenWithoutFactor(c.Path()) {
			return s.signin.ToAddFactor(c)
		}
		if m.Grant != nil && permission != web.SignedIn && permission != anyone {
			if err := s.operator.UnderLeave(c, m, r.Path); err != nil {
				return err
			}
		}
		if asks && !m.Proved {
			return s.signin.ToConfirm(c, permission)
		}
		if !web.SafeMethod(c.Method()) && m.Proved && r.Path != web.ConfirmPath {
			s.DropWaiting(c) // it is carried out by this, or they have gone on to something else
		}
		if !web.SafeMethod(c.Method()) && m.HasTenant() {
			err = s.Once(c, m, r.Handler)
		} else {
			err = r.Handler(c)
		}
		if errors.Is(err, web.ErrStale) {
			return s.signin.ToConfirm(c, permission)
		}

		return err
	}
}

// checkText refuses an address or a form that is no text: no page of ours sends such, and PostgreSQL does not take it.
func checkText(c *fiber.Ctx) error {
	if !isText(c.Request().URI().PathOriginal()) {
		return tenants.ErrNotFound
	}

	wrong := false
	check := func(name, value []byte) { wrong = wrong || !isText(name) || !isText(value) }
	c.Context().QueryArgs().VisitAll(check)
	c.Request().PostArgs().VisitAll(check)
	if wrong {
		return &tenants.Invalid{Key: "bad_character"}
	}

	return nil
}

func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }
