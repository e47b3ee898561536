package settings

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
)

func (s *Pages) KeysPage(c *fiber.Ctx) error {
	return s.showKeys(c, fiber.StatusOK, "", components.Filled{})
}

func (s *Pages) showKeys(c *fiber.Ctx, status int, fresh string, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	var keys []access.Key
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		keys, err = access.Keys(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}

	p := pages.Keys{
		Frame: s.Frame(c, "keys.title"), Now: time.Now(), Fresh: fresh, BaseURL: s.Origin.Load().String() + "/api/v1",
		CanManage: m.Can("apikeys:manage"), Form: form,
	}
	p.Frame.Path = "/dev/keys"
	for _, k := range keys {
		p.Items = append(p.Items, pages.Key{
			ID: k.ID.String(), Name: k.Name, Prefix: k.Prefix, Scopes: k.Scopes, By: k.By, Created: k.CreatedAt,
			Used: web.OrZero(k.LastUsedAt), Revoked: web.OrZero(k.RevokedAt),
		})
	}

	return s.Show(c, status, pages.KeysPage(p))
}

// AddKey shows the new key in its own answer: it is kept nowhere, so no page can show it later.
func (s *Pages) AddKey(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	var secret string
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		_, secret, err = access.CreateKey(ctx, tx, m, web.Field(c, "name"), strings.Split(web.Field(c, "scopes"), ","))
		return err
	})
	if form, ok := web.Refilled(c, err, "name", "scopes"); ok {
		return s.showKeys(c, web.Classify(err).Status, "", form)
	}
	if err != nil {
		return err
	}

	return s.showKeys(c, fiber.StatusOK, secret, components.Filled{})
}

// RevokeKey ends a key, once its first characters have been typed to confirm which.
func (s *Pages) RevokeKey(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	ctx, m := c.UserContext(), web.Member(c)
	var name string
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		name, err = access.RevokeKey(ctx, tx, m, id, web.Field(c, "confirm"))
		return err
	})
	if form, ok := web.Refilled(c, err); ok {
		form.Failed = form.Wrong["confirm"]
		return s.showKeys(c, web.Classify(err).Status, "", form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/dev/keys", web.Flash{Key: "toast.key_revoked", Args: []any{"name", name}})
}
