package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	maxDelivery = 3 << 20         // bytes
	appFor      = 2 * time.Second // how long an app's secrets are believed without asking again
	maxApps     = 1000
	looksAgain  = 50              // a second, at apps whose remembered secrets do not match
	looksAround = 50              // a second, for apps that nobody has asked for before
	lookFor     = 4 * time.Second // how long one look may take, so that there is time left to store the delivery or to refuse it
)

var (
	appName   = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)
	challenge = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// apps remembers the secrets of apps for a moment, so that a burst of deliveries does not ask the database for each. Secrets
// that do not match are looked up again, for they may have been rotated this second; a flood of forgeries is not worth that.
type apps struct {
	mu     sync.Mutex
	byName map[string]rememberedApp
	again  *rate.Limiter
	around *rate.Limiter
	looks  singleflight.Group // of many who ask for one app at once, by name
}

type rememberedApp struct {
	numbers.Credentials
	until time.Time
}

// hookApp finds the app of a request and tells whether it matches, by what is remembered of it or else by what holds now.
func (s *Server) hookApp(ctx context.Context, name string, matches func(numbers.Credentials) bool) (app numbers.Credentials, ok bool, err error) {
	if !appName.MatchString(name) {
		return numbers.Credentials{}, false, tenants.ErrNotFound
	}

	s.apps.mu.Lock()
	known, remembered := s.apps.byName[name]
	s.apps.mu.Unlock()
	if !remembered || !time.Now().Before(known.until) {
		app, err = s.lookTogether(ctx, name, remembered)
		if err != nil || !remembered {
			return app, err == nil && matches(app), err
		}
		known.Credentials = app
	}
	if matches(known.Credentials) {
		return known.Credentials, true, nil
	}
	// Also what others have just looked up may be of before a rotation.
	if !s.apps.again.Allow() {
		return known.Credentials, false, nil
	}

	if app, err = s.lookUpApp(ctx, name); err != nil {
		return numbers.Credentials{}, false, err
	}

	return app, matches(app), nil
}

// lookTogether looks for an app that nobody has asked for before, or not for a while. All who ask for one name at once are one look, so that
// a true app's first burst is no flood and a slow look holds one connection. A flood of made-up names must not keep the database from those
// that are true.
func (s *Server) lookTogether(ctx context.Context, name string, remembered bool) (numbers.Credentials, error) {
	found, err, _ := s.apps.looks.Do(name, func() (any, error) {
		if !remembered && !s.apps.around.Allow() {
			return numbers.Credentials{}, tenants.ErrUnavailable
		}

		return s.lookUpApp(ctx, name)
	})
	app, _ := found.(numbers.Credentials)

	return app, err
}

func (s *Server) lookUpApp(ctx context.Context, name string) (numbers.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var found numbers.Credentials
	err := s.DB.Intake().System(ctx, func(tx *tenants.Tx) (err error) {
		found, err = numbers.AppByName(ctx, tx, s.Keys, name)
		return err
	})
	if err != nil {
		return numbers.Credentials{}, err
	}

	s.apps.mu.Lock()
	defer s.apps.mu.Unlock()
	if s.apps.byName == nil || len(s.apps.byName) >= maxApps {
		s.apps.byName = map[string]rememberedApp{}
	}
	s.apps.byName[name] = rememberedApp{found, time.Now().Add(appFor)}

	return found, nil
}

// handshake answers Meta's question whether this address is ours: the challenge for who knows the verify token, else 403.
func (s *Server) handshake(c *fiber.Ctx) error {
	args := c.Context().QueryArgs()
	given := args.PeekMulti("hub.verify_token")
	asked := args.PeekMulti("hub.challenge")
	if c.Query("hub.mode") != "subscribe" || len(given) != 1 || len(asked) != 1 || !challenge.Match(asked[0]) {
		return fiber.ErrForbidden
	}

	_, ok, err := s.hookApp(c.UserContext(), c.Params("app"), func(app numbers.Credentials) bool {
		match := 0
		for _, token := range app.VerifyTokens {
			match |= subtle.ConstantTimeCompare([]byte(token), given[0])
		}

		return match == 1
	})
	if errors.Is(err, tenants.ErrNotFound) || err == nil && !ok {
		return fiber.ErrForbidden
	}
	if err != nil {
		return err
	}

	return c.Send(asked[0])
}

// receive takes one delivery: 200 once it is durable, never before. The app in the path chooses the secret, the body does not. Only the raw
// bytes are looked at: c.Body would unpack them.
func (s *Server) receive(c *fiber.Ctx) error {
	body := c.Request().Body()
	if len(body) > maxDelivery {
		return fiber.ErrRequestEntityTooLarge
	}

	ctx := c.UserContext()
	signatures := c.Request().Header.PeekAll("X-Hub-Signature-256")
	app, ok, err := s.hookApp(ctx, c.Params("app"), func(app numbers.Credentials) bool {
		return len(signatures) == 1 && whatsapp.VerifySignature(string(signatures[0]), body, app.Secrets...)
	})
	if err != nil {
		return fmt.Errorf("find app: %w", err)
	}
	if !ok {
		s.receiver.Refuse(app.ID)
		return fiber.ErrUnauthorized
	}
	if _, err := s.receiver.Receive(ctx, app.ID, body); err != nil {
		return err
	}

	return c.SendStatus(fiber.StatusOK)
}
