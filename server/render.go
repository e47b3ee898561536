package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// show answers with a page or fragment.
func (s *Server) show(c *fiber.Ctx, status int, view templ.Component) error {
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	if err := view.Render(c.UserContext(), c.Response().BodyWriter()); err != nil {
		return fmt.Errorf("render page: %w", err)
	}

	return nil
}

// frame is what surrounds a page: who sees it, where they may go, and what was just done. titleKey names its title.
func (s *Server) frame(c *fiber.Ctx, titleKey string) layout.Frame {
	ctx := c.UserContext()
	m, known := access.From(ctx)
	f := layout.Frame{Title: i18n.T(ctx, titleKey), Nonce: nonce(ctx), Path: localPath(c.OriginalURL()), Shortcuts: true}
	if !known {
		f.CSRF = s.formToken(s.visitor(c))
		f.Theme = chosenTheme(s.cookie(c, themeCookie))

		return f
	}

	f.CSRF = s.formToken(m.FormScope())
	if f.Theme = chosenTheme(m.Person.Theme); f.Theme == "" {
		f.Theme = chosenTheme(s.cookie(c, themeCookie)) // as chosen here before signing in
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
	f.Operator = m.Person.OperatorRole != ""
	for _, p := range m.Places {
		f.Tenants = append(f.Tenants, layout.Tenant{ID: p.ID.String(), Name: p.Name})
	}
	if m.Grant != nil {
		f.Support = &layout.Support{Business: m.Tenant.Name, Scope: m.Grant.Scope, Left: time.Until(orZero(m.Grant.ExpiresAt))}
	}
	f.Nav = s.nav(m, c.Path())
	s.countWork(ctx, m, f.Nav)
	f.Toast = s.takeFlash(c, m)

	return f
}

func chosenTheme(theme string) string {
	if theme == "light" || theme == "dark" {
		return theme
	}

	return ""
}

// places in the navigation, in order. One shows where its route exists and the member may open it.
var places = []struct{ key, href string }{
	{"home", "/home"},
	{"queue", "/resolve"},
	{"inbox", inboxPath},
	{"contacts", "/contacts"},
	{"overview", overviewPath},
	{"changes", changesPath},
	{"monthly", monthlyPath},
	{"answers", answersPath},
	{"prep", prepPath},
	{"tenants", "/op"},
	{"businesses", opTenantsPath},
	{"held", "/op/held"},
	{"jobs", opJobsPath},
	{"drift", opDriftPath},
	{"usage", opUsagePath},
	{"news", opNewsPath},
	{"opaudit", opAuditPath},
	{"access", opAccessPath},
	{"facts", opFactsPath},
	{"numbers", "/numbers"},
	{"usernames", usernamesPath},
	{"team", "/team"},
	{"privacy", privacyPath},
	{"audit", "/audit"},
	{"apps", "/apps"},
	{"keys", "/dev/keys"},
	{"links", linksPath},
	{"support", supportPath},
	{"settings", "/settings"},
}

func (s *Server) nav(m access.Member, path string) []layout.NavItem {
	var items []layout.NavItem
	current := -1
	if strings.HasPrefix(path, "/merges/") {
		path = "/contacts" // whose pages lead there
	}
	if strings.HasPrefix(path, adoptionPath+"/") {
		path = overviewPath
	}
	if path == macrosPath || path == questionsPath {
		path = answersPath
	}
	for _, p := range places {
		permission, exists := s.pages[p.href]
		if !exists || permission != signedIn && !m.Can(permission) {
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

// flash is what was just done, told on the next page.
type flash struct {
	Key    string            `json:"k"` // of the words
	Args   []any             `json:"a,omitempty"`
	Undo   string            `json:"u,omitempty"` // address that takes it back
	Fields map[string]string `json:"f,omitempty"`
}

// done sends the browser on to a page, which will say what was done. The cookie is signed for this session: nobody else can put
// words, or an undo, on the page.
func (s *Server) done(c *fiber.Ctx, to string, say flash) error {
	raw, err := json.Marshal(say)
	if err != nil {
		return fmt.Errorf("write flash: %w", err)
	}
	s.setCookie(c, flashCookie, base64.RawURLEncoding.EncodeToString(append(s.flashMAC(raw, member(c)), raw...)), time.Minute)

	return c.Redirect(to, fiber.StatusSeeOther)
}

func (s *Server) takeFlash(c *fiber.Ctx, m access.Member) *layout.Toast {
	value := s.cookie(c, flashCookie)
	if value == "" {
		return nil
	}
	s.dropCookie(c, flashCookie)

	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(raw[:sha256.Size], s.flashMAC(raw[sha256.Size:], m)) {
		return nil
	}
	var say flash
	if err := json.Unmarshal(raw[sha256.Size:], &say); err != nil {
		return nil
	}

	return toast(c.UserContext(), say)
}

func toast(ctx context.Context, say flash) *layout.Toast {
	return &layout.Toast{Text: i18n.T(ctx, say.Key, say.Args...), Undo: say.Undo, Fields: say.Fields}
}

func (s *Server) flashMAC(raw []byte, m access.Member) []byte {
	mac := hmac.New(sha256.New, s.flashKey)
	mac.Write(m.FormScope())
	mac.Write(raw)

	return mac.Sum(nil)
}
