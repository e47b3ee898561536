package front

import (
	"crypto/rand"
	"errors"
	"math/big"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/signin"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	pages "github.com/pehchan/pehchan/views/front"
	"github.com/pehchan/pehchan/views/i18n"
)

// How many visits may begin within a quarter of an hour, from one address and in all.
const (
	visitsByAddress = 5
	visitsByAll     = 60
)

// DemoPage says what the demo is and lets one in; where there is none, it says so.
func (s *Pages) DemoPage(c *fiber.Ctx) error {
	return s.showDemo(c, fiber.StatusOK, false)
}

func (s *Pages) showDemo(c *fiber.Ctx, status int, full bool) error {
	p := pages.Demo{Around: s.around(c, "demo.title", "/demo"), Full: full}
	m, known := access.From(c.UserContext())
	if p.Known = known; known {
		p.Home = signin.StartOf(m)
	} else if p.Demo {
		p.CSRF = s.FormToken(s.Visitor(c))
	}

	return s.Show(c, status, pages.DemoPage(p))
}

// Visit lets somebody into the demo as a visitor of their own. Whoever is signed in stays who they are.
func (s *Pages) Visit(c *fiber.Ctx) error {
	ctx := c.UserContext()
	m, known := access.From(ctx)
	tenant := s.demo()
	if known {
		return c.Redirect(signin.StartOf(m), fiber.StatusSeeOther)
	}
	if tenant == uuid.Nil {
		return s.showDemo(c, fiber.StatusOK, false)
	}
	err := access.Ration(ctx, s.DB, "visit", s.ClientIP(c), visitsByAddress)
	if err == nil {
		err = access.Ration(ctx, s.DB, "visits", netip.Addr{}, visitsByAll)
	}
	var token string
	if err == nil {
		var number *big.Int
		if number, err = rand.Int(rand.Reader, big.NewInt(9000)); err != nil {
			return err
		}
		name := i18n.T(ctx, "demo.visitor", "number", int(number.Int64())+1000)
		from := access.Origin{Address: s.ClientIP(c).String(), UserAgent: c.Get(fiber.HeaderUserAgent)}
		token, err = s.Sessions.Visit(ctx, s.DB, tenant, name, from)
	}
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		refused := web.Classify(err)
		c.Set(fiber.HeaderRetryAfter, web.Seconds(refused.Retry))

		return s.showDemo(c, refused.Status, true)
	}
	if errors.Is(err, tenants.ErrNotFound) {
		return s.showDemo(c, fiber.StatusNotFound, false)
	}
	if err != nil {
		return err
	}
	s.SetCookie(c, web.SessionCookie, token, access.VisitLife)

	return c.Redirect("/home", fiber.StatusSeeOther)
}

// Hush keeps what a visitor types from other visitors: where a form of theirs holds words of their own, a reason or what they would write
// to a customer, a set phrase stands instead.
func Hush(c *fiber.Ctx) {
	args := c.Request().PostArgs()
	for _, field := range []string{"reason", "text"} {
		if strings.TrimSpace(string(args.Peek(field))) != "" {
			args.Set(field, i18n.T(c.UserContext(), "demo.words"))
		}
	}
}
