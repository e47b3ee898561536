package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
)

const (
	headerKey = "Idempotency-Key"
	maxKey    = 200
	keeping   = 5 * time.Second // for the answer, once the work is done
)

// write runs fn in a transaction of the caller's tenant and answers what it returns. With an Idempotency-Key the answer is
// kept in the same transaction, so that the same request again gets the same answer and does nothing, whatever happened to
// the first. A refusal changed nothing and is not kept.
func (a *API) write(c *fiber.Ctx, fn func(tx *tenants.Tx) (status int, v any, err error)) error {
	key, err := onceKey(c)
	if err != nil {
		return err
	}

	ctx, m := c.UserContext(), caller(c)
	var given tenants.Answer
	err = a.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if key != "" {
			first, ours, err := tenants.Claim(ctx, tx, owner(c), key, digest(c))
			if err != nil || !ours {
				given = first
				return err
			}
		}

		status, v, err := fn(tx)
		if err != nil {
			return err
		}
		if given, err = encoded(status, v); err != nil || key == "" {
			return err
		}

		return tenants.Settle(ctx, tx, owner(c), key, given)
	})
	if err != nil {
		return err
	}
	if given.Status == 0 {
		return tenants.ErrUnavailable
	}

	return repeat(c, given)
}

// repeat gives the answer of this try or of the first.
func repeat(c *fiber.Ctx, a tenants.Answer) error {
	if a.Status == tenants.Forgotten {
		return &tenants.Conflict{Code: "answer_gone"}
	}

	return send(c, a.Status, a.Body)
}

// writeOutside is write for work that asks other systems and so cannot stand in one transaction. The claim is taken first; who
// comes second waits for the first one's answer.
func (a *API) writeOutside(c *fiber.Ctx, fn func() (status int, v any, err error)) error {
	key, err := onceKey(c)
	if err != nil {
		return err
	}
	if key != "" {
		first, ours, err := tenants.ClaimOrWait(c.UserContext(), a.DB, caller(c).Tenant.ID, owner(c), key, digest(c))
		if err != nil {
			return err
		}
		if !ours {
			return repeat(c, first)
		}
	}

	status, v, err := fn()
	var given tenants.Answer
	if err == nil {
		given, err = encoded(status, v)
	}
	if key != "" {
		// What was done must be remembered, also when it took all the time the request had.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), keeping)
		defer cancel()
		kept := a.DB.As(ctx, caller(c).Tenant.ID, func(tx *tenants.Tx) error {
			if err != nil {
				return tenants.Release(ctx, tx, owner(c), key)
			}

			return tenants.Settle(ctx, tx, owner(c), key, given)
		})
		err = errors.Join(err, kept)
	}
	if err != nil {
		return err
	}

	return send(c, given.Status, given.Body)
}

func encoded(status int, v any) (tenants.Answer, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return tenants.Answer{}, fmt.Errorf("write answer: %w", err)
	}

	return tenants.Answer{Status: status, Body: raw}, nil
}

func onceKey(c *fiber.Ctx) (string, error) {
	key := c.Get(headerKey)
	if len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) {
		return "", bad(headerKey, "bad_key")
	}

	return key, nil
}

// owner is who an Idempotency-Key belongs to.
func owner(c *fiber.Ctx) string { return "api_key " + caller(c).Actor.ID }

// digest tells requests apart.
func digest(c *fiber.Ctx) []byte {
	sum := sha256.New()
	for _, part := range []string{c.Method(), c.OriginalURL(), c.Get(fiber.HeaderIfMatch)} {
		_, _ = io.WriteString(sum, part+"\n")
	}
	_, _ = sum.Write(c.Request().Body())

	return sum.Sum(nil)
}
