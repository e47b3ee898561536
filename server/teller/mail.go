package teller

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
)

// Queue queues a mail, in the language of ctx.
func Queue(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, to, key string, m mails.Mail) error {
	return QueueAt(ctx, tx, keys, to, key, m, time.Time{})
}

// QueueAt is Queue of one that is sent at some time, and not before.
func QueueAt(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, to, key string, m mails.Mail, at time.Time) error {
	var html bytes.Buffer
	if err := mails.HTML(m).Render(ctx, &html); err != nil {
		return fmt.Errorf("render mail: %w", err)
	}

	return mail.Queue(ctx, tx, keys, key, mail.Message{
		To: to, Subject: strings.Join(strings.Fields(m.Subject), " "), Text: m.Text(ctx), HTML: html.String(), Leave: m.Leave, NotBefore: at,
	})
}

// LeaveToken is the end of an address by which a person leaves mails of a kind; Leaving reads it.
func LeaveToken(keys *secrets.Keyring, tenant, person uuid.UUID, kind string) string {
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

// leaveKinds are the kinds of mails by the number that stands for them in an address.
var leaveKinds = map[byte]string{1: access.MailAlerts, 2: access.MailDigest, 3: access.MailTasks}

const leaveMAC = 16 // bytes

// Leaving is what the token of an address says; ErrNotFound where it is not one of ours.
func Leaving(keys *secrets.Keyring, token string) (tenant, person uuid.UUID, kind string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 33+leaveMAC || !hmac.Equal(raw[33:], leaveSum(keys, raw[:33])) || leaveKinds[raw[32]] == "" {
		return uuid.Nil, uuid.Nil, "", tenants.ErrNotFound
	}

	return uuid.UUID(raw[:16]), uuid.UUID(raw[16:32]), leaveKinds[raw[32]], nil
}

// QueueCalm queues a mail that can wait: in the quiet hours of a business, or of whom it is to, it is sent at their end. What is about
// somebody's own account, about who gets in, or about where the business stands does not come this way.
func QueueCalm(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, tenant tenants.Tenant, to access.Reader, key string, m mails.Mail) error {
	return QueueAt(ctx, tx, keys, to.Email, key, m, tenants.Calm(time.Now(), tenant.Location(), tenant.Quiet, to.Quiet))
}

// InLanguage is ctx in the language of a reader, or in another where they have not said.
func InLanguage(ctx context.Context, to access.Reader, otherwise string, zone *time.Location) context.Context {
	lang := to.Lang
	if lang == "" {
		lang = otherwise
	}

	return i18n.With(ctx, lang, zone)
}
