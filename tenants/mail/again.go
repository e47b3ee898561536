package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Failure is a mail that was given up. Its words and its address stay sealed.
type Failure struct {
	ID       uuid.UUID     `db:"id"`
	Tenant   uuid.NullUUID `db:"tenant_id"`
	Business string        `db:"business"`
	Key      string        `db:"key"`
	Problem  string        `db:"problem"` // Refused, NoAnswer, NoServer or OtherKeys
	Tries    int           `db:"tries"`
	At       time.Time     `db:"at"`
	Why      string        `db:"why"` // why it cannot be sent again: doubtful, key, asked, gone; empty where it can
}

// asked are mails with a link that somebody has just asked for. By now the link is dead, and who still wants one asks again.
var asked = []string{"reset %", "signup %", "new e-mail %"}

// whyNot is why a mail m that failed is not sent again. $1 is asked.
const whyNot = `(CASE WHEN m.doubtful THEN 'doubtful' WHEN m.problem = '` + OtherKeys + `' THEN 'key' WHEN m.key LIKE ANY($1) THEN 'asked'
                      WHEN m.sealed IS NULL THEN 'gone' ELSE '' END)`

const mostFailed = 200

// Failed lists the mails that were given up in the last thirty days, newest first, at most 200, in a System transaction.
func Failed(ctx context.Context, tx *tenants.Tx) ([]Failure, error) {
	list := []Failure{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT m.id, m.tenant_id, coalesce(t.name, '') AS business, m.key, m.problem, m.tries, m.done_at AS at, `+whyNot+` AS why
		FROM mails m LEFT JOIN tenants t ON t.id = m.tenant_id WHERE m.state = 'failed' ORDER BY m.done_at DESC, m.id LIMIT $2`, pq.Array(asked), mostFailed); err != nil {
		return nil, fmt.Errorf("list failed mails: %w", err)
	}

	return list, nil
}

// Again has a mail that failed sent once more, or with uuid.Nil all that can be, in a System transaction, and returns how many. One that may
// have arrived is never among them. ErrNotFound where there is none.
func Again(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) (int64, error) {
	done, err := tx.ExecContext(ctx, `
		UPDATE mails m SET state = 'waiting', tries = 0, problem = '', run_at = now(), done_at = NULL
		WHERE m.state = 'failed' AND `+whyNot+` = '' AND ($2 = '00000000-0000-0000-0000-000000000000'::uuid OR m.id = $2)`, pq.Array(asked), id)
	if err != nil {
		return 0, fmt.Errorf("send mails again: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		return 0, errors.Join(tenants.ErrNotFound, err)
	}
	object := ""
	if id != uuid.Nil {
		object = id.String()
	}

	return n, tenants.Audit(ctx, tx, tenants.Act{Actor: by, Action: "mail.again", ObjectKind: "mail", ObjectID: object, Detail: map[string]any{"mails": n}})
}
