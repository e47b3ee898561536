package web

import (
	"context"
	"crypto/rand"

	"github.com/gofiber/fiber/v2"
)

type nonceKey struct{}

type requestKey struct{}

// Nonce is what the scripts of this answer are marked with.
func Nonce(ctx context.Context) string {
	n, _ := ctx.Value(nonceKey{}).(string)

	return n
}

// RequestID is what the log calls this request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)

	return id
}

// SecureHeaders goes on every response, errors and files included. Referrer-Policy is same-origin and not no-referrer: with the
// latter browsers send our own forms with Origin null, which cannot be told from a forgery.
func (s *Site) SecureHeaders(c *fiber.Ctx) {
	ctx := c.UserContext()
	if Nonce(ctx) == "" {
		ctx = context.WithValue(ctx, nonceKey{}, rand.Text())
		ctx = context.WithValue(ctx, requestKey{}, rand.Text()[:16])
		c.SetUserContext(ctx)
	}

	c.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+Nonce(ctx)+"'; style-src 'self'; img-src 'self' data:; media-src 'self'; "+
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	c.Set("Cache-Control", "no-store")
	c.Set("X-Request-Id", RequestID(ctx))
	if s.secure() {
		c.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}
