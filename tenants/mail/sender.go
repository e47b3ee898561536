package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"
	gomail "github.com/wneessen/go-mail"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

const (
	lookEvery = 2 * time.Second
	atOnce    = 8
	sendLimit = 5 * time.Minute // a mail claimed and not done by then is another sender's
	keepDone  = 30 * 24 * time.Hour

	// KeepFailed is how long a mail that failed can be sent again; its words are forgotten after it.
	KeepFailed = 7 * 24 * time.Hour
)

// A mail is sent at least once. A server that took the whole of it and was not heard to say so may have it or not, and SMTP has no way to
// ask; one tried no more could be the link that somebody waits for. So what got no answer is tried again by itself like any other, under
// the same Message-ID, by which most mail programs show one mail where two arrived. Only a person does not send it again (see whyNot):
// by then it was tried for two days.

// pauses are how long to wait after each try that failed; after the last the mail has failed.
var pauses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// Sender sends what is queued. Any number of them, in any number of processes, work on one database.
type Sender struct {
	db   *tenants.DB
	keys *secrets.Keyring
	by   Carrier
	log  *slog.Logger
}

// NewSender makes a Sender; Run starts it.
func NewSender(db *tenants.DB, keys *secrets.Keyring, by Carrier, log *slog.Logger) *Sender {
	return &Sender{db: db, keys: keys, by: by, log: log}
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	for {
		if err := s.step(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("mails not sent", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

type queued struct {
	ID     uuid.UUID     `db:"id"`
	Tenant uuid.NullUUID `db:"tenant_id"`
	Sealed []byte        `db:"sealed"`
	Tries  int           `db:"tries"` // this one included
	// Doubtful: a try before this one may have brought it there.
	Doubtful bool `db:"doubtful"`
}

// step sends what is due, at most a handful.
func (s *Sender) step(ctx context.Context) error {
	var due []queued
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE state <> 'waiting' AND done_at < now() - make_interval(secs => $1) LIMIT 100)`,
			keepDone.Seconds()); err != nil {
			return fmt.Errorf("forget old mails: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `
			UPDATE mails SET sealed = NULL
			WHERE id IN (SELECT id FROM mails WHERE state = 'failed' AND sealed IS NOT NULL AND done_at < now() - make_interval(secs => $1) LIMIT 100)`,
			KeepFailed.Seconds()); err != nil {
			return fmt.Errorf("forget failed mails: %w", err)
		}

		// In doubt until it is known what came of it: a process may end at any moment.
		return tx.SelectContext(ctx, &due, `
			UPDATE mails SET run_at = now() + make_interval(secs => $2), tries = mails.tries + 1, doubtful = true
			FROM (SELECT m.id, m.doubtful FROM mails m LEFT JOIN tenants t ON t.id = m.tenant_id
			      WHERE m.state = 'waiting' AND m.run_at <= now() AND (m.tenant_id IS NULL OR t.state = ANY($3) OR m.key LIKE $4 || '%')
			      ORDER BY m.run_at LIMIT $1 FOR UPDATE OF m SKIP LOCKED) due
			WHERE mails.id = due.id
			RETURNING mails.id, mails.tenant_id, mails.sealed, mails.tries, due.doubtful`, atOnce, sendLimit.Seconds(), pq.Array(tenants.StatesOf(tenants.Mailing)), AboutLife)
	})
	if err != nil {
		return fmt.Errorf("look for mails: %w", err)
	}

	for _, q := range due {
		failed := s.send(ctx, q)
		if failed != nil && ctx.Err() != nil {
			return s.giveBack(ctx, q, failed)
		}
		if err := s.settle(ctx, q, failed); err != nil {
			return err
		}
	}

	return nil
}

// giveBack leaves a mail to whoever runs next: this process is ending, and that is no try.
func (s *Sender) giveBack(ctx context.Context, q queued, failed error) error {
	ctx = context.WithoutCancel(ctx)
	err := s.db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE mails SET tries = tries - 1, run_at = now(), doubtful = $2 WHERE id = $1 AND state = 'waiting'`, q.ID, q.Doubtful || perhaps(failed))
		return err
	})
	if err != nil {
		return fmt.Errorf("give back mail %s: %w", q.ID, err)
	}

	return nil
}

