package web

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/access"
)

// setSealed keeps in a cookie what nobody may read or change, neither whoever sits at the browser nor another session of the same person.
func (s *Site) setSealed(c *fiber.Ctx, name string, m access.Member, plain []byte, life time.Duration) error {
	sealed, err := s.Keys.Seal(uuid.Nil, sealedFor(name, m), plain)
	if err != nil {
		return fmt.Errorf("seal cookie: %w", err)
	}
	s.SetCookie(c, name, base64.RawURLEncoding.EncodeToString(sealed), life)

	return nil
}

// sealed is what setSealed kept for this session, nil where that does not open; there tells whether the browser sent any.
func (s *Site) sealed(c *fiber.Ctx, name string, m access.Member) (plain []byte, there bool) {
	value := s.Cookie(c, name)
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil, true
	}
	if plain, err = s.Keys.Open(uuid.Nil, sealedFor(name, m), raw); err != nil {
		return nil, value != ""
	}

	return plain, true
}

func sealedFor(name string, m access.Member) string {
	return "cookie " + name + " " + string(m.FormScope())
}
