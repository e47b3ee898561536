package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/pages"
)

// leavePath is where somebody wants no more mails of a kind. It works signed out, and with one press in a mail program (RFC 8058), so
// its address says for whom it is, and is signed.
const leavePath = "/mails/leave/"

// leaveKinds are the kinds of mails by the number that stands for them in an address.
var leaveKinds = map[byte]string{1: access.MailAlerts, 2: access.MailDigest}

const leaveMAC = 16 // bytes

func leaveToken(keys *secrets.Keyring, tenant, person uuid.UUID, kind string) string {
	raw := make([]byte, 0, 33+leaveMAC)
	raw = append(append(raw, tenant[:]...), person[:]...)
	for n, k := range leaveKinds {
		if k == kind {
			raw = append(raw, n)
		}
	}

	return base64.RawURLEncoding.EncodeToString(append(raw, leaveSum(keys, raw)...))
}

func leaveSum(keys *secrets.Keyring, raw []byte) []byte {
	mac := hmac.New(sha256.New, keys.Derive("mail leave"))
	mac.Write(raw)

	return mac.Sum(nil)[:leaveMAC]
}

// leaving is what the address of a request says; ErrNotFound where it is not one of ours.
func (s *Server) leaving(c *fiber.Ctx) (tenant, person uuid.UUID, kind string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(c.Params("token"))
	if err != nil || len(raw) != 33+leaveMAC || !hmac.Equal(raw[33:], leaveSum(s.keys, raw[:33])) || leaveKinds[raw[32]] == "" {
		return uuid.Nil, uuid.Nil, "", tenants.ErrNotFound
	}

	return uuid.UUID(raw[:16]), uuid.UUID(raw[16:32]), leaveKinds[raw[32]], nil
}

// leavePage asks whether somebody wants no more of these mails. Programs that look at every link in a mail change nothing by it.
func (s *Server) leavePage(c *fiber.Ctx) error {
	_, _, kind, err := s.leaving(c)
	if err != nil {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.LeavePage(pages.Leave{Frame: s.frame(c, "mails.leave"), Kind: kind, Token: c.Params("token")}))
}

// leave ends mails of a kind. Nobody is signed in, so the signature of the address is what allows it.
func (s *Server) leave(c *fiber.Ctx) error {
	tenant, person, kind, err := s.leaving(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	err = s.db.As(ctx, tenant, func(tx *tenants.Tx) error { return access.LeaveMails(ctx, tx, person, kind) })
	// Who is no member any more gets none anyway.
	if err != nil && !errors.Is(err, tenants.ErrNotFound) {
		return err
	}

	return s.show(c, fiber.StatusOK, pages.LeavePage(pages.Leave{Frame: s.frame(c, "mails.leave"), Kind: kind, Done: true}))
}
