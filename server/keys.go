package server

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/pages"
)

func (s *Server) keysPage(c *fiber.Ctx) error {
	return s.showKeys(c, fiber.StatusOK, "", pages.Filled{})
}

func (s *Server) showKeys(c *fiber.Ctx, status int, fresh string, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	var keys []access.Key
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		keys, err = access.Keys(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}

	p := pages.Keys{
		Frame: s.frame(c, "keys.title"), Now: time.Now(), Fresh: fresh, BaseURL: s.origin.Load().String() + "/api/v1",
		CanManage: m.Can("apikeys:manage"), Form: form,
	}
	p.Frame.Path = "/dev/keys"
	for _, k := range keys {
		p.Items = append(p.Items, pages.Key{
			ID: k.ID.String(), Name: k.Name, Prefix: k.Prefix, Scopes: k.Scopes, By: k.By, Created: k.CreatedAt,
			Used: orZero(k.LastUsedAt), Revoked: orZero(k.RevokedAt),
		})
	}

	return s.show(c, status, pages.KeysPage(p))
}

// addKey shows the new key in its own answer: it is kept nowhere, so no page can show it later.
func (s *Server) addKey(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	var secret string
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		_, secret, err = access.CreateKey(ctx, tx, m, field(c, "name"), strings.Split(field(c, "scopes"), ","))
		return err
	})
	if form, ok := refilled(c, err, "name", "scopes"); ok {
		return s.showKeys(c, classify(err).status, "", form)
	}
	if err != nil {
		return err
	}

	return s.showKeys(c, fiber.StatusOK, secret, pages.Filled{})
}

// revokeKey ends a key, once its first characters have been typed to confirm which.
func (s *Server) revokeKey(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, m := c.UserContext(), member(c)
	var name string
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		name, err = access.RevokeKey(ctx, tx, m, id, field(c, "confirm"))
		return err
	})
	if form, ok := refilled(c, err); ok {
		form.Failed = form.Wrong["confirm"]
		return s.showKeys(c, classify(err).status, "", form)
	}
	if err != nil {
		return err
	}

	return s.done(c, "/dev/keys", flash{Key: "toast.key_revoked", Args: []any{"name", name}})
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}

	return *t
}
