// Package teller writes the mails of the product, to whoever they are for, in their language.
package teller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/lives"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	numberspages "github.com/pehchan/pehchan/views/numbers"
	signinpages "github.com/pehchan/pehchan/views/signin"
)

// Teller writes mails: to owners when something is wrong, and to whoever asked for a new password. Any number of them, in any number of
// processes, work on one database.
type Teller struct {
	DB      *tenants.DB
	keys    *secrets.Keyring
	origin  string // of links; "" for none
	support string // address to write to; "" for none
	log     *slog.Logger
}

// New makes a Teller; Run starts it.
func New(cfg config.Config, db *tenants.DB, keys *secrets.Keyring, log *slog.Logger) *Teller {
	return &Teller{DB: db, keys: keys, origin: cfg.LinksTo(), support: cfg.SupportEmail, log: log}
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
	ID     uuid.UUID     `db:"id"`
	Tenant uuid.NullUUID `db:"tenant_id"`
	Kind   string        `db:"kind"`
	About  uuid.NullUUID `db:"about"` // a notice or a person
	Whose  string        `db:"whose"` // of access.KindReset, KindFactor and KindSignIn; of access.KindLife the state
	Lang   string        `db:"lang"`
}

func (t *Teller) step(ctx context.Context) error {
	var due []telling
	err := t.DB.System(ctx, func(tx *tenants.Tx) error {
		return tx.SelectContext(ctx, &due, `
			UPDATE jobs SET state = 'running', run_at = now() + make_interval(secs => $2)
			WHERE id IN (SELECT id FROM jobs WHERE kind = ANY($3) AND state IN ('waiting', 'running') AND run_at <= now()
			             ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING id, tenant_id, kind, coalesce(args->>'notice_id', args->>'person_id')::uuid AS about, coalesce(args->>'whose', args->>'state', '') AS whose,
			          coalesce(args->>'lang', '') AS lang`,
			tellAtOnce, tellLimit.Seconds(), pq.Array([]string{
				notices.KindTell, access.KindReset, access.KindChanged, access.KindLife, access.KindFactor, access.KindSignIn, lives.KindErased, access.KindSupport,
			}))
	})
	if err != nil {
		return fmt.Errorf("look for what to tell: %w", err)
	}

	for _, j := range due {
		if err := t.tell(ctx, j); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.log.Error("nobody told", "job", j.Kind, "tenant", j.Tenant.UUID, "error", err)
			err = t.in(ctx, j, func(tx *tenants.Tx) error {
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

// in is a transaction in the tenant of a job, or in none.
func (t *Teller) in(ctx context.Context, j telling, do func(*tenants.Tx) error) error {
	if j.Tenant.Valid {
		return t.DB.As(ctx, j.Tenant.UUID, do)
	}

	return t.DB.System(ctx, do)
}

// tell queues the mails of a job and ends it with them. What it was about is forgotten then.
func (t *Teller) tell(ctx context.Context, j telling) error {
	return t.in(ctx, j, func(tx *tenants.Tx) (err error) {
		switch j.Kind {
		case notices.KindTell:
			err = t.queueNotice(ctx, tx, j.About.UUID)
		case access.KindReset:
			err = t.queueReset(ctx, tx, j)
		case access.KindSupport:
			err = t.queueSupport(ctx, tx, j.About.UUID)
		case lives.KindErased:
			err = t.queueErased(ctx, tx, j)
		case access.KindLife:
			err = t.queueLife(ctx, tx, j)
		case access.KindFactor:
			err = t.queueFactor(ctx, tx, j)
		case access.KindSignIn:
			err = t.queueSignIn(ctx, tx, j)
		default:
			err = t.queueChanged(ctx, tx, j)
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'done', args = args - 'whose', finished_at = now() WHERE id = $1`, j.ID); err != nil {
			return fmt.Errorf("end telling: %w", err)
		}

		return nil
	})
}

// queueReset sends a link to a new password to whoever has the e-mail that asked for one; where nobody has, nothing.
func (t *Teller) queueReset(ctx context.Context, tx *tenants.Tx, j telling) error {
	r, ok, err := access.StartReset(ctx, tx, t.keys, j.Whose)
	if err != nil || !ok {
		return err
	}
	ctx = InLanguage(ctx, r.To, j.Lang, time.UTC)

	return Queue(ctx, tx, t.keys, r.To.Email, "reset "+j.ID.String(), signinpages.ResetMail(ctx, t.link(web.ResetPath+r.Token), access.ResetLife))
}

func (t *Teller) queueChanged(ctx context.Context, tx *tenants.Tx, j telling) error {
	to, err := access.PersonToTell(ctx, tx, j.About.UUID)
	if err != nil {
		return err
	}
	ctx = InLanguage(ctx, to, "en", time.UTC)

	ways, err := WaysIn(ctx, tx, to.ID)
	if err != nil {
		return err
	}

	return Queue(ctx, tx, t.keys, to.Email, "password changed "+j.ID.String(), signinpages.PasswordMail(ctx, ways, t.link("/forgot")))
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
		label, href = web.NumberView(number, ingest.Counts{}).Label(), t.link("/numbers/"+number.ID.String())
		switch n.Field {
		case notices.FieldSilence, notices.FieldSecret, notices.FieldAside:
			href += "/health"
		}
	}
	if n.Field == notices.FieldForward {
		href = t.link(web.ForwardsPath + "/" + n.Facts["target"])
	}
	readers, err := access.Readers(ctx, tx, access.MailAlerts)
	if err != nil {
		return err
	}
	for _, to := range readers {
		ctx := InLanguage(ctx, to, tenant.Lang, tenant.Location())
		m := numberspages.ToldMail(ctx, web.ToldView(n), tenant.Name, label, href)
		m.Leave = t.link(web.LeavePath + LeaveToken(t.keys, tenant.ID, to.ID, access.MailAlerts))
		if err := QueueCalm(ctx, tx, t.keys, tenant, to, fmt.Sprintf("notice %s %s", n.ID, to.ID), m); err != nil {
			return err
		}
	}

	return nil
}

func (t *Teller) link(path string) string {
	if t.origin == "" {
		return ""
	}

	return t.origin + path
}
