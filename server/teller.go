package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
	"github.com/pehchan/pehchan/views/pages"
)

// Teller writes the mails by which owners learn what is wrong. Any number of them, in any number of processes, work on one database.
type Teller struct {
	db     *tenants.DB
	keys   *secrets.Keyring
	origin string // of links; "" for none
	log    *slog.Logger
}

// NewTeller makes a Teller; Run starts it.
func NewTeller(cfg Config, db *tenants.DB, keys *secrets.Keyring, log *slog.Logger) *Teller {
	return &Teller{db: db, keys: keys, origin: cfg.linksTo(), log: log}
}

// linksTo is the origin for links in mails. A port that is picked when the server starts is not known here.
func (cfg Config) linksTo() string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	if _, port, err := net.SplitHostPort(cfg.Listen); err != nil || port == "0" {
		return ""
	}

	return "http://" + cfg.Listen
}

const (
	tellEvery  = 5 * time.Second
	tellAtOnce = 8
	tellLimit  = time.Minute // a job claimed and not done by then is another's
	tellAgain  = 10 * time.Minute
)

// Run tells until ctx ends.
func (t *Teller) Run(ctx context.Context) error {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()

	for {
		if err := t.step(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("owners not told", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

type telling struct {
	ID     uuid.UUID `db:"id"`
	Tenant uuid.UUID `db:"tenant_id"`
	Notice uuid.UUID `db:"notice_id"`
}

func (t *Teller) step(ctx context.Context) error {
	var due []telling
	err := t.db.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs WHERE kind = $3 AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING id, tenant_id, (args->>'notice_id')::uuid AS notice_id`, tellAtOnce, tellLimit.Seconds(), notices.KindTell)
	})
	if err != nil {
		return fmt.Errorf("look for what to tell: %w", err)
	}

	for _, j := range due {
		if err := t.tell(ctx, j); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.log.Error("owners not told", "tenant", j.Tenant, "notice", j.Notice, "error", err)
			err = t.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
				_, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'waiting', run_at = now() + make_interval(secs => $2) WHERE id = $1`, j.ID, tellAgain.Seconds())
				return err
			})
			if err != nil {
				return fmt.Errorf("put off telling: %w", err)
			}
		}
	}

	return nil
}

// tell queues a mail to each owner who wants it, and ends the job with it.
func (t *Teller) tell(ctx context.Context, j telling) error {
	return t.db.As(ctx, j.Tenant, func(tx *tenants.Tx) error {
		if err := t.queueNotice(ctx, tx, j.Notice); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'done', finished_at = now() WHERE id = $1`, j.ID)
		if err != nil {
			return fmt.Errorf("end telling: %w", err)
		}

		return nil
	})
}

func (t *Teller) queueNotice(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	n, err := notices.Get(ctx, tx, id)
	if err != nil {
		return err
	}
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil {
		return err
	}
	label, href := "", t.link("/numbers")
	if n.NumberID.Valid {
		number, err := numbers.Get(ctx, tx, n.NumberID.UUID)
		if err != nil {
			return err
		}
		label, href = numberView(number, ingest.Counts{}).Label(), t.link("/numbers/"+number.ID.String())
		switch n.Field {
		case notices.FieldSilence, notices.FieldSecret, notices.FieldAside:
			href += "/health"
		}
	}
	readers, err := access.Readers(ctx, tx, access.MailAlerts)
	if err != nil {
		return err
	}
	for _, to := range readers {
		m := pages.Mail(t.reading(ctx, to, tenant), toldView(n), tenant.Name, label, href)
		if err := t.queue(ctx, tx, to, tenant, access.MailAlerts, fmt.Sprintf("notice %s %s", n.ID, to.ID), m); err != nil {
			return err
		}
	}

	return nil
}

// reading is ctx in the language and time zone of a reader.
func (t *Teller) reading(ctx context.Context, to access.Reader, tenant tenants.Tenant) context.Context {
	lang := to.Lang
	if lang == "" {
		lang = tenant.Lang
	}

	return i18n.With(ctx, lang, tenant.Location())
}

func (t *Teller) queue(ctx context.Context, tx *tenants.Tx, to access.Reader, tenant tenants.Tenant, kind, key string, m mails.Mail) error {
	ctx = t.reading(ctx, to, tenant)
	m.Leave = t.link(leavePath + leaveToken(t.keys, tenant.ID, to.ID, kind))
	var html bytes.Buffer
	if err := mails.HTML(m).Render(ctx, &html); err != nil {
		return fmt.Errorf("render mail: %w", err)
	}

	return mail.Queue(ctx, tx, t.keys, key, mail.Message{To: to.Email, Subject: strings.Join(strings.Fields(m.Subject), " "), Text: m.Text(ctx), HTML: html.String(), Leave: m.Leave})
}

func (t *Teller) link(path string) string {
	if t.origin == "" {
		return ""
	}

	return t.origin + path
}