func (s *Sender) send(ctx context.Context, q queued) error {
	plain, err := s.keys.Open(q.Tenant.UUID, purpose, q.Sealed)
	if err != nil {
		return fmt.Errorf("open mail: %w", err)
	}
	var m Message
	if err := json.Unmarshal(plain, &m); err != nil {
		return fmt.Errorf("decode mail: %w", err)
	}
	msg, err := m.envelope(q.ID, s.by.From)
	if err != nil {
		return err
	}

	return s.by.carry(ctx, msg)
}

// settle keeps what came of a try. What the mail server says is no secret, but may repeat the address, so only its number is kept. A mail that
// failed keeps its words for a while.
func (s *Sender) settle(ctx context.Context, q queued, failed error) error {
	state, next, problem := "sent", time.Time{}, ""
	if failed != nil {
		problem = problemOf(failed)
		state, next = "waiting", time.Now().Add(pauses[min(q.Tries, len(pauses))-1])
		if final(failed) || q.Tries >= len(pauses) {
			state = "failed"
		}
		s.log.Warn("mail not sent", "mail", q.ID, "tries", q.Tries, "problem", problem, "state", state)
	}

	err := s.db.System(context.WithoutCancel(ctx), func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE mails
			SET state = $2, problem = $3, run_at = CASE WHEN $2 = 'waiting' THEN $4 ELSE run_at END,
			    sealed = CASE WHEN $2 <> 'sent' THEN sealed END, done_at = CASE WHEN $2 <> 'waiting' THEN now() END, doubtful = $5
			WHERE id = $1 AND state = 'waiting'`, q.ID, state, problem, next, failed != nil && (q.Doubtful || perhaps(failed)))

		return err
	})
	if err != nil {
		return fmt.Errorf("keep what came of mail %s: %w", q.ID, err)
	}

	return nil
}

// final tells whether trying again would come to the same.
func final(err error) bool {
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		return !refused.IsTemp() && refused.ErrorCode() >= 500
	}

	return errors.Is(err, secrets.ErrSealed)
}

// perhaps tells whether the mail server may have taken a mail all the same: it got the whole of it, and never answered.
func perhaps(err error) bool {
	var unsure *gomail.SendError

	return errors.As(err, &unsure) && unsure.Reason == gomail.ErrSMTPDataClose && unsure.ErrorCode() == 0
}

// What went wrong with a mail.
const (
	Refused   = "refused" // followed by the number that the mail server gave, if any
	NoAnswer  = "no answer"
	NoServer  = "no mail server"
	OtherKeys = "sealed with another key"
)

func problemOf(err error) string {
	var refused *gomail.SendError
	switch {
	case perhaps(err):
		return NoAnswer
	case errors.As(err, &refused) && refused.ErrorCode() > 0:
		return fmt.Sprintf("%s %d", Refused, refused.ErrorCode())
	case errors.As(err, &refused):
		return Refused
	case errors.Is(err, secrets.ErrSealed):
		return OtherKeys
	}

	return NoServer
}

// Figures are how the mails of the platform do.
type Figures struct {
	Waiting int64      `db:"waiting"`
	Failed  int64      `db:"failed"` // of the last 30 days
	Oldest  *time.Time `db:"oldest"` // of those that wait
}

// Count counts the mails, for the platform's operator.
func Count(ctx context.Context, db *tenants.DB) (f Figures, err error) {
	err = db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &f, `
			SELECT (SELECT count(*) FROM mails WHERE state = 'waiting') AS waiting, (SELECT count(*) FROM mails WHERE state = 'failed') AS failed,
			       (SELECT min(created_at) FROM mails WHERE state = 'waiting') AS oldest`)
	})
	if err != nil {
		return Figures{}, fmt.Errorf("count mails: %w", err)
	}

	return f, nil
}
