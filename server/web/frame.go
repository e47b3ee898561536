package web

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Frame is what surrounds a page: who sees it, where they may go, and what was just done. titleKey names its title.
func (s *Site) Frame(c *fiber.Ctx, titleKey string) layout.Frame {
	ctx := c.UserContext()
	m, known := access.From(ctx)
	f := layout.Frame{Title: i18n.T(ctx, titleKey), Nonce: Nonce(ctx), Path: LocalPath(c.OriginalURL()), Shortcuts: true}
	if !known {
		f.CSRF = s.FormToken(s.Visitor(c))
		f.Theme = s.VisitorTheme(c)

		return f
	}

	f.CSRF = s.FormToken(m.FormScope())
	if f.Theme = chosenTheme(m.Person.Theme); f.Theme == "" {
		f.Theme = s.VisitorTheme(c) // as chosen here before signing in
	}
	f.Shortcuts = m.Person.Shortcuts
	f.Person = layout.Person{Name: m.Person.Name, Email: m.Person.Email, Role: m.Role}
	if m.Role == "" && m.Person.OperatorRole != "" {
		f.Person.Role = "operator_" + m.Person.OperatorRole
	}
	if m.HasTenant() {
		f.Tenant = layout.Tenant{ID: m.Tenant.ID.String(), Name: m.Tenant.Name}
	}
	f.AddFactor = factorBanner(m, c.Path())
	f.Visit = m.Role == access.Visitor
	f.Operator = m.Person.OperatorRole != ""
	for _, p := range m.Places {
		f.Tenants = append(f.Tenants, layout.Tenant{ID: p.ID.String(), Name: p.Name})
	}
	if m.Grant != nil {
		f.Support = &layout.Support{Business: m.Tenant.Name, Scope: m.Grant.Scope, Left: time.Until(OrZero(m.Grant.ExpiresAt))}
	}
	f.Nav = s.nav(m, c.Path())
	s.countWork(ctx, m, f.Nav)
	f.Toast = s.takeFlash(c, m)

	return f
}

// VisitorTheme is the theme that was chosen in this browser, "" for the device's own.
func (s *Site) VisitorTheme(c *fiber.Ctx) string { return chosenTheme(s.Cookie(c, ThemeCookie)) }

func chosenTheme(theme string) string {
	if theme == "light" || theme == "dark" {
		return theme
	}

	return ""
}

// OrZero is a time that may be missing, as views take it.
func OrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}

	return *t
}

// places in the navigation, in order. One shows where its route exists and the member may open it.
var places = []struct{ key, href string }{
	{"home", "/home"},
	{"queue", "/resolve"},
	{"inbox", InboxPath},
	{"contacts", "/contacts"},
	{"overview", OverviewPath},
	{"changes", ChangesPath},
	{"monthly", MonthlyPath},
	{"answers", AnswersPath},
	{"prep", PrepPath},
	{"tenants", "/op"},
	{"businesses", OpTenantsPath},
	{"held", "/op/held"},
	{"jobs", OpJobsPath},
	{"drift", OpDriftPath},
	{"usage", OpUsagePath},
	{"clocks", OpPrivacyPath},
	{"news", OpNewsPath},
	{"opaudit", OpAuditPath},
	{"access", OpAccessPath},
	{"facts", OpFactsPath},
	{"library", OpLibraryPath},
	{"numbers", "/numbers"},
	{"usernames", UsernamesPath},
	{"team", "/team"},
	{"privacy", PrivacyPath},
	{"audit", "/audit"},
	{"apps", "/apps"},
	{"keys", "/dev/keys"},
	{"forwards", ForwardsPath},
	{"links", LinksPath},
	{"support", SupportPath},
	{"settings", "/settings"},
}

func (s *Site) nav(m access.Member, path string) []layout.NavItem {
	var items []layout.NavItem
	current := -1
	if strings.HasPrefix(path, "/merges/") {
		path = "/contacts" // whose pages lead there
	}
	if strings.HasPrefix(path, AdoptionPath+"/") {
		path = OverviewPath
	}
	if strings.HasPrefix(path, DocsPath) {
		path = "/dev/keys"
	}
	if path == MacrosPath || path == QuestionsPath {
		path = AnswersPath
	}
	for _, p := range places {
		permission, exists := s.Permissions[p.href]
		if !exists || permission != SignedIn && !m.Can(permission) {
			continue
		}
		// The nearest place is the current one: on /op/held that is held, not the businesses.
		within := path == p.href || strings.HasPrefix(path, p.href+"/")
		if within && (current < 0 || len(p.href) > len(items[current].Href)) {
			current = len(items)
		}
		items = append(items, layout.NavItem{Key: p.key, Href: p.href})
	}
	if current >= 0 {
		items[current].Current = true
	}

	return items
}

// countWork puts on the navigation how many cases wait, and how many people wait for an answer. A page is worth more than its
// badges, so a count that fails is left out.
func (s *Site) countWork(ctx context.Context, m access.Member, items []layout.NavItem) {
	at := func(key string) int {
		return slices.IndexFunc(items, func(i layout.NavItem) bool { return i.Key == key })
	}
	queue, inbox, changes := at("queue"), at("inbox"), at("changes")
	if max(queue, inbox, changes) < 0 || !m.HasTenant() {
		return
	}
	var (
		due, waiting int
		news         int
	)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if changes >= 0 {
			if news, err = facts.Unread(ctx, tx, m.Person.ID); err != nil {
				return err
			}
		}
		if max(queue, inbox) < 0 {
			return nil
		}
		if due, err = identity.CountDue(ctx, tx); err != nil {
			return err
		}
		waiting, err = conversations.CountWaiting(ctx, tx)

		return err
	})
	if err != nil {
		s.Log.Warn("work not counted", "error", err, "request", RequestID(ctx))
		return
	}
	if news > 0 {
		items[changes].Badge = i18n.Number(ctx, int64(news))
	}
	if queue >= 0 {
		items[queue].Badge = badge(ctx, due, identity.MostDue)
	}
	if inbox >= 0 {
		items[inbox].Badge = badge(ctx, waiting, conversations.MostCounted)
	}
}

// badge is a figure that was counted no further than most; none for nothing.
func badge(ctx context.Context, n, most int) string {
	switch {
	case n == 0:
		return ""
	case n >= most:
		return i18n.Number(ctx, int64(most)) + "+"
	}

	return i18n.Number(ctx, int64(n))
}

// factorBanner tells who is to add a second factor: where they begin, and in the last days everywhere.
func factorBanner(m access.Member, path string) *layout.FactorBanner {
	if !m.FactorAsked || path == SecurityPath || strings.HasPrefix(path, SecurityPath+"/") {
		return nil
	}
	days := int(math.Ceil(m.FactorLeft.Hours() / 24))
	if days > 3 && path != "/home" && path != "/op" && path != StartPath && path != "/settings" {
		return nil
	}

	return &layout.FactorBanner{Days: days, Href: SecurityPath}
}
