package access

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// JournalQuery picks entries of the audit. The zero value is the newest.
type JournalQuery struct {
	Before int64  // only entries older than this number; 0 for all
	Action string // only this verb, or all of a subject: "member" for "member.add" and the like
	Person string // only acts of this actor id
	Limit  int    // 1 to 200
}

// Journal lists entries of the tenant's audit that m may read, newest first: an owner and an auditor all, a lead their own and the agents',
// everybody else their own.
func Journal(ctx context.Context, tx *tenants.Tx, m Member, q JournalQuery) ([]tenants.AuditEntry, error) {
	if !m.Can("audit:read") {
		return nil, fmt.Errorf("read audit: %w", tenants.ErrForbidden)
	}
	scope := "own"
	switch {
	case m.Can("audit:read_all"):
		scope = "all"
	case m.Can("audit:read_team"):
		scope = "team"
	}

	var entries []tenants.AuditEntry
	err := tx.SelectContext(ctx, &entries, `
		SELECT seq, at, actor_kind, actor_id, actor_name, action, object_kind, object_id, detail, prev_hash, hash
		FROM audit_entries a
		WHERE a.tenant_id = $1 AND ($2 = 0 OR a.seq < $2)
		  AND ($3 = '' OR a.action = $3 OR starts_with(a.action, $3 || '.'))
		  AND ($4 = '' OR a.actor_id = $4)
		  AND ($5 = 'all' OR a.actor_id = $6 OR $5 = 'team' AND a.actor_id IN (
		        SELECT person_id::text FROM memberships WHERE tenant_id = $1 AND role = 'agent'))
		ORDER BY a.seq DESC LIMIT $7`,
		tx.Tenant, q.Before, cleanText(q.Action), cleanText(q.Person), scope, m.Actor.ID, min(max(q.Limit, 1), 200))
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}

	return entries, nil
}

// LastSeen is when each person was last active in tenant, in a System transaction. Who has not been lately is missing.
func LastSeen(ctx context.Context, tx *tenants.Tx, tenant uuid.UUID) (map[uuid.UUID]time.Time, error) {
	var rows []struct {
		Person uuid.UUID `db:"person_id"`
		At     time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, `SELECT person_id, max(seen_at) AS at FROM sessions WHERE tenant_id = $1 GROUP BY person_id LIMIT 1000`, tenant)
	if err != nil {
		return nil, fmt.Errorf("read last activity: %w", err)
	}

	seen := make(map[uuid.UUID]time.Time, len(rows))
	for _, r := range rows {
		seen[r.Person] = r.At
	}

	return seen, nil
}
