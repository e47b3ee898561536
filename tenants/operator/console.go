package operator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// Card is one business for its operator's page.
type Card struct {
	ID           uuid.UUID  `db:"id"`
	Slug         string     `db:"slug"`
	Name         string     `db:"name"`
	State        string     `db:"state"`
	StateReason  string     `db:"state_reason"`
	StateSince   time.Time  `db:"state_since"`
	StateBy      string     `db:"state_by"`
	EraseAfter   *time.Time `db:"erase_after"`
	Lang         string     `db:"lang"`
	CreatedAt    time.Time  `db:"created_at"`
	Standing     string     `db:"standing_access"`
	Plan         string     `db:"plan"`
	APIPerMinute int        `db:"api_per_minute"`
	MostPeople   int        `db:"most_people"`
	Numbers      int        `db:"numbers"`  // connected now
	Tokens       int        `db:"tokens"`   // of these, those whose token does not work
	Blocked      int        `db:"blocked"`  // of these, those that cannot send
	Members      int        `db:"members"`  // people
	Received     int64      `db:"received"` // items
	Routed       int64      `db:"routed"`
	SetAside     int64      `db:"set_aside"`
	Waiting      int64      `db:"waiting"`
	Oldest       float64    `db:"oldest"` // seconds that the oldest of these waits
	Novel        int        `db:"novel"`  // undocumented things seen in the last week
}

// Needs tells whether somebody has to look at the business.
func (c Card) Needs() bool {
	return c.SetAside > 0 || c.Oldest > lagLimit.Seconds() || c.Tokens > 0 || c.Blocked > 0 || c.Received != c.Routed+c.SetAside+c.Waiting
}

const lagLimit = time.Minute

// selectCards reads platform tables alone: counters, the directory, lanes and drift.
const selectCards = `
	SELECT t.id, t.slug, t.name, t.state, t.state_reason, t.state_since, t.state_by, t.erase_after, t.lang, t.created_at, t.standing_access,
	       t.plan, t.api_per_minute, t.most_people,
	       (SELECT count(*) FROM number_directory d WHERE d.tenant_id = t.id AND d.until IS NULL) AS numbers,
	       (SELECT count(*) FROM number_directory d WHERE d.tenant_id = t.id AND d.until IS NULL AND d.token_problem <> '') AS tokens,
	       (SELECT count(*) FROM outbox_lanes o WHERE o.tenant_id = t.id AND o.trouble NOT IN ('', 'token', 'rate')
	          AND EXISTS (SELECT 1 FROM number_directory d WHERE d.tenant_id = t.id AND d.number_id = o.number_id AND d.until IS NULL)) AS blocked,
	       (SELECT count(*) FROM memberships m WHERE m.tenant_id = t.id) AS members,
	       coalesce(c.received, 0) AS received, coalesce(c.routed, 0) AS routed, coalesce(c.set_aside, 0) AS set_aside, coalesce(c.waiting, 0) AS waiting,
	       coalesce((SELECT greatest(extract(epoch FROM now() - i.since), 0) FROM inbox_items i
	                 WHERE i.tenant_id = t.id AND i.state = 'waiting' ORDER BY i.id LIMIT 1), 0) AS oldest,
	       (SELECT count(*) FROM drift w WHERE w.tenant_id = t.id AND w.last_at > now() - interval '7 days') AS novel
	FROM tenants t
	LEFT JOIN LATERAL (SELECT sum(received) AS received, sum(routed) AS routed, sum(set_aside) AS set_aside, sum(waiting) AS waiting
	                   FROM inbox_counters WHERE tenant_id = t.id) c ON true`

// Search lists businesses whose name or slug holds query, in a state or ("") in any, in the order they were set up from the one after the
// given id on, in a System transaction.
func Search(ctx context.Context, tx *tenants.Tx, query, state string, after uuid.UUID, limit int) ([]Card, error) {
	list := []Card{}
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.TrimSpace(query)) + "%"
	if err := tx.SelectContext(ctx, &list, selectCards+`
		WHERE t.id > $1 AND ($2 = '%%' OR t.name ILIKE $2 OR t.slug ILIKE $2) AND ($3 = '' AND t.state <> 'erased' OR t.state = $3)
		ORDER BY t.id LIMIT $4`, after, like, state, min(max(limit, 1), maxList)); err != nil {
		return nil, fmt.Errorf("search businesses: %w", err)
	}

	return list, nil
}

