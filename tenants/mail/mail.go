// Package mail brings mails to people who work with the product, never to a business's customers. A mail is put into a queue in the
// transaction of what it tells, and sent after it, by SMTP or, where no mail server is set, into a folder.
package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Message is one mail to one person.
type Message struct {
	To      string `json:"to"` // a bare address
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
	// Leave is an address that a mail program posts to for a person who wants no more of these, "" where it is no mail one can leave.
	Leave string `json:"leave,omitempty"`
	// NotBefore is when it may go out at the earliest; the zero time is at once.
	NotBefore time.Time `json:"-"`
}

// AboutLife begins the key of a mail that tells a business where it stands: it goes out in every state.
const AboutLife = "life "

// purpose is what a mail is sealed for.
const purpose = "mail"

// Queue puts a mail on its way, once for each key ("digest 2026-47 <person>"). A message that cannot be one is an error here, not when
// it is sent.
func Queue(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, key string, m Message) error {
	if _, err := m.envelope(uuid.Nil, "check@pehchan.invalid"); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make mail id: %w", err)
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode mail: %w", err)
	}
	sealed, err := keys.Seal(tx.Tenant, purpose, plain)
	if err != nil {
		return fmt.Errorf("seal mail: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO mails (id, tenant_id, key, sealed, run_at) VALUES ($1, $2, $3, $4, greatest(now(), $5))
		ON CONFLICT ON CONSTRAINT mails_once DO NOTHING`,
		id, uuid.NullUUID{UUID: tx.Tenant, Valid: tx.Tenant != uuid.Nil}, key, sealed, m.NotBefore); err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}

	return nil
}

// envelope is the mail as it goes out. Its message id is that of the queue, so that one sent twice after a crash is one mail to most
// programs.
func (m Message) envelope(id uuid.UUID, from string) (*gomail.Msg, error) {
	if strings.ContainsAny(m.To+m.Subject+m.Leave, "\r\n") {
		return nil, errors.New("mail: line break in a header")
	}
	if m.Text == "" || m.HTML == "" || m.Subject == "" {
		return nil, errors.New("mail: subject, text and html are needed")
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("mail from: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("mail to: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	_, domain, _ := strings.Cut(strings.TrimSuffix(from, ">"), "@")
	msg.SetMessageIDWithValue(id.String() + "@" + domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Leave != "" {
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+m.Leave+">")
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)

	return msg, nil
}
