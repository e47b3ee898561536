package server

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/operator"
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
		err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
			m, err = access.CheckKey(ctx, tx, secret)
			return err
		})
		if err != nil {
			return err
		}
		if !s.rates.allow(secret, time.Now()) || !s.shares.allow(m.Tenant.ID, m.Tenant.APIPerMinute, time.Now()) {
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

// shares counts requests by business, on this server alone, so that the keys of one together leave room for others; and how many there
// were, for its usage.
type shares struct {
	mu       sync.Mutex
	byTenant map[uuid.UUID]*share
	calls    map[uuid.UUID]int64 // not written down yet
}

type share struct {
	*rate.Limiter
	perMinute int
}

// allow takes one request of a business that may make so many a minute, half a minute's worth of them at once.
func (r *shares) allow(tenant uuid.UUID, perMinute int, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byTenant == nil {
		r.byTenant, r.calls = map[uuid.UUID]*share{}, map[uuid.UUID]int64{}
	}
	l := r.byTenant[tenant]
	if l == nil || l.perMinute != perMinute {
		if len(r.byTenant) >= apiLimiters {
			clear(r.byTenant)
		}
		l = &share{rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(perMinute/2, 1)), perMinute}
		r.byTenant[tenant] = l
	}
	r.calls[tenant]++

	return l.AllowN(now, 1)
}

// taken are the requests since it was last asked.
func (r *shares) taken() map[uuid.UUID]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = map[uuid.UUID]int64{}

	return calls
}

// untake puts back what could not be written down.
func (r *shares) untake(left map[uuid.UUID]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tenant, n := range left {
		r.calls[tenant] += n
	}
}

// countCalls writes down the requests to the API since the last time. Those of a server that dies in between are not counted.
func (s *Server) countCalls(ctx context.Context) {
	calls := s.shares.taken()
	if len(calls) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), web.PageTimeout)
	defer cancel()
	left, err := operator.CountCalls(ctx, s.DB, calls)
	if err != nil {
		s.shares.untake(left)
		s.Log.Warn("requests not counted", "error", err)
	}
}