// Get is one business, in a System transaction.
func Get(ctx context.Context, tx *tenants.Tx, id uuid.UUID) (Card, error) {
	var c Card
	err := tx.GetContext(ctx, &c, selectCards+` WHERE t.id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Card{}, tenants.ErrNotFound
	}
	if err != nil {
		return Card{}, fmt.Errorf("read business: %w", err)
	}

	return c, nil
}

// InNeed lists the businesses that somebody has to look at, at most 50, in a System transaction.
func InNeed(ctx context.Context, tx *tenants.Tx) ([]Card, error) {
	list := []Card{}
	if err := tx.SelectContext(ctx, &list, `
		WITH hurt AS (
			SELECT tenant_id FROM inbox_counters GROUP BY tenant_id
			HAVING sum(set_aside) > 0 OR sum(received) <> sum(routed + held + set_aside + waiting)
			UNION SELECT tenant_id FROM number_directory WHERE until IS NULL AND token_problem <> ''
			UNION SELECT tenant_id FROM outbox_lanes WHERE trouble NOT IN ('', 'token', 'rate')
			UNION SELECT tenant_id FROM inbox_items WHERE state = 'waiting' AND since < now() - make_interval(secs => $1)
		)`+selectCards+` WHERE t.state <> 'erased' AND t.id IN (SELECT tenant_id FROM hurt) ORDER BY t.id LIMIT 50`, lagLimit.Seconds()); err != nil {
		return nil, fmt.Errorf("list businesses in need: %w", err)
	}

	return list, nil
}

// Limits are what a business may use.
type Limits struct {
	Plan         string // a name, no more
	APIPerMinute int    // requests, 1 to 60000
	MostPeople   int    // in its team, 1 to 5000
}

// SetLimits keeps what a business may use, in a System transaction.
func SetLimits(ctx context.Context, tx *tenants.Tx, by access.Member, tenant uuid.UUID, l Limits) error {
	if !by.Can("op:write") {
		return fmt.Errorf("set limits: %w", tenants.ErrForbidden)
	}
	l.Plan = strings.Join(strings.Fields(l.Plan), " ")
	switch {
	case utf8.RuneCountInString(l.Plan) > 60 || strings.ContainsRune(l.Plan, 0):
		return &tenants.Invalid{Field: "plan", Key: "too_long"}
	case l.APIPerMinute < 1 || l.APIPerMinute > 60000:
		return &tenants.Invalid{Field: "api_per_minute", Key: "choice"}
	case l.MostPeople < 1 || l.MostPeople > 5000:
		return &tenants.Invalid{Field: "most_people", Key: "choice"}
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE tenants SET plan = $2, api_per_minute = $3, most_people = $4 WHERE id = $1 AND state <> 'erased'`, tenant, l.Plan, l.APIPerMinute, l.MostPeople)
	if err != nil {
		return fmt.Errorf("set limits: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(tenants.ErrNotFound, err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: by.Actor, Action: "tenant.limits", ObjectKind: "tenant", ObjectID: tenant.String(),
		Detail: map[string]any{"plan": l.Plan, "api_per_minute": l.APIPerMinute, "most_people": l.MostPeople},
	})
}

// Note is what an operator wrote down about a business, for operators.
type Note struct {
	Text string    `db:"text"`
	By   string    `db:"by_name"`
	At   time.Time `db:"at"`
}

// Notes lists the notes about a business, newest first, at most 100, in a System transaction.
func Notes(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID) (list []Note, err error) {
	if err := tx.SelectContext(ctx, &list, `
		SELECT text, by_name, at FROM operator_notes WHERE tenant_id = $1 ORDER BY at DESC, id DESC LIMIT 100`, tenant); err != nil {
		return nil, fmt.Errorf("list notes: %w", err)
	}

	return list, nil
}

