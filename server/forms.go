package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/access"
)

const (
	formNonce = 16
	formField = "_csrf"
	onceField = "_once"
)

// formError is the refusal of a form that did not come from a page of ours, or from one that is out of date.
type formError struct{ why string }

func (e *formError) Error() string { return "form refused: " + e.why }

// formToken is what proves that a form was on a page made for this session: a fresh nonce and its MAC with the session. It
// differs at each call, so compressing a page tells nothing about it.
func (s *Server) formToken(scope []byte) string {
	token := make([]byte, formNonce, formNonce+sha256.Size)
	if _, err := rand.Read(token); err != nil {
		panic(err) // crypto/rand does not fail on a working system
	}

	return base64.RawURLEncoding.EncodeToString(append(token, s.formMAC(token, scope)...))
}

func (s *Server) formMAC(nonce, scope []byte) []byte {
	mac := hmac.New(sha256.New, s.formKey)
	mac.Write(nonce)
	mac.Write(scope)

	return mac.Sum(nil)
}

func (s *Server) knowsToken(token string, scope []byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)

	return err == nil && len(raw) == formNonce+sha256.Size && hmac.Equal(raw[formNonce:], s.formMAC(raw[:formNonce], scope))
}

// formScope is what the forms of this browser are tied to: the session, or before sign-in a cookie of its own.
func (s *Server) formScope(c *fiber.Ctx, m access.Member, known bool) []byte {
	if known {
		return m.FormScope()
	}
	if visitor := s.cookie(c, visitorCookie); visitor != "" {
		return []byte("visitor " + visitor)
	}

	return nil
}

// checkForm refuses a write that a page of another site, another session or another tenant could have made.
func (s *Server) checkForm(c *fiber.Ctx, m access.Member, known bool) error {
	if err := s.checkOrigin(c); err != nil {
		return err
	}
	if len(c.Request().Body()) > 0 {
		kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
		switch kind = strings.TrimSpace(strings.ToLower(kind)); {
		case kind == fiber.MIMEApplicationForm:
		case kind == fiber.MIMEMultipartForm && c.Path() == uploadPath:
			if _, err := readUpload(c); err != nil {
				return err
			}
		default:
			return fiber.ErrUnsupportedMediaType
		}
	}

	token := field(c, formField)
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
func (s *Server) checkOrigin(c *fiber.Ctx) error {
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return &formError{why: "another site"}
	}

	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return nil
	}
	ours := s.origin.Load()
	if origin == ours.Scheme+"://"+ours.Host {
		return nil
	}

	// On a developer's machine one server has several names, localhost and 127.0.0.1 among them.
	from, err := url.Parse(origin)
	if err == nil && ours.Scheme == "http" && from.Scheme == "http" && isLoopback(from.Hostname()) && from.Host == string(c.Request().Host()) {
		return nil
	}

	return &formError{why: fmt.Sprintf("origin %.80q", origin)}
}
