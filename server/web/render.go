package web

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Show answers with a page or fragment.
func (s *Site) Show(c *fiber.Ctx, status int, view templ.Component) error {
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	if err := view.Render(c.UserContext(), c.Response().BodyWriter()); err != nil {
		return fmt.Errorf("render page: %w", err)
	}

	return nil
}

// Flash is what was just done, told on the next page.
type Flash struct {
	Key    string            `json:"k"` // of the words
	Args   []any             `json:"a,omitempty"`
	Undo   string            `json:"u,omitempty"` // address that takes it back
	Fields map[string]string `json:"f,omitempty"`
}

// Done sends the browser on to a page, which will say what was done. The cookie is sealed for this session: it may name a customer, and
// nobody else can put words, or an undo, on the page.
func (s *Site) Done(c *fiber.Ctx, to string, say Flash) error {
	raw, err := json.Marshal(say)
	if err != nil {
		return fmt.Errorf("write flash: %w", err)
	}
	if err := s.setSealed(c, flashCookie, Member(c), raw, time.Minute); err != nil {
		return err
	}

	return c.Redirect(to, fiber.StatusSeeOther)
}

func (s *Site) takeFlash(c *fiber.Ctx, m access.Member) *layout.Toast {
	raw, there := s.sealed(c, flashCookie, m)
	if there {
		s.DropCookie(c, flashCookie)
	}
	var say Flash
	if raw == nil || json.Unmarshal(raw, &say) != nil {
		return nil
	}

	return Toast(c.UserContext(), say)
}

// Toast is what was just done, in words.
func Toast(ctx context.Context, say Flash) *layout.Toast {
	return &layout.Toast{Text: i18n.T(ctx, say.Key, say.Args...), Undo: say.Undo, Fields: say.Fields}
}
