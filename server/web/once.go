package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// keeping is how long remembering an answer may take, once the work is done.
const keeping = 5 * time.Second

// Once answers the second press of a button as the first was answered, without doing it again. Each form carries a key of its
// own; the first request with it does the work, any other waits for that and is sent to where it led. What the first one
// showed is not kept, as it may hold a secret shown once.
func (s *Site) Once(c *fiber.Ctx, m access.Member, handler fiber.Handler) error {
	given := Field(c, onceField)
	if given == "" {
		return handler(c)
	}

	ctx := c.UserContext()
	sum := sha256.Sum256([]byte(c.Method() + " " + c.Path() + " " + given))
	caller, key := "person "+m.Person.ID.String(), hex.EncodeToString(sum[:])

	first, ours, err := tenants.ClaimOrWait(ctx, s.DB, m.Tenant.ID, caller, key, sum[:])
	if err != nil {
		return err
	}
	if !ours {
		return s.repeated(c, string(first.Body))
	}

	err = handler(c)
	// What was done must be remembered, also when it took all the time the request had.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keeping)
	defer cancel()
	status := c.Response().StatusCode()
	if err != nil || status >= fiber.StatusBadRequest {
		return errors.Join(err, s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return tenants.Release(ctx, tx, caller, key) }))
	}

	answer := tenants.Answer{Status: status, Body: c.Response().Header.Peek(fiber.HeaderLocation)}

	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return tenants.Settle(ctx, tx, caller, key, answer) })
}

func (s *Site) repeated(c *fiber.Ctx, location string) error {
	if location == "" {
		location = s.pageOf(c.Path())
	}
	if c.Get("HX-Request") != "" {
		c.Set("HX-Redirect", location)
		return c.SendStatus(fiber.StatusOK)
	}

	return c.Redirect(location, fiber.StatusSeeOther)
}

// pageOf is the page that a form's address belongs to: itself, or the nearest above it that can be opened.
func (s *Site) pageOf(path string) string {
	for path != "" {
		if _, ok := s.Permissions[path]; ok {
			return path
		}
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
	}

	return "/"
}
