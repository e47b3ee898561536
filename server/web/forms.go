package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
)

const (
	formNonce = 16
	formField = "_csrf"
	onceField = "_once"
)

// formError is the refusal of a form that did not come from a page of ours, or from one that is out of date.
type formError struct{ why string }

func (e *formError) Error() string { return "form refused: " + e.why }

// FormToken is what proves that a form was on a page made for this session: a fresh nonce and its MAC with the session. It
// differs at each call, so compressing a page tells nothing about it.
func (s *Site) FormToken(scope []byte) string {
	token := make([]byte, formNonce, formNonce+sha256.Size)
	if _, err := rand.Read(token); err != nil {
		panic(err) // crypto/rand does not fail on a working system
	}

	return base64.RawURLEncoding.EncodeToString(append(token, s.formMAC(token, scope)...))
}

func (s *Site) formMAC(nonce, scope []byte) []byte {
	mac := hmac.New(sha256.New, s.formKey)
	mac.Write(nonce)
	mac.Write(scope)

	return mac.Sum(nil)
}

func (s *Site) knowsToken(token string, scope []byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)

	return err == nil && len(raw) == formNonce+sha256.Size && hmac.Equal(raw[formNonce:], s.formMAC(raw[:formNonce], scope))
}

// formScope is what the forms of this browser are tied to: the session, or before sign-in a cookie of its own.
func (s *Site) formScope(c *fiber.Ctx, m access.Member, known bool) []byte {
	if known {
		return m.FormScope()
	}
	if visitor := s.Cookie(c, VisitorCookie); visitor != "" {
		return []byte("visitor " + visitor)
	}

	return nil
}

// CheckForm refuses a write that a page of another site, another session or another tenant could have made.
func (s *Site) CheckForm(c *fiber.Ctx, m access.Member, known bool) error {
	if err := s.checkOrigin(c); err != nil {
		return err
	}
	if len(c.Request().Body()) > 0 {
		kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
		switch kind = strings.TrimSpace(strings.ToLower(kind)); {
		case kind == fiber.MIMEApplicationForm:
		case kind == fiber.MIMEMultipartForm && c.Path() == UploadPath:
			if _, err := ReadUpload(c); err != nil {
				return err
			}
		default:
			return fiber.ErrUnsupportedMediaType
		}
	}

	token := Field(c, formField)
	if token == "" {
		token = c.Get("X-CSRF-Token")
	}
	scope := s.formScope(c, m, known)
	if scope == nil || !s.knowsToken(token, scope) {
		return &formError{why: "token"}
	}

	return nil
}

// checkOrigin believes what browsers say about where a request comes from. A client that says nothing is left to the token.
func (s *Site) checkOrigin(c *fiber.Ctx) error {
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return &formError{why: "another site"}
	}

	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return nil
	}
	ours := s.Origin.Load()
	if origin == ours.Scheme+"://"+ours.Host {
		return nil
	}

	// On a developer's machine one server has several names, localhost and 127.0.0.1 among them.
	from, err := url.Parse(origin)
	if err == nil && ours.Scheme == "http" && from.Scheme == "http" && config.IsLoopback(from.Hostname()) && from.Host == string(c.Request().Host()) {
		return nil
	}

	return &formError{why: fmt.Sprintf("origin %.80q", origin)}
}

// Typed is a form as it was posted, with the fields keep, to be shown again or looked at before it is saved.
func Typed(c *fiber.Ctx, keep ...string) components.Filled {
	form := components.Filled{Values: map[string]string{}, Wrong: map[string]string{}}
	for _, name := range keep {
		form.Values[name] = Field(c, name)
	}

	return form
}

// Refilled is the form to show again where err is about what was typed in it. keep names the fields that are filled in again;
// secrets never are.
func Refilled(c *fiber.Ctx, err error, keep ...string) (components.Filled, bool) {
	form := Typed(c, keep...)
	var invalid *tenants.Invalid
	switch {
	case errors.As(err, &invalid):
		form.Wrong[invalid.Field] = invalid.Key
	case tenants.ConflictCode(err) != "":
		form.Failed = tenants.ConflictCode(err)
	default:
		return components.Filled{}, false
	}

	return form, true
}
