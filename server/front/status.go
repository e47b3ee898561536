package front

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/operator"
	pages "github.com/pehchan/pehchan/views/front"
	"github.com/pehchan/pehchan/views/i18n"
)

// The states of a part, as the page says them.
const (
	working = "working"
	slow    = "slow"
	down    = "down"
	unknown = "unknown"
)

const (
	statusFor = 10 * time.Second
	metaFor   = time.Minute // Graph is asked no oftener, however many look

	slowDatabase = 500 * time.Millisecond
	slowMeta     = 2 * time.Second
)

// limits are how long something of a kind may wait before it is slow, and before it does not work.
type limits struct{ slow, down time.Duration }

var (
	takenLimits    = limits{30 * time.Second, 10 * time.Minute}
	resolvedLimits = limits{time.Minute, 30 * time.Minute}
	mailLimits     = limits{15 * time.Minute, 2 * time.Hour}
)

func (l limits) of(waited time.Duration) string {
	switch {
	case waited > l.down:
		return down
	case waited > l.slow:
		return slow
	}

	return working
}

// look is what one look at the platform found. It names nobody and counts nothing.
type look struct {
	at    time.Time
	parts []pages.Part
	news  []operator.Announcement
}

// StatusPage says how well the platform works. It is answered while anything can be answered at all, also when the database is away.
func (s *Pages) StatusPage(c *fiber.Ctx) error {
	if err := s.visitors.take(s.ClientIP(c), time.Now()); err != nil {
		return err
	}
	p := pages.Status{Around: s.around(c, "status.title", "/status")}
	ctx := c.UserContext()
	seen := s.news.of(ctx, statusFor, s.look)
	p.At, p.Parts = seen.at, seen.parts
	for _, n := range seen.news {
		text := n.EN
		if i18n.Lang(ctx) == i18n.Hindi {
			text = n.HI
		}
		p.News = append(p.News, pages.News{Text: text, At: n.At})
	}

	return s.Show(c, fiber.StatusOK, pages.StatusPage(p))
}

func (s *Pages) look(ctx context.Context) look {
	// Graph is given its time beside the database's, not after it.
	meta := make(chan string, 1)
	go func() { meta <- s.meta.of(ctx, metaFor, s.lookAtMeta) }()

	seen := look{at: time.Now()}
	var pulse operator.Pulse
	pending, err := migrations.Pending(ctx, s.DB.SQL())
	if err == nil {
		err = s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
			if pulse, err = operator.Feel(ctx, tx); err != nil {
				return err
			}
			seen.news, err = operator.Public(ctx, tx)

			return err
		})
	}
	database, taken, resolved, mail := working, takenLimits.of(pulse.Taken), resolvedLimits.of(pulse.Resolved), mailLimits.of(pulse.Mail)
	switch {
	case err != nil || pending:
		// Nothing is taken in that cannot be stored; of the others nobody can tell.
		s.Log.Warn("status not read", "error", err)
		database, taken, resolved, mail = down, down, unknown, unknown
	case time.Since(seen.at) > slowDatabase:
		database = slow
	}
	seen.parts = []pages.Part{
		{Key: "web", State: working},
		{Key: "database", State: database},
		{Key: "intake", State: taken},
		{Key: "resolving", State: resolved},
		{Key: "mail", State: mail},
		{Key: "meta", State: <-meta},
	}

	return seen
}

func (s *Pages) lookAtMeta(ctx context.Context) string {
	began := time.Now()
	if err := s.Graph.Reach(ctx); err != nil {
		s.Log.Warn("graph not reached", "error", err)
		return down
	}
	if time.Since(began) > slowMeta {
		return slow
	}

	return working
}
