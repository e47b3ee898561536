package server

import (
	"context"
	"crypto/rand"

	"github.com/gofiber/fiber/v2"
)

type nonceKey struct{}

type requestKey struct{}

func nonce(ctx context.Context) string {
	n, _ := ctx.Value(nonceKey{}).(string)

	return n
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)

	return id
}

// secureHeaders goes on every response, errors and files included. Referrer-Policy is same-origin and not no-referrer: with the
// latter browsers send our own forms with Origin null, which cannot be told from a forgery.
func (s *Server) secureHeaders(c *fiber.Ctx) {
	ctx := c.UserContext()
	if nonce(ctx) == "" {
		ctx = context.WithValue(ctx, nonceKey{}, rand.Text())
		ctx = context.WithValue(ctx, requestKey{}, rand.Text()[:16])
		c.SetUserContext(ctx)
	}

	c.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce(ctx)+"'; style-src 'self'; img-src 'self' data:; media-src 'self'; "+
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	c.Set("Cache-Control", "no-store")
	c.Set("X-Request-Id", requestID(ctx))
	if s.secure() {
		c.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}
