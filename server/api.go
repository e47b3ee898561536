package server

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

const (
	apiRate     = 100 // requests a second and key
	apiBurst    = 500
	apiLimiters = 10_000
)

// guardAPI lets a request to a handler of the API if its key has the scope the route asks for. A session is no key: a page of
// another site can make a browser send the one, not the other.
func (s *Server) guardAPI(r Route) fiber.Handler {
	scope := strings.TrimPrefix(r.Permission, "key:")

	return func(c *fiber.Ctx) error {
		scheme, secret, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
		if !strings.EqualFold(scheme, "Bearer") || len(secret) > 200 { // the case of a scheme is free (RFC 9110)
			return access.ErrNoSession
		}

		ctx := c.UserContext()
		var m access.Member
		err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
			m, err = access.CheckKey(ctx, tx, secret)
			return err
		})
		if err != nil {
			return err
		}
		if !s.rates.allow(secret, time.Now()) {
			return &api.Problem{Status: fiber.StatusTooManyRequests, Code: "rate_limited", Retry: 1}
		}
		if !m.HasScope(scope) {
			return &api.Problem{Status: fiber.StatusForbidden, Code: "missing_scope"}
		}
		c.SetUserContext(i18n.With(access.With(ctx, m), i18n.English, time.UTC))

		return r.Handler(c)
	}
}

// rates counts requests by key, on this server alone.
type rates struct {
	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*rate.Limiter
}

func (r *rates) allow(secret string, now time.Time) bool {
	key := sha256.Sum256([]byte(secret))

	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.byKey[key]
	if l == nil {
		// A limiter that is full again has forgotten everything, so nothing is lost with it.
		if len(r.byKey) >= apiLimiters {
			for k, old := range r.byKey {
				if old.TokensAt(now) >= apiBurst {
					delete(r.byKey, k)
				}
			}
		}
		if r.byKey == nil {
			r.byKey = map[[sha256.Size]byte]*rate.Limiter{}
		}
		l = rate.NewLimiter(apiRate, apiBurst)
		r.byKey[key] = l
	}

	return l.AllowN(now, 1)
}