// AddNote writes something down about a business, in a System transaction.
func AddNote(ctx context.Context, tx *tenants.Tx, by access.Member, tenant uuid.UUID, text string) error {
	if !by.Can("op:write") {
		return fmt.Errorf("add note: %w", tenants.ErrForbidden)
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsRune(text, 0) {
		return &tenants.Invalid{Field: "text", Key: "needed"}
	}
	if utf8.RuneCountInString(text) > 2000 {
		return &tenants.Invalid{Field: "text", Key: "too_long"}
	}
	done, err := tx.ExecContext(ctx, `
		INSERT INTO operator_notes (tenant_id, id, text, by_name) SELECT id, gen_random_uuid(), $2, $3 FROM tenants WHERE id = $1 AND state <> 'erased'`,
		tenant, text, by.Person.Name)
	if err != nil {
		return fmt.Errorf("add note: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(tenants.ErrNotFound, err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "tenant.note", ObjectKind: "tenant", ObjectID: tenant.String()})
}

// Job is background work that failed for good.
type Job struct {
	ID       uuid.UUID     `db:"id"`
	Tenant   uuid.NullUUID `db:"tenant_id"`
	Business string        `db:"business"`
	Kind     string        `db:"kind"`
	Problem  string        `db:"problem"`
	Tries    int           `db:"tries"`
	At       time.Time     `db:"at"`
	Again    bool          `db:"again"` // it can be tried again
}

// again are the kinds that go on where they failed.
var again = []string{"replay", "relink", "bulk", "import"}

// goesOn tells whether a job j goes on where it failed. An import does that says at which step it was; older ones do not.
const goesOn = `(j.kind = ANY($1) AND (j.kind <> 'import' OR j.args->>'step' <> ''))`

// Failed lists the jobs that failed for good, newest first, at most 200, in a System transaction.
func Failed(ctx context.Context, tx *tenants.Tx) ([]Job, error) {
	list := []Job{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT j.id, j.tenant_id, coalesce(t.name, '') AS business, j.kind, j.problem, j.tries, coalesce(j.finished_at, j.run_at) AS at, coalesce(`+goesOn+`, false) AS again
		FROM jobs j LEFT JOIN tenants t ON t.id = j.tenant_id
		WHERE j.state = 'dead' OR j.kind = 'tenant_erase' AND j.state = 'waiting' AND j.tries > 0
		ORDER BY at DESC, j.id LIMIT $2`, pq.Array(again), maxList); err != nil {
		return nil, fmt.Errorf("list failed jobs: %w", err)
	}

	return list, nil
}

// Retry has a failed job tried again, or with uuid.Nil all that can be, and returns how many, in a System transaction.
func Retry(ctx context.Context, tx *tenants.Tx, by access.Member, id uuid.UUID) (int64, error) {
	if !by.Can("op:write") {
		return 0, fmt.Errorf("retry jobs: %w", tenants.ErrForbidden)
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE jobs j SET state = 'waiting', tries = 0, problem = '', run_at = now(), finished_at = NULL,
		       args = CASE WHEN j.kind = 'import' THEN j.args || '{"again": true}' ELSE j.args END
		WHERE j.state = 'dead' AND `+goesOn+` AND ($2 = '00000000-0000-0000-0000-000000000000'::uuid OR j.id = $2)`, pq.Array(again), id)
	if err != nil {
		return 0, fmt.Errorf("retry jobs: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil || n == 0 {
		return 0, errors.Join(tenants.ErrNotFound, err)
	}
	object := ""
	if id != uuid.Nil {
		object = id.String()
	}

	return n, tenants.Audit(ctx, tx, tenants.Act{Actor: by.Actor, Action: "job.retry", ObjectKind: "job", ObjectID: object, Detail: map[string]any{"jobs": n}})
}

// Entry is one line of the operators' audit.
type Entry struct {
	tenants.AuditEntry
	Actor    string `db:"actor"`    // who it was, where they are still known
	Business string `db:"business"` // which it is about, if any
}

// Journal lists what operators and commands did, newest first, from before an entry on (0: from the newest), in a System transaction. Who
// may not see everything sees their own.
func Journal(ctx context.Context, tx *tenants.Tx, by access.Member, before int64, limit int) ([]Entry, error) {
	if !by.Can("op:read") {
		return nil, fmt.Errorf("read the operators' audit: %w", tenants.ErrForbidden)
	}
	list := []Entry{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT a.seq, a.at, a.actor_kind, a.actor_id, a.action, a.object_kind, a.object_id, a.detail, a.prev_hash, a.hash,
		       coalesce(p.name, '') AS actor, coalesce(t.name, '') AS business
		FROM platform_audit a
		LEFT JOIN people p ON p.id::text = a.actor_id
		LEFT JOIN tenants t ON a.object_kind = 'tenant' AND t.id::text = a.object_id
		WHERE ($1 = 0 OR a.seq < $1) AND ($2 OR a.actor_id = $3)
		ORDER BY a.seq DESC LIMIT $4`, before, by.Can("op:write"), by.Person.ID.String(), min(max(limit, 1), maxList)); err != nil {
		return nil, fmt.Errorf("list the operators' audit: %w", err)
	}

	return list, nil
}
