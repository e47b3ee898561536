// Package front serves the pages in front of the product, which anybody may open: what it is, the free check, how well it works.
package front

import (
	"context"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/views/changes"
	pages "github.com/pehchan/pehchan/views/front"
	"github.com/pehchan/pehchan/views/i18n"
)

// Pages are its handlers, as server/routes.go lists them.
type Pages struct {
	*web.Site
	countries map[string]*kept[welcomeFacts] // by language
	news      kept[look]
	meta      kept[string]
	visitors  visitors
	demo      func() uuid.UUID
}

type welcomeFacts struct {
	home    *changes.Fact
	others  []changes.Fact
	missing bool
}

// New makes the pages. demo is the business that visitors enter, uuid.Nil while there is none; nil where there never is.
func New(site *web.Site, demo func() uuid.UUID) *Pages {
	if demo == nil {
		demo = func() uuid.UUID { return uuid.Nil }
	}

	return &Pages{Site: site, demo: demo, countries: map[string]*kept[welcomeFacts]{i18n.English: {}, i18n.Hindi: {}}}
}

// lookTimeout is how long is looked at something for somebody who may be anybody.
const lookTimeout = 3 * time.Second

// kept remembers what was looked up for whoever comes next. Those who come meanwhile wait for it rather than look too, so that however
// many ask, the database is asked once.
type kept[T any] struct {
	mu    sync.Mutex
	found T
	until time.Time
}

// of is what was found within the time, or else is found now. Whoever asked first may leave: the look is for all.
func (k *kept[T]) of(ctx context.Context, life time.Duration, find func(context.Context) T) T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().Before(k.until) {
		return k.found
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTimeout)
	defer cancel()
	k.found = find(ctx)
	k.until = time.Now().Add(life)

	return k.found
}

// around is what surrounds a page, in the language of its address where that names one: there is no form on these pages, so a link
// changes the language, and a cookie keeps it for the next page.
func (s *Pages) around(c *fiber.Ctx, titleKey, path string) pages.Around {
	if lang := c.Query("lang"); lang == i18n.Hindi || lang == i18n.English {
		c.SetUserContext(i18n.With(c.UserContext(), lang, s.Zone))
		s.SetCookie(c, web.LangCookie, lang, web.AYear)
	}
	c.Vary(fiber.HeaderAcceptLanguage)

	return pages.Around{
		Title: i18n.T(c.UserContext(), titleKey), Theme: s.VisitorTheme(c), Path: path, Begin: s.Config.Signup == config.SignupOpen,
		Demo: s.demo() != uuid.Nil,
	}
}
